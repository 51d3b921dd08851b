// The promises of a replica to its clients, on a cluster that the test drives by hand.

import Ensemble
import Journal
import Raft
import Testing
import Znodes

private func path(_ text: String) -> ZnodePath { ZnodePath(trusted: [UInt8](text.utf8)) }

private func isCreated(_ reply: ClientReply?) -> Bool {
    if case .decided(.created, _) = reply { return true }
    return false
}

@Suite("Writes")
struct WriteTests {
    @Test("A write through any member is answered there when it is applied there")
    func writesThroughAnyMember() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        for position in 0..<3 {
            let write = cluster.put(position, "/w\(position)", "x")
            try cluster.run { cluster.reply(position, write) != nil }
            #expect(isCreated(cluster.reply(position, write)))
            #expect(cluster.data(position, "/w\(position)") == "x")
        }
        try cluster.tick(20)
        let digests = cluster.nodes.map { $0?.replica.digest }
        #expect(Set(digests).count == 1)
    }

    @Test("Without a leader a write is refused after a second and applied nowhere, ever")
    func refusedWithoutLeader() throws {
        let cluster = try Cluster()
        let write = cluster.put(0, "/never")
        cluster.cut = [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]
        try cluster.tick(99)
        #expect(cluster.reply(0, write) == nil)
        try cluster.tick(2)
        #expect(cluster.reply(0, write) == .refused(.noQuorum))
        cluster.cut = []
        _ = try cluster.awaitLeader()
        #expect(cluster.data(0, "/never") == nil)
    }

    @Test("A write in the log of a leader that lost its quorum is unknown, never failed")
    func unknownOutcome() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let others = (0..<3).filter { $0 != leader }
        cluster.cut = Set(
            others.flatMap { [[UInt64(leader), UInt64($0)], [UInt64($0), UInt64(leader)]] })
        let write = cluster.put(leader, "/limbo")
        try cluster.run(600) { cluster.reply(leader, write) != nil }
        #expect(cluster.reply(leader, write) == .refused(.outcomeUnknown))
    }

    @Test("A forwarded write that the old leader lost goes to the next one by itself")
    func carriedOverFailover() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let origin = (leader + 1) % 3
        cluster.cut = [[UInt64(origin), UInt64(leader)]]
        let write = cluster.put(origin, "/carried")
        try cluster.deliver()
        _ = cluster.crash(leader)
        cluster.cut = []
        try cluster.run { cluster.reply(origin, write) != nil }
        #expect(isCreated(cluster.reply(origin, write)))
    }

    @Test("A forward that the network repeats is applied once")
    func repeatedForward() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let origin = (leader + 1) % 3
        let write = cluster.ask(
            origin,
            .write(
                .createSequential(
                    parent: .root, prefix: [0x71], data: [], mode: .persistentSequential)))
        cluster.inFlight += cluster.inFlight + cluster.inFlight
        try cluster.run { cluster.reply(origin, write) != nil }
        try cluster.tick(50)
        #expect(cluster.data(origin, "/q0000000000") != nil)
        #expect(cluster.data(origin, "/q0000000001") == nil)
        #expect(cluster.nodes[origin]?.replies[write]?.count == 1)
    }

    @Test("A write is not answered before the leader's and a follower's disk have it")
    func notBeforeDurable() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        cluster.slowDisks = [0, 1, 2]
        let write = cluster.put(leader, "/durable")
        try cluster.tick(5)
        #expect(cluster.reply(leader, write) == nil)
        cluster.slowDisks = []
        for held in cluster.heldStored { cluster.step(held.node, .stored(held.token)) }
        try cluster.run { cluster.reply(leader, write) != nil }
        #expect(isCreated(cluster.reply(leader, write)))
    }

    @Test("Conditions are decided when the entry is applied: of two writers on one tag, one wins")
    func conditionsAtApply() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let first = cluster.put(0, "/c", "0")
        try cluster.run { cluster.reply(0, first) != nil }
        guard case .decided(_, let zxid) = cluster.reply(0, first) else { return }
        let writes = (0..<3).map { cluster.put($0, "/c", "\($0)", condition: .mzxidAny([zxid])) }
        try cluster.run { (0..<3).allSatisfy { cluster.reply($0, writes[$0]) != nil } }
        let won = (0..<3).filter {
            if case .decided(.set, _) = cluster.reply($0, writes[$0]) { true } else { false }
        }
        #expect(won.count == 1)
    }

    @Test("The leader's limits come into force on all members by an entry of the log")
    func replicatedLimits() throws {
        var options = ReplicaOptions()
        options.znodes.storeBytesMax = 100
        let cluster = try Cluster(options: options)
        _ = try cluster.awaitLeader()
        try cluster.tick(5)
        let fits = cluster.put(0, "/fits", String(repeating: "x", count: 50))
        try cluster.run { cluster.reply(0, fits) != nil }
        let full = cluster.put(1, "/full", String(repeating: "x", count: 50))
        try cluster.run { cluster.reply(1, full) != nil }
        #expect(isCreated(cluster.reply(0, fits)))
        guard case .decided(.failed(.storeFull), _) = cluster.reply(1, full) else {
            Issue.record("\(String(describing: cluster.reply(1, full)))")
            return
        }
        try cluster.tick(20)
        #expect(Set(cluster.nodes.map { $0?.replica.digest }).count == 1)
    }

    @Test("More writes than the limit are refused as overloaded")
    func overloaded() throws {
        var options = ReplicaOptions()
        options.pendingWritesMax = 4
        let cluster = try Cluster(options: options)
        let writes = (0..<5).map { cluster.put(0, "/o\($0)") }
        #expect(cluster.reply(0, writes[4]) == .refused(.overloaded))
        #expect(cluster.reply(0, writes[3]) == nil)
    }
}

