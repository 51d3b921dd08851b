// Each check is shown a history that breaks its rule, and one that does not.

import Ensemble
import Raft
import Simulation
import Testing
import Znodes

func breaks(_ rule: Rule, _ body: () throws(Violation) -> Void) {
    do throws(Violation) {
        try body()
        Issue.record("\(rule) is not seen to be broken")
    } catch {
        #expect(error.rule == rule, "\(error)")
    }
}

private func entry(_ index: UInt64, _ term: UInt64, _ text: String = "") -> Entry {
    Entry(
        index: LogIndex(index), term: Term(term), kind: .command, payload: [UInt8](text.utf8))
}

private func state(_ term: UInt64, _ vote: UInt64?) -> HardState {
    HardState(term: Term(term), vote: vote.map { MemberID($0) }, commit: .zero)
}

private func token(_ value: UInt64) -> StorageToken { StorageToken(rawValue: value) }

@Suite("The checks of consensus")
struct ConsensusCheckerTests {
    /// Three members hold entries 1 to 3 of term 1 durably.
    private func even() throws -> ConsensusChecker {
        var checker = ConsensusChecker(members: 3)
        for member in 0..<3 {
            try checker.asked(
                token(1), state(1, 1), [entry(1, 1), entry(2, 1), entry(3, 1)], by: member)
            checker.durable(through: token(1), at: member)
        }
        return checker
    }

    @Test("A term has one leader")
    func leaders() throws {
        var checker = try even()
        _ = try checker.observe(.leader, in: Term(1), commit: .zero, 0)
        _ = try checker.observe(.leader, in: Term(1), commit: .zero, 0)
        breaks(.electionSafety) { () throws(Violation) in
            _ = try checker.observe(.leader, in: Term(1), commit: .zero, 1)
        }
    }

    @Test("Index and term name one entry, and all before it")
    func logMatching() throws {
        var checker = try even()
        breaks(.logMatching) { () throws(Violation) in
            try checker.asked(token(2), nil, [entry(3, 1, "other")], by: 1)
        }
        checker = try even()
        breaks(.logMatching) { () throws(Violation) in
            try checker.asked(token(2), nil, [entry(5, 1)], by: 1)
        }
    }

    @Test("A place is committed once")
    func committedOnce() throws {
        var checker = try even()
        let new = try checker.observe(.leader, in: Term(1), commit: LogIndex(3), 0)
        #expect(new.map(\.index.rawValue) == [1, 2, 3])
        try checker.asked(token(2), nil, [entry(3, 2, "other")], by: 1)
        breaks(.committedOnce) { () throws(Violation) in
            _ = try checker.observe(.follower, in: Term(2), commit: LogIndex(3), 1)
        }
        breaks(.committedOnce) { () throws(Violation) in
            try checker.asked(token(2), nil, [entry(2, 2, "other")], by: 0)
        }
    }

    @Test("A leader counts members for an entry of its own term only")
    func ownTermCommit() throws {
        var checker = try even()
        breaks(.ownTermCommit) { () throws(Violation) in
            _ = try checker.observe(.leader, in: Term(2), commit: LogIndex(3), 0)
        }
        _ = try checker.observe(.follower, in: Term(2), commit: LogIndex(3), 0)
    }

    @Test("A commit counts the disks")
    func durableQuorum() throws {
        var checker = ConsensusChecker(members: 3)
        for member in 0..<2 { try checker.asked(token(1), nil, [entry(1, 1)], by: member) }
        checker.durable(through: token(1), at: 0)
        breaks(.durableQuorum) { () throws(Violation) in
            _ = try checker.observe(.leader, in: Term(1), commit: LogIndex(1), 0)
        }
        checker.durable(through: token(1), at: 1)
        _ = try checker.observe(.follower, in: Term(1), commit: LogIndex(1), 1)
    }

