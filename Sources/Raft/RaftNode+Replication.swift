// A leader's side of replication (thesis 3.5, 3.6.2, 10.2): proposals, messages to followers within
// their windows, and the commit. It must never commit an entry of an older term by counting.

package enum ProposeResult: Sendable, Equatable {
    case appended(LogIndex, Term)
    /// Not leader, or handing leadership over. Nothing was appended.
    case notLeader
    /// Too much is uncommitted, or for too long, or waits for this disk. Nothing was appended.
    case overloaded
    /// The leader's disk is full. Nothing was appended.
    case noRoom
}

extension RaftNode {
    /// `isOwn`: of the leader itself, not of a client. Such are few and small, the caller sees to it;
    /// clients at the limit must not keep them out for ever.
    package mutating func propose(_ payload: [UInt8], isOwn: Bool = false) -> ProposeResult {
        guard standing == .leader, transfer == nil else { return .notLeader }
        guard hasRoom else { return .noRoom }
        guard isOwn || mayTake(bytes: payload.count) else { return .overloaded }
        let index = appendOwn(.command, payload)
        return .appended(index, term)
    }

    private func mayTake(bytes: Int) -> Bool {
        func fits(beside waiting: Int) -> Bool {
            waiting == 0 || waiting + bytes <= options.limits.uncommittedBytesMax
        }
        // Why the disk: where a leader's own one hangs, the others commit without it, and what waits
        // for it is in memory.
        return fits(beside: uncommittedBytes) && fits(beside: ledger.bytesInFlight)
            && tickCount - (uncommitted.oldestTick ?? tickCount)
                <= UInt64(options.limits.uncommittedTicksMax)
    }

    @discardableResult
    mutating func appendOwn(_ kind: EntryKind, _ payload: [UInt8]) -> LogIndex {
        invariant(standing == .leader, "append by \(standing)")
        let entry = Entry(index: lastIndex.next, term: term, kind: kind, payload: payload)
        log.append(entry)
        uncommittedBytes += entry.weightBytes
        uncommitted.appended(entry.index, tick: tickCount)
        return entry.index
    }

    // MARK: Commit

    /// Entries count for the leader itself only when they are durable.
    mutating func advanceOwnMatch() {
        guard let slot = slot(of: id) else { return }
        progresses[slot].advanceOwn(match: ledger.durableIndex)
        commitByCounting()
    }

    mutating func commitByCounting() {
        guard standing == .leader else { return }
        let reached = Quorum.reached(in: configuration) { member -> LogIndex in
            guard let slot = slot(of: member) else { return .zero }
            return progresses[slot].match
        }
        // Thesis 3.6.2, figure 3.7: only an entry of the own term commits by counting.
        guard let reached, reached > commit, log.term(at: reached) == term else { return }
        uncommittedBytes -= log.weightBytes(after: commit, through: reached)
        commit = reached
        uncommitted.committed(through: commit, last: lastIndex)
        configurationMayBeCommitted()
    }

    // MARK: Sending

    var hasToReplicate: Bool {
        guard standing == .leader else { return false }
        for progress in progresses where progress.member != id && takesEntries(progress.member) {
            switch progress.state {
            case .probe(let waiting):
                if !waiting, canGiveWhatIsOwed(to: progress.member) { return true }
            case .replicate:
                let more = progress.next <= lastIndex && !progress.inflights.isFull(options.limits)
                let told = progress.next <= lastIndex || progress.sentCommit >= commit
                if more || !told || progress.needsPoke { return true }
            case .snapshot:
                break
            }
        }
        return false
    }

    mutating func replicate(_ batch: inout EntryBatch) {
        guard standing == .leader else { return }
        for slot in progresses.indices where progresses[slot].member != id {
            if takesEntries(progresses[slot].member) { replicate(toSlot: slot, &batch) }
        }
    }

    func takesEntries(_ member: MemberID) -> Bool { !fullMembers.contains(member) }

