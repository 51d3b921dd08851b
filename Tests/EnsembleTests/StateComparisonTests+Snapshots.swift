// Snapshots between members whose trees differ: what one that starts anew is sent, and by whom.

import Ensemble
import Raft
import Testing
import Znodes

extension StateComparisonTests {
    /// Each with a snapshot, entries behind it, and none of before.
    private func withSnapshots(_ members: Int = 3) throws -> (Cluster, leader: Int) {
        var options = ReplicaOptions()
        options.snapshotEntries = 20
        options.retention.entries = 0
        options.snapshotPieceBytes = 64
        let (cluster, leader) = try filled(members, options: options)
        for number in 0..<30 {
            let write = cluster.put(leader, "/n/\(number)", "x")
            try cluster.run { cluster.reply(leader, write) != nil }
        }
        let snapshot = try #require(cluster.nodes[leader]?.disk.snapshot)
        try cluster.run {
            cluster.nodes.allSatisfy { node in
                node?.replica.applied == cluster.applied(leader)
                    && node?.disk.snapshot?.index == snapshot.index
            }
        }
        #expect(snapshot.index.rawValue < cluster.applied(leader).rawValue)
        return (cluster, leader)
    }

    private func installed(_ cluster: Cluster, _ position: Int) -> [LogIndex] {
        cluster.nodes[position]?.events.compactMap {
            if case .snapshotInstalled(let index) = $0 { index } else { nil }
        } ?? []
    }

    @Test(
        "One that starts anew is sent the state of now, no snapshot of before, and by the leader alone"
    )
    func newSnapshot() throws {
        let (cluster, leader) = try withSnapshots()
        let (wrong, third) = ((leader + 1) % 3, (leader + 2) % 3)
        let kept = cluster.nodes[third]?.disk.snapshot
        harm(cluster, wrong)
        try cluster.run { isGivenUp(cluster, wrong) }
        let now = LogIndex(cluster.applied(leader).rawValue)
        try startAnew(cluster, wrong)
        try cluster.run { cluster.nodes[wrong]?.replica.status().caughtUp == true }
        #expect(installed(cluster, wrong) == [now])
        try cluster.tick(200)
        #expect(cluster.nodes[third]?.disk.snapshot == kept)
        // That it has the state of then ends it: who leads next makes no other.
        _ = cluster.crash(leader)
        try cluster.run {
            // Its clock is the fast one.
            cluster.step(third, .tick(nowMs: cluster.nowMs, wallMs: 1_700_000_000_000))
            return cluster.leader != nil
        }
        #expect(cluster.leader == third)
        try cluster.tick(200)
        #expect(installed(cluster, wrong) == [now])
        #expect(cluster.nodes[third]?.disk.snapshot == kept)
    }

    @Test("So is one that is back when its leader has stepped down for want of a majority")
    func newSnapshotAfterStepDown() throws {
        let (cluster, leader) = try withSnapshots()
        let (wrong, third) = ((leader + 1) % 3, (leader + 2) % 3)
        harm(cluster, wrong)
        try cluster.run { isGivenUp(cluster, wrong) }
        let now = LogIndex(cluster.applied(leader).rawValue)
        _ = cluster.crash(third)
        let disk = try #require(cluster.crash(wrong))
        try cluster.run { cluster.nodes[leader]?.replica.status().role != .leader }
        try startAnew(cluster, wrong, disk: disk)
        try cluster.run { cluster.nodes[wrong]?.replica.status().caughtUp == true }
        #expect(cluster.leader == leader && installed(cluster, wrong) == [now])
    }

    @Test("One that starts anew is fed the log where the leader has no room for a snapshot")
    func noRoomForSnapshot() throws {
        let (cluster, leader) = try filled(3)
        cluster.noRoomForSnapshots = [leader]
        let wrong = (leader + 1) % 3
        harm(cluster, wrong)
        try cluster.run { isGivenUp(cluster, wrong) }
        try startAnew(cluster, wrong)
        try cluster.run { cluster.nodes[wrong]?.replica.status().caughtUp == true }
        #expect(cluster.failedBegins == 1 && cluster.nodes[leader]?.disk.snapshot == nil)
        // Nor does it wait while none is tried.
        harm(cluster, wrong)
        try cluster.run { isGivenUp(cluster, wrong) }
        try startAnew(cluster, wrong)
        try cluster.run { cluster.nodes[wrong]?.replica.status().caughtUp == true }
        #expect(cluster.data(wrong, "/a") == "1" && cluster.failedBegins == 1)
    }

