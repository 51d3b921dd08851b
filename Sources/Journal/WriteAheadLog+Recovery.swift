// From files to a log that can be appended to. Reads, judges (LogScan), then removes every trace of
// writes that a crash left unfinished, so that they can never come back, and makes durable what it
// believes: after a killed process the bytes may be in the page cache only.

package import Raft

extension WriteAheadLog where Storage: ~Copyable {
    /// - `freshLogID`: random, used when there is no log yet.
    /// - `snapshot`: the newest intact one; the log must follow it without a hole.
    /// - `damagedSnapshots`: names for the message when the log does not reach `snapshot`.
    /// - `logMustExist`: this member has taken part before, so an absent log is a lost one.
    package static func recover(
        storage: consuming Storage, limits: JournalLimits, freshLogID: LogID,
        snapshot: SnapshotMark?, damagedSnapshots: [String] = [], logMustExist: Bool
    ) throws(JournalError) -> WriteAheadLog {
        var storage = storage
        var numbers: [UInt64] = []
        do throws(StorageError) {
            for name in try storage.list().sorted() {
                if let number = SegmentName.number(name) {
                    numbers.append(number)
                } else if SegmentName.isTemporary(name) {
                    try storage.remove(name)
                }
            }
            numbers.sort()
            if numbers.isEmpty && snapshot == nil && damagedSnapshots.isEmpty && !logMustExist {
                try makeSegment(&storage, number: 1, logID: freshLogID, limits: limits)
                numbers = [1]
            }
        } catch {
            throw .storage(error)
        }
        guard !numbers.isEmpty else { throw .missing(file: SegmentName.name(1)) }
        let scan = try LogScan.run(
            &storage, numbers: numbers, floor: snapshot?.index ?? .zero)
        let startsAnew = try Self.startsAnew(
            scan.replay.outline, snapshot, damagedSnapshots: damagedSnapshots)
        var log = WriteAheadLog(storage: storage, limits: limits, scan: scan)
        do throws(StorageError) {
            try log.settle(scan)
            if startsAnew, let snapshot { try log.reset(to: snapshot) }
        } catch {
            throw .storage(error)
        }
        log.recovered = log.found(scan, snapshot, startsAnew: startsAnew)
        return log
    }

    /// Finds where log and snapshot meet. True for a log wholly older than the snapshot, or one
    /// that disagrees with it: it is from before a received snapshot, and a crash came between
    /// the snapshot and the reset. Throws where bytes are missing between the two.
    private static func startsAnew(
        _ outline: LogOutline, _ snapshot: SnapshotMark?, damagedSnapshots: [String]
    ) throws(JournalError) -> Bool {
        let floor = snapshot?.index ?? .zero
        if outline.base > floor {
            throw .gap(
                snapshot: floor.rawValue, logBase: outline.base.rawValue,
                damagedSnapshots: damagedSnapshots)
        }
        guard let snapshot else { return false }
        if outline.last < snapshot.index { return true }
        guard let term = outline.term(at: snapshot.index), term != snapshot.term else {
            return false
        }
        if snapshot.index == outline.base {
            throw .contradiction(
                index: snapshot.index.rawValue, logTerm: term.rawValue,
                snapshotTerm: snapshot.term.rawValue)
        }
        return true
    }

    private func found(
        _ scan: LogScan, _ snapshot: SnapshotMark?, startsAnew: Bool
    ) -> RecoveredLog {
        var state = hardState
        // The commit index is a hint; entries that it speaks of may be in the dropped tail.
        state.commit = max(snapshot?.index ?? .zero, min(state.commit, outline.last))
        let dropped = DroppedTail(
            file: scan.replay.segments[scan.replay.segments.count - 1].name, offset: scan.end,
            groupCount: scan.tail.groupCount + scan.laterTail.groupCount)
        return RecoveredLog(
            hardState: state, snapshot: snapshot,
            entries: startsAnew ? [] : scan.replay.entries,
            droppedTail: scan.needsRepair ? dropped : nil)
    }

    init(storage: consuming Storage, limits: JournalLimits, scan: LogScan) {
        let replay = scan.replay
        self.storage = storage
        self.limits = limits
        logID = replay.logID
        segments = replay.segments
        end = scan.end
        nextIsPrepared = scan.laterIsPrepared && scan.later.count == 1
        lastSequence = replay.lastSequence ?? 0
        chain = replay.chain
        durableThrough = replay.durableThrough
        carriedMark = replay.durableThrough
        lastDataSequence = replay.lastDataSequence
        outline = replay.outline
        hardState = replay.hardState
    }

    /// Nothing that was dropped may ever come back, and nothing that is believed may be lost.
    mutating func settle(_ scan: LogScan) throws(StorageError) {
        var best = hardState
        best.mergeVote(scan.tail.hardState)
        best.mergeVote(scan.laterTail.hardState)
        var votePending = best != hardState
        let position = segments.count - 1
        // A vote among the dropped groups is saved before they are destroyed. It takes one sector,
        // that of the first bad group, so it overwrites no other.
        if votePending && end + JournalLimits.sectorBytes <= segments[position].bytes {
            try append(hardState: best, entries: [])
            try sync()
            votePending = false
        }
        if !nextIsPrepared {
            for number in scan.later.reversed() {
                try storage.remove(SegmentName.name(number))
                try storage.syncDirectory()
            }
        }
        if let written = scan.tail.written, written.upperBound > end {
            let start = max(written.lowerBound, end)
            let zeros = [UInt8](repeating: 0, count: written.upperBound - start)
            try storage.write(segments[position].name, at: start, zeros.span)
            try storage.sync(segments[position].name)
        }
        if votePending { try append(hardState: best, entries: []) }
        try sync()
        try storage.syncDirectory()
    }
}
