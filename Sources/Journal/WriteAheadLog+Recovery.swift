// From files to a log that can be appended to. Reads, judges (LogScan), then removes every trace of
// writes that a crash left unfinished, so that they can never come back, and makes durable what it
// believes: after a killed process the bytes may be in the page cache only. A damaged log it gives
// up for a new one, never before all that the member has promised is durable there.

package import Raft

/// What recovery makes of log and snapshots together.
private struct Findings {
    /// Nil: what is there is all that was durable.
    var damage: JournalError?
    /// The log is from before the snapshot.
    var startsAnew = false
    /// At least the last place that was acknowledged, if it may be beyond the log's end.
    var promise = LogPosition.zero
}

extension WriteAheadLog where Storage: ~Copyable {
    /// - `freshLogID`: random, used when there is no log yet.
    /// - `snapshot`: the newest intact one; the log must follow it without a hole.
    /// - `damagedSnapshots`: their names; what they stood for may have been promised.
    /// - `logMustExist`: this member has taken part before, so an absent log is a lost one.
    /// - `hasPeers`: others may hold what damage took. Without them damage is refused.
    /// - `isDistrusted`: see `DistrustMark`; the log is given up as if it were damaged.
    package static func recover(
        storage: consuming Storage, limits: JournalLimits, freshLogID: LogID,
        snapshot: SnapshotMark?, damagedSnapshots: [String] = [], logMustExist: Bool,
        hasPeers: Bool, isDistrusted: Bool = false
    ) throws(JournalError) -> WriteAheadLog {
        var storage = storage
        var numbers = try storing { () throws(StorageError) in try segmentNumbers(&storage) }
        if numbers.isEmpty && snapshot == nil && damagedSnapshots.isEmpty && !logMustExist {
            try storing { () throws(StorageError) in
                try makeSegment(&storage, number: 1, logID: freshLogID, limits: limits)
            }
            numbers = [1]
        }
        guard !numbers.isEmpty else { throw .missing(file: SegmentName.name(1)) }
        let scan = try LogScan.run(&storage, numbers: numbers, floor: snapshot?.index ?? .zero)
        // What is started must have numbers to go on with.
        guard scan.greatestSequence <= GroupHeader.sequenceMax / 2 else {
            throw .malformed(
                file: SegmentName.name(numbers[numbers.count - 1]), offset: scan.end,
                found: "a group of number \(scan.greatestSequence)")
        }
        let findings = try judge(
            scan, snapshot, damagedSnapshots: damagedSnapshots, hasPeers: hasPeers,
            isDistrusted: isDistrusted)
        if findings.damage != nil {
            var log = try anew(
                storage: storage, limits: limits, scan, after: snapshot, findings.promise,
                instead: numbers)
            log.recovered = log.found(scan, snapshot, findings)
            return log
        }
        var log = WriteAheadLog(storage: storage, limits: limits, scan: scan)
        if findings.promise > log.promise { log.claim = findings.promise }
        do throws(StorageError) {
            try log.settle(scan, floor: snapshot?.index ?? .zero)
            if findings.startsAnew, let snapshot,
                try !log.makingRoom(
                    behind: snapshot.index,
                    { log throws(StorageError) in
                        try log.reset(to: snapshot)
                    })
            {
                throw log.noRoom
            }
        } catch {
            throw .storage(error)
        }
        log.recovered = log.found(scan, snapshot, findings)
        return log
    }

    /// Ascending; unfinished files are removed.
    private static func segmentNumbers(
        _ storage: inout Storage
    ) throws(StorageError) -> [UInt64] {
        var numbers: [UInt64] = []
        for name in try storage.list().sorted() {
            if let number = SegmentName.number(name) {
                numbers.append(number)
            } else if SegmentName.isTemporary(name) {
                try storage.remove(name)
            }
        }
        return numbers.sorted()
    }

    /// Damage is no reason to refuse where others may have what is lost and this member knows what
    /// it has promised. What a damaged snapshot stood for was promised too: it may have been
    /// acknowledged before the log was reset behind it.
    private static func judge(
        _ scan: LogScan, _ snapshot: SnapshotMark?, damagedSnapshots: [String], hasPeers: Bool,
        isDistrusted: Bool
    ) throws(JournalError) -> Findings {
        let outline = scan.replay.outline
        var findings = Findings(damage: scan.damage ?? (isDistrusted ? .distrusted : nil))
        if findings.damage == nil {
            do throws(JournalError) {
                findings.startsAnew = try startsAnew(
                    outline, snapshot, damagedSnapshots: damagedSnapshots)
            } catch {
                guard case .gap = error else { throw error }
                findings.damage = error
            }
        }
        if scan.replay.promise > outline.end { findings.promise = scan.replay.promise }
        for name in damagedSnapshots {
            findings.promise = max(findings.promise, SnapshotName.position(name) ?? .zero)
        }
        if findings.damage != nil {
            for promise in [scan.replay.promise, scan.tail.promise, scan.laterTail.promise] {
                findings.promise = max(findings.promise, promise)
            }
        }
        if hasPeers { return findings }
        if let damage = findings.damage { throw damage }
        if findings.promise > outline.end, let file = damagedSnapshots.first {
            throw .rot(
                file: file, offset: 0, found: "the log ends before this damaged snapshot")
        }
        return findings
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
        _ scan: LogScan, _ snapshot: SnapshotMark?, _ findings: Findings
    ) -> RecoveredLog {
        var state = hardState
        // The commit index is a hint; entries that it speaks of may be in the dropped tail.
        state.commit = max(snapshot?.index ?? .zero, min(state.commit, outline.last))
        var dropped: DroppedTail?
        if findings.damage == nil, scan.needsRepair, let last = scan.replay.segments.last {
            dropped = DroppedTail(
                file: last.name, offset: scan.end,
                groupCount: scan.tail.groupCount + scan.laterTail.groupCount)
        }
        let keepsEntries = findings.damage == nil && !findings.startsAnew
        return RecoveredLog(
            hardState: state, snapshot: snapshot,
            entries: keepsEntries ? scan.replay.entries : [], droppedTail: dropped,
            claim: claim, damage: findings.damage)
    }

