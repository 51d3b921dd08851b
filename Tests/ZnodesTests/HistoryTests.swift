// The event feed and waits at the edges of what is remembered.

import Testing
import Znodes

@Suite struct HistoryTests {
    static func query(_ text: String, after: UInt64, max: Int = 1_000, recursive: Bool = true)
        -> EventQuery
    {
        EventQuery(
            path: path(text), recursive: recursive, types: .all, after: Zxid(after), eventsMax: max)
    }

    @Test("A trimmed history refuses what it does not hold, at exactly its floor")
    func floor() {
        var limits = ZnodeLimits()
        limits.historyBytesMax = 300
        var tree = Driver(limits: limits)
        for number in 0..<100 { tree.put("/n\(number)") }
        let floor = tree.machine.historyFloor.rawValue
        #expect(floor > 80 && floor < 100)
        #expect(tree.machine.historyBytes <= 300)
        #expect(
            tree.machine.events(Self.query("/", after: floor - 1))
                == .failure(HistoryCompacted(floor: Zxid(floor), last: Zxid(100))))
        guard case .success(let page) = tree.machine.events(Self.query("/", after: floor)) else {
            return #expect(Bool(false))
        }
        #expect(page.events.first?.zxid == Zxid(floor + 1))
        #expect(page.events.count == Int(100 - floor) * 2)
    }

    @Test("An absent znode is reported changed when its deletion may have been forgotten")
    func forgottenDeletion() {
        var limits = ZnodeLimits()
        limits.historyBytesMax = 300
        var tree = Driver(limits: limits)
        tree.put("/gone")
        tree.delete("/gone")
        #expect(tree.machine.changed(.data, path("/gone"), after: Zxid(1)) == true)
        #expect(tree.machine.changed(.data, path("/gone"), after: Zxid(2)) == false)
        #expect(tree.machine.changed(.data, path("/never"), after: Zxid(0)) == false)
        for number in 0..<60 { tree.put("/n\(number)") }
        let floor = tree.machine.historyFloor
        #expect(floor > Zxid(2))
        #expect(tree.machine.changed(.data, path("/gone"), after: Zxid(1)) == true)
        #expect(
            tree.machine.changed(.data, path("/never"), after: Zxid(floor.rawValue - 1)) == true)
        #expect(tree.machine.changed(.data, path("/never"), after: floor) == false)
        #expect(tree.machine.changed(.subtree, path("/never"), after: Zxid(1)) == true)
    }

    @Test("A quiet feed moves its bookmark to the newest zxid")
    func bookmark() {
        var tree = Driver()
        for number in 0..<50 { tree.put("/n\(number)") }
        tree.machine.skip(to: Zxid(70))
        #expect(
            tree.machine.events(Self.query("/quiet", after: 3))
                == .success(EventPage(events: [], next: Zxid(70))))
    }

    @Test("A page ends before a zxid that does not fit, and one zxid is never split")
    func pages() {
        var tree = Driver()
        tree.put("/a/b/c/d", parents: true)
        tree.put("/e")
        guard case .success(let first) = tree.machine.events(Self.query("/", after: 0, max: 3))
        else { return #expect(Bool(false)) }
        #expect(first.events.count == 8)
        #expect(first.next == Zxid(1))
        guard case .success(let rest) = tree.machine.events(Self.query("/", after: 1, max: 3))
        else { return #expect(Bool(false)) }
        #expect(rest.events.count == 2)
        #expect(rest.next == Zxid(2))
    }

    @Test("A query looks at so many events, then gives a bookmark to go on from")
    func scanBudget() {
        var tree = Driver()
        tree.machine.eventsScannedMax = 10
        for number in 0..<25 { tree.put("/n\(number)") }
        tree.put("/quiet")
        var after: UInt64 = 0
        var pages = 0
        var got: [Event] = []
        while after < 26 {
            guard case .success(let page) = tree.machine.events(Self.query("/quiet", after: after))
            else { return #expect(Bool(false)) }
            #expect(page.next.rawValue > after && page.next.rawValue <= after + 10)
            after = page.next.rawValue
            got += page.events
            pages += 1
        }
        #expect(pages == 3)
        #expect(got.map(\.type) == [.created])
    }

    @Test("A feed of one znode that has not changed looks at no event; a recursive one at few")
    func workOfQuietFeeds() {
        var tree = Driver()
        for number in 0..<10_000 { tree.put("/n\(number % 50)") }
        for (text, next) in [("/nobody", 10_000), ("/n0", 10_000)] as [(String, UInt64)] {
            let query = Self.query(text, after: 9_990, recursive: false)
            guard case .success(let page) = tree.machine.events(query) else {
                return #expect(Bool(false))
            }
            #expect(page == EventPage(events: [], next: Zxid(next)))
            #expect(page.scanned == 0)
        }
        guard case .success(let page) = tree.machine.events(Self.query("/nobody", after: 0)) else {
            return #expect(Bool(false))
        }
        #expect(page == EventPage(events: [], next: Zxid(4_096)))
        #expect(page.scanned == 4_096)
    }

    @Test("A page holds while the history goes on and is trimmed")
    func pageOutlivesHistory() {
        var limits = ZnodeLimits()
        limits.historyBytesMax = 300
        var tree = Driver(limits: limits)
        tree.put("/a/b", parents: true)
        guard case .success(let page) = tree.machine.events(Self.query("/", after: 0)) else {
            return #expect(Bool(false))
        }
        for number in 0..<10_000 { tree.put("/n\(number)") }
        #expect(tree.machine.historyFloor > Zxid(1))
        #expect(page.count == 4)
        #expect(page.events.map(\.path.description) == ["/a", "/", "/a/b", "/a"])
        #expect(page.pathBytes == 2 + 1 + 4 + 2)
    }

    @Test("Refused commands leave no event and move the zxid on")
    func refused() {
        var tree = Driver()
        tree.delete("/none")
        #expect(
            tree.machine.events(Self.query("/", after: 0))
                == .success(EventPage(events: [], next: Zxid(1))))
    }

    @Test("A long history is found by search over many chunks")
    func chunks() {
        var tree = Driver()
        for number in 0..<9_000 { tree.put("/n\(number % 50)", [1]) }
        for after in stride(from: UInt64(0), to: 9_000, by: 371) {
            guard
                case .success(let page) = tree.machine.events(
                    Self.query("/n7", after: after, max: 1, recursive: false))
            else { return #expect(Bool(false)) }
            guard let event = page.events.first else { continue }
            #expect(event.zxid.rawValue > after && event.zxid.rawValue <= after + 50)
        }
    }
}
