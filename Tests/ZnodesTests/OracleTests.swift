// Random commands against the oracle: outcomes, stats, children, events, waits, digests, bytes.

import Testing
import Znodes

@Suite struct OracleTests {
    static func smallLimits(_ seed: UInt64) -> ZnodeLimits {
        var limits = ZnodeLimits()
        if seed % 3 == 0 {
            limits.dataBytesMax = 20
            limits.storeBytesMax = 600
            limits.deletedZnodesMax = 4
            limits.deletedBytesMax = 40
        }
        return limits
    }

    @Test("Random commands come out as the oracle says", arguments: UInt64(1)...24)
    func sameAsOracle(seed: UInt64) {
        let limits = Self.smallLimits(seed)
        var machine = StateMachine(limits: limits, hashSeed: seed)
        var oracle = NaiveTree(limits: limits)
        var commands = RandomCommands(seed: seed)
        for step in 0..<200 {
            let (command, zxid, timeMs) = commands.next()
            let outcome = machine.apply(command, zxid: Zxid(zxid), timeMs: timeMs)
            let expected = oracle.apply(command, zxid: zxid, timeMs: timeMs)
            #expect(outcome == expected, "seed \(seed) step \(step) \(command)")
            #expect(machine.znodeCount == oracle.znodes.count)
            #expect(machine.storeBytes == oracle.storeBytes)
            if step % 10 == 0 {
                #expect(machine.digest == oracle.digest(), "seed \(seed) step \(step)")
            }
            #expect(machine.lastZxid.rawValue == zxid)
            if step % 25 == 0 { Self.compareAll(machine, oracle) }
            Self.compareWaits(machine, oracle, &commands)
            Self.compareEvents(machine, oracle, &commands)
        }
        Self.compareAll(machine, oracle)
        #expect(machine.wholeSnapshot() == oracle.snapshot(), "seed \(seed)")
    }

    static func compareAll(_ machine: borrowing StateMachine, _ oracle: NaiveTree) {
        for path in oracle.znodes.keys {
            let seen = machine.seen(path, pageOf: 3)
            #expect(seen?.stat == oracle.stat(path))
            #expect(seen?.data == oracle.znodes[path]?.data)
            #expect(seen?.children == oracle.children(path))
        }
    }

    static func compareWaits(
        _ machine: borrowing StateMachine, _ oracle: NaiveTree, _ commands: inout RandomCommands
    ) {
        let path = commands.path()
        let after = UInt64.random(in: 0...oracle.lastZxid, using: &commands.random)
        for view in [View.data, .children, .existence, .node, .subtree] {
            let changed = machine.changed(view, path, after: Zxid(after))
            let expected = oracle.changed(view, path.bytes, after: after)
            // Too early is allowed for an absent znode that had children: never too late.
            if view == .node, oracle.znodes[path.bytes] == nil {
                #expect(changed || !expected)
            } else {
                #expect(changed == expected, "\(view) of \(path) after \(after)")
            }
            #expect((machine.seen(path.bytes) == nil) == (oracle.znodes[path.bytes] == nil))
        }
    }

    static func compareEvents(
        _ machine: borrowing StateMachine, _ oracle: NaiveTree, _ commands: inout RandomCommands
    ) {
        var query = EventQuery(
            path: commands.path(), recursive: Bool.random(using: &commands.random),
            types: EventTypes(rawValue: UInt8.random(in: 1...15, using: &commands.random)),
            after: Zxid(UInt64.random(in: 0...oracle.lastZxid, using: &commands.random)),
            eventsMax: Int.random(in: 1...9, using: &commands.random))
        let expected = oracle.select(query)
        var got: [Event] = []
        while query.after < machine.lastZxid {
            guard case .success(let page) = machine.events(query) else {
                Issue.record("the history is whole")
                return
            }
            let zxids = page.events.map(\.zxid)
            #expect(zxids.allSatisfy { $0 > query.after && $0 <= page.next })
            #expect(page.events.count <= query.eventsMax || Set(zxids).count == 1)
            #expect(page.next > query.after)
            got += page.events
            query.after = page.next
        }
        #expect(got == expected)
    }

    @Test("The random commands come to every kind of outcome")
    func everyOutcome() {
        var kinds: Set<String> = []
        for seed in UInt64(1)...24 {
            var machine = StateMachine(limits: Self.smallLimits(seed), hashSeed: seed)
            var commands = RandomCommands(seed: seed)
            for _ in 0..<200 {
                let (command, zxid, timeMs) = commands.next()
                let outcome = machine.apply(command, zxid: Zxid(zxid), timeMs: timeMs)
                var text = "\(outcome)"
                if case .failed(let failure) = outcome { text = "\(failure)" }
                kinds.insert(String(text.prefix { $0 != "(" }))
            }
        }
        #expect(
            kinds == [
                "created", "set", "deleted", "noNode", "nodeExists", "badVersion", "notEmpty",
                "tooManyZnodes", "storeFull", "invalidPath", "dataTooLarge", "unknownCommand",
            ])
    }

    @Test(
        "Two stores fed the same entries give the same bytes, whatever their hash seeds and reads")
    func sameEntriesSameBytes() {
        for seed in UInt64(100)..<110 {
            var one = StateMachine(limits: ZnodeLimits(), hashSeed: 1)
            var two = StateMachine(limits: ZnodeLimits(), hashSeed: 0xDEAD_BEEF)
            var commands = RandomCommands(seed: seed)
            for step in 0..<200 {
                let (command, zxid, timeMs) = commands.next()
                _ = one.apply(command, zxid: Zxid(zxid), timeMs: timeMs)
                _ = two.apply(command, zxid: Zxid(zxid), timeMs: timeMs)
                if step % 50 == 0 { _ = two.wholeSnapshot(bytesTarget: 200) }
                #expect(one.digest == two.digest)
            }
            #expect(one.wholeSnapshot(bytesTarget: 1) == two.wholeSnapshot(bytesTarget: 1 << 20))
        }
    }
}
