// Damage on the disk of a running member: a fresh snapshot takes the place of the damaged files.

import Ensemble
import Raft
import Testing
import Znodes

@Suite("Damage that is found while a member runs")
struct DamageTests {
    private func fill(_ cluster: Cluster, _ position: Int, _ count: Int) throws {
        for number in 0..<count {
            let write = cluster.put(position, "/d/\(number)", "\(number)")
            try cluster.run { cluster.reply(position, write) != nil }
        }
    }

    private func healed(_ node: Node) -> [LogIndex] {
        node.events.compactMap { if case .healed(let index) = $0 { index } else { nil } }
    }

    @Test(
        "The log through a damaged segment goes as soon as a snapshot stands for it, however much is to be kept",
        arguments: [1, 3])
    func segment(members: Int) throws {
        let cluster = try Cluster(members)
        let leader = try cluster.awaitLeader()
        try fill(cluster, leader, 30)
        for position in 0..<members {
            let node = try #require(cluster.nodes[position])
            let last = node.replica.status().logLast
            #expect(node.disk.entries.first?.index == LogIndex(1) && node.disk.snapshot == nil)
            cluster.step(position, .logDamaged)
            try cluster.run { !healed(node).isEmpty }
            #expect(healed(node) == [last])
            #expect((node.disk.snapshot?.index ?? .zero) >= last)
            #expect(node.disk.entries.allSatisfy { $0.index > last })
        }
        try fill(cluster, leader, 5)
        // A snapshot that reaches that far serves again; nothing more is written for it.
        let node = try #require(cluster.nodes[leader])
        let disk = try #require(cluster.crash(leader))
        #expect(disk.entries.first.map { $0.index > (node.disk.snapshot?.index ?? .zero) } == true)
        try cluster.start(leader, disk: disk)
        _ = try cluster.awaitLeader()
        #expect(cluster.data(leader, "/d/29") == "29")
    }

    @Test("A snapshot that stands for all of it serves at once")
    func covered() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        try fill(cluster, leader, 10)
        let node = try #require(cluster.nodes[leader])
        for _ in 0..<2 {
            cluster.step(leader, .logDamaged)
            let before = healed(node).count
            try cluster.run { healed(node).count > before }
        }
        let started = node.events.count {
            if case .snapshotStarted = $0 { true } else { false }
        }
        #expect(started == 1)
    }

    @Test("What is not committed keeps its place in a damaged log until it is, or is replaced")
    func uncommitted() throws {
        let cluster = try Cluster()
        let old = try cluster.awaitLeader()
        try fill(cluster, old, 10)
        let node = try #require(cluster.nodes[old])
        for other in (0..<3) where other != old {
            cluster.part(old, other)
        }
        for number in 0..<20 { _ = cluster.put(old, "/lost/\(number)", "x") }
        let last = node.replica.status().logLast
        #expect(last.rawValue > node.replica.status().commit.rawValue)
        cluster.step(old, .logDamaged)
        try cluster.tick(20)
        #expect(healed(node).isEmpty && node.disk.entries.last?.index == last)
        #expect(node.disk.entries.first?.index == LogIndex(1))
        try cluster.run { cluster.leader != nil && cluster.leader != old }
        let next = try #require(cluster.leader)
        try fill(cluster, next, 3)
        cluster.cut = []
        for other in (0..<3) where other != old {
            cluster.greet(old, other)
            cluster.greet(other, old)
        }
        try cluster.run { !healed(node).isEmpty }
        #expect(healed(node)[0] <= node.replica.status().logLast)
        #expect(node.disk.entries.allSatisfy { $0.index > healed(node)[0] })
        try cluster.run { node.replica.digest == cluster.nodes[next]?.replica.digest }
    }

    @Test("A damaged snapshot is replaced, even by one of the same place")
    func snapshot() throws {
        var options = ReplicaOptions()
        options.snapshotEntries = 10
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        try fill(cluster, leader, 30)
        let node = try #require(cluster.nodes[leader])
        try cluster.run { node.writing == nil }
        for _ in 0..<2 {
            let mark = try #require(node.disk.snapshot)
            let before = healed(node).count
            node.disk.snapshotBody = []
            cluster.step(leader, .snapshotNotRead(mark.index))
            try cluster.run { healed(node).count > before }
            #expect(!node.disk.snapshotBody.isEmpty)
        }
    }
}