    /// Gives a damaged log up for one that begins behind the snapshot and holds the promises. Why
    /// what is intact before the damage goes as well: the others have it, and so there is one step,
    /// the new file's name, before which all is as it was and after which nothing old is needed.
    private static func anew(
        storage: consuming Storage, limits: JournalLimits, _ scan: LogScan,
        after snapshot: SnapshotMark?, _ promise: LogPosition, instead numbers: [UInt64]
    ) throws(JournalError) -> WriteAheadLog {
        var storage = storage
        var state = scan.replay.hardState
        state.mergeVote(scan.tail.hardState)
        state.mergeVote(scan.laterTail.hardState)
        // An older commit is of another state of the log.
        state.commit = snapshot?.index ?? .zero
        let number = (numbers.last ?? 0) + 1
        // Why two: as long as one of the old files is there, a group is missing before this one,
        // which says that it was durable: the next start finds damage again, and these promises.
        let sequence = scan.greatestSequence + 2
        var builder = GroupBuilder()
        builder.begin()
        let base = LogPosition(index: snapshot?.index ?? .zero, term: snapshot?.term ?? .zero)
        builder.add(.segmentStart, index: base.index, term: base.term)
        builder.add(state)
        builder.add(.reset, index: base.index, term: base.term)
        _ = builder.finish(
            at: GroupPlace(segment: number, offset: SegmentHeader.bytes), logID: scan.replay.logID,
            sequence: sequence, durableThrough: sequence - 1, chain: 0,
            hardState: state, promise: max(promise, base))
        do throws(StorageError) {
            try makeSegment(
                &storage, number: number, logID: scan.replay.logID, limits: limits,
                group: builder.bytes)
            for old in numbers {
                try storage.remove(SegmentName.name(old))
                try storage.syncDirectory()
            }
        } catch {
            throw .storage(error)
        }
        // What was written is what is believed.
        let fresh = try LogScan.run(&storage, numbers: [number], floor: base.index)
        return WriteAheadLog(storage: storage, limits: limits, scan: fresh)
    }

    init(storage: consuming Storage, limits: JournalLimits, scan: LogScan) {
        let replay = scan.replay
        self.storage = storage
        self.limits = limits
        logID = replay.logID
        segments = replay.segments
        end = scan.end
        preparedBytes = scan.later.count == 1 ? scan.preparedBytes : nil
        lastSequence = replay.lastSequence ?? 0
        chain = replay.chain
        durableThrough = replay.durableThrough
        carriedMark = replay.durableThrough
        lastDataSequence = replay.lastDataSequence
        outline = replay.outline
        hardState = replay.hardState
        claim = replay.promise > outline.end ? replay.promise : nil
    }

    /// A start that needs a new segment for its promises waits for room with its process ended.
    private var noRoom: StorageError {
        StorageError(.write, segments[segments.count - 1].name, .outOfSpace)
    }

    /// Once more where there was no room, if files that a durable snapshot stands for could make some.
    private mutating func makingRoom(
        behind floor: LogIndex, _ body: (inout Self) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        if try body(&self) { return true }
        guard try prune(through: floor) else { return false }
        lookForRoom()
        return try body(&self)
    }

    /// Nothing that was dropped may ever come back, and nothing that is believed may be lost. Up to
    /// `floor` a snapshot stands for the log.
    mutating func settle(_ scan: LogScan, floor: LogIndex) throws(StorageError) {
        var best = hardState
        best.mergeVote(scan.tail.hardState)
        best.mergeVote(scan.laterTail.hardState)
        var votePending = best != hardState || promise > scan.replay.promise
        let position = segments.count - 1
        try rewriteUnmarked()
        // A vote among the dropped groups is saved before they are destroyed, and a claim before the
        // damaged snapshot that it comes from may go. It takes one sector, that of the first bad
        // group, so it overwrites no other.
        if votePending && end + JournalLimits.sectorBytes <= segments[position].bytes {
            if try append(hardState: best, entries: []) != .whole { throw noRoom }
            try sync()
            votePending = false
        }
        if preparedBytes == nil {
            for number in scan.later.reversed() {
                try storage.remove(SegmentName.name(number))
                try storage.syncDirectory()
            }
        }
        try zeroRest()
        if votePending,
            try !makingRoom(
                behind: floor,
                { log throws(StorageError) in
                    try log.append(hardState: best, entries: []) == .whole
                })
        {
            throw noRoom
        }
        try sync()
        try storage.syncDirectory()
    }

    private static var zerosBytesMax: Int { 1 << 20 }

    /// Of the last segment. Why also what reads as zeros: a start before may have dropped a tail, and its
    /// zeros may be in the page cache only, as in `rewriteUnmarked`.
    private mutating func zeroRest() throws(StorageError) {
        let segment = segments[segments.count - 1]
        guard end < segment.bytes else { return }
        let rest = end..<segment.bytes
        let zeros = [UInt8](repeating: 0, count: min(rest.count, Self.zerosBytesMax))
        try failing { storage throws(StorageError) in
            for start in stride(from: rest.lowerBound, to: rest.upperBound, by: zeros.count) {
                let count = min(zeros.count, rest.upperBound - start)
                try storage.write(segment.name, at: start, zeros.span.extracting(first: count))
            }
            try storage.sync(segment.name)
        }
    }
}
