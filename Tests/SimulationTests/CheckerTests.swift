// Each check is shown a history that breaks its rule, and one that does not.

import Ensemble
import Raft
import Simulation
import Testing

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
