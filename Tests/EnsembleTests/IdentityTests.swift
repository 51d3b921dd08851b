// Which disks and members belong to the ensemble, and what a stranger may not do.

import Ensemble
import Journal
import Raft
import Testing
import Znodes

@Suite("Identity")
struct IdentityTests {
    @Test("The first leader fixes the ensemble and every disk that it meets")
    func fixes() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        try cluster.run { cluster.nodes.allSatisfy { $0?.disk.ensemble != nil } }
        #expect(Set(cluster.nodes.map { $0?.disk.ensemble }).count == 1)
        #expect(cluster.nodes.allSatisfy { $0?.refusals.isEmpty ?? false })
    }

    @Test("A wiped disk under an old number is refused and does not help to elect")
    func wiped() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let write = cluster.put(leader, "/kept", "1")
        try cluster.run { cluster.reply(leader, write) != nil }
        try cluster.tick(100)
        let wiped = (leader + 1) % 3
        let other = (leader + 2) % 3
        _ = cluster.crash(wiped)
        try cluster.start(wiped, disk: Disk(storage: StorageID(high: 9, low: 9)))
        #expect(cluster.nodes[wiped]?.replica.status().refusedBy == .otherStorage)
        let disk = cluster.crash(leader)
        try cluster.tick(500)
        #expect(cluster.nodes[other]?.replica.status().role != .leader)
        #expect(cluster.nodes[wiped]?.replica.status().role != .leader)
        try cluster.start(leader, disk: try #require(disk))
        try cluster.run { cluster.leader != nil }
        #expect(cluster.data(other, "/kept") == "1")
    }

    @Test("A stranger at a member's address takes neither readiness nor vote from those who are in")
    func strangerRefuses() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        try cluster.tick(20)
        let down = (leader + 1) % 3
        _ = cluster.crash(down)
        for member in [leader, (leader + 2) % 3] {
            cluster.step(member, .refused(by: cluster.members[down], .otherEnsemble))
            cluster.step(member, .refused(by: cluster.members[down], .otherStorage))
            #expect(cluster.nodes[member]?.replica.status().refusedBy == nil)
        }
        cluster.step(leader, .stop)
        try cluster.run(200) { cluster.leader == (leader + 2) % 3 }
    }

    @Test("Strangers are turned away: another ensemble, an unknown number, a wrong addressee")
    func strangers() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let (other, third) = ((leader + 1) % 3, (leader + 2) % 3)
        try cluster.run { cluster.nodes.allSatisfy { $0?.disk.ensemble != nil } }
        func refusal(_ change: (inout Hello) -> Void) -> HelloRefusal? {
            guard var hello = cluster.nodes[other]?.replica.hello(to: cluster.members[leader])
            else { return nil }
            change(&hello)
            cluster.nodes[leader]?.refusals = []
            cluster.step(leader, .hello(hello))
            return cluster.nodes[leader]?.refusals.first
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.ensemble = EnsembleID(high: 1, low: 1) } == .otherEnsemble)
        #expect(refusal { $0.member = MemberID(9) } == .unknownMember)
        #expect(refusal { $0.to = cluster.members[third] } == .wrongAddressee)
        #expect(refusal { $0.storage = StorageID(high: 0, low: 1) } == .otherStorage)
    }
}
