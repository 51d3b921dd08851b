// Snapshots: one state, the same bytes for the same state, and no other bytes are believed.

import Testing
import Znodes

@Suite struct SnapshotTests {
    /// A machine after `steps` random commands; `commands` is where they go on.
    static func machine(
        _ commands: inout RandomCommands, steps: Int, limits: ZnodeLimits = ZnodeLimits()
    ) -> StateMachine {
        var machine = StateMachine(limits: limits, hashSeed: 5)
        for _ in 0..<steps {
            let (command, zxid, timeMs) = commands.next()
            _ = machine.apply(command, zxid: Zxid(zxid), timeMs: timeMs)
        }
        return machine
    }

    static func machine(seed: UInt64, steps: Int, limits: ZnodeLimits = ZnodeLimits())
        -> StateMachine
    {
        var commands = RandomCommands(seed: seed)
        return machine(&commands, steps: steps, limits: limits)
    }

    @Test("A snapshot in steps amid writes is the state it began at", arguments: UInt64(1)...30)
    func amidWrites(seed: UInt64) {
        var commands = RandomCommands(seed: seed)
        var machine = Self.machine(&commands, steps: 200)
        var clone = Self.machine(seed: seed, steps: 200)
        let expected = clone.wholeSnapshot()
        machine.beginSnapshot()
        var out: [UInt8] = []
        var writes = 0
        while machine.nextSnapshotBytes(
            into: &out, bytesTarget: Int.random(in: 1...300, using: &commands.random)) == .more
        {
            #expect(machine.snapshotUnderWay == true)
            for _ in 0..<Int.random(in: 0...6, using: &commands.random) {
                let (command, zxid, timeMs) = commands.next()
                _ = machine.apply(command, zxid: Zxid(zxid), timeMs: timeMs)
                writes += 1
            }
        }
        #expect(machine.snapshotUnderWay == false)
        #expect(writes > 20)
        #expect(out == expected, "seed \(seed)")
        #expect(machine.wholeSnapshot() != expected)
    }

    @Test(
        "A state is restored from any pieces, and goes on as the first", arguments: UInt64(1)...12)
    func restoreAndGoOn(seed: UInt64) throws {
        var commands = RandomCommands(seed: seed)
        var machine = Self.machine(&commands, steps: 200)
        let snapshot = machine.wholeSnapshot()
        let pieces = (0..<7).map { _ in Int.random(in: 1...60, using: &commands.random) }
        let restored = try restore(snapshot, pieces: pieces)
        #expect(restored.digest == machine.digest)
        #expect(restored.lastZxid == machine.lastZxid)
        var other = StateMachine(limits: ZnodeLimits(), hashSeed: 1)
        other.adopt(restored)
        #expect(other.wholeSnapshot(bytesTarget: 11) == snapshot)
        for _ in 0..<100 {
            let (command, zxid, timeMs) = commands.next()
            let outcome = machine.apply(command, zxid: Zxid(zxid), timeMs: timeMs)
            #expect(other.apply(command, zxid: Zxid(zxid), timeMs: timeMs) == outcome)
            let asked = commands.path()
            let after = Zxid(UInt64.random(in: 0...zxid, using: &commands.random))
            for view in [View.data, .children, .existence, .node, .subtree] {
                let answer = machine.changed(view, asked, after: after)
                #expect(other.changed(view, asked, after: after) == answer)
            }
        }
        #expect(other.wholeSnapshot() == machine.wholeSnapshot())
        #expect(other.allocatedBytes > 0)
    }

    @Test("Every truncated snapshot is refused")
    func truncated() {
        var machine = Self.machine(seed: 3, steps: 25)
        let snapshot = machine.wholeSnapshot()
        for count in 0..<snapshot.count {
            #expect(throws: SnapshotError.truncated) { _ = try restore(Array(snapshot[..<count])) }
        }
        #expect(throws: SnapshotError.malformed) { _ = try restore(snapshot + [0, 0, 0, 0, 0]) }
    }

