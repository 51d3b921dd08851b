// How old a member says that its local reads may be: never younger than what it has applied.

import Ensemble
import Raft
import Testing
import Znodes

@Suite("Local reads and their age")
struct LocalReadAgeTests {
    private func freshMs(_ cluster: Cluster, _ position: Int) -> UInt64 {
        cluster.nodes[position]?.replica.status().freshAsOfMs ?? .max
    }

    /// When it was acknowledged.
    private func written(_ cluster: Cluster, _ position: Int, _ path: String) throws -> UInt64 {
        let write = cluster.put(position, path)
        try cluster.run { cluster.reply(position, write) != nil }
        #expect(isCreated(cluster.reply(position, write)))
        return cluster.nowMs
    }

    @Test("Members in touch with the leader are never older than some heartbeats")
    func calm() throws {
        let cluster = try Cluster(3)
        _ = try cluster.awaitLeader()
        for _ in 0..<100 {
            try cluster.tick()
            for position in cluster.nodes.indices {
                #expect(freshMs(cluster, position) + 150 >= cluster.nowMs)
            }
        }
    }

    @Test("Reads of clients prove it as well as its own, and keep nobody from being ready")
    func busy() throws {
        let cluster = try Cluster(3)
        let leader = try cluster.awaitLeader()
        for _ in 0..<600 {
            try cluster.tick()
            for position in cluster.nodes.indices {
                _ = cluster.ask(position, .read(.linearizable(atLeast: nil)))
                let status = cluster.nodes[position]?.replica.status()
                #expect(status?.caughtUp == true, "\(position), \(leader) leads")
            }
        }
    }

    @Test("One that takes no entries hears the leader, and grows older all the same")
    func full() throws {
        let cluster = try Cluster(3)
        let leader = try cluster.awaitLeader()
        let full = (leader + 1) % 3
        cluster.fullDisks.insert(full)
        let knownMs = try written(cluster, leader, "/a")
        try cluster.tick(200)
        #expect(freshMs(cluster, full) <= knownMs && cluster.data(full, "/a") == nil)
        let heardMs = cluster.nodes[full]?.replica.status().lastLeaderContactMs ?? 0
        #expect(heardMs > knownMs + 1_000)
        cluster.makeRoom(full)
        try cluster.run { freshMs(cluster, full) > knownMs }
        #expect(cluster.data(full, "/a") != nil)
    }

    @Test("One that starts, or led when it was cut off, is no younger before it has what it missed")
    func away() throws {
        let cluster = try Cluster(3)
        let leader = try cluster.awaitLeader()
        let (away, other) = ((leader + 1) % 3, (leader + 2) % 3)
        _ = try written(cluster, leader, "/before")
        let disk = try #require(cluster.crash(away))
        for name in 0..<50 { _ = try written(cluster, leader, "/\(name)") }
        try cluster.start(away, disk: disk)
        #expect(freshMs(cluster, away) == 0)
        try cluster.run { freshMs(cluster, away) > 0 }
        #expect(cluster.data(away, "/49") != nil)

        for to in [away, other] {
            cluster.part(leader, to)
        }
        try cluster.run { cluster.nodes[other]?.replica.status().leader != cluster.members[leader] }
        let next = try #require(
            [away, other].first {
                cluster.nodes[$0]?.replica.status().role == .leader
            } ?? other)
        try cluster.run { cluster.nodes[next]?.replica.status().caughtUp == true }
        let knownMs = try written(cluster, next, "/after")
        try cluster.tick(20)
        #expect(freshMs(cluster, leader) < knownMs)
        cluster.cut.removeAll()
        try cluster.run { freshMs(cluster, leader) >= knownMs }
        #expect(cluster.data(leader, "/after") != nil)
    }
}