    /// The disk of member 3 is exchanged, its vote is taken away, and another disk is named for it.
    private func exchanged() throws -> ConsensusChecker {
        var checker = try even()
        let demotion = Configuration(
            voters: [MemberID(1), MemberID(2)],
            outgoingVoters: [MemberID(1), MemberID(2), MemberID(3)], nextLearners: [MemberID(3)])
        for member in 0..<3 {
            try checker.asked(
                token(2), nil, [configured(4, demotion), configured(5, demotion.leavingJoint)],
                by: member)
            checker.durable(through: token(2), at: member)
        }
        _ = try checker.observe(.leader, in: Term(1), commit: LogIndex(5), 0)
        // It acknowledges one more before it is gone.
        try checker.asked(token(3), nil, [entry(6, 1)], by: 2)
        checker.durable(through: token(3), at: 2)
        checker.exchanged(2, to: 1)
        try checker.asked(token(3), nil, [entry(6, 1)], by: 0)
        checker.durable(through: token(3), at: 0)
        return checker
    }

    private func configured(_ index: UInt64, _ configuration: Configuration) -> Entry {
        Entry(
            index: LogIndex(index), term: Term(1), kind: .configuration,
            payload: configuration.encoded())
    }

    @Test("A disk without a vote does not count for a commit, and with it only the named one does")
    func diskWithoutVote() throws {
        for isNamed in [false, true] {
            var checker = try exchanged()
            if isNamed { checker.named(2, disk: 1) }
            breaks(.durableQuorum) { () throws(Violation) in
                _ = try checker.observe(.leader, in: Term(1), commit: LogIndex(6), 0)
            }
        }
        var checker = try exchanged()
        checker.named(2, disk: 1)
        let promotion = Configuration(voters: [MemberID(1), MemberID(2), MemberID(3)])
        try checker.asked(token(4), nil, [configured(7, promotion)], by: 0)
        checker.durable(through: token(4), at: 0)
        // The old disk has 6, and is not the named one any more.
        breaks(.durableQuorum) { () throws(Violation) in
            _ = try checker.observe(.leader, in: Term(1), commit: LogIndex(6), 0)
        }
    }

    @Test("An exchanged disk counts for what it has acknowledged as long as no other one is named")
    func diskOnTheShelf() throws {
        var checker = try even()
        try checker.asked(token(2), nil, [entry(4, 1)], by: 2)
        checker.durable(through: token(2), at: 2)
        checker.exchanged(2, to: 1)
        try checker.asked(token(2), nil, [entry(4, 1)], by: 0)
        checker.durable(through: token(2), at: 0)
        _ = try checker.observe(.leader, in: Term(1), commit: LogIndex(4), 0)
    }

    @Test("In a joint change a commit needs both majorities, and a configuration only its own")
    func jointQuorum() throws {
        let demotion = Configuration(
            voters: [MemberID(1), MemberID(2)],
            outgoingVoters: [MemberID(1), MemberID(2), MemberID(3)], nextLearners: [MemberID(3)])
        var checker = try even()
        for member in [0, 2] {
            try checker.asked(token(2), nil, [configured(4, demotion)], by: member)
            checker.durable(through: token(2), at: member)
        }
        var narrow = checker
        breaks(.durableQuorum) { () throws(Violation) in
            _ = try narrow.observe(.leader, in: Term(1), commit: LogIndex(4), 0)
        }
        // What follows the change does not stand for it.
        var wide = checker
        let founders = Configuration(voters: [MemberID(1), MemberID(2), MemberID(3)])
        for member in [0, 2] {
            try wide.asked(token(3), nil, [configured(5, founders)], by: member)
            wide.durable(through: token(3), at: member)
        }
        breaks(.durableQuorum) { () throws(Violation) in
            _ = try wide.observe(.leader, in: Term(1), commit: LogIndex(4), 0)
        }
        try checker.asked(token(2), nil, [configured(4, demotion)], by: 1)
        checker.durable(through: token(2), at: 1)
        let new = try checker.observe(.leader, in: Term(1), commit: LogIndex(4), 0)
        #expect(new.count == 4)
    }

    @Test("A new leader holds all that was committed")
    func completeness() throws {
        var checker = try even()
        _ = try checker.observe(.leader, in: Term(1), commit: LogIndex(3), 0)
        checker.exchanged(2, to: 1)
        breaks(.leaderCompleteness) { () throws(Violation) in
            _ = try checker.observe(.leader, in: Term(2), commit: .zero, 2)
        }
    }

