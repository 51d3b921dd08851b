// What must hold of one member from step to step, and of all members together (thesis figure 3.2).
// Checked after each step in tests and in simulation; small values only, never a copied log.

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
}

extension RaftNode {
    package var observation: RaftObservation {
        RaftObservation(
            id: id, term: term, vote: vote, role: role, leader: leader, firstIndex: firstIndex,
            lastIndex: lastIndex, lastTerm: lastTerm, durableIndex: ledger.durableIndex,
            commit: commit, handedOut: handedOut, applied: applied)
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

/// What must hold across members. It is told of observations, of storage requests and of entries
/// given out, and keeps one number for each place in each log: a hash of all up to it.
package struct ClusterInvariants {
    private struct Place: Hashable {
        let index: LogIndex
        let term: Term
    }
    private struct Chain {
        var first: LogIndex
        var hashes: [UInt64]
        /// Of the entry before the first.
        var baseHash: UInt64
        subscript(index: LogIndex) -> UInt64? {
            if index == first.previous { return baseHash }
            if index < first || index - first >= hashes.count { return nil }
            return hashes[index - first]
        }
    }
    private struct Committed {
        let hash: UInt64
        let term: Term
        /// The term of the member that first showed it committed: not below the true one.
        let seenIn: Term
    }

    private var leaders: [Term: MemberID] = [:]
    private var places: [Place: UInt64] = [:]
    private var chains: [MemberID: Chain] = [:]
    private var committed: [LogIndex: Committed] = [:]
    package private(set) var committedIndex: LogIndex = .zero

    package init() {}

    /// After each step of each member, once its storage request was told.
    package mutating func observe(_ now: RaftObservation) throws(RaftViolation) {
        guard now.role == .leader else { return }
        if let other = leaders[now.term] {
            guard other == now.id else {
                throw RaftViolation("term \(now.term) has leaders \(other) and \(now.id)")
            }
            return
        }
        leaders[now.term] = now.id
        try checkCompleteness(now)
    }

    /// Leader completeness: what was committed in earlier terms is in the log of each new leader.
    private func checkCompleteness(_ now: RaftObservation) throws(RaftViolation) {
        var index = committedIndex
        while index > .zero {
            if let entry = committed[index], entry.seenIn < now.term {
                guard let hash = chains[now.id]?[index] else {
                    if let chain = chains[now.id], index < chain.first { return }
                    throw RaftViolation("leader \(now.id) of \(now.term) lacks committed \(index)")
                }
                guard hash == entry.hash else {
                    throw RaftViolation("leader \(now.id) of \(now.term) differs at \(index)")
                }
                // The hash covers everything before.
                return
            }
            index = index.previous
        }
    }

    /// A storage request of the member: its entries replace all from the first one on.
    package mutating func stored(
        _ entries: [Entry], by member: MemberID
    ) throws(RaftViolation) {
        guard let first = entries.first else { return }
        var chain = chains[member] ?? Chain(first: LogIndex(1), hashes: [], baseHash: 0)
        guard var hash = chain[first.index.previous] else {
            throw RaftViolation("member \(member) stores \(first.index) after a hole")
        }
        chain.hashes.removeLast(chain.hashes.count - (first.index - chain.first))
        for entry in entries {
            hash = Self.hash(after: hash, entry)
            chain.hashes.append(hash)
            let place = Place(index: entry.index, term: entry.term)
            if let known = places[place], known != hash {
                throw RaftViolation(
                    "log matching: \(entry.index) of term \(entry.term) at member \(member)")
            }
            places[place] = hash
        }
        chains[member] = chain
    }

    /// After a start: what the member's disk holds.
    package mutating func restarted(
        _ member: MemberID, snapshot: SnapshotMark?, entries: [Entry]
    ) throws(RaftViolation) {
        chains[member] = nil
        if let snapshot { try installed(snapshot, by: member) }
        try stored(entries, by: member)
    }

    /// A snapshot replaces the member's log up to its mark, or all of it.
    package mutating func installed(
        _ mark: SnapshotMark, by member: MemberID
    ) throws(RaftViolation) {
        guard let entry = committed[mark.index], entry.term == mark.term else {
            throw RaftViolation("member \(member) got a snapshot of uncommitted \(mark.index)")
        }
        if let chain = chains[member], chain[mark.index] == entry.hash { return }
        chains[member] = Chain(first: mark.index.next, hashes: [], baseHash: entry.hash)
    }

    /// Entries given out as committed: written once, the same for all (state machine safety).
    package mutating func committed(
        _ entries: [Entry], by member: MemberID, term: Term
    ) throws(RaftViolation) {
        for entry in entries {
            guard let hash = chains[member]?[entry.index] else {
                throw RaftViolation("member \(member) committed \(entry.index), not in its log")
            }
            if let known = committed[entry.index] {
                guard known.hash == hash, known.term == entry.term else {
                    throw RaftViolation("member \(member) committed another \(entry.index)")
                }
            } else {
                guard entry.index == committedIndex.next else {
                    throw RaftViolation("member \(member) committed \(entry.index) after a hole")
                }
                committed[entry.index] = Committed(hash: hash, term: entry.term, seenIn: term)
                committedIndex = entry.index
            }
        }
    }

    /// FNV-1a over the words and bytes of the entry.
    private static func hash(after previous: UInt64, _ entry: Entry) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ value: UInt64) { hash = (hash ^ value) &* 0x0000_0100_0000_01B3 }
        mix(previous)
        mix(entry.index.rawValue)
        mix(entry.term.rawValue)
        mix(UInt64(entry.kind.rawValue))
        for byte in entry.payload { mix(UInt64(byte)) }
        return hash ^ (hash >> 29)
    }
}
