// Members that were away, or start again, from snapshots.

import Ensemble
import Raft
import Testing
import Znodes

@Suite("Snapshots")
struct SnapshotTests {
    private func options() -> ReplicaOptions {
        var options = ReplicaOptions()
        options.snapshotEntries = 20
        options.retention.entries = 5
        options.snapshotPieceBytes = 64
        return options
    }

    private func fill(_ cluster: Cluster, _ position: Int, _ numbers: Range<Int>) throws {
        for number in numbers {
            let write = cluster.put(position, "/s/\(number)", "\(number)")
            try cluster.run { cluster.reply(position, write) != nil }
        }
    }

    /// A member is away until the others have dropped what it lacks.
    private func leaveBehind(_ cluster: Cluster) throws -> (leader: Int, away: Int, disk: Disk) {
        let leader = try cluster.awaitLeader()
        let away = (leader + 1) % 3
        let disk = try #require(cluster.crash(away))
        try fill(cluster, leader, 0..<100)
        try cluster.run { (cluster.nodes[leader]?.disk.entries.count ?? 99) < 60 }
        return (leader, away, disk)
    }

    /// The member after the one that `leaveBehind` will leave: it needs no snapshot to bring that one along.
    private func keepWholeLog(_ cluster: Cluster) throws -> Int {
        let other = (try cluster.awaitLeader() + 2) % 3
        cluster.options.retention.entries = 10_000
        try cluster.start(other, disk: try #require(cluster.crash(other)))
        return other
    }

    @Test("A member away for longer than the log takes in a snapshot and ends equal")
    func catchesUp() throws {
        let cluster = try Cluster(options: options())
        let (leader, away, disk) = try leaveBehind(cluster)
        try cluster.start(away, disk: disk)
        try cluster.run {
            cluster.nodes[away]?.replica.digest == cluster.nodes[leader]?.replica.digest
        }
        let installed = cluster.nodes[away]?.events.contains {
            if case .snapshotInstalled = $0 { true } else { false }
        }
        #expect(installed == true)
        #expect(cluster.data(away, "/s/99") == "99")
    }

    /// Until it has a part of a snapshot.
    private func startReceiving(_ cluster: Cluster, _ away: Int, _ disk: Disk) throws {
        try cluster.start(away, disk: disk)
        for _ in 0..<100 where cluster.nodes[away]?.writing == nil {
            cluster.tickAll()
            try cluster.deliver { cluster.nodes[away]?.writing != nil }
        }
        #expect(cluster.nodes[away]?.writing != nil)
    }

    @Test("A member that starts anew within a transfer is sent another one at once")
    func startsAnewWithinTransfer() throws {
        let cluster = try Cluster(options: options())
        let (leader, away, disk) = try leaveBehind(cluster)
        try startReceiving(cluster, away, disk)
        let half = try #require(cluster.nodes[away]?.disk)
        // Its next process is greeted before the end of its links is heard of.
        cluster.inFlight.removeAll { $0.from == away || $0.to == away }
        try cluster.start(away, disk: half)
        let ticks = Int(cluster.options.snapshotStallMs / cluster.options.tickMs) / 2
        try cluster.run(ticks) {
            cluster.nodes[away]?.replica.digest == cluster.nodes[leader]?.replica.digest
        }
    }

    @Test("A transfer whose leader is gone does not keep a member from taking snapshots of its own")
    func halfReceived() throws {
        let cluster = try Cluster(options: options())
        let other = try keepWholeLog(cluster)
        let (leader, away, disk) = try leaveBehind(cluster)
        try startReceiving(cluster, away, disk)
        _ = cluster.crash(leader)
        try cluster.run { cluster.leader == other }
        try fill(cluster, other, 100..<150)
        try cluster.run {
            (cluster.nodes[away]?.replica.status().snapshotIndex.rawValue ?? 0) > 100
        }
        #expect(cluster.data(away, "/s/149") == "149")
    }

    @Test("A transfer whose leader is gone gives its room back where entries find none")
    func halfReceivedWithoutRoom() throws {
        var options = options()
        // The commit gets as far as entries are sent.
        options.raft.limits.appendBytesMax = 1
        options.raft.limits.inflightMessagesMax = 1
        let cluster = try Cluster(options: options)
        let other = try keepWholeLog(cluster)
        let (leader, away, disk) = try leaveBehind(cluster)
        try startReceiving(cluster, away, disk)
        cluster.fullDisks = [away]
        _ = cluster.crash(leader)
        try cluster.run { cluster.nodes[other]?.replica.status().role == .leader }
        let node = try #require(cluster.nodes[away])
        try cluster.run { node.replica.status().diskIsFull }
        #expect(node.writing != nil)
        try cluster.run(Int(cluster.options.snapshotStallMs / cluster.options.tickMs) + 10) {
            node.writing == nil
        }
        // That was the room.
        cluster.makeRoom(away)
        try cluster.run {
            _ = cluster.put(other, "/after")
            return cluster.data(away, "/after") != nil
        }
    }

    @Test(
        "A member whose disk lags asks for no more of a snapshot than it may hold, and goes on later"
    )
    func slowDisk() throws {
        let cluster = try Cluster(options: options())
        let (leader, away, disk) = try leaveBehind(cluster)
        cluster.slowDisks = [away]
        try cluster.start(away, disk: disk)
        try cluster.tick(300)
        #expect(cluster.heldAppended.count == cluster.options.snapshotPiecesAhead)
        cluster.slowDisks = []
        let held = (cluster.heldStored, cluster.heldAppended)
        for (node, token) in held.0 { cluster.step(node, .stored(token)) }
        for (node, index) in held.1 { cluster.step(node, .snapshotAppended(index)) }
        try cluster.run {
            cluster.nodes[away]?.replica.digest == cluster.nodes[leader]?.replica.digest
        }
    }

    @Test("What stays of the log behind a snapshot is bounded by entries and by bytes")
    func keptBytes() throws {
        var options = options()
        options.retention.entries = 50
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        func kept() throws -> Int {
            let node = try #require(cluster.nodes[leader])
            try cluster.run { node.writing == nil }
            let mark = try #require(node.disk.snapshot)
            return node.disk.entries.count { $0.index <= mark.index }
        }
        try fill(cluster, leader, 0..<100)
        #expect(try kept() == 50)
        cluster.options.retention.bytes = 400
        let disk = try #require(cluster.crash(leader))
        try cluster.start(leader, disk: disk)
        let next = try cluster.awaitLeader()
        try fill(cluster, next, 0..<100)
        try cluster.run {
            cluster.nodes[leader]?.replica.digest == cluster.nodes[next]?.replica.digest
        }
        let bytes = try #require(cluster.nodes[leader]).disk.entries.prefix(try kept())
            .map(\.weightBytes).reduce(0, +)
        #expect(bytes > 300 && bytes <= 400)
    }

    @Test(
        "A member that is being brought along gets entries, not one snapshot after the other",
        arguments: [(catchUpBytes: 1 << 20, installs: 0), (catchUpBytes: 200, installs: 1)])
    func broughtAlong(catchUpBytes: Int, installs: Int) throws {
        var options = options()
        options.retention.catchUpBytes = catchUpBytes
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        let slow = (leader + 1) % 3
        try fill(cluster, leader, 0..<10)
        let disk = try #require(cluster.nodes[slow]).disk
        cluster.slowDisks = [slow]
        try fill(cluster, leader, 10..<100)
        try cluster.run { cluster.nodes[leader]?.writing == nil }
        // Of what was to become durable, nothing did.
        cluster.slowDisks = []
        _ = cluster.crash(slow)
        try cluster.start(slow, disk: disk)
        try cluster.run {
            cluster.nodes[slow]?.replica.digest == cluster.nodes[leader]?.replica.digest
        }
        let installed = cluster.nodes[slow]?.events.count {
            if case .snapshotInstalled = $0 { true } else { false }
        }
        #expect(installed == installs)
        // And then it may go.
        try fill(cluster, leader, 100..<150)
        try cluster.run { (cluster.nodes[leader]?.disk.entries.count ?? 99) < 60 }
    }

    @Test("A snapshot that cannot be read is followed by another at once, and is asked for no more")
    func unreadable() throws {
        let cluster = try Cluster(options: options())
        let (leader, away, disk) = try leaveBehind(cluster)
        try cluster.run { cluster.nodes[leader]?.writing == nil }
        let node = try #require(cluster.nodes[leader])
        let rotten = try #require(node.disk.snapshot)
        cluster.unreadable = [rotten.index]
        try cluster.start(away, disk: disk)
        try cluster.run { cluster.nodes[away]?.replica.digest == node.replica.digest }
        #expect(cluster.failedReads == 1)
        #expect((node.disk.snapshot?.index ?? .zero) > rotten.index)
    }

    @Test("A received snapshot that is whole is kept when another leader sends its own")
    func wholeIsKept() throws {
        let cluster = try Cluster(options: options())
        let (leader, away, disk) = try leaveBehind(cluster)
        cluster.slowFinish = [away]
        try cluster.start(away, disk: disk)
        try cluster.run { !cluster.heldFinish.isEmpty }
        let mark = try #require(cluster.nodes[away]?.writing)
        let term = try #require(cluster.nodes[away]?.replica.status().term)
        let later = SnapshotMark(
            index: mark.index + 1, term: mark.term, configuration: mark.configuration)
        cluster.step(
            away,
            .received(
                .snapshotChunk(mark: later, term: term, offset: 0, bytes: [1], last: false),
                from: cluster.members[leader]))
        #expect(cluster.nodes[away]?.writing == mark)
        cluster.slowFinish = []
        cluster.finishHeld()
        try cluster.run {
            cluster.nodes[away]?.replica.digest == cluster.nodes[leader]?.replica.digest
        }
    }

    @Test("All members restart from snapshot and log with the same state")
    func restart() throws {
        let cluster = try Cluster(options: options())
        let leader = try cluster.awaitLeader()
        try fill(cluster, leader, 0..<50)
        try cluster.run {
            cluster.nodes.allSatisfy { ($0?.replica.status().snapshotIndex.rawValue ?? 0) > 20 }
        }
        let digest = cluster.nodes[leader]?.replica.digest
        let disks = (0..<3).map { cluster.crash($0) }
        for position in 0..<3 { try cluster.start(position, disk: try #require(disks[position])) }
        _ = try cluster.awaitLeader()
        try cluster.run { cluster.nodes.allSatisfy { $0?.replica.digest == digest } }
    }

    @Test("A member whose log is lost says so until it has it back from the leader")
    func repaired() throws {
        let cluster = try Cluster(options: options())
        let leader = try cluster.awaitLeader()
        try fill(cluster, leader, 0..<50)
        let harmed = (leader + 1) % 3
        var disk = try #require(cluster.crash(harmed))
        let last = try #require(disk.entries.last)
        disk.claim = LogPosition(index: last.index, term: last.term)
        disk.entries.removeAll()
        disk.snapshot = nil
        disk.hardState.commit = .zero
        try cluster.start(harmed, disk: disk)
        let node = try #require(cluster.nodes[harmed])
        let before = node.replica.status()
        #expect(before.repairingThrough == last.index && !before.caughtUp && before.repairs == 0)
        #expect(before.ensemble == disk.ensemble && disk.ensemble != nil)
        try cluster.run { node.replica.status().repairingThrough == nil }
        let after = node.replica.status()
        #expect(after.repairs == 1 && after.caughtUp && after.logLast >= last.index)
        let isTold = node.events.contains {
            if case .repaired(let index) = $0 { index >= last.index } else { false }
        }
        #expect(isTold)
        // It counts again.
        _ = cluster.crash((leader + 2) % 3)
        let write = cluster.put(leader, "/s/after", "x")
        try cluster.run { cluster.reply(leader, write) != nil }
        #expect(cluster.data(harmed, "/s/after") == "x")
    }

    @Test("A snapshot that was not saved stays due, though nothing more is written")
    func staysDue() throws {
        var options = ReplicaOptions()
        options.snapshotLogBytes = 1_000
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        let node = try #require(cluster.nodes[leader])
        cluster.slowFinish = [leader]
        for number in 0..<50 where cluster.heldFinish.isEmpty {
            try fill(cluster, leader, number..<(number + 1))
        }
        let mark = try #require(node.writing)
        cluster.heldFinish = []
        node.writing = nil
        cluster.slowFinish = []
        cluster.step(leader, .snapshotNotSaved(mark.index, lacksRoom: false))
        try cluster.tick(Int(options.snapshotStallMs / options.tickMs) + 10)
        #expect((node.disk.snapshot?.index ?? .zero) >= mark.index)
    }

    @Test("A slow transfer does not make the log grow without bound, and comes to its end")
    func slowTransfer() throws {
        let cluster = try Cluster(options: options())
        let (leader, away, disk) = try leaveBehind(cluster)
        let node = try #require(cluster.nodes[leader])
        try cluster.run { node.writing == nil }
        let sent = try #require(node.disk.snapshot)
        cluster.slowDisks = [away]
        try cluster.start(away, disk: disk)
        try cluster.run { !cluster.heldAppended.isEmpty }
        var longest = 0
        for number in 100..<300 {
            try fill(cluster, leader, number..<(number + 1))
            let index = node.disk.snapshot?.index ?? .zero
            longest = max(longest, node.disk.entries.count { $0.index > index })
        }
        #expect(node.disk.keptSnapshot?.index == sent.index)
        // Some come while it is written.
        #expect(longest >= 80 && longest <= 150)
        // What it will need then is kept, as far as it may.
        #expect(node.disk.entries.first.map { $0.index <= sent.index.next } == true)
        cluster.slowDisks = []
        let held = (cluster.heldStored, cluster.heldAppended)
        for (node, token) in held.0 { cluster.step(node, .stored(token)) }
        for (node, index) in held.1 { cluster.step(node, .snapshotAppended(index)) }
        try cluster.run { cluster.nodes[away]?.replica.digest == node.replica.digest }
        let installed = cluster.nodes[away]?.events.compactMap {
            if case .snapshotInstalled(let index) = $0 { index } else { nil }
        }
        #expect(installed == [sent.index])
        try cluster.run { node.disk.keptSnapshot == nil }
        #expect(cluster.failedReads == 0)
    }

    @Test("An own snapshot that was whole when another one came in counts, though that one goes")
    func ownIsWhole() throws {
        let cluster = try Cluster(options: options())
        let leader = try cluster.awaitLeader()
        let other = (leader + 1) % 3
        let node = try #require(cluster.nodes[other])
        try fill(cluster, leader, 0..<30)
        try cluster.run { node.disk.snapshot != nil && node.writing == nil }
        cluster.slowFinish = [other]
        try fill(cluster, leader, 30..<60)
        try cluster.run { !cluster.heldFinish.isEmpty }
        let own = try #require(node.writing)
        let status = node.replica.status()
        let later = SnapshotMark(
            index: LogIndex(status.commit.rawValue) + 5, term: own.term,
            configuration: own.configuration)
        cluster.step(
            other,
            .received(
                .snapshotChunk(mark: later, term: status.term, offset: 0, bytes: [], last: false),
                from: cluster.members[leader]))
        #expect(node.writing == later && node.disk.snapshot == own)
        #expect(node.replica.status().snapshotIndex == own.index)
        cluster.slowFinish = []
        // Its entries come by themselves.
        try fill(cluster, leader, 60..<70)
        #expect(node.disk.snapshot?.index == node.replica.status().snapshotIndex)
    }

    @Test("A received snapshot that rots before it counts is followed by an own one")
    func rotsAhead() throws {
        let cluster = try Cluster(options: options())
        let other = try keepWholeLog(cluster)
        let (leader, away, disk) = try leaveBehind(cluster)
        cluster.slowFinish = [away]
        try cluster.start(away, disk: disk)
        try cluster.run { !cluster.heldFinish.isEmpty }
        let node = try #require(cluster.nodes[away])
        let received = try #require(node.writing)
        // Its entries come by themselves, from another leader.
        _ = cluster.crash(leader)
        try cluster.run {
            cluster.leader == other
                && node.replica.status().commit.rawValue > received.index.rawValue
        }
        cluster.slowFinish = []
        cluster.finishHeld()
        #expect(
            node.disk.snapshot == received && node.replica.status().snapshotIndex < received.index)
        cluster.step(away, .snapshotNotRead(received.index))
        try cluster.run { node.replica.status().snapshotIndex > received.index }
        #expect(node.disk.snapshot?.index == node.replica.status().snapshotIndex)
    }
}