    @Test("A member votes once in a term, also over a restart")
    func oneVote() throws {
        var checker = try even()
        try checker.voted(0, in: Term(1), for: MemberID(1), isDurable: true)
        breaks(.oneVote) { () throws(Violation) in
            try checker.voted(0, in: Term(1), for: MemberID(2), isDurable: false)
        }
        breaks(.oneVote) { () throws(Violation) in
            try checker.asked(token(2), state(1, 2), [], by: 0)
        }
        breaks(.oneVote) { () throws(Violation) in
            try checker.asked(token(2), state(0, nil), [], by: 0)
        }
    }

    @Test("Votes and answers leave after their bytes are durable")
    func promises() throws {
        var checker = try even()
        try checker.asked(token(2), state(2, 3), [entry(4, 2)], by: 0)
        breaks(.promiseBeforeDurable) { () throws(Violation) in
            try checker.voted(0, in: Term(2), for: MemberID(3), isDurable: true)
        }
        breaks(.promiseBeforeDurable) { () throws(Violation) in
            try checker.acknowledged(LogIndex(4), by: 0)
        }
        checker.durable(through: token(2), at: 0)
        try checker.voted(0, in: Term(2), for: MemberID(3), isDurable: true)
        try checker.acknowledged(LogIndex(4), by: 0)
    }

    @Test("Recovery finds what was durable, and at most what was asked for since")
    func recovery() throws {
        let three = [entry(1, 1), entry(2, 1), entry(3, 1)]
        var checker = try even()
        try checker.asked(token(2), state(2, nil), [entry(4, 2)], by: 0)
        for (hardState, entries) in [
            (state(1, 1), three), (state(2, nil), three + [entry(4, 2)]),
        ] {
            var copy = checker
            try copy.restarted(0, hardState: hardState, snapshot: nil, entries: entries)
        }
        for (hardState, entries) in [
            (state(1, 1), Array(three.dropLast())), (state(0, nil), three),
            (state(1, 1), three + [entry(4, 2), entry(5, 2)]), (state(1, 2), three),
        ] {
            var copy = checker
            breaks(.recovery) { () throws(Violation) in
                try copy.restarted(0, hardState: hardState, snapshot: nil, entries: entries)
            }
        }
    }
}

@Suite("The check of leadership claims")
struct LeaderClaimsTests {
    @Test("Two claims never hold at one instant")
    func claims() throws {
        var claims = LeaderClaims(members: 3)
        try claims.claim(0, untilNs: 100, nowNs: 10)
        try claims.claim(1, untilNs: 200, nowNs: 100)
        breaks(.leaderClaim) { () throws(Violation) in
            try claims.claim(2, untilNs: 300, nowNs: 199)
        }
        claims.end(1)
        claims.end(2)
        try claims.claim(0, untilNs: 300, nowNs: 150)
    }
}

@Suite("The check of a leader that a client is told of")
struct ToldLeaderTests {
    @Test("Nobody else claims to lead then")
    func told() throws {
        var claims = LeaderClaims(members: 3)
        try claims.claim(1, untilNs: 100, nowNs: 50)
        try claims.told(1, nowNs: 60)
        breaks(.leaderClaim) { () throws(Violation) in try claims.told(2, nowNs: 60) }
        try claims.told(2, nowNs: 100)
    }
}

@Suite("The checks of what clients are told")
struct HistoryCheckerTests {
    private let path = ZnodePath(trusted: [UInt8]("/a".utf8))

    private func put(_ tag: UInt64) -> Command {
        .put(
            path: path, data: (0..<8).map { UInt8(truncatingIfNeeded: tag >> ($0 * 8)) },
            mode: .persistent, explicitMode: false, condition: .none, makeParents: false)
    }

    private func origin(_ counter: UInt64) -> ForwardID {
        ForwardID(member: MemberID(1), incarnation: 1, counter: counter)
    }

    private func record(_ command: Command, _ zxid: UInt64, _ oracle: inout Oracle)
        throws -> Outcome
    {
        _ = try oracle.apply(command, from: origin(zxid), wallMs: 5, at: Zxid(zxid))
        let stat = Stat(
            czxid: Zxid(1), mzxid: Zxid(zxid), pzxid: Zxid(1), ctimeMs: 5, mtimeMs: 5,
            version: Int32(zxid) - 1, cversion: 0, aversion: 0, ephemeralOwner: nil,
            dataLength: 8, numChildren: 0)
        return zxid == 1 ? .created(path: path, stat: stat) : .set(path: path, stat: stat)
    }