    @Test("Whoever is disputed makes nobody a snapshot of its state, should it lead")
    func disputedLeader() throws {
        let (cluster, leader) = try withSnapshots()
        let (wrong, third) = ((leader + 1) % 3, (leader + 2) % 3)
        let kept = try #require(cluster.nodes[third]?.disk.snapshot?.index)
        harm(cluster, wrong)
        try cluster.run { isGivenUp(cluster, wrong) }
        for other in [leader, third] {
            cluster.part(wrong, other)
        }
        try startAnew(cluster, wrong)
        harm(cluster, third)
        try cluster.run { isDisputed(cluster, third) }
        _ = cluster.crash(leader)
        cluster.cut = []
        try cluster.run { !installed(cluster, wrong).isEmpty }
        #expect(cluster.leader == third && installed(cluster, wrong) == [kept])
    }

    /// The leader's log no longer goes back to where the last one stood, which is down.
    private func withOneFarBehind(
        _ members: Int = 3
    ) throws -> (Cluster, leader: Int, behind: Int, Disk) {
        let (cluster, leader) = try withSnapshots(members)
        let behind = (leader + 1) % members
        let disk = try #require(cluster.crash(behind))
        // Nothing is kept for one that has been away for that long.
        try cluster.tick(200)
        let before = cluster.nodes[leader]?.disk.snapshot?.index
        for number in 0..<25 {
            let write = cluster.put(leader, "/m/\(number)", "x")
            try cluster.run { cluster.reply(leader, write) != nil }
        }
        try cluster.run { cluster.nodes[leader]?.disk.snapshot?.index != before }
        return (cluster, leader, behind, disk)
    }

    private func hasSent(_ cluster: Cluster, _ leader: Int) -> Bool {
        cluster.nodes[leader]?.events.contains {
            if case .snapshotSending = $0 { true } else { false }
        } ?? false
    }

    @Test("A leader that is found wrong begins to send nobody a snapshot, though it leads on")
    func wrongLeaderDoesNotBegin() throws {
        let (cluster, leader, behind, disk) = try withOneFarBehind()
        // So that there is nobody to hand over to.
        cluster.part(leader, (leader + 2) % 3)
        try cluster.start(behind, disk: disk)
        tellOther(cluster, leader, by: Array(cluster.nodes.indices))
        #expect(isWrong(cluster, leader))
        cluster.inFlight = []
        try cluster.tick(200)
        #expect(!hasSent(cluster, leader))
        // The third one has what the other one lacks.
        cluster.cut = []
        try cluster.run { isGivenUp(cluster, leader) }
        #expect(!hasSent(cluster, leader))
    }

    @Test("A leader that is found wrong sends no more of a snapshot")
    func wrongLeaderDoesNotGoOn() throws {
        let (cluster, leader, behind, disk) = try withOneFarBehind(5)
        cluster.slowDisks = [behind]
        try cluster.start(behind, disk: disk)
        try cluster.run { hasSent(cluster, leader) }
        tellOther(cluster, leader, by: Array(cluster.nodes.indices))
        #expect(isWrong(cluster, leader))
        // Nobody else can, and it cannot hand over.
        for other in cluster.nodes.indices where other != leader && other != behind {
            for one in [leader, behind] {
                cluster.part(one, other)
            }
        }
        cluster.inFlight = []
        cluster.slowDisks = []
        for held in cluster.heldAppended { cluster.step(held.node, .snapshotAppended(held.index)) }
        try cluster.tick(200)
        #expect(installed(cluster, behind).isEmpty)
    }

    @Test(
        "Whom a leader sends a snapshot has no say in whether its state is wrong",
        arguments: [false, true])
    func noSay(saysItBefore: Bool) throws {
        let (cluster, leader, behind, disk) = try withOneFarBehind()
        cluster.slowDisks = [behind]
        try cluster.start(behind, disk: disk)
        try cluster.run {
            if saysItBefore { tellOther(cluster, leader, by: [behind]) }
            return hasSent(cluster, leader)
        }
        if !saysItBefore { tellOther(cluster, leader, by: [behind]) }
        tellOther(cluster, leader, by: [(leader + 2) % 3])
        #expect(verdict(cluster, leader) == .agreed)
    }
}
