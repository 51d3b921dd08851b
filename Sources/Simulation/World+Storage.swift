// The two threads of a member that work for its disk: the journal's, which writes, is busy until the
// sync is over, and tells it then, and the snapshots'.

import Ensemble
import Journal
import Raft

extension World {
    // MARK: the journal's thread

    /// Takes what has been asked for, writes it, and is busy until the sync is over.
    func startJournal(_ member: Member, _ process: Process) {
        guard !process.journalIsBusy, !process.journalQueue.isEmpty else { return }
        let count = min(process.journalQueue.count, tuning.journalBatchMax)
        let batch = Array(process.journalQueue[..<count])
        process.journalQueue.removeFirst(count)
        process.journalIsBusy = true
        if batch.contains(where: { if case .distrust = $0 { true } else { false } }) {
            countsForPromises(member)
        }
        do throws(StorageError) {
            for request in batch { try write(request, process) }
        } catch {
            return checking { () throws(Violation) in try diskFailed(member, .storage(error)) }
        }
        if process.journal.ending != nil {
            return crash(member, .none, restartAfterNs: restartDelayNs())
        }
        var delayNs = diskDelayNs(member)
        if !isSettling, shellRandom.chance(perMille: weather[.hang]) {
            marks.hit(.syncHung)
            delayNs = shellRandom.draw(50_000_000...1_000_000_000)
        }
        queue.put(.journalDone(member: member.position, run: member.run), atNs: nowNs + delayNs)
    }

    private func diskDelayNs(_ member: Member) -> UInt64 {
        let delayNs = shellRandom.delayNs(weather.journalDelayNs)
        return nowNs < member.slowUntilNs ? delayNs * 100 : delayNs
    }

    private func write(_ request: StorageRequest, _ process: Process) throws(StorageError) {
        guard case .append(let token, var hardState, var entries) = request else {
            try process.journal.carryOut(request)
            return process.noteWritten()
        }
        if options.bug == .hardStateDropped { hardState = nil }
        if options.bug == .lastEntryLost, let last = entries.last, entries.count > 1 {
            entries[entries.count - 1] = Entry(
                index: last.index, term: last.term, kind: last.kind, payload: [])
        }
        try process.journal.carryOut(
            .append(token: token, hardState: hardState, entries: entries))
        process.noteWritten()
    }

    func finishJournal(_ member: Member) throws(Violation) {
        guard let process = member.process else { return }
        if options.bug == .storedBeforeDurable, let last = process.journalTokens.last {
            try step(member, .stored(last))
            guard member.process === process else { return }
        }
        do throws(StorageError) {
            try process.journal.sync()
        } catch {
            return try diskFailed(member, .storage(error))
        }
        let tokens = process.journalTokens
        process.journalTokens.removeAll(keepingCapacity: true)
        if let last = tokens.last { consensus.durable(through: last, at: member.position) }
        consensus.durableVotes(through: process.journal.votesWritten, at: member.position)
        // A crash may come between the sync and the word of it.
        if !isSettling, weather[.crash] > 0, faultRandom.chance(perMille: 1) {
            marks.hit(.crashedAfterSync)
            return crash(member, .some, restartAfterNs: restartDelayNs())
        }
        try tellNews(of: tokens, member, process)
        guard member.process === process else { return }
        do throws(StorageError) {
            try process.journal.prune()
        } catch {
            return try diskFailed(member, .storage(error))
        }
        process.journalIsBusy = false
        startJournal(member, process)
    }

    /// A completion stands for all before it.
    private func answer(
        _ tokens: [StorageToken], _ member: Member, _ process: Process
    ) throws(Violation) {
        for (position, token) in tokens.enumerated()
        where tuning.answersEachToken || position == tokens.count - 1 {
            guard member.process === process else { return }
            try step(member, .stored(token))
        }
    }

    /// In the journal's order: what was stored, what a full disk keeps it from, and what it does all the
    /// same.
    private func tellNews(
        of tokens: [StorageToken], _ member: Member, _ process: Process
    ) throws(Violation) {
        for news in process.journal.takeNews() where member.process === process {
            if case .stored = news {
                if options.bug != .storedBeforeDurable { try answer(tokens, member, process) }
                continue
            }
            if case .votesStored = news { marks.hit(.voteWithoutRoom) }
            try step(member, news)
        }
    }

    /// What an idle journal does at a tick.
    func tendJournal(_ member: Member, _ process: Process) {
        guard shellRandom.chance(perMille: 20) else { return }
        do throws(StorageError) {
            let isFull = process.journal.isFull
            if process.journal.lacksRoom { try process.journal.tryAgain() }
            guard isFull else {
                try process.journal.doIdleWork()
                return
            }
            if process.journal.ending != nil {
                return crash(member, .none, restartAfterNs: restartDelayNs())
            }
            process.noteWritten()
            process.journalIsBusy = true
            queue.put(
                .journalDone(member: member.position, run: member.run),
                atNs: nowNs + diskDelayNs(member))
        } catch {
            checking { () throws(Violation) in try diskFailed(member, .storage(error)) }
        }
    }

    // MARK: the snapshots' thread

    func enqueue(_ request: SnapshotRequest, _ member: Member, _ process: Process) {
        process.snapshotQueue.append(request)
        scheduleSnapshot(member, process)
    }

    private func scheduleSnapshot(_ member: Member, _ process: Process) {
        guard !process.snapshotsAreBusy,
            !process.snapshotQueue.isEmpty || process.snapshots.isVerifying
        else { return }
        process.snapshotsAreBusy = true
        queue.put(
            .snapshotDone(member: member.position, run: member.run),
            atNs: nowNs + diskDelayNs(member))
    }

    /// One request, and some reading of what was written last.
    func finishSnapshot(_ member: Member) throws(Violation) {
        guard let process = member.process else { return }
        process.snapshotsAreBusy = false
        var outcomes: [SnapshotOutcome] = []
        if !process.snapshotQueue.isEmpty {
            let request = process.snapshotQueue.removeFirst()
            if options.bug == .snapshotSavedEarly, case .finish(let index) = request,
                process.snapshots.underWay == index
            {
                outcomes.append(.saved(index))
            } else {
                process.snapshots.carryOut(request, into: &outcomes)
            }
        }
        process.snapshots.verify(blocksMax: 4, into: &outcomes)
        scheduleSnapshot(member, process)
        for outcome in outcomes where member.process === process {
            try take(outcome, member, process)
        }
    }

    func take(
        _ outcome: SnapshotOutcome, _ member: Member, _ process: Process
    ) throws(Violation) {
        switch outcome {
        case .saved:
            if let mark = process.snapshots.newest {
                try consensus.durableSnapshot(mark, at: member.position)
            }
        case .appended, .read: break
        case .notRead(_, .snapshotAbsent): marks.hit(.snapshotNotRead)
        // Its name may be gone, and the file still be open.
        case .notRead(_, .rot(let file, _, _))
        where member.disk.isSpoiled || member.spoiled?.file == file:
            marks.hit(.snapshotNotRead)
        case .notSaved(_, .rot) where member.disk.isSpoiled: marks.hit(.snapshotNotSaved)
        case .damaged(let damage): try noteScrubbed(damage, member)
        case .notSaved(_, let error), .notRead(_, let error), .notRemoved(_, let error):
            // A snapshot that a living disk did not take is given up.
            if case .notSaved = outcome { marks.hit(.snapshotNotSaved) }
            markDisk(member)
            if member.disk.isWithoutPower || !member.disk.hasCaused(error) {
                return try diskFailed(member, error)
            }
        }
        if let input = outcome.input { try step(member, input) }
    }
}
