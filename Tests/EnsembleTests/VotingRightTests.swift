// Which disk may vote, case by case: what an exchanged, blank or restored disk could have promised
// before decides whether an election with it may lose what was acknowledged.

import Ensemble
import Journal
import Raft
import Testing
import Znodes

@Suite("The right to vote")
struct VotingRightTests {
    private static func blank(_ low: UInt64 = 9) -> Disk {
        Disk(storage: StorageID(high: 9, low: low))
    }

    /// Two of three have formed the ensemble and are named; the third was never there.
    private func founded() throws -> (cluster: Cluster, leader: Int, other: Int, absent: Int) {
        let cluster = try Cluster()
        _ = cluster.crash(2)
        let leader = try cluster.awaitLeader()
        try cluster.run { cluster.nodes.allSatisfy { $0?.disk.ensemble != nil || $0 == nil } }
        return (cluster, leader, 1 - leader, 2)
    }

    private func isLeaderless(_ cluster: Cluster) -> Bool {
        cluster.nodes.allSatisfy { $0?.replica.status().role != .leader }
    }

    @Test("A disk that is exchanged before anybody led is a first one: the three begin with it")
    func wipedBeforeAnyLeader() throws {
        let cluster = try Cluster()
        try cluster.tick(10)
        _ = cluster.crash(2)
        try cluster.start(2, disk: Self.blank())
        let leader = try cluster.awaitLeader()
        try cluster.run { cluster.nodes.allSatisfy { $0?.disk.ensemble != nil } }
        #expect(cluster.nodes.allSatisfy { $0?.disk.isNewcomer == false })
        _ = cluster.crash((leader + 1) % 3)
        let write = cluster.put(leader, "/a")
        try cluster.run { cluster.reply(leader, write) != nil }
    }

    @Test("A founder that restarts before an entry has named it votes all the same")
    func unnamedFounder() throws {
        let (cluster, leader, other, absent) = try founded()
        // It has voted, and holds the first entry; what came then it does not know.
        var founder = Disk(storage: StorageID(high: 7, low: UInt64(absent + 1)))
        let first = try #require(cluster.nodes[other]?.disk.entries.first)
        founder.append(
            HardState(term: first.term, vote: cluster.members[leader], commit: .zero), [first])
        _ = cluster.crash(leader)
        try cluster.start(absent, disk: founder)
        try cluster.run { cluster.leader == other }
    }

    @Test("A blank disk that meets an ensemble votes once an entry has named it, and not before")
    func newcomer() throws {
        let (cluster, leader, other, absent) = try founded()
        try cluster.start(absent, disk: Self.blank())
        let disk = try #require(cluster.crash(leader))
        try cluster.tick(500)
        #expect(isLeaderless(cluster))
        try cluster.start(leader, disk: disk)
        try cluster.run { cluster.nodes[absent]?.disk.isNewcomer == false }
        let now = try cluster.awaitLeader()
        if now != absent { _ = cluster.crash(now) }
        try cluster.run { cluster.leader == absent || cluster.leader == leader + other - now }
    }

    @Test("A blank disk that restarts before an entry has named it still does not vote")
    func newcomerRestarts() throws {
        let (cluster, leader, other, absent) = try founded()
        let disk = try #require(cluster.crash(other))
        // It hears the leader, takes its term, and is not heard.
        cluster.cut = [[absent, leader]]
        try cluster.start(absent, disk: Self.blank())
        try cluster.tick(10)
        _ = cluster.crash(leader)
        cluster.cut = []
        let newcomer = try #require(cluster.crash(absent))
        #expect(newcomer.hardState.term > .zero && newcomer.isNewcomer)
        try cluster.start(absent, disk: newcomer)
        try cluster.start(other, disk: disk)
        try cluster.tick(500)
        #expect(isLeaderless(cluster))
    }

