// What a client hears of its write, and what is true of the tree then.

import Ensemble
import Raft
import Testing
import Znodes

@Suite("Writes")
struct WriteTests {
    @Test("A write through any member is answered there when it is applied there")
    func writesThroughAnyMember() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        for position in 0..<3 {
            let write = cluster.put(position, "/w\(position)", "x")
            try cluster.run { cluster.reply(position, write) != nil }
            #expect(isCreated(cluster.reply(position, write)))
            #expect(cluster.data(position, "/w\(position)") == "x")
        }
        try cluster.tick(20)
        let digests = cluster.nodes.map { $0?.replica.digest }
        #expect(Set(digests).count == 1)
    }

    @Test("Without a leader a write is refused after a second and applied nowhere, ever")
    func refusedWithoutLeader() throws {
        let cluster = try Cluster()
        let write = cluster.put(0, "/never")
        cluster.cut = [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]
        try cluster.tick(99)
        #expect(cluster.reply(0, write) == nil)
        try cluster.tick(2)
        #expect(cluster.reply(0, write) == .refused(.noQuorum))
        cluster.cut = []
        _ = try cluster.awaitLeader()
        #expect(cluster.data(0, "/never") == nil)
    }

    @Test("A write in the log of a leader that lost its quorum is unknown, never failed")
    func unknownOutcome() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let others = (0..<3).filter { $0 != leader }
        for other in others { cluster.part(leader, other) }
        let write = cluster.put(leader, "/limbo")
        try cluster.run(600) { cluster.reply(leader, write) != nil }
        #expect(cluster.reply(leader, write) == .refused(.outcomeUnknown))
    }

    @Test("A forwarded write that the old leader lost goes to the next one by itself")
    func carriedOverFailover() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let origin = (leader + 1) % 3
        cluster.cut = [[origin, leader]]
        let write = cluster.put(origin, "/carried")
        try cluster.deliver()
        _ = cluster.crash(leader)
        cluster.cut = []
        try cluster.run { cluster.reply(origin, write) != nil }
        #expect(isCreated(cluster.reply(origin, write)))
    }

    @Test("A forward that the network repeats is applied once")
    func repeatedForward() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let origin = (leader + 1) % 3
        let write = cluster.ask(
            origin,
            .write(
                .createSequential(
                    parent: .root, prefix: [0x71], data: [], mode: .persistentSequential)))
        cluster.inFlight += cluster.inFlight + cluster.inFlight
        try cluster.run { cluster.reply(origin, write) != nil }
        try cluster.tick(50)
        #expect(cluster.data(origin, "/q0000000000") != nil)
        #expect(cluster.data(origin, "/q0000000001") == nil)
        #expect(cluster.nodes[origin]?.replies[write]?.count == 1)
    }

    @Test("A forward that comes again long after is applied once, however often others restarted")
    func repeatedAfterRestarts() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let (origin, restless) = ((leader + 1) % 3, (leader + 2) % 3)
        let parent = cluster.put(origin, "/p")
        try cluster.run { cluster.reply(origin, parent) != nil }
        let write = cluster.ask(
            origin,
            .write(
                .createSequential(
                    parent: path("/p"), prefix: [0x71], data: [], mode: .persistentSequential)))
        let copies = cluster.inFlight
        try cluster.run { cluster.reply(origin, write) != nil }
        for number in 0..<70 {
            try cluster.start(restless, disk: try #require(cluster.crash(restless)))
            try cluster.run(50) { cluster.nodes[restless]?.replica.status().leader != nil }
            let other = cluster.put(restless, "/r\(number)")
            try cluster.run(50) { cluster.reply(restless, other) != nil }
        }
        #expect(cluster.leader == leader)
        cluster.inFlight += copies
        try cluster.tick(5)
        #expect(cluster.data(origin, "/p/q0000000000") != nil)
        #expect(cluster.data(origin, "/p/q0000000001") == nil)
    }

    @Test("A write is not answered before the leader's and a follower's disk have it")
    func notBeforeDurable() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        cluster.slowDisks = [0, 1, 2]
        let write = cluster.put(leader, "/durable")
        try cluster.tick(5)
        #expect(cluster.reply(leader, write) == nil)
        cluster.slowDisks = []
        for held in cluster.heldStored { cluster.step(held.node, .stored(held.token)) }
        try cluster.run { cluster.reply(leader, write) != nil }
        #expect(isCreated(cluster.reply(leader, write)))
    }

    @Test("Conditions are decided when the entry is applied: of two writers on one tag, one wins")
    func conditionsAtApply() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let first = cluster.put(0, "/c", "0")
        try cluster.run { cluster.reply(0, first) != nil }
        guard case .decided(_, let zxid) = cluster.reply(0, first) else { return }
        let writes = (0..<3).map { cluster.put($0, "/c", "\($0)", condition: .mzxidAny([zxid])) }
        try cluster.run { (0..<3).allSatisfy { cluster.reply($0, writes[$0]) != nil } }
        let won = (0..<3).filter {
            if case .decided(.set, _) = cluster.reply($0, writes[$0]) { true } else { false }
        }
        #expect(won.count == 1)
    }

    @Test("The leader's limits come into force on all members by an entry of the log")
    func replicatedLimits() throws {
        var options = ReplicaOptions()
        options.znodes.storeBytesMax = 100
        let cluster = try Cluster(options: options)
        _ = try cluster.awaitLeader()
        try cluster.tick(5)
        let fits = cluster.put(0, "/fits", String(repeating: "x", count: 50))
        try cluster.run { cluster.reply(0, fits) != nil }
        let full = cluster.put(1, "/full", String(repeating: "x", count: 50))
        try cluster.run { cluster.reply(1, full) != nil }
        #expect(isCreated(cluster.reply(0, fits)))
        guard case .decided(.failed(.storeFull), _) = cluster.reply(1, full) else {
            Issue.record("\(String(describing: cluster.reply(1, full)))")
            return
        }
        try cluster.tick(20)
        #expect(Set(cluster.nodes.map { $0?.replica.digest }).count == 1)
    }

    @Test("More writes than the limit are refused as overloaded")
    func overloaded() throws {
        var options = ReplicaOptions()
        options.pendingWritesMax = 4
        let cluster = try Cluster(options: options)
        let writes = (0..<5).map { cluster.put(0, "/o\($0)") }
        #expect(cluster.reply(0, writes[4]) == .refused(.overloaded))
        #expect(cluster.reply(0, writes[3]) == nil)
    }
}