    @Test("A write is committed once")
    func appliedOnce() throws {
        var oracle = Oracle()
        var history = HistoryChecker()
        let tag = history.newWrite()
        _ = try record(put(tag), 1, &oracle)
        try history.applied(tag, at: Zxid(1))
        breaks(.appliedOnce) { () throws(Violation) in try history.applied(tag, at: Zxid(2)) }
        do throws(Violation) {
            _ = try oracle.apply(put(tag), from: origin(1), wallMs: 5, at: Zxid(2))
            Issue.record("the same origin is committed twice")
        } catch {
            #expect(error.rule == .appliedOnce)
        }
    }

    @Test("A refused write is never committed, before or after")
    func refused() throws {
        var history = HistoryChecker()
        let before = history.newWrite()
        let after = history.newWrite()
        try history.applied(before, at: Zxid(1))
        breaks(.refusedWrite) { () throws(Violation) in try history.refused(before) }
        try history.refused(after)
        breaks(.refusedWrite) { () throws(Violation) in try history.applied(after, at: Zxid(2)) }
        try history.applied(history.newWrite(), at: Zxid(2))
    }

    @Test("An acknowledged write is the one at its zxid, with its outcome, above all known before")
    func acknowledged() throws {
        var oracle = Oracle()
        var history = HistoryChecker()
        let first = history.newWrite()
        let second = history.newWrite()
        let created = try record(put(first), 1, &oracle)
        let set = try record(put(second), 2, &oracle)
        try history.acknowledged(
            first, put(first), created, at: Zxid(1), known: .zero, oracle)
        #expect(history.witnessed == Zxid(1))
        #expect(history.acknowledgedCount == 1)
        for (outcome, zxid, known, rule) in [
            (set, 1, 0, Rule.acknowledgedWrite), (set, 3, 0, .acknowledgedWrite),
            (created, 2, 0, .outcome), (set, 2, 2, .zxidOrder),
        ] {
            do throws(Violation) {
                try history.acknowledged(
                    second, put(second), outcome, at: Zxid(UInt64(zxid)),
                    known: Zxid(UInt64(known)), oracle)
                Issue.record("\(rule) is not seen to be broken")
            } catch {
                #expect(error.rule == rule)
            }
        }
    }

    @Test("A read is of one state, and of none before what was known")
    func reads() throws {
        var oracle = Oracle()
        var history = HistoryChecker()
        let first = history.newWrite()
        let second = history.newWrite()
        guard case .created(_, let stat) = try record(put(first), 1, &oracle) else { return }
        _ = try record(put(second), 2, &oracle)
        let data = (0..<8).map { UInt8(truncatingIfNeeded: first >> ($0 * 8)) }
        let old = HistoryChecker.Read(
            path: path, stat: stat, data: data, children: [], zxid: Zxid(1))
        let mixed = HistoryChecker.Read(
            path: path, stat: stat, data: data, children: [], zxid: Zxid(2))
        let future = HistoryChecker.Read(
            path: path, stat: stat, data: data, children: [], zxid: Zxid(9))
        try history.read(old, atLeast: Zxid(1), oracle)
        for (read, atLeast, rule) in [
            (old, 2, Rule.staleRead), (mixed, 2, .wrongRead), (future, 2, .wrongRead),
        ] {
            do throws(Violation) {
                try history.read(read, atLeast: Zxid(UInt64(atLeast)), oracle)
                Issue.record("\(rule) is not seen to be broken")
            } catch {
                #expect(error.rule == rule)
            }
        }
    }