    @Test("Every flipped bit of a snapshot is refused, in whole and in pieces")
    func flipped() {
        var machine = Self.machine(seed: 4, steps: 12)
        let snapshot = machine.wholeSnapshot()
        for at in snapshot.indices {
            for bit in [0, 3, 7] {
                var bad = snapshot
                bad[at] ^= 1 << UInt8(bit)
                #expect(throws: SnapshotError.self, "byte \(at) bit \(bit)") {
                    _ = try restore(bad, pieces: bit == 3 ? [1, 5] : nil)
                }
            }
        }
    }

    @Test("Random bytes are refused, not trapped on")
    func noise() {
        var random = SeededGenerator(1)
        var machine = Self.machine(seed: 4, steps: 12)
        let snapshot = machine.wholeSnapshot()
        for _ in 0..<2_000 {
            var bad = Array(snapshot[..<Int.random(in: 0...snapshot.count, using: &random)])
            for _ in 0..<20 { bad.append(UInt8.random(in: 0...4, using: &random)) }
            #expect(throws: SnapshotError.self) { _ = try restore(bad) }
        }
    }

    @Test("A snapshot of another format or a later version says so")
    func versions() {
        var machine = Self.machine(seed: 4, steps: 2)
        var snapshot = machine.wholeSnapshot()
        #expect(throws: SnapshotError.notASnapshot) {
            _ = try restore(bytes("hello, what is this"))
        }
        snapshot[13] = 2
        #expect(throws: SnapshotError.unknownVersion(2)) { _ = try restore(snapshot) }
    }

    @Test("A snapshot of the first state, and one that is given up")
    func firstAndAbandoned() throws {
        var machine = StateMachine(limits: ZnodeLimits(), hashSeed: 1)
        let first = machine.wholeSnapshot()
        #expect(first == NaiveTree(limits: ZnodeLimits()).snapshot())
        #expect(try restore(first).znodeCount == 2)
        machine.beginSnapshot()
        var out: [UInt8] = []
        #expect(machine.nextSnapshotBytes(into: &out, bytesTarget: 1) == .more)
        machine.abandonSnapshot()
        #expect(machine.snapshotUnderWay == false)
        #expect(machine.nextSnapshotBytes(into: &out, bytesTarget: 1) == .last)
        #expect(machine.wholeSnapshot() == first)
    }

    @Test("A step is bounded though the walk meets only what came later")
    func boundedSteps() {
        var tree = Driver()
        tree.put("/m")
        tree.machine.beginSnapshot()
        var out: [UInt8] = []
        #expect(tree.machine.nextSnapshotBytes(into: &out, bytesTarget: 1) == .more)
        for number in 0..<3_000 { tree.put("/k\(number)") }
        var steps = 0
        while tree.machine.nextSnapshotBytes(into: &out, bytesTarget: 32) == .more { steps += 1 }
        #expect(steps > 20)
        var clone = Driver()
        clone.put("/m")
        #expect(out == clone.machine.wholeSnapshot())
    }

    @Test("A znode that is not what was put there is found before it is a snapshot")
    func corruptedMemory() {
        var tree = Driver()
        for number in 0..<50 { tree.put("/k\(number)") }
        let sound = tree.machine.wholeSnapshot()
        let digest = tree.machine.digest
        #expect(tree.machine.harm(quietly: true) && tree.machine.digest == digest)
        // While the walk goes on, others change.
        tree.machine.beginSnapshot()
        var (out, step) = ([UInt8](), SnapshotStep.more)
        for number in 0..<10_000 where step == .more {
            step = tree.machine.nextSnapshotBytes(into: &out, bytesTarget: 100)
            tree.put("/k\(number % 70)")
        }
        #expect(step == .corrupted && out.count < sound.count + 100)
        #expect(tree.machine.snapshotUnderWay == false)
    }

    @Test("A trimmed history and its floor travel with the snapshot")
    func trimmedHistory() throws {
        var limits = ZnodeLimits()
        limits.historyBytesMax = 800
        var machine = Self.machine(seed: 8, steps: 200, limits: limits)
        #expect(machine.historyFloor > .zero)
        let snapshot = machine.wholeSnapshot()
        var other = StateMachine(limits: limits, hashSeed: 9)
        other.adopt(try restore(snapshot, limits: limits))
        #expect(other.historyFloor == machine.historyFloor)
        #expect(other.historyBytes == machine.historyBytes)
        #expect(other.wholeSnapshot() == snapshot)
    }

    @Test("Adopting swaps the tree under its readers and fires every watch")
    func adoption() throws {
        var source = Self.machine(seed: 5, steps: 300)
        let snapshot = source.wholeSnapshot()
        var tree = Driver()
        for number in 0..<300 { tree.put("/old\(number)", [1]) }
        var reader = tree.machine.publication.registerReader()
        reader.online()
        for id in UInt64(1)...20 {
            tree.machine.watch(WatchID(rawValue: id), .data, path("/none\(id % 3)"))
        }
        tree.machine.adopt(try restore(snapshot))
        var fired: [WatchID] = []
        tree.machine.takeFired(into: &fired)
        #expect(Set(fired.map(\.rawValue)) == Set(1...20))
        #expect(tree.machine.watchCount == 0)
        let seen = reader.read { $0.find(path("/old5")) == nil }
        #expect(seen?.result == true)
        #expect(seen?.zxid == source.lastZxid)
        let held = tree.machine.allocatedBytes
        tree.machine.reclaim()
        #expect(tree.machine.allocatedBytes == held)
        reader.quiescent()
        tree.machine.reclaim()
        #expect(tree.machine.allocatedBytes < held)
        #expect(tree.machine.digest == source.digest)
    }
}