@Suite("Reads and waits")
struct ReadTests {
    @Test("A linearizable read on a follower sees what was acknowledged on another")
    func linearizable() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let follower = (leader + 1) % 3
        let write = cluster.put(leader, "/r", "1")
        try cluster.run { cluster.reply(leader, write) != nil }
        let read = cluster.ask(follower, .read(.linearizable(atLeast: nil)))
        try cluster.run { cluster.reply(follower, read) != nil }
        #expect(cluster.reply(follower, read) == .readable)
        #expect(cluster.data(follower, "/r") == "1")
    }

    @Test("A leader that was cut off does not confirm reads")
    func cutOffLeader() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        for other in 0..<3 where other != leader {
            cluster.cut.insert([UInt64(leader), UInt64(other)])
            cluster.cut.insert([UInt64(other), UInt64(leader)])
        }
        let read = cluster.ask(leader, .read(.linearizable(atLeast: nil)))
        try cluster.run { cluster.reply(leader, read) != nil }
        #expect(cluster.reply(leader, read) == .refused(.noQuorum))
    }

    @Test("A zxid above the confirmed commit index is ahead")
    func zxidAhead() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        for position in 0..<3 {
            let read = cluster.ask(position, .read(.atLeast(Zxid(1_000_000))))
            try cluster.run { cluster.reply(position, read) != nil }
            guard case .refused(.zxidAhead) = cluster.reply(position, read) else {
                Issue.record("\(String(describing: cluster.reply(position, read)))")
                continue
            }
        }
    }

    private func wait(
        _ cluster: Cluster, _ position: Int, _ text: String, after: Zxid, ms: UInt64 = 30_000
    ) -> UInt64 {
        cluster.ask(
            position,
            .wait(
                Wait(
                    path: path(text), view: .data, after: after, deadlineMs: cluster.nowMs + ms,
                    local: false)))
    }

    @Test("A wait on one member ends with a change through another, and not before")
    func waitEnds() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let after = cluster.applied(0)
        let open = wait(cluster, 0, "/late", after: after)
        try cluster.tick(50)
        #expect(cluster.reply(0, open) == nil)
        let write = cluster.put(2, "/late")
        try cluster.run { cluster.reply(2, write) != nil && cluster.reply(0, open) != nil }
        #expect(cluster.reply(0, open) == .changed)
        #expect(cluster.nodes[0]?.replica.status().waits == 0)
    }

    @Test("A wait that is over says unchanged, and only with a leader in sight")
    func waitExpires() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let after = cluster.applied(0)
        let quiet = wait(cluster, 0, "/quiet", after: after, ms: 200)
        try cluster.tick(25)
        #expect(cluster.reply(0, quiet) == .unchanged(zxid: after))
        let blind = wait(cluster, 0, "/quiet", after: after, ms: 1_500)
        cluster.cut = [[1, 0], [2, 0]]
        try cluster.tick(160)
        #expect(cluster.reply(0, blind) == .refused(.noQuorum))
    }

    @Test("Without a leader the waits leave spread over a second, the local ones stay")
    func waitsLeaveSpread() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let after = cluster.applied(0)
        let waits = (0..<20).map { _ in wait(cluster, 0, "/spread", after: after) }
        let local = cluster.ask(
            0,
            .wait(
                Wait(
                    path: path("/spread"), view: .data, after: after,
                    deadlineMs: cluster.nowMs + 30_000, local: true)))
        cluster.cut = [[1, 0], [2, 0]]
        var left: [Int] = []
        for _ in 0..<400 {
            try cluster.tick()
            left.append(waits.filter { cluster.reply(0, $0) != nil }.count)
        }
        #expect(left.last == 20)
        #expect(left.contains(10))
        #expect(left[150] == 0)
        #expect(cluster.reply(0, local) == nil)
    }

    @Test("A wait whose client left is forgotten")
    func cancelled() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let after = cluster.applied(0)
        let open = wait(cluster, 0, "/gone", after: after)
        #expect(cluster.nodes[0]?.replica.status().waits == 1)
        cluster.step(0, .cancel(RequestID(rawValue: open)))
        #expect(cluster.nodes[0]?.replica.status().waits == 0)
        let write = cluster.put(0, "/gone")
        try cluster.run { cluster.reply(0, write) != nil }
        #expect(cluster.reply(0, open) == nil)
    }

    @Test("A feed gives every event once, and a bookmark when it is quiet")
    func feed() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        var after = cluster.applied(1)
        var seen: [String] = []
        for number in 0..<10 {
            let write = cluster.put(0, "/f/\(number)")
            let feed = Feed(
                query: EventQuery(
                    path: path("/f"), recursive: true, types: .created, after: after, eventsMax: 100
                ),
                deadlineMs: cluster.nowMs + 10_000, local: false)
            let open = cluster.ask(1, .feed(feed))
            try cluster.run { cluster.reply(0, write) != nil && cluster.reply(1, open) != nil }
            guard case .events(let page) = cluster.reply(1, open) else { continue }
            seen += page.events.map { String(decoding: $0.path.bytes, as: UTF8.self) }
            after = page.next
        }
        #expect(seen == ["/f"] + (0..<10).map { "/f/\($0)" })
        let quiet = cluster.ask(
            1,
            .feed(
                Feed(
                    query: EventQuery(
                        path: path("/f"), recursive: true, types: .all, after: after, eventsMax: 100
                    ),
                    deadlineMs: cluster.nowMs + 100, local: false)))
        try cluster.run { cluster.reply(1, quiet) != nil }
        #expect(
            cluster.reply(1, quiet)
                == .events(EventPage(events: [], next: cluster.nodes[1]?.replica.applied ?? .zero)))
    }
}