    @Test("A page of children and an unchanged tag are those of the zxid")
    func pages() throws {
        var oracle = Oracle()
        var history = HistoryChecker()
        _ = try record(put(history.newWrite()), 1, &oracle)
        for (number, name) in ["/a/x", "/a/y"].enumerated() {
            let command = Command.put(
                path: ZnodePath(trusted: [UInt8](name.utf8)), data: [], mode: .persistent,
                explicitMode: false, condition: .none, makeParents: false)
            let zxid = UInt64(number) + 2
            _ = try oracle.apply(command, from: origin(zxid), wallMs: 5, at: Zxid(zxid))
        }
        func page(_ names: [String], goesOn: Bool, pzxid: UInt64 = 3, at: UInt64 = 3)
            -> HistoryChecker.Listing
        {
            HistoryChecker.Listing(
                path: path, czxid: Zxid(1), pzxid: Zxid(pzxid), cversion: 2,
                names: names.map { [UInt8]($0.utf8) }, goesOn: goesOn, limit: 1, zxid: Zxid(at))
        }
        try history.read(page(["x"], goesOn: true), atLeast: Zxid(3), oracle)
        try history.stillThere(path, Zxid(1), at: Zxid(3), atLeast: Zxid(3), oracle)
        var found: [Rule] = []
        for (page, atLeast) in [
            (page(["y"], goesOn: true), 0), (page(["x"], goesOn: false), 0),
            (page(["x"], goesOn: true, pzxid: 2), 0), (page(["x"], goesOn: true, at: 4), 0),
            (page(["x"], goesOn: true), 4),
        ] {
            do throws(Violation) {
                try history.read(page, atLeast: Zxid(UInt64(atLeast)), oracle)
            } catch {
                found.append(error.rule)
            }
        }
        for (tag, atLeast) in [(2, 0), (1, 4)] {
            do throws(Violation) {
                try history.stillThere(
                    path, Zxid(UInt64(tag)), at: Zxid(3), atLeast: Zxid(UInt64(atLeast)), oracle)
            } catch {
                found.append(error.rule)
            }
        }
        #expect(
            found == [
                .wrongRead, .wrongRead, .wrongRead, .wrongRead, .staleRead, .wrongRead, .staleRead,
            ])
    }

    @Test("No change is missed or made up, and a feed has no gap")
    func changes() throws {
        var oracle = Oracle()
        let history = HistoryChecker()
        _ = try record(put(0), 1, &oracle)
        _ = try record(put(0), 2, &oracle)
        func wait(after: UInt64) -> Wait {
            Wait(path: path, view: .data, after: Zxid(after), deadlineMs: 0, local: true)
        }
        try history.unchanged(wait(after: 2), at: Zxid(2), oracle)
        try history.changed(wait(after: 1), applied: Zxid(2), remembersAll: true, oracle)
        let query = EventQuery(
            path: path, recursive: false, types: .all, after: .zero, eventsMax: 9)
        let created = Event(zxid: Zxid(1), type: .created, path: path)
        let changed = Event(zxid: Zxid(2), type: .changed, path: path)
        try history.events(EventPage(events: [created, changed], next: Zxid(2)), of: query, oracle)
        try history.events(EventPage(events: [created], next: Zxid(1)), of: query, oracle)
        let spurious = Wait(
            path: path, view: .existence, after: Zxid(1), deadlineMs: 0, local: true)
        var found: [Rule] = []
        do throws(Violation) {
            try history.unchanged(wait(after: 1), at: Zxid(2), oracle)
        } catch {
            found.append(error.rule)
        }
        do throws(Violation) {
            try history.changed(spurious, applied: Zxid(2), remembersAll: true, oracle)
        } catch {
            found.append(error.rule)
        }
        for (events, next) in [([created], 2), ([changed, created], 2), ([created], 7)] {
            let page = EventPage(events: events, next: Zxid(UInt64(next)))
            do throws(Violation) {
                try history.events(page, of: query, oracle)
            } catch {
                found.append(error.rule)
            }
        }
        #expect(found == [.missedChange, .spuriousChange, .feed, .feed, .feed])
    }

    @Test("No member has applied what is not committed")
    func uncommitted() throws {
        var oracle = Oracle()
        _ = try record(put(0), 1, &oracle)
        _ = try oracle.digest(at: Zxid(1), member: 0)
        do throws(Violation) {
            _ = try oracle.digest(at: Zxid(2), member: 0)
            Issue.record("a zxid of nobody is not seen")
        } catch {
            #expect(error.rule == .digest)
        }
    }
}

