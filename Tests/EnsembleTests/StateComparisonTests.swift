// Members whose trees differ: who finds it, who serves on, and who starts anew.

import Ensemble
import Journal
import Raft
import Testing
import Znodes

@Suite("States that differ")
struct StateComparisonTests {
    func filled(
        _ members: Int, options: ReplicaOptions = ReplicaOptions()
    ) throws -> (Cluster, leader: Int) {
        let cluster = try Cluster(members, options: options)
        let leader = try cluster.awaitLeader()
        let write = cluster.put(leader, "/a", "1")
        try cluster.run { cluster.reply(leader, write) != nil }
        try cluster.run {
            cluster.nodes.indices.allSatisfy { cluster.applied($0) == cluster.applied(leader) }
        }
        return (cluster, leader)
    }

    func harm(_ cluster: Cluster, _ position: Int) {
        #expect(cluster.nodes[position]?.replica.harmState() == true)
    }

    func verdict(_ cluster: Cluster, _ position: Int) -> StateVerdict? {
        cluster.nodes[position]?.replica.status().stateVerdict
    }

    func isGivenUp(_ cluster: Cluster, _ position: Int) -> Bool {
        cluster.nodes[position]?.disk.isDistrusted ?? false
    }

    func isWrong(_ cluster: Cluster, _ position: Int) -> Bool {
        if case .wrong? = verdict(cluster, position) { true } else { false }
    }

    func isDisputed(_ cluster: Cluster, _ position: Int) -> Bool {
        if case .disputed? = verdict(cluster, position) { true } else { false }
    }

    /// The one at `position` has told that `wrong` holds another state.
    private func sawOther(_ cluster: Cluster, _ position: Int, _ wrong: Int) -> Bool {
        cluster.nodes[position]?.events.contains {
            if case .otherStateDiffers(cluster.members[wrong], _) = $0 { true } else { false }
        } ?? false
    }

    /// They tell that one that they hold another state than it has.
    func tellOther(_ cluster: Cluster, _ position: Int, by others: [Int]) {
        let index = LogIndex(cluster.applied(position).rawValue)
        for other in others where other != position {
            let marks = [DigestMark(index: index, digest: 1)]
            cluster.step(position, .received(.digests(marks), from: cluster.members[other]))
        }
    }