@Suite("Feeds that sleep long")
struct SleepingFeedTests {
    @Test("A feed that slept through more than the history holds still gets its event")
    func sleepsThroughTrimming() throws {
        var options = ReplicaOptions()
        options.znodes.historyBytesMax = 512
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        try cluster.tick(5)
        let open = cluster.ask(
            leader,
            .feed(
                Feed(
                    query: EventQuery(
                        path: path("/rare"), recursive: true, types: .all,
                        after: cluster.applied(leader), eventsMax: 100),
                    deadlineMs: cluster.nowMs + 1_000_000, local: false)))
        for number in 0..<200 {
            let write = cluster.put(leader, "/common/\(number)")
            try cluster.run { cluster.reply(leader, write) != nil }
        }
        #expect(cluster.reply(leader, open) == nil)
        let write = cluster.put(leader, "/rare")
        try cluster.run {
            cluster.reply(leader, write) != nil && cluster.reply(leader, open) != nil
        }
        guard case .events(let page) = cluster.reply(leader, open) else {
            Issue.record("\(String(describing: cluster.reply(leader, open)))")
            return
        }
        #expect(page.events.map(\.path) == [path("/rare")])
    }
}

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
                cluster.cut =
                    turn % 120 == 0
                    ? [] : Set((0..<3).flatMap { [[victim, UInt64($0)], [UInt64($0), victim]] })
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
        let refused = cluster.put(leader, "/after")
        #expect(cluster.reply(leader, refused) == .refused(.shuttingDown))
        try cluster.run { cluster.reply(leader, write) != nil }
        #expect(isCreated(cluster.reply(leader, write)))
        try cluster.run(30) { cluster.leader != nil && cluster.leader != leader }
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
        _ = try cluster.awaitLeader()
        try cluster.run { cluster.nodes.allSatisfy { $0?.disk.ensemble != nil } }
        func refusal(_ change: (inout Hello) -> Void) -> HelloRefusal? {
            guard var hello = cluster.nodes[1]?.replica.hello(to: MemberID(1)) else {
                return nil
            }
            change(&hello)
            cluster.nodes[0]?.refusals = []
            cluster.step(0, .hello(hello))
            return cluster.nodes[0]?.refusals.first
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.ensemble = EnsembleID(high: 1, low: 1) } == .otherEnsemble)
        #expect(refusal { $0.member = MemberID(9) } == .unknownMember)
        #expect(refusal { $0.to = MemberID(3) } == .wrongAddressee)
        #expect(refusal { $0.storage = StorageID(high: 0, low: 1) } == .otherStorage)
    }
}

@Suite("Snapshots")
struct SnapshotTests {
    private func options() -> ReplicaOptions {
        var options = ReplicaOptions()
        options.snapshotEntries = 20
        options.entriesKept = 5
        options.snapshotPieceBytes = 64
        return options
    }

