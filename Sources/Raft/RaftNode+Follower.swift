// A follower's side of replication (thesis 3.5): it takes what its leader sends. It must never
// truncate on anything but a real conflict, nor anything committed.

/// The head of an append message.
struct AppendRequest {
    let leader: MemberID
    var previousIndex: LogIndex
    var previousTerm: Term
    let commit: LogIndex
    let sentMs: UInt64
}

extension RaftNode {
    /// A message of this term from its leader. False: two members claim the term; nothing of the
    /// other is believed.
    mutating func hearLeader(_ member: MemberID) -> Bool {
        if standing == .leader { return false }
        if let leader, leader != member { return false }
        if standing != .follower { becomeFollower(term: term, leader: member) }
        setLeader(member)
        leaderSilence = 0
        electionElapsed = 0
        return true
    }

    mutating func stepHeartbeat(
        _ leader: MemberID, commit leaderCommit: LogIndex, context: ReadContext?, sentMs: UInt64
    ) {
        // The leader names no more than this member has acknowledged.
        if leaderCommit > commit, leaderCommit <= lastIndex { commit = leaderCommit }
        send(.heartbeatReply(readContext: context, sentMs: sentMs), to: leader)
    }

    mutating func stepAppend(_ request: AppendRequest, _ entries: [Entry]) {
        guard let added = decodeConfigurations(request, entries) else { return }
        var request = request
        var end = request.previousIndex + entries.count
        if request.previousIndex < commit {
            checkCommitted(request.previousIndex, request.previousTerm)
            for entry in entries { checkCommitted(entry.index, entry.term) }
            guard end > commit, let term = log.term(at: commit) else {
                acknowledge(commit, sentMs: request.sentMs, to: request.leader)
                return
            }
            // What is committed here is in the leader's log (leader completeness, thesis 3.6).
            request.previousIndex = commit
            request.previousTerm = term
        }
        guard log.term(at: request.previousIndex) == request.previousTerm else {
            reject(request)
            return
        }
        let fresh = entries.suffix(end - request.previousIndex)
        if let conflict = fresh.first(where: { log.term(at: $0.index) != $0.term }) {
            if hasRoom {
                take(entries.suffix(end - conflict.index + 1), added)
            } else {
                // As if the message had ended here.
                end = conflict.index.previous
            }
        }
        // Thesis 3.5: at most up to the last entry that this message vouches for.
        let vouched = min(request.commit, end)
        if vouched > commit { commit = vouched }
        acknowledge(end, sentMs: request.sentMs, to: request.leader)
    }

    /// Leader completeness (thesis 3.6): what is committed here stands in the leader's log. If it does
    /// not, one of the two has another past (a disk that was started for other members, or one that
    /// lied), and to go on would be to hold two histories.
    private func checkCommitted(_ index: LogIndex, _ leaderTerm: Term) {
        guard index <= commit, let term = log.term(at: index) else { return }
        invariant(
            term == leaderTerm,
            "entry \(index) is committed here in term \(term), and the leader has it from term "
                + "\(leaderTerm): this member's history is another one. Move its data directory "
                + "away")
    }

    /// Appends entries of which the first is absent or in conflict.
    private mutating func take(
        _ entries: ArraySlice<Entry>, _ added: [(index: LogIndex, configuration: Configuration)]
    ) {
        guard let first = entries.first else { return }
        if first.index <= lastIndex {
            invariant(
                first.index > commit, "truncation at \(first.index), committed up to \(commit)")
            log.truncate(from: first.index)
            ledger.truncated(from: first.index)
            if configurations.truncate(from: first.index) { configurationChanged() }
        }
        for entry in entries { log.append(entry) }
        forgetMetClaim()
        for (index, configuration) in added where index >= first.index {
            configurations.append(configuration, at: index)
            configurationChanged()
        }
    }

    private mutating func reject(_ request: AppendRequest) {
        // The leader goes straight to the last place where the logs can meet: entries above the
        // term that it has there are not its own (thesis 3.5, "one rejection for each term").
        let hint = log.lastIndex(
            from: request.previousIndex, notAbove: request.previousTerm, floor: commit)
        send(
            .appendRejection(
                rejectedIndex: request.previousIndex, hintIndex: hint,
                hintTerm: log.term(at: hint) ?? .zero, sentMs: request.sentMs),
            to: request.leader)
    }

    /// Nil when the entries are not a run that a leader of this term can have sent.
    private func decodeConfigurations(
        _ request: AppendRequest, _ entries: [Entry]
    ) -> [(index: LogIndex, configuration: Configuration)]? {
        var found: [(index: LogIndex, configuration: Configuration)] = []
        var last = request.previousIndex
        var lastTerm = request.previousTerm
        for entry in entries {
            guard entry.index == last.next, entry.term >= lastTerm, entry.term <= term else {
                return nil
            }
            last = entry.index
            lastTerm = entry.term
            guard entry.kind == .configuration else { continue }
            guard let configuration = try? Configuration(decoding: entry.payload) else {
                return nil
            }
            found.append((entry.index, configuration))
        }
        return found
    }
}