    /// What the next start finds once log and snapshots are given up.
    func startAnew(_ cluster: Cluster, _ position: Int) throws {
        try startAnew(cluster, position, disk: try #require(cluster.crash(position)))
    }

    func startAnew(_ cluster: Cluster, _ position: Int, disk: Disk) throws {
        var disk = disk
        let last = try #require(disk.entries.last)
        disk.claim = LogPosition(index: last.index, term: last.term)
        disk.entries = []
        disk.snapshot = nil
        disk.hardState.commit = .zero
        disk.isDistrusted = false
        try cluster.start(position, disk: disk)
    }

    @Test("One that a majority differs from serves nobody, gives its state up and fetches it anew")
    func minority() throws {
        let (cluster, leader) = try filled(3)
        let wrong = (leader + 1) % 3
        let wait = cluster.ask(
            wrong,
            .wait(
                Wait(
                    path: path("/a"), view: .data, after: cluster.applied(wrong),
                    deadlineMs: .max, local: true)))
        harm(cluster, wrong)
        try cluster.run { isGivenUp(cluster, wrong) }
        #expect(cluster.reply(wrong, wait) == .refused(.stateDiffers))
        let local = cluster.ask(wrong, .read(.atLeast(.zero)))
        let write = cluster.put(wrong, "/b")
        #expect(cluster.reply(wrong, local) == .refused(.stateDiffers))
        #expect(cluster.reply(wrong, write) == .refused(.stateDiffers))
        for other in cluster.nodes.indices where other != wrong {
            #expect(verdict(cluster, other) == .agreed)
            #expect(sawOther(cluster, other, wrong))
        }
        try startAnew(cluster, wrong)
        try cluster.run {
            cluster.nodes[wrong]?.replica.digest == cluster.nodes[leader]?.replica.digest
                && cluster.nodes[wrong]?.replica.status().caughtUp == true
        }
        try cluster.tick(200)
        #expect(verdict(cluster, wrong) == .agreed && cluster.data(wrong, "/a") == "1")
    }

    @Test("What a majority has prevails, though the log from its beginning tells another state")
    func prevails() throws {
        let (cluster, leader) = try filled(3)
        let right = (leader + 1) % 3
        for position in cluster.nodes.indices where position != right { harm(cluster, position) }
        try cluster.run { isGivenUp(cluster, right) }
        try startAnew(cluster, right)
        try cluster.run {
            cluster.nodes[right]?.replica.digest == cluster.nodes[leader]?.replica.digest
                && cluster.nodes[right]?.replica.status().caughtUp == true
        }
        try cluster.tick(200)
        #expect(verdict(cluster, right) == .agreed)
    }

    @Test(
        "The log of one that is wrong stays until a majority of the others has what it holds",
        arguments: [false, true])
    func neededLog(isLeaderWrong: Bool) throws {
        let (cluster, leader) = try filled(3)
        let (follower, behind) = ((leader + 1) % 3, (leader + 2) % 3)
        let (wrong, right) = isLeaderWrong ? (leader, follower) : (follower, leader)
        for other in [leader, follower] {
            cluster.part(behind, other)
        }
        let write = cluster.put(leader, "/b")
        try cluster.run { cluster.reply(leader, write) != nil }
        tellOther(cluster, wrong, by: [right, behind])
        try cluster.tick(300)
        #expect(isWrong(cluster, wrong) && !isGivenUp(cluster, wrong))
        // It is the other half of the quorum still.
        let next = cluster.put(right, "/c")
        try cluster.run { cluster.reply(right, next) != nil }
        cluster.cut = []
        try cluster.run { isGivenUp(cluster, wrong) }
        #expect(cluster.data(behind, "/b") != nil)
    }

    @Test("What an earlier process of a member had applied counts for nothing")
    func emptiedSince() throws {
        let (cluster, leader) = try filled(3)
        let (wrong, emptied) = ((leader + 1) % 3, (leader + 2) % 3)
        // Long enough for all to have reported.
        try cluster.tick(100)
        for other in [leader, wrong] {
            cluster.part(emptied, other)
        }
        try startAnew(cluster, emptied)
        tellOther(cluster, wrong, by: [leader, emptied])
        try cluster.tick(200)
        #expect(isWrong(cluster, wrong) && !isGivenUp(cluster, wrong))
        cluster.cut = []
        try cluster.run { isGivenUp(cluster, wrong) }
    }

    @Test("A leader that is the wrong one hands over before it goes")
    func leader() throws {
        let (cluster, leader) = try filled(3)
        harm(cluster, leader)
        try cluster.run { isGivenUp(cluster, leader) }
        #expect(cluster.nodes[leader]?.replica.status().role != .leader)
        #expect(cluster.nodes[leader]?.events.contains(.handingOver) == true)
        _ = cluster.crash(leader)
        try cluster.run { cluster.leader != nil && cluster.leader != leader }
    }

    @Test("Of two nobody can tell: both say so and serve nobody until one has started anew")
    func two() throws {
        let (cluster, leader) = try filled(2)
        let wrong = 1 - leader
        harm(cluster, wrong)
        try cluster.run { [leader, wrong].allSatisfy { isDisputed(cluster, $0) } }
        for position in [leader, wrong] {
            let read = cluster.ask(position, .read(.linearizable(atLeast: nil)))
            #expect(cluster.reply(position, read) == .refused(.stateDiffers))
            #expect(!isGivenUp(cluster, position))
        }
        try startAnew(cluster, wrong)
        try cluster.run {
            [leader, wrong].allSatisfy { verdict(cluster, $0) == .agreed }
                && cluster.nodes[wrong]?.replica.status().caughtUp == true
        }
        let read = cluster.ask(leader, .read(.linearizable(atLeast: nil)))
        try cluster.run { cluster.reply(leader, read) == .readable }
    }

    @Test("With a third away two that differ are disputed; it settles who is right when it is back")
    func third() throws {
        let (cluster, leader) = try filled(3)
        let (wrong, third) = ((leader + 1) % 3, (leader + 2) % 3)
        let disk = try #require(cluster.crash(third))
        harm(cluster, wrong)
        try cluster.run { isDisputed(cluster, leader) }
        #expect(!isGivenUp(cluster, wrong))
        try cluster.start(third, disk: disk)
        try cluster.run { isGivenUp(cluster, wrong) && verdict(cluster, leader) == .agreed }
    }

    @Test(
        "A znode that is not what was written there is in no snapshot: the member reads its disk anew",
        arguments: [1, 3])
    func corruptedMemory(members: Int) throws {
        var options = ReplicaOptions()
        options.snapshotEntries = 10
        let (cluster, leader) = try filled(members, options: options)
        for number in 0..<12 { _ = cluster.put(leader, "/\(number)") }
        try cluster.run { cluster.nodes[leader]?.disk.snapshot != nil }
        let kept = cluster.nodes[leader]?.disk.snapshot
        #expect(cluster.nodes[leader]?.replica.harmState(quietly: true) == true)
        for number in 0..<12 { _ = cluster.put(leader, "/\(number)") }
        try cluster.run { cluster.nodes[leader]?.startsAnew == true }
        let read = cluster.ask(leader, .read(.atLeast(.zero)))
        #expect(cluster.reply(leader, read) == .refused(.stateDiffers))
        #expect(cluster.nodes[leader]?.disk.snapshot == kept && !isGivenUp(cluster, leader))
        if members > 1 { #expect(cluster.nodes[leader]?.replica.status().role != .leader) }
        let digest = cluster.nodes[leader]?.replica.digest
        try cluster.start(leader, disk: try #require(cluster.crash(leader)))
        try cluster.run { cluster.nodes[leader]?.replica.status().caughtUp == true }
        #expect(cluster.nodes[leader]?.replica.digest == digest)
        #expect(verdict(cluster, leader) == .agreed)
    }

    /// Two voters, and the third one with a new disk that is named and gets no vote yet: what it
    /// stores is not told.
    private func withLearner() throws -> (Cluster, leader: Int, other: Int, learner: Int) {
        var options = ReplicaOptions()
        options.digestEntries = 1
        let cluster = try Cluster(3, options: options)
        cluster.asksAgainTicks = 20
        let leader = try cluster.awaitLeader()
        let (learner, other) = ((leader + 1) % 3, (leader + 2) % 3)
        let write = cluster.put(leader, "/a", "1")
        try cluster.run { cluster.reply(leader, write) != nil }
        _ = cluster.crash(learner)
        try cluster.start(learner, disk: Disk(storage: StorageID(high: 9, low: 9)))
        cluster.slowDisks.insert(learner)
        try cluster.run(1_000) {
            cluster.applied(learner) > .zero && cluster.applied(learner) == cluster.applied(leader)
        }
        let isVoter = cluster.nodes[leader]?.replica.status().members
            .first { $0.id == cluster.members[learner] }?.voter
        try #require(isVoter == false)
        return (cluster, leader, other, learner)
    }

    @Test("A learner does not count: two voters that differ are disputed, whoever it is with")
    func learner() throws {
        for isLeaderWrong in [false, true] {
            let (cluster, leader, other, learner) = try withLearner()
            let wrong = isLeaderWrong ? leader : other
            harm(cluster, wrong)
            try cluster.run { [leader, other].allSatisfy { isDisputed(cluster, $0) } }
            try cluster.tick(200)
            #expect(!cluster.nodes.indices.contains { isGivenUp(cluster, $0) })
            let right = isLeaderWrong ? other : leader
            let held = cluster.nodes[learner]?.replica.digest
            #expect(held == cluster.nodes[right]?.replica.digest)
            // With a vote it settles who is right.
            cluster.slowDisks.remove(learner)
            for held in cluster.heldStored { cluster.step(held.node, .stored(held.token)) }
            try cluster.run(1_000) { isGivenUp(cluster, wrong) }
            #expect(!isGivenUp(cluster, right) && !isGivenUp(cluster, learner))
        }
    }

    @Test("A learner judges itself by the voters, and those who agree serve on")
    func wrongLearner() throws {
        let (cluster, leader, other, learner) = try withLearner()
        harm(cluster, learner)
        try cluster.run { isGivenUp(cluster, learner) }
        for position in [leader, other] {
            #expect(verdict(cluster, position) == .agreed)
            #expect(sawOther(cluster, position, learner))
        }
    }

    @Test("Members that pass the agreed places at different times are compared all the same")
    func underLoad() throws {
        var options = ReplicaOptions()
        options.digestEntries = 4
        let cluster = try Cluster(3, options: options)
        let leader = try cluster.awaitLeader()
        let wrong = (leader + 1) % 3
        harm(cluster, wrong)
        // Something is written at each tick, and reports meet no member standing still.
        for number in 0..<120 where !isGivenUp(cluster, wrong) {
            _ = cluster.put(leader, "/\(number)")
            try cluster.tick()
        }
        #expect(isGivenUp(cluster, wrong))
    }
}
