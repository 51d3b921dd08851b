// What must hold of one member, alone and from step to step. Tests and the simulator check it after
// each step; small values only, never a copied log.

package struct RaftViolation: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// What one member looks like from outside, in a few words.
package struct RaftObservation: Sendable, Equatable {
    package var id: MemberID
    package var term: Term
    package var vote: MemberID?
    package var role: Role
    package var leader: MemberID?
    package var firstIndex: LogIndex
    package var lastIndex: LogIndex
    package var lastTerm: Term
    package var durableIndex: LogIndex
    package var commit: LogIndex
    package var handedOut: LogIndex
    package var applied: LogIndex
    package var claim: LogPosition?
}

extension RaftNode {
    package var observation: RaftObservation {
        RaftObservation(
            id: id, term: term, vote: vote, role: role, leader: leader, firstIndex: firstIndex,
            lastIndex: lastIndex, lastTerm: lastTerm, durableIndex: ledger.durableIndex,
            commit: commit, handedOut: handedOut, applied: applied, claim: claim)
    }
}

package enum RaftInvariants {
    /// `previous` is of the same run of the member, nil after a start.
    package static func check(
        previous: RaftObservation?, current: RaftObservation
    ) throws(RaftViolation) {
        try checkAlone(current)
        if let previous { try checkStep(previous, current) }
    }

    private static func checkAlone(_ now: RaftObservation) throws(RaftViolation) {
        try expect(now.applied <= now.handedOut, "applied above what was given out", now)
        try expect(now.handedOut <= now.commit, "given out above the commit", now)
        try expect(now.commit <= now.lastIndex, "commit above the log", now)
        try expect(now.durableIndex <= now.lastIndex, "durable above the log", now)
        try expect(now.firstIndex <= now.lastIndex.next, "the log begins after its end", now)
        try expect(now.firstIndex <= now.applied.next, "compacted above what is applied", now)
        try expect(now.lastTerm <= now.term, "an entry of a later term", now)
        if let claim = now.claim {
            let end = LogPosition(index: now.lastIndex, term: now.lastTerm)
            try expect(claim > end && claim.term <= now.term, "a claim that is met", now)
            try expect(
                now.role == .follower || now.role == .learner, "a claim of one that stands", now)
        }
        if now.role == .leader {
            try expect(now.leader == now.id, "a leader that follows", now)
            try expect(now.vote == now.id, "a leader that did not vote for itself", now)
        } else {
            try expect(now.leader != now.id, "a follower of itself", now)
        }
        if now.role == .candidate || now.role == .preCandidate {
            try expect(now.leader == nil, "a candidate that knows a leader", now)
        }
    }

    private static func checkStep(
        _ before: RaftObservation, _ now: RaftObservation
    ) throws(RaftViolation) {
        try expect(now.id == before.id, "another member", now)
        try expect(now.term >= before.term, "the term went back from \(before.term)", now)
        try expect(now.commit >= before.commit, "the commit went back from \(before.commit)", now)
        try expect(now.applied >= before.applied, "applied went back from \(before.applied)", now)
        try expect(
            now.firstIndex >= before.firstIndex,
            "the log's begin went back from \(before.firstIndex)",
            now)
        guard now.term == before.term else { return }
        if let vote = before.vote {
            try expect(now.vote == vote, "the vote changed from \(vote) within the term", now)
        }
        if let known = before.leader, let leader = now.leader {
            try expect(known == leader, "two leaders in a term, \(known) before", now)
        }
        if before.role == .leader, now.role == .leader {
            // Thesis figure 3.2: leader append-only.
            try expect(now.lastIndex >= before.lastIndex, "a leader truncated its log", now)
        }
        if before.role != .leader, now.role == .leader {
            try expect(before.role == .candidate, "a leader that was \(before.role)", now)
        }
    }

    private static func expect(
        _ condition: Bool, _ message: @autoclosure () -> String, _ now: RaftObservation
    ) throws(RaftViolation) {
        if !condition { throw RaftViolation("\(message()): \(now)") }
    }
}
