// A member whose disk was exchanged counts again without a person, step by step; and at no step do
// two disks count for one member, whichever comes back and whoever falls.

import Ensemble
import Journal
import Raft
import Testing
import Znodes

@Suite("A new disk under an old number")
struct AdmissionTests {
    private enum Step: CaseIterable, Sendable { case missed, named, counts }

    private final class Scene {
        let cluster: Cluster
        let leader: Int
        let exchanged: Int
        let other: Int
        /// What the exchanged member had.
        let old: Disk

        /// A member of three has lost its disk, and is back with a blank one.
        init(_ options: ReplicaOptions = ReplicaOptions()) throws {
            let cluster = try Cluster(options: options)
            cluster.asksAgainTicks = 20
            let leader = try cluster.awaitLeader()
            let exchanged = (leader + 1) % 3
            let write = cluster.put(leader, "/kept", "1")
            try cluster.run { cluster.reply(leader, write) != nil }
            try cluster.tick(20)
            old = try #require(cluster.crash(exchanged))
            try cluster.start(exchanged, disk: AdmissionTests.blank)
            other = (leader + 2) % 3
            self.cluster = cluster
            self.leader = leader
            self.exchanged = exchanged
        }

        var number: MemberID { cluster.members[exchanged] }

        func isVoter(at position: Int) -> Bool {
            cluster.nodes[position]?.replica.status().members
                .first { $0.id == number }?.voter ?? false
        }

        /// The disk in it is the named one, and a voter's, in the sight of all that are there.
        var isWhole: Bool {
            guard let leader = cluster.leader else { return false }
            return isVoter(at: leader)
                && cluster.nodes.allSatisfy { $0?.replica.status().admission == nil }
                && cluster.nodes[leader]?.replica.status().failureTolerance == 1
        }

        func events(_ event: ReplicaEvent) -> Int {
            cluster.nodes.reduce(0) { $0 + ($1?.events.count { $0 == event } ?? 0) }
        }

        /// Not a message further than the step.
        func run(until step: Step) throws {
            let event: ReplicaEvent =
                switch step {
                case .missed: .diskMissed(number)
                case .named: .diskNamed(number)
                case .counts: .diskCounts(number)
                }
            while events(event) == 0 {
                cluster.tickAll()
                try cluster.deliver { events(event) > 0 }
                try #require(cluster.nowMs < 20_000)
            }
        }
    }

    fileprivate static var blank: Disk { Disk(storage: StorageID(high: 9, low: 9)) }