@Suite("The check of what a door refuses")
struct DoorRequestTests {
    private func judge(
        _ request: DoorRequest, _ status: Int, _ code: String?, hasZxid: Bool = false,
        wasAsked: Bool = false
    ) throws(Violation) -> Bool {
        try request.judge(status: status, code: code, hasZxid: hasZxid, wasAsked: wasAsked)
    }

    @Test("A whole, small request in time, at a door with room, is not refused there")
    func wellFormed() throws {
        let request = DoorRequest()
        for (status, code) in [
            (400, "bad_request"), (408, "request_timeout"), (413, "too_large"), (431, "too_large"),
            (503, "overloaded"),
        ] {
            breaks(.answer) { () throws(Violation) in _ = try judge(request, status, code) }
        }
        #expect(try !judge(request, 200, nil, hasZxid: true, wasAsked: true))
        #expect(try !judge(request, 413, "too_large", hasZxid: true, wasAsked: true))
        #expect(try !judge(request, 503, "overloaded", wasAsked: true))
        #expect(try !judge(request, 503, "no_quorum"))
    }

    @Test("What is broken, too large, late or one too many is refused as that, unheard")
    func refused() throws {
        var broken = DoorRequest()
        broken.isBroken = true
        broken.isTooLarge = true
        var large = DoorRequest()
        large.isTooLarge = true
        var late = broken
        late.turnedAway = .late
        var full = large
        full.turnedAway = .full
        for (request, status, code) in [
            (broken, 400, "bad_request"), (large, 413, "too_large"),
            (late, 408, "request_timeout"), (full, 503, "overloaded"),
        ] {
            #expect(try judge(request, status, code))
            breaks(.answer) { () throws(Violation) in
                _ = try judge(request, 201, nil, hasZxid: true, wasAsked: true)
            }
            breaks(.answer) { () throws(Violation) in _ = try judge(request, 503, "no_quorum") }
            breaks(.answer) { () throws(Violation) in
                _ = try judge(request, status, code, wasAsked: true)
            }
        }
    }
}

@Suite("The check of states that differ")
struct FlippedStatesTests {
    @Test("A digest is that of the replay, and that of a flipped state off by the flip")
    func exactly() throws {
        var states = FlippedStates(members: 3)
        #expect(try !states.check(10, byReplay: 10, member: 0, isNew: false))
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(15, byReplay: 10, member: 0, isNew: false)
        }
        states.flip(0, from: 10, to: 15)
        #expect(try !states.check(25, byReplay: 20, member: 0, isNew: false))
        for digest in [UInt64(20), 26] {
            breaks(.digest) { () throws(Violation) in
                _ = try states.check(digest, byReplay: 20, member: 0, isNew: false)
            }
        }
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(25, byReplay: 20, member: 1, isNew: false)
        }
    }

    @Test("A flipped state is taken in as it is, or the right one, and none but at its coming")
    func spread() throws {
        var states = FlippedStates(members: 3)
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(15, byReplay: 10, member: 1, isNew: true)
        }
        states.flip(0, from: 10, to: 15)
        #expect(try states.check(25, byReplay: 20, member: 1, isNew: true))
        #expect(states.isFlipped(1) && states.prevails(in: 1) && !states.prevails(in: 2))
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(26, byReplay: 20, member: 2, isNew: true)
        }
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(30, byReplay: 30, member: 1, isNew: false)
        }
        #expect(!states.allAgree)
        #expect(try !states.check(30, byReplay: 30, member: 0, isNew: true))
        #expect(try !states.check(40, byReplay: 40, member: 1, isNew: true))
        #expect(states.allAgree && states.prevails(in: 0))
    }

    @Test("Only a wrong state is called wrong, or a right one once a wrong one has spread")
    func verdict() throws {
        var states = FlippedStates(members: 3)
        breaks(.digest) { () throws(Violation) in try states.checkWrong(2) }
        states.flip(0, from: 10, to: 15)
        try states.checkWrong(0)
        breaks(.digest) { () throws(Violation) in try states.checkWrong(2) }
        _ = try states.check(15, byReplay: 10, member: 1, isNew: true)
        try states.checkWrong(2)
    }
}
