// Who may claim to lead, and how leadership is handed over.

import Ensemble
import Raft
import Testing
import Znodes

@Suite("Leadership")
struct LeadershipTests {
    @Test("No two members claim at one moment to lead, through cuts and returns")
    func oneClaim() throws {
        let cluster = try Cluster()
        var random = RandomGenerator(seed: 9)
        var claims = 0
        for turn in 0..<3_000 {
            if turn % 60 == 0 {
                let victim = random.next(below: 3)
                cluster.cut = []
                if turn % 120 != 0 { for other in 0..<3 { cluster.part(Int(victim), other) } }
            }
            try cluster.tick()
            let now = cluster.nowMs
            let claiming = cluster.nodes.filter {
                ($0?.replica.status().leaderConfirmedUntilMs ?? 0) > now
            }
            #expect(claiming.count <= 1)
            claims += claiming.count
        }
        #expect(claims > 1_000)
    }

    @Test("A member that stops hands its leadership over and fails nothing that was appended")
    func handsOver() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let write = cluster.put(leader, "/before")
        cluster.step(leader, .stop)
        #expect(cluster.nodes[leader]?.events.last == .handingOver)
        let refused = cluster.put(leader, "/after")
        #expect(cluster.reply(leader, refused) == .refused(.shuttingDown))
        try cluster.run { cluster.reply(leader, write) != nil }
        #expect(isCreated(cluster.reply(leader, write)))
        try cluster.run(30) { cluster.leader != nil && cluster.leader != leader }
    }

    @Test("Only a member that hands its leadership over says so")
    func saysThatItHandsOver() throws {
        let cluster = try Cluster()
        let follower = ((try cluster.awaitLeader()) + 1) % 3
        cluster.step(follower, .stop)
        let alone = try Cluster(1)
        _ = try alone.awaitLeader()
        alone.step(0, .stop)
        for node in [cluster.nodes[follower], alone.nodes[0]] {
            #expect(node?.events.isEmpty == false && node?.events.contains(.handingOver) == false)
        }
    }

    @Test("A single member leads at once and alone")
    func single() throws {
        let cluster = try Cluster(1)
        _ = try cluster.awaitLeader()
        let write = cluster.put(0, "/solo")
        try cluster.run { cluster.reply(0, write) != nil }
        #expect(isCreated(cluster.reply(0, write)))
    }
}