    private mutating func replicate(toSlot slot: Int, _ batch: inout EntryBatch) {
        switch progresses[slot].state {
        case .probe(let waiting):
            let member = progresses[slot].member
            guard !waiting, canGiveWhatIsOwed(to: member) else { return }
            if snapshotsOwed[member] == nil {
                sendAppend(toSlot: slot, &batch)
            } else {
                wantSnapshot(forSlot: slot)
            }
        case .replicate:
            var sent = false
            while progresses[slot].next <= lastIndex,
                !progresses[slot].inflights.isFull(options.limits)
            {
                guard sendAppend(toSlot: slot, &batch) else { return }
                sent = true
            }
            let allSent = progresses[slot].next > lastIndex
            let owesCommit = allSent && progresses[slot].sentCommit < commit
            if !sent, owesCommit || progresses[slot].needsPoke { sendEmptyAppend(toSlot: slot) }
        case .snapshot:
            break
        }
    }

    /// False: what it needs is no longer in the log.
    @discardableResult
    private mutating func sendAppend(toSlot slot: Int, _ batch: inout EntryBatch) -> Bool {
        let next = progresses[slot].next
        guard let previousTerm = log.term(at: next.previous) else {
            wantSnapshot(forSlot: slot)
            return false
        }
        let entries =
            next > lastIndex
            ? [] : batch.entries(of: log, from: next, bytesMax: options.limits.appendBytesMax)
        var bytes = 0
        for entry in entries { bytes += entry.weightBytes }
        let last = next.previous + entries.count
        send(
            .append(
                previousIndex: next.previous, previousTerm: previousTerm, entries: entries,
                commit: commit, sentMs: nowMs),
            to: progresses[slot].member)
        progresses[slot].sent(lastIndex: last, bytes: bytes, commit: commit)
        return true
    }

    /// Tells the commit, or asks whether all that was sent has arrived; the window does not count.
    private mutating func sendEmptyAppend(toSlot slot: Int) {
        let previous = progresses[slot].next.previous
        guard let previousTerm = log.term(at: previous) else {
            wantSnapshot(forSlot: slot)
            return
        }
        send(
            .append(
                previousIndex: previous, previousTerm: previousTerm, entries: [], commit: commit,
                sentMs: nowMs),
            to: progresses[slot].member)
        progresses[slot].sent(lastIndex: previous, bytes: 0, commit: commit)
    }

    /// Carries no more than the follower has acknowledged: it may hold something else beyond.
    mutating func sendHeartbeat(to member: MemberID, match: LogIndex, context: ReadContext?) {
        send(
            .heartbeat(commit: min(match, commit), readContext: context, sentMs: nowMs), to: member)
    }

    // MARK: Answers. Those of members outside the configuration find no slot and end there.

    mutating func stepAppendReply(_ member: MemberID, matchIndex: LogIndex, sentMs: UInt64) {
        guard standing == .leader, member != id, let slot = slot(of: member),
            matchIndex <= lastIndex
        else { return }
        progresses[slot].heard(tick: tickCount, sentMs: sentMs)
        guard
            progresses[slot].accepted(match: matchIndex, firstIndex: firstIndex, nowMs: nowMs)
        else { return }
        commitByCounting()
        // The commit may have ended this leadership.
        if standing == .leader { urgeTransfer() }
    }

    mutating func stepAppendRejection(
        _ member: MemberID, rejected: LogIndex, hintIndex: LogIndex, hintTerm: Term, sentMs: UInt64
    ) {
        guard standing == .leader, member != id, let slot = slot(of: member) else { return }
        progresses[slot].heard(tick: tickCount, sentMs: sentMs)
        let meeting = log.lastIndex(from: hintIndex, notAbove: hintTerm, floor: .zero)
        // Why not above the hint: below the log's base nothing is known of terms.
        progresses[slot].rejected(
            at: rejected, meeting: min(meeting, hintIndex), sentMs: sentMs)
    }

    mutating func stepHeartbeatReply(_ member: MemberID, context: ReadContext?, sentMs: UInt64) {
        guard standing == .leader, member != id, let slot = slot(of: member) else { return }
        progresses[slot].heard(tick: tickCount, sentMs: sentMs)
        progresses[slot].answeredHeartbeat(lastIndex: lastIndex)
        if let context { confirmRounds(context, by: member) }
    }
}
