// What an ensemble does while disks of it are full: who leads, what is refused, what is kept, and
// that all of it goes on by itself once there is room.

import Ensemble
import Raft
import Testing
import Znodes

@Suite("Full disks")
struct FullDiskTests {
    /// Their disks take no entries from now on, and they have noticed, as have the others.
    private func fill(_ cluster: Cluster, _ positions: [Int]) throws {
        cluster.fullDisks.formUnion(positions)
        let leader = try #require(cluster.leader)
        _ = cluster.put(leader, "/last")
        try cluster.run { positions.allSatisfy { isFull(cluster, $0) } }
        try cluster.tick(60)
    }

    private func isFull(_ cluster: Cluster, _ position: Int) -> Bool {
        cluster.nodes[position]?.replica.status().diskIsFull ?? false
    }

    private func written(
        _ cluster: Cluster, _ position: Int, _ path: String, _ data: String = ""
    ) throws {
        let write = cluster.put(position, path, data)
        try cluster.run { cluster.reply(position, write) != nil }
        #expect(isCreated(cluster.reply(position, write)))
    }

    private func refused(_ cluster: Cluster, _ position: Int, _ path: String) throws {
        let write = cluster.put(position, path)
        try cluster.run(30) { cluster.reply(position, write) != nil }
        #expect(cluster.reply(position, write) == .refused(.diskFull))
    }

    private func isEverywhere(_ cluster: Cluster, _ path: String) -> Bool {
        cluster.nodes.indices.allSatisfy { cluster.data($0, path) != nil }
    }