    @Test("It is demoted, named, brought along and promoted, and then counts")
    func admitted() throws {
        let scene = try Scene()
        let cluster = scene.cluster
        #expect(cluster.nodes[scene.exchanged]?.replica.status().admission == .unnamed)
        try cluster.tick(150)
        #expect(scene.isVoter(at: scene.leader))
        #expect(cluster.nodes[scene.exchanged]?.replica.applied == .zero)
        try cluster.run(1_000) { scene.isWhole }
        #expect(
            cluster.nodes[scene.leader]?.events.suffix(3) == [
                .diskMissed(scene.number), .diskNamed(scene.number), .diskCounts(scene.number),
            ])
        #expect(cluster.data(scene.exchanged, "/kept") == "1")
        #expect(cluster.nodes[scene.exchanged]?.disk.isNewcomer == false)
        #expect(cluster.nodes[scene.leader]?.replica.status().disksAdmitted == 1)
        // It counts: with it alone the other one goes on.
        _ = cluster.crash(scene.leader)
        try cluster.run { cluster.leader != nil }
        let leader = try #require(cluster.leader)
        let write = cluster.put(leader, "/after", "2")
        try cluster.run { cluster.reply(leader, write) != nil }
        #expect(isCreated(cluster.reply(leader, write)))
    }

    @Test("It is brought along by a snapshot too")
    func bySnapshot() throws {
        var options = ReplicaOptions()
        options.snapshotEntries = 5
        options.retention.entries = 0
        let scene = try Scene(options)
        for number in 0..<12 {
            let write = scene.cluster.put(scene.leader, "/s/\(number)")
            try scene.cluster.run { scene.cluster.reply(scene.leader, write) != nil }
        }
        try scene.cluster.run(1_000) { scene.isWhole }
        #expect(
            scene.cluster.nodes[scene.exchanged]?.events.contains {
                if case .snapshotInstalled = $0 { true } else { false }
            } == true)
    }

    @Test("A leader that falls after any step is followed by one that goes on", arguments: 0..<3)
    func leaderFalls(step: Int) throws {
        let scene = try Scene()
        let (cluster, step) = (scene.cluster, Step.allCases[step])
        try scene.run(until: step)
        let disk = try #require(cluster.crash(scene.leader))
        try cluster.tick(100)
        try cluster.start(scene.leader, disk: disk)
        try cluster.run(2_000) { scene.isWhole }
        #expect(cluster.data(scene.exchanged, "/kept") == "1")
    }

    @Test(
        "The old disk comes back after any step: it counts again, or is turned away",
        arguments: 0..<3)
    func oldDiskBack(step: Int) throws {
        let scene = try Scene()
        let (cluster, step) = (scene.cluster, Step.allCases[step])
        try scene.run(until: step)
        let new = try #require(cluster.crash(scene.exchanged))
        try cluster.start(scene.exchanged, disk: scene.old)
        try cluster.tick(600)
        if step == .missed {
            #expect(scene.isWhole)
            return
        }
        #expect(cluster.nodes[scene.leader]?.refusals.last == .otherStorage)
        #expect(cluster.nodes[scene.exchanged]?.replica.status().refusedBy == .otherStorage)
        // It was replaced, and does not take its place back: the new one does.
        _ = cluster.crash(scene.exchanged)
        try cluster.start(scene.exchanged, disk: new)
        try cluster.run(1_000) { scene.isWhole }
    }

    @Test("What the new disk says is not counted until it has its vote back")
    func notCounted() throws {
        let scene = try Scene()
        let cluster = scene.cluster
        _ = cluster.crash(scene.other)
        let write = cluster.put(scene.leader, "/alone", "x")
        try cluster.tick(600)
        #expect(!isCreated(cluster.reply(scene.leader, write)))
        #expect(cluster.leader == nil && scene.events(.diskMissed(scene.number)) == 0)
        #expect(cluster.nodes[scene.exchanged]?.replica.status().admission == .unnamed)
        for position in [scene.leader, scene.exchanged] {
            #expect(cluster.data(position, "/alone") == nil)
        }
    }

    @Test("One whose named disk is heard of keeps its vote, however often another one asks")
    func oldOneAlive() throws {
        let scene = try Scene()
        let cluster = scene.cluster
        let node = try #require(cluster.nodes[scene.exchanged])
        let stranger = node.replica.hello(to: cluster.members[scene.leader])
        _ = cluster.crash(scene.exchanged)
        try cluster.start(scene.exchanged, disk: scene.old)
        for _ in 0..<60 {
            cluster.step(scene.leader, .hello(stranger))
            cluster.greet(scene.exchanged, scene.leader)
            cluster.greet(scene.leader, scene.exchanged)
            try cluster.tick(20)
        }
        #expect(scene.events(.diskMissed(scene.number)) == 0)
        #expect(cluster.nodes[scene.leader]?.refusals.contains(.otherStorage) == true)
    }

    @Test("A disk of another ensemble, or one that was in this one, is not admitted")
    func notBlank() throws {
        let scene = try Scene()
        let cluster = scene.cluster
        let node = try #require(cluster.nodes[scene.exchanged])
        var stranger = node.replica.hello(to: cluster.members[scene.leader])
        _ = cluster.crash(scene.exchanged)
        let ours = cluster.nodes[scene.leader]?.replica.status().ensemble
        for ensemble in [EnsembleID(high: 1, low: 1), ours] {
            stranger.ensemble = ensemble
            for _ in 0..<60 {
                cluster.step(scene.leader, .hello(stranger))
                try cluster.tick(10)
            }
        }
        #expect(scene.events(.diskMissed(scene.number)) == 0)
    }

    @Test("Yet another disk is named in the place of the one that is being brought along")
    func anotherOne() throws {
        let scene = try Scene()
        let cluster = scene.cluster
        try cluster.run(1_000) { scene.events(.diskNamed(scene.number)) > 0 }
        _ = cluster.crash(scene.exchanged)
        try cluster.start(scene.exchanged, disk: Disk(storage: StorageID(high: 9, low: 10)))
        try cluster.run(2_000) { scene.isWhole }
        #expect(cluster.data(scene.exchanged, "/kept") == "1")
    }

    @Test("Two of five are admitted one after the other")
    func twoOfFive() throws {
        let cluster = try Cluster(5)
        cluster.asksAgainTicks = 20
        let leader = try cluster.awaitLeader()
        try cluster.tick(20)
        let exchanged = [1, 2].map { (leader + $0) % 5 }
        for position in exchanged { _ = cluster.crash(position) }
        for position in exchanged {
            try cluster.start(
                position, disk: Disk(storage: StorageID(high: 9, low: UInt64(position))))
        }
        var fewest = 5
        try cluster.run(2_000) {
            let status = cluster.nodes[leader]?.replica.status()
            fewest = min(fewest, status?.members.count(where: \.voter) ?? 5)
            return status?.failureTolerance == 2 && status?.disksAdmitted == 2
        }
        #expect(fewest == 4)
    }

    @Test("A new disk that is full, and so takes nothing in, keeps no other one out")
    func fullLearner() throws {
        let cluster = try Cluster(5)
        cluster.asksAgainTicks = 20
        let leader = try cluster.awaitLeader()
        try cluster.tick(20)
        let (full, second) = ((leader + 1) % 5, (leader + 2) % 5)
        _ = cluster.crash(full)
        cluster.fullDisks.insert(full)
        try cluster.start(full, disk: Disk(storage: StorageID(high: 9, low: 1)))
        let isLearner = { (position: Int) in
            cluster.nodes[leader]?.replica.status().members
                .first { $0.id == cluster.members[position] }?.voter == false
        }
        try cluster.run(2_000) { isLearner(full) }
        try cluster.run(2_000) {
            cluster.nodes[leader]?.replica.status().members
                .first { $0.id == cluster.members[full] }?.report?.isFull == true
        }
        _ = cluster.crash(second)
        try cluster.start(second, disk: Disk(storage: StorageID(high: 9, low: 2)))
        try cluster.run(3_000) {
            cluster.nodes[leader]?.replica.status().disksAdmitted == 1
        }
        #expect(isLearner(full) && !isLearner(second))
    }

    @Test("Of two members none is admitted, and the one that remembers keeps what it has")
    func ofTwo() throws {
        let cluster = try Cluster(2)
        cluster.asksAgainTicks = 20
        let leader = try cluster.awaitLeader()
        let write = cluster.put(leader, "/kept", "1")
        try cluster.run { cluster.reply(leader, write) != nil }
        _ = cluster.crash(1 - leader)
        try cluster.start(1 - leader, disk: Self.blank)
        try cluster.tick(1_000)
        #expect(cluster.leader == nil && cluster.data(leader, "/kept") == "1")
        #expect(cluster.nodes[1 - leader]?.replica.status().admission == .unnamed)
    }
}