    private func fill(_ cluster: Cluster, _ position: Int, _ numbers: Range<Int>) throws {
        for number in numbers {
            let write = cluster.put(position, "/s/\(number)", "\(number)")
            try cluster.run { cluster.reply(position, write) != nil }
        }
    }

    @Test("A member away for longer than the log takes in a snapshot and ends equal")
    func catchesUp() throws {
        let cluster = try Cluster(options: options())
        let leader = try cluster.awaitLeader()
        let away = (leader + 1) % 3
        let disk = try #require(cluster.crash(away))
        try fill(cluster, leader, 0..<100)
        try cluster.run { (cluster.nodes[leader]?.disk.entries.count ?? 99) < 60 }
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
}

@Suite("Frames")
struct FrameTests {
    private let messages: [PeerMessage] = [
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .preVoteRequest(lastIndex: LogIndex(4), lastTerm: Term(5)))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .voteRequest(lastIndex: LogIndex(4), lastTerm: Term(5), transfer: true))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .preVoteReply(granted: true))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3), body: .voteReply(granted: false))
        ),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .append(
                    previousIndex: LogIndex(7), previousTerm: Term(2),
                    entries: [
                        Entry(index: LogIndex(8), term: Term(3), kind: .noOp, payload: []),
                        Entry(
                            index: LogIndex(9), term: Term(3), kind: .command, payload: [1, 2, 3]),
                    ], commit: LogIndex(6), sentMs: 99))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .appendReply(matchIndex: LogIndex(9), sentMs: 1))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .appendRejection(
                    rejectedIndex: LogIndex(9), hintIndex: LogIndex(2), hintTerm: Term(1), sentMs: 1
                ))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .heartbeat(
                    commit: LogIndex(1), readContext: ReadContext(rawValue: 5), sentMs: 1))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .heartbeatReply(readContext: nil, sentMs: 1))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .readIndexRequest(context: ReadContext(rawValue: 5)))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .readIndexReply(context: ReadContext(rawValue: 5), index: nil))),
        .raft(Message(from: MemberID(1), to: MemberID(2), term: Term(3), body: .timeoutNow)),
        .forward(
            ForwardID(member: MemberID(1), incarnation: 2, counter: 3), term: Term(4),
            proposal: [1, 2]),
        .forwardRefused(
            ForwardID(member: MemberID(1), incarnation: 2, counter: 3), term: Term(4),
            overloaded: true),
        .snapshotChunk(
            mark: SnapshotMark(
                index: LogIndex(1), term: Term(2),
                configuration: Configuration(
                    voters: [MemberID(1), MemberID(2)], learners: [MemberID(3)])),
            term: Term(3), offset: 4, bytes: [5], last: true),
        .snapshotProgress(index: LogIndex(1), term: Term(2), offset: 3, done: false),
        .report(role: .leader, applied: LogIndex(5)),
    ]

    private var frames: [PeerFrame] {
        let hello = Hello(
            ensemble: EnsembleID(high: 1, low: 2), member: MemberID(1),
            storage: StorageID(high: 3, low: 4),
            to: MemberID(2), incarnation: 5, httpAddress: [104], peerAddress: [112], version: [118])
        return messages.map { .message($0) } + [
            .hello(hello), .helloAccepted(hello), .helloRefused(.otherStorage),
        ]
    }

    @Test("Every frame comes back as it went, one after the other")
    func roundTrip() throws {
        var bytes: [UInt8] = []
        for frame in frames { PeerCodec.encode(frame, into: &bytes) }
        var position = 0
        for frame in frames {
            let decoded = try #require(try PeerCodec.decode(bytes.span.extracting(position...)))
            #expect(decoded.frame == frame)
            position += decoded.length
        }
        #expect(position == bytes.count)
    }

    @Test("A part of a frame asks for more; a flipped bit anywhere is refused or asks for more")
    func damage() throws {
        for frame in frames {
            var bytes: [UInt8] = []
            PeerCodec.encode(frame, into: &bytes)
            for cut in 0..<bytes.count {
                #expect(try PeerCodec.decode(bytes.span.extracting(..<cut)) == nil)
            }
            for bit in 0..<(bytes.count * 8) {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                let decoded = (try? PeerCodec.decode(damaged.span)) ?? nil
                #expect(decoded?.frame == nil)
            }
        }
    }

    @Test("A length beyond the limit is refused before anything is allocated for it")
    func tooLong() {
        let bytes: [UInt8] = [0, 0, 0, 0xFF, 0, 0, 0, 0]
        #expect(throws: CodecError.tooLong) { _ = try PeerCodec.decode(bytes.span) }
    }
}