    @Test(
        "15: A number stays with its disk, whoever leads and after snapshots, until an entry ends it"
    )
    func numberIsNeverReused() throws {
        var options = ReplicaOptions()
        options.snapshotEntries = 10
        options.retention.entries = 0
        let cluster = try Cluster(options: options)
        var leader = try cluster.awaitLeader()
        for number in 0..<30 {
            let write = cluster.put(leader, "/s/\(number)")
            try cluster.run { cluster.reply(leader, write) != nil }
        }
        let disks = (0..<3).map { cluster.crash($0) }
        #expect(disks.allSatisfy { $0?.snapshot != nil })
        for position in 0..<3 { try cluster.start(position, disk: try #require(disks[position])) }
        leader = try cluster.awaitLeader()
        let exchanged = (leader + 1) % 3
        _ = cluster.crash(exchanged)
        try cluster.start(exchanged, disk: Self.blank())
        #expect(cluster.nodes[leader]?.refusals.last == .otherStorage)
        // It asks once and not again: nobody says that the old one is gone for good.
        try cluster.tick(500)
        #expect(cluster.nodes[exchanged]?.replica.applied == .zero)
        #expect(cluster.nodes[leader]?.replica.status().members.allSatisfy(\.voter) == true)
    }

    @Test("A disk that is there when an entry names another one for its member is turned away")
    func exchangedWhileNamed() throws {
        let cluster = try Cluster()
        try cluster.run { cluster.nodes.contains { $0?.replica.status().role == .leader } }
        let leader = try #require(
            cluster.nodes.firstIndex { $0?.replica.status().role == .leader })
        let (other, exchanged) = ((leader + 1) % 3, (leader + 2) % 3)
        // The entry that names all three is in the leader's log, and in no other.
        cluster.cut = [[leader, other], [leader, exchanged]]
        try cluster.tick(2)
        #expect(cluster.nodes[leader]?.disk.ensemble == nil)
        _ = cluster.crash(exchanged)
        try cluster.start(exchanged, disk: Self.blank())
        // The name is in force from when it is in the leader's log.
        #expect(cluster.nodes[leader]?.refusals == [.otherStorage])
        cluster.cut = []
        try cluster.run { cluster.nodes[leader]?.disk.ensemble != nil }
        #expect(cluster.nodes[leader]?.refusals == [.otherStorage])
        _ = cluster.crash(leader)
        try cluster.tick(500)
        #expect(isLeaderless(cluster))
    }

    @Test("Two exchanged at once elect nobody while the third is there, which keeps what it has")
    func twoWiped() throws {
        let cluster = try Cluster()
        let left = try cluster.awaitLeader()
        let write = cluster.put(left, "/kept", "1")
        try cluster.run { cluster.reply(left, write) != nil }
        for position in 0..<3 where position != left { _ = cluster.crash(position) }
        for position in 0..<3 where position != left {
            try cluster.start(position, disk: Self.blank(UInt64(position)))
        }
        try cluster.tick(500)
        #expect(isLeaderless(cluster) && cluster.data(left, "/kept") == "1")
    }

    @Test("Two exchanged at once while nobody remembers begin anew, and the third joins neither")
    func majorityLost() throws {
        let cluster = try Cluster()
        let left = try cluster.awaitLeader()
        let write = cluster.put(left, "/kept", "1")
        try cluster.run { cluster.reply(left, write) != nil }
        try cluster.tick(20)
        let disks = (0..<3).map { cluster.crash($0) }
        for position in 0..<3 where position != left {
            try cluster.start(position, disk: Self.blank(UInt64(position)))
        }
        try cluster.run { cluster.leader != nil }
        try cluster.run { cluster.nodes.allSatisfy { $0 == nil || $0?.disk.ensemble != nil } }
        try cluster.start(left, disk: try #require(disks[left]))
        #expect(cluster.nodes[left]?.refusals == [.otherEnsemble, .otherEnsemble])
        try cluster.tick(300)
        #expect(cluster.nodes[left]?.replica.status().role != .leader)
        #expect(cluster.nodes[left]?.replica.status().refusedBy == .otherEnsemble)
    }

    @Test(
        "A directory put back from an old copy is brought along again by the leader that is there")
    func restoredFromCopy() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let (down, restored) = ((leader + 1) % 3, (leader + 2) % 3)
        let copy = try #require(cluster.nodes[restored]?.disk)
        _ = cluster.crash(down)
        for number in 0..<5 {
            let write = cluster.put(leader, "/a/\(number)", "x")
            try cluster.run { cluster.reply(leader, write) != nil }
        }
        _ = cluster.crash(restored)
        try cluster.start(restored, disk: copy)
        try cluster.run { cluster.data(restored, "/a/4") == "x" }
        let next = cluster.put(leader, "/b", "y")
        try cluster.run { cluster.reply(leader, next) != nil }
        #expect(isCreated(cluster.reply(leader, next)))
    }
}
