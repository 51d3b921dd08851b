// What recovery may find on a member's disk, and what it must claim of it: what was durable, and what
// the member had promised by it.

import Journal
package import Raft

extension ConsensusChecker {
    /// After a start: what recovery found must be what was durable, or that with the first of the
    /// unconfirmed writes, in their order.
    package mutating func restarted(
        _ member: Int, hardState: HardState, snapshot: SnapshotMark?, entries: [Entry],
        claim: LogPosition? = nil
    ) throws(Violation) {
        var found = Log()
        if let snapshot {
            try checkCommitted(snapshot, member)
            reset(&found, Int(snapshot.index.rawValue))
        }
        if let first = entries.first {
            try put(entries, first: Int(first.index.rawValue), &found, member, committed: 0)
        }
        found.hardState = hardState
        let index = Int(snapshot?.index.rawValue ?? 0)
        let before = members[member]
        let isAllThere = try checkRecovered(found, snapshot: index, member)
        try checkPromise(found, claim, member, isAllThere: isAllThere)
        let lost = before.isDamaged ? [(before.durable, before.snapshot)] : []
        members[member] = Member(
            asked: found, durable: found, snapshot: index, claim: claim,
            lost: claim == nil ? [] : before.lost + lost, disk: before.disk)
    }

    /// What was acknowledged is there, or claimed.
    private func checkPromise(
        _ found: Log, _ claim: LogPosition?, _ member: Int, isAllThere: Bool
    ) throws(Violation) {
        let before = members[member]
        let reached = max(end(found), claim ?? .zero)
        try expect(
            claim == nil || before.isDamaged || before.claim != nil, .recovery,
            "member \(member + 1) claims \(reached), and was never damaged")
        let snapshot = LogPosition(
            index: LogIndex(UInt64(before.snapshot)),
            term: Term(before.snapshot == 0 ? 0 : committedTerms[before.snapshot - 1]))
        var promised = before.claim ?? .zero
        if before.isDamaged { promised = max(promised, snapshot) }
        if !isAllThere { promised = max(promised, end(before.durable)) }
        try expect(
            reached >= promised, .recovery,
            "damaged member \(member + 1) recovered to \(end(found)) and claims \(reached), had "
                + "promised \(promised)")
    }

    /// False: a damaged disk has lost some.
    private func checkRecovered(
        _ found: Log, snapshot: Int, _ member: Int
    ) throws(Violation) -> Bool {
        try expect(
            snapshot >= members[member].snapshot || members[member].isDamaged, .recovery,
            "member \(member + 1) recovered a snapshot at \(snapshot), had "
                + "\(members[member].snapshot)")
        var state = members[member].durable
        func isFound(_ state: Log) -> Bool {
            var state = state
            if snapshot > 0 { reset(&state, snapshot) }
            return found.last == state.last && found.hash(found.last) == state.hash(state.last)
        }
        func isVotesKept(_ asked: HardState) -> Bool {
            asked.term == found.hardState.term && asked.vote == found.hardState.vote
        }
        var logMatches = isFound(state)
        var votesMatch = isVotesKept(state.hardState)
        for write in members[member].writes {
            if case .append(_, let asked, let first, let hashes, _) = write {
                if let asked, isVotesKept(asked) { votesMatch = true }
                // A write of several groups may be cut between them.
                if found.last >= first, found.last < first + hashes.count,
                    found.hash(found.last) == hashes[found.last - first]
                {
                    logMatches = true
                }
            }
            carryOut(write, &state)
            if isFound(state) { logMatches = true }
        }
        let durable = members[member].durable
        try expect(
            votesMatch, .recovery,
            "member \(member + 1) recovered \(found.hardState), durable was \(durable.hardState)")
        try expect(
            logMatches || members[member].isDamaged, .recovery,
            "member \(member + 1) recovered a log to \(found.last), durable to \(durable.last), "
                + "\(members[member].writes.count) writes unconfirmed")
        return logMatches
    }
}
