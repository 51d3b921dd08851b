// Readers on other threads beside the writer, and what memory they hold back.

import Foundation
import Synchronization
import Testing
import Znodes

/// Lets a thread's body be Sendable and waited for.
final class ReaderThread: Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        let done = done
        let thread = Thread {
            body()
            done.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    func join() { done.wait() }
}

@Suite struct ReaderTests {
    @Test("Readers beside the writer see whole states in order, and only those")
    func wholeStates() {
        var tree = Driver()
        tree.put("/x/count", [0], parents: true)
        let publication = tree.machine.publication
        let (stopped, started, failures, seen) = (Shared(0), Shared(0), Shared(0), Shared(0))
        let threads = (0..<2).map { _ in
            ReaderThread {
                var reader = publication.registerReader()
                reader.online()
                started.add(1)
                var last = Zxid.zero
                while stopped.value == 0 {
                    if let (isWhole, zxid) = reader.read({ Self.isWhole($0) }) {
                        if !isWhole || zxid < last { failures.add(1) }
                        last = zxid
                        seen.add(1)
                    }
                    reader.quiescent()
                }
            }
        }
        while started.value < 2 { sched_yield() }
        // By count: so many writes, and until the readers have seen so many states.
        var round = 0
        while round < 2_000 || (seen.value < 500 && round < 1_000_000) {
            Self.write(&tree, round)
            round += 1
        }
        stopped.add(1)
        for thread in threads { thread.join() }
        #expect(failures.value == 0)
        #expect(seen.value >= 500)
    }

    /// Each write keeps this: `/x` has a subtree `/x/s` with three znodes or none, and the number of
    /// children of `/x` in its stat is that of its list.
    static func isWhole(_ state: borrowing TreeState) -> Bool {
        let top = state.find(path("/x/s"))
        let below = state.find(path("/x/s/t/u"))
        if (top == nil) != (below == nil) { return false }
        if let top, let below, top.stat.czxid != below.stat.czxid { return false }
        guard let parent = state.find(path("/x")) else { return false }
        var names = 0
        _ = parent.children(after: nil, limit: 10_000) { _ in names += 1 }
        if names != Int(parent.stat.numChildren) { return false }
        guard let counter = state.find(path("/x/count")) else { return false }
        let data = counter.data
        return data.count == Int(counter.stat.dataLength) && data.array.allSatisfy { $0 == data[0] }
    }

    static func write(_ tree: inout Driver, _ round: Int) {
        switch round % 5 {
        case 0: tree.put("/x/s/t/u", [1], parents: true)
        case 1: tree.put("/x/n\(round % 400)", [2])
        case 2:
            tree.put("/x/count", [UInt8](repeating: UInt8(round & 0xFF), count: 1 + round % 300))
        case 3: tree.delete("/x/s", recursive: true)
        default: tree.delete("/x/n\((round * 7) % 400)")
        }
    }

    @Test("Memory that a reader may hold is kept until it has been quiescent")
    func heldBack() {
        var tree = Driver()
        tree.put("/a", [UInt8](repeating: 1, count: 5_000))
        tree.machine.reclaim()
        var reader = tree.machine.publication.registerReader()
        reader.online()
        let before = tree.machine.allocatedBytes
        tree.put("/a", [])
        tree.machine.reclaim()
        #expect(tree.machine.allocatedBytes > before)
        reader.quiescent()
        tree.machine.reclaim()
        #expect(tree.machine.allocatedBytes < before - 4_000)
        tree.put("/a", [UInt8](repeating: 1, count: 5_000))
        reader.offline()
        tree.machine.reclaim()
        #expect(tree.machine.allocatedBytes == before)
    }

    @Test("When all is deleted, all memory comes back")
    func reclaimed() {
        var tree = Driver()
        tree.machine.reclaim()
        tree.put("/first")
        tree.delete("/first")
        tree.machine.reclaim()
        let before = tree.machine.allocatedBytes
        for number in 0..<6_000 {
            tree.put("/d\(number % 70)/n\(number)", [UInt8](repeating: 1, count: 50), parents: true)
        }
        #expect(tree.machine.allocatedBytes > before + 6_000 * 100)
        for number in 0..<70 { tree.delete("/d\(number)", recursive: true) }
        tree.machine.reclaim()
        #expect(tree.machine.allocatedBytes == before)
    }

    @Test("A znode of 28 and 100 bytes costs at most 280, index of children included")
    func footprint() {
        var tree = Driver()
        let data = [UInt8](repeating: 7, count: 100)
        for top in 0..<200 { tree.put("/bench/p\(1_000 + top)", parents: true) }
        let (bytesBefore, countBefore) = (tree.machine.allocatedBytes, tree.machine.znodeCount)
        for number in 0..<60_000 {
            let place = "/bench/p\(1_000 + number % 200)/znode-\(100_000_000 + number)"
            if number == 0 { #expect(place.utf8.count == 28) }
            tree.put(place, data)
        }
        tree.machine.reclaim()
        let each =
            (tree.machine.allocatedBytes - bytesBefore) / (tree.machine.znodeCount - countBefore)
        #expect(tree.machine.znodeCount - countBefore == 60_000)
        #expect(each <= 280, "\(each) bytes a znode")
    }

    @Test("Readers outlive their state machine")
    func outlive() {
        var tree = Driver()
        tree.put("/a", [5])
        var reader = tree.machine.publication.registerReader()
        reader.online()
        _ = consume tree
        let data = reader.read { $0.find(path("/a"))?.stat.dataLength }
        #expect(data?.result == 1)
    }

    @Test("Readers come and go beyond their number at once")
    func registration() {
        let tree = Driver()
        for _ in 0..<1_000 {
            var reader = tree.machine.publication.registerReader()
            reader.online()
            #expect(reader.read { $0.find(.root) != nil }?.result == true)
        }
    }
}

/// A word that threads share, by reference.
final class Shared: Sendable {
    let word: Atomic<Int>
    init(_ value: Int) { word = Atomic(value) }
    var value: Int { word.load(ordering: .acquiring) }
    func add(_ count: Int) { word.add(count, ordering: .acquiringAndReleasing) }
}