    @Test("A follower without room keeps nothing and promises nothing, and the others go on")
    func follower() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let full = (leader + 1) % 3
        try written(cluster, leader, "/before")
        try cluster.run { isEverywhere(cluster, "/before") }
        let kept = cluster.nodes[full]?.disk.entries
        try fill(cluster, [full])
        for name in 0..<20 { try written(cluster, leader, "/\(name)") }
        #expect(cluster.leader == leader)
        #expect(cluster.nodes[full]?.disk.entries == kept)
        #expect(cluster.data(full, "/before") == "")
        try refused(cluster, full, "/here")
        let seen = cluster.nodes[leader]?.replica.status().members.filter {
            $0.report?.isFull == true
        }
        #expect(seen?.map(\.id) == [cluster.members[full]])
        // What waits there is not told to anyone: without it there is no quorum.
        let other = 3 - leader - full
        cluster.part(leader, other)
        let lonely = cluster.put(leader, "/lonely")
        try cluster.tick(40)
        #expect(cluster.reply(leader, lonely) == nil)
        cluster.cut = []
        cluster.makeRoom(full)
        try cluster.run { !isFull(cluster, full) && isEverywhere(cluster, "/19") }
        try written(cluster, full, "/there")
        #expect(
            cluster.nodes[full]?.events.filter { $0 == .diskFull || $0 == .diskHasRoom }
                == [.diskFull, .diskHasRoom])
    }

    @Test("A leader without room hands over to one that has some, and fails nothing it had taken")
    func leader() throws {
        for seed in UInt64(0)..<10 {
            let cluster = try Cluster()
            cluster.seed = seed
            let old = try cluster.awaitLeader()
            let full = (old + 1) % 3
            try fill(cluster, [full])
            cluster.fullDisks.insert(old)
            let write = cluster.put(old, "/taken")
            // Two of three are full: nobody can follow the third.
            try cluster.tick(100)
            #expect(cluster.leader == old)
            #expect(cluster.nodes[old]?.events.contains(.handingOver) == false)
            cluster.makeRoom(full)
            try cluster.run { (cluster.leader ?? old) != old }
            #expect(cluster.nodes[old]?.events.contains(.handingOver) == true)
            try cluster.run {
                isCreated(cluster.reply(old, write)) || cluster.reply(old, write) != nil
            }
            #expect(
                isCreated(cluster.reply(old, write))
                    || cluster.reply(old, write) == .refused(.outcomeUnknown))
            let next = try #require(cluster.leader)
            try written(cluster, next, "/after")
            try refused(cluster, old, "/refused")
            try cluster.tick(100)
            #expect(cluster.leader == next)
            cluster.makeRoom(old)
            try cluster.run { isEverywhere(cluster, "/after") }
            #expect(isEverywhere(cluster, "/taken"))
        }
    }

    @Test("A write reaches no log where too few have room, whomever it is sent to; reads go on")
    func nobody() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let followers = [(leader + 1) % 3, (leader + 2) % 3]
        try fill(cluster, [followers[0]])
        try fill(cluster, [leader])
        #expect(cluster.leader == leader)
        let last = cluster.nodes[leader]?.replica.observation.lastIndex
        for position in 0..<3 { try refused(cluster, position, "/no") }
        let read = cluster.ask(leader, .read(.linearizable(atLeast: nil)))
        try cluster.run { cluster.reply(leader, read) != nil }
        #expect(cluster.reply(leader, read) == .readable)
        cluster.fullDisks.insert(followers[1])
        for position in 0..<3 { try refused(cluster, position, "/no") }
        #expect(cluster.nodes[leader]?.replica.observation.lastIndex == last)
        for position in 0..<3 { cluster.makeRoom(position) }
        try cluster.tick(100)
        for position in 0..<3 { try written(cluster, position, "/yes\(position)") }
        try cluster.run { isEverywhere(cluster, "/yes2") }
        #expect(cluster.data(0, "/no") == nil)
    }

    @Test("Followers without room make the leader refuse what they could not keep")
    func followers() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let followers = [(leader + 1) % 3, (leader + 2) % 3]
        try fill(cluster, followers)
        #expect(cluster.leader == leader && !isFull(cluster, leader))
        try refused(cluster, leader, "/no")
        cluster.makeRoom(followers[0])
        try cluster.tick(60)
        try written(cluster, leader, "/yes")
    }

    @Test("A member without room votes, durably, and does not stand")
    func votes() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let (full, third) = ((leader + 1) % 3, (leader + 2) % 3)
        try fill(cluster, [full])
        _ = cluster.crash(leader)
        // It has no quorum for its first entry, so it proves nothing yet.
        try cluster.run { cluster.nodes[third]?.replica.status().role == .leader }
        let term = cluster.nodes[third]?.replica.status().term
        #expect(cluster.nodes[full]?.disk.hardState.term == term)
        #expect(cluster.nodes[full]?.disk.hardState.vote == cluster.members[third])
        _ = cluster.crash(third)
        for _ in 0..<300 {
            try cluster.tick()
            let role = cluster.nodes[full]?.replica.status().role
            #expect(role == .follower)
        }
    }

    @Test("What a member without room could not write keeps nobody else from leading")
    func unwrittenTail() throws {
        for seed in UInt64(0)..<10 {
            let cluster = try Cluster()
            cluster.seed = seed
            let old = try cluster.awaitLeader()
            let (other, full) = ((old + 1) % 3, (old + 2) % 3)
            // A part of what the leader sends to the full one alone waits there, the other never
            // hears of it.
            cluster.part(old, other)
            cluster.fullDisks.insert(full)
            let lonely = (0..<5).map { cluster.put(old, "/lonely\($0)") }
            try cluster.run { isFull(cluster, full) }
            let waiting = cluster.nodes[full].map { $0.replica.observation }
            #expect(waiting.map { $0.lastIndex > $0.durableIndex } == true)
            #expect(lonely.allSatisfy { cluster.reply(old, $0) == nil })
            let gone = try #require(cluster.crash(old))
            cluster.cut = []
            try cluster.run { cluster.nodes[other]?.replica.status().role == .leader }
            cluster.makeRoom(full)
            try cluster.tick(60)
            try written(cluster, other, "/after")
            try cluster.start(old, disk: gone)
            try cluster.run { isEverywhere(cluster, "/after") }
            // They were promised to nobody.
            #expect(cluster.data(full, "/lonely4") == cluster.data(other, "/lonely4"))
        }
    }

    @Test("Of full members a new leader serves linearizable reads if all of its log is committed")
    func leaderOfFullMembers() throws {
        let cluster = try Cluster()
        let old = try cluster.awaitLeader()
        let (next, full) = ((old + 1) % 3, (old + 2) % 3)
        try written(cluster, old, "/a")
        try fill(cluster, [full])
        try cluster.tick(20)
        _ = cluster.crash(old)
        try cluster.run { cluster.nodes[next]?.replica.status().role == .leader }
        for position in [next, full] {
            let read = cluster.ask(position, .read(.linearizable(atLeast: nil)))
            try cluster.run { cluster.reply(position, read) != nil }
            #expect(cluster.reply(position, read) == .readable)
        }
        #expect(cluster.data(next, "/a") == "" && cluster.data(next, "/last") == "")
        // Nothing of its own is committed.
        let seen = cluster.nodes[next].map { $0.replica.observation }
        #expect(seen.map { $0.commit < $0.lastIndex && $0.lastTerm == $0.term } == true)
    }

    @Test("A single member refuses changes while its disk is full, and serves what it has")
    func single() throws {
        let cluster = try Cluster(1)
        _ = try cluster.awaitLeader()
        try written(cluster, 0, "/a")
        try fill(cluster, [0])
        try refused(cluster, 0, "/b")
        let read = cluster.ask(0, .read(.linearizable(atLeast: nil)))
        try cluster.run { cluster.reply(0, read) != nil }
        #expect(cluster.reply(0, read) == .readable && cluster.data(0, "/a") == "")
        cluster.makeRoom(0)
        try cluster.run { cluster.data(0, "/last") != nil && !isFull(cluster, 0) }
        try written(cluster, 0, "/b")
    }

    // MARK: the log gives way

    private func snapshotting(every entries: Int) -> ReplicaOptions {
        var options = ReplicaOptions()
        options.snapshotEntries = entries
        return options
    }

    /// All of it that a snapshot stands for is gone.
    private func isCleared(_ node: Node) -> Bool {
        guard let mark = node.disk.snapshot else { return false }
        return node.disk.entries.allSatisfy { $0.index > mark.index }
    }

    private func written(_ cluster: Cluster, _ position: Int, _ numbers: Range<Int>) throws {
        for number in numbers { try written(cluster, position, "/w/\(number)") }
    }

    @Test("For a member that says that its disk is full nothing is kept but what is kept for all")
    func keptForFull() throws {
        var options = snapshotting(every: 20)
        options.retention.entries = 5
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        let full = (leader + 1) % 3
        try fill(cluster, [full])
        try written(cluster, leader, 0..<100)
        let node = try #require(cluster.nodes[leader])
        try cluster.run { node.writing == nil }
        #expect(node.disk.entries.count <= 25)
        cluster.makeRoom(full)
        try cluster.run { isEverywhere(cluster, "/w/99") }
    }

    @Test("On a full disk the log behind the snapshot goes, also at a start that finds no room")
    func cleared() throws {
        for starts in [false, true] {
            let cluster = try Cluster(options: snapshotting(every: 50))
            var leader = try cluster.awaitLeader()
            try written(cluster, leader, 0..<70)
            let full = (leader + 1) % 3
            try cluster.run { isEverywhere(cluster, "/w/69") }
            #expect(!isCleared(try #require(cluster.nodes[full])))
            if starts {
                let disk = try #require(cluster.crash(full))
                cluster.fullDisks.insert(full)
                try cluster.start(full, disk: disk)
                leader = try #require(cluster.leader)
                _ = cluster.put(leader, "/last")
                try cluster.run { isFull(cluster, full) }
            } else {
                try fill(cluster, [full])
            }
            let node = try #require(cluster.nodes[full])
            #expect(isCleared(node) && !node.disk.entries.isEmpty)
            cluster.makeRoom(full)
            try cluster.run { isEverywhere(cluster, "/last") && !isFull(cluster, full) }
        }
    }

    @Test("When there is room again, a snapshot that is due takes it before the log does")
    func snapshotFirst() throws {
        let cluster = try Cluster(options: snapshotting(every: 50))
        let leader = try cluster.awaitLeader()
        try written(cluster, leader, 0..<45)
        let full = (leader + 1) % 3
        try fill(cluster, [full])
        let node = try #require(cluster.nodes[full])
        #expect(node.disk.snapshot == nil)
        // It is tried again and again, not as often as there are ticks.
        let before = cluster.failedBegins
        try cluster.tick(200)
        #expect((2...4).contains(cluster.failedBegins - before))
        cluster.slowFinish = [full]
        cluster.makeRoom(full)
        let kept = node.disk.entries
        try written(cluster, leader, 45..<100)
        #expect(isFull(cluster, full) && node.disk.entries == kept && !cluster.heldFinish.isEmpty)
        cluster.slowFinish = []
        cluster.finishHeld()
        #expect(isCleared(node))
        try cluster.run { !isFull(cluster, full) && isEverywhere(cluster, "/w/99") }
    }

    @Test("A disk with room for the log and none for the snapshot takes entries all the same")
    func noRoomForSnapshot() throws {
        let cluster = try Cluster(options: snapshotting(every: 50))
        let leader = try cluster.awaitLeader()
        try written(cluster, leader, 0..<45)
        let full = (leader + 1) % 3
        try fill(cluster, [full])
        cluster.noRoomForSnapshots = [full]
        cluster.makeRoom(full)
        try written(cluster, leader, 45..<150)
        try cluster.run { !isFull(cluster, full) && isEverywhere(cluster, "/w/149") }
        let node = try #require(cluster.nodes[full])
        #expect(node.disk.snapshot == nil)
        cluster.noRoomForSnapshots = []
        try cluster.run { isCleared(node) }
    }

    @Test("A full disk whose log is small against the tree is not written to for a snapshot")
    func notWorthwhile() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let full = (leader + 1) % 3
        try written(cluster, leader, "/big", String(repeating: "x", count: 100_000))
        for _ in 0..<3 {
            let number = cluster.put(leader, "/big", String(repeating: "y", count: 100_000))
            try cluster.run { cluster.reply(leader, number) != nil }
        }
        try cluster.run { cluster.data(full, "/big")?.first == "y" }
        let disk = try #require(cluster.crash(full))
        try cluster.start(full, disk: disk)
        try cluster.run { cluster.data(full, "/big")?.first == "y" }
        // Of what is due a snapshot is made while there is no room; of the little behind it, none.
        try fill(cluster, [full])
        let node = try #require(cluster.nodes[full])
        cluster.makeRoom(full)
        try cluster.run { node.disk.snapshot != nil && !isFull(cluster, full) }
        try written(cluster, leader, 0..<10)
        try cluster.run { isEverywhere(cluster, "/w/9") }
        let (begins, mark) = (cluster.failedBegins, node.disk.snapshot)
        try fill(cluster, [full])
        cluster.makeRoom(full)
        try cluster.run { !isFull(cluster, full) }
        try cluster.tick(100)
        #expect(cluster.failedBegins == begins && node.disk.snapshot == mark)
    }
}
