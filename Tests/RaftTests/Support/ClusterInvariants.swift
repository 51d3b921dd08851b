// What must hold of all members together (thesis figure 3.2), checked after each step of a test. The
// simulator has its own checker, which judges by what is on the disks.

import Raft

/// What must hold across members. It is told of observations, of storage requests and of entries
/// given out, and keeps one number for each place in each log: a hash of all up to it.
struct ClusterInvariants {
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
    private(set) var committedIndex: LogIndex = .zero

    init() {}

    /// After each step of each member, once its storage request was told.
    mutating func observe(_ now: RaftObservation) throws(RaftViolation) {
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
    mutating func stored(
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
    mutating func restarted(
        _ member: MemberID, snapshot: SnapshotMark?, entries: [Entry]
    ) throws(RaftViolation) {
        chains[member] = nil
        if let snapshot { try installed(snapshot, by: member) }
        try stored(entries, by: member)
    }

    /// A snapshot replaces the member's log up to its mark, or all of it.
    mutating func installed(
        _ mark: SnapshotMark, by member: MemberID
    ) throws(RaftViolation) {
        guard let entry = committed[mark.index], entry.term == mark.term else {
            throw RaftViolation("member \(member) got a snapshot of uncommitted \(mark.index)")
        }
        if let chain = chains[member], chain[mark.index] == entry.hash { return }
        chains[member] = Chain(first: mark.index.next, hashes: [], baseHash: entry.hash)
    }

    /// Entries given out as committed: written once, the same for all (state machine safety).
    mutating func committed(
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
