// Snapshots stand for discarded prefixes of the log (thesis 5). The core only keeps the marks; it
// must never let the log go back below what is committed.

extension RaftNode {
    /// Forgets entries up to `index`; the caller has a durable snapshot at or above it.
    package mutating func compact(through index: LogIndex) {
        invariant(index <= applied, "compaction through \(index), applied \(applied)")
        invariant(
            index <= (snapshot?.index ?? .zero),
            "compaction through \(index) above the snapshot at \(snapshot?.index ?? .zero)")
        guard index >= firstIndex else { return }
        log.compact(through: index)
        configurations.compact(through: index)
        ledger.covered(through: index)
    }

    /// The last entry that may go when a snapshot at `index` is durable. `index` is applied. The oldest
    /// that is on its way to a follower is the one at `sending`.
    package func lastSpare(
        before index: LogIndex, keeping retention: LogRetention, sending: LogIndex? = nil
    ) -> LogIndex {
        let needed = min(lastHeldByAll, sending ?? .max)
        var spare = index
        var bytes = 0
        while spare >= firstIndex {
            bytes += log[spare].weightBytes
            let isKept = index - spare < retention.entries && bytes <= retention.bytes
            let isNeeded = spare > needed && bytes <= retention.catchUpBytes
            if !isKept, !isNeeded { break }
            spare = spare.previous
        }
        return spare
    }

    /// A leader's: where the next message to the member that is furthest behind, of those that are
    /// there and take in entries, would begin.
    private var lastHeldByAll: LogIndex {
        guard standing == .leader else { return log.lastIndex }
        var least = log.lastIndex
        for progress in progresses
        where progress.member != id && isThere(progress) && takesEntries(progress.member) {
            switch progress.state {
            case .probe: least = min(least, progress.next.previous)
            case .replicate: least = min(least, progress.match)
            // Its entries begin behind that snapshot, see `sending`.
            case .snapshot: break
            }
        }
        return least
    }

    private func isThere(_ progress: Progress) -> Bool {
        progress.hasAnswered
            && tickCount - progress.contactTick <= UInt64(options.electionTicksMax)
    }

    /// The newest durable snapshot of this member's own.
    package mutating func setSnapshot(_ mark: SnapshotMark) {
        invariant(mark.index <= applied, "snapshot at \(mark.index), applied \(applied)")
        guard mark.index >= (snapshot?.index ?? .zero) else { return }
        snapshot = mark
    }

    /// A received snapshot is durable and installed in the state machine. The log keeps what
    /// follows it with the same term, else starts anew. False: it is not above what is committed,
    /// or this member leads; nothing changed.
    @discardableResult
    package mutating func restore(_ mark: SnapshotMark) -> Bool {
        guard standing != .leader, mark.index > commit else {
            if let leader, leader != id { acknowledge(commit, sentMs: 0, to: leader) }
            return false
        }
        if standing != .follower || mark.term > term {
            becomeFollower(term: max(term, mark.term), leader: nil)
        }
        if log.term(at: mark.index) == mark.term {
            log.compact(through: mark.index)
        } else {
            log.reset(index: mark.index, term: mark.term)
            ledger.truncated(from: mark.index.next)
            _ = configurations.truncate(from: mark.index.next)
            // They may promise entries that are gone; a lost answer is always safe.
            held.removeAll { $0.message.body.isAppendReply }
        }
        ledger.covered(through: mark.index)
        forgetMetClaim()
        configurations.rebase(mark.configuration, at: mark.index)
        snapshot = mark
        commit = mark.index
        handedOut = mark.index
        applied = mark.index
        if let leader { acknowledge(mark.index, sentMs: 0, to: leader) }
        return true
    }

    mutating func wantSnapshot(forSlot slot: Int) {
        guard let snapshot, snapshot.index >= firstIndex.previous else {
            invariant(false, "no snapshot for the log before \(firstIndex)")
            return
        }
        // A snapshot for a member that is not there would only be thrown away.
        guard isThere(progresses[slot]) else {
            progresses[slot].pause()
            return
        }
        progresses[slot].becomeSnapshot()
        snapshotsWanted.append(progresses[slot].member)
    }

    /// That member has given its state up, or will, since it was not this one's. Entries from before,
    /// or an older snapshot, might lead it to the same again, whoever leads then.
    package mutating func oweSnapshot(to member: MemberID) {
        if applied > .zero { snapshotsOwed[member] = applied }
    }

    /// None can be made, or none should be: what there is has to do.
    package mutating func forgetSnapshotsOwed() { snapshotsOwed.removeAll() }

    /// Nothing of before `index` leads that member anywhere any more.
    package mutating func noteState(of member: MemberID, at index: LogIndex) {
        if let owed = snapshotsOwed[member], owed <= index { snapshotsOwed[member] = nil }
    }

    /// As leader, another snapshot than the newest is owed.
    package var owesNewerSnapshot: Bool {
        progresses.contains { !canGiveWhatIsOwed(to: $0.member) }
    }

    /// Nothing is owed to it, or the newest snapshot is new enough.
    func canGiveWhatIsOwed(to member: MemberID) -> Bool {
        snapshotsOwed[member].map { $0 <= snapshot?.index ?? .zero } ?? true
    }

    /// The snapshot at `index` was handed over whole.
    package mutating func snapshotSent(to member: MemberID, index: LogIndex) {
        guard standing == .leader, let slot = slot(of: member) else { return }
        noteState(of: member, at: index)
        progresses[slot].snapshotSent(index: index)
    }

    /// It is wanted again when the member next answers.
    package mutating func snapshotFailed(to member: MemberID) {
        guard standing == .leader, let slot = slot(of: member) else { return }
        progresses[slot].snapshotFailed()
    }
}

extension Message.Body {
    var isAppendReply: Bool {
        if case .appendReply = self { true } else { false }
    }

    var isVoteReply: Bool {
        if case .voteReply = self { true } else { false }
    }
}
