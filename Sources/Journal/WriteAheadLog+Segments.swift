// The files of the log: made ahead of need, left when full, removed behind snapshots. A segment
// gets its name only when all of it is durable, and goes only when what follows is.

package import Raft

extension WriteAheadLog where Storage: ~Copyable {
    /// Makes the next segment so that no append pays for it. For the owner's idle moments; an
    /// append that finds none makes it itself. True if it made one.
    @discardableResult
    package mutating func prepareNextSegment() throws(StorageError) -> Bool {
        try refuseAfterFailure()
        guard !nextIsPrepared else { return false }
        let number = segments[segments.count - 1].number + 1
        try Self.makeSegment(&storage, number: number, logID: logID, limits: limits)
        nextIsPrepared = true
        return true
    }

    static func makeSegment(
        _ storage: inout Storage, number: UInt64, logID: LogID, limits: JournalLimits,
        group: [UInt8] = []
    ) throws(StorageError) {
        let name = SegmentName.name(number)
        let temporary = name + SegmentName.temporarySuffix
        let header = SegmentHeader(
            logID: logID, number: number, segmentBytes: UInt64(limits.segmentBytes)
        ).encoded()
        try storage.create(temporary, zeroFilledTo: limits.segmentBytes)
        try storage.write(temporary, at: 0, header.span)
        if !group.isEmpty { try storage.write(temporary, at: SegmentHeader.bytes, group.span) }
        try storage.sync(temporary)
        try storage.rename(temporary, to: name)
        try storage.syncDirectory()
    }

    /// Goes on in the next segment.
    mutating func roll() throws(StorageError) {
        let number = segments[segments.count - 1].number + 1
        if !nextIsPrepared {
            let (logID, limits) = (logID, limits)
            try failing { storage throws(StorageError) in
                try Self.makeSegment(&storage, number: number, logID: logID, limits: limits)
            }
        }
        nextIsPrepared = false
        segments.append(LogSegment(number: number, bytes: limits.segmentBytes))
        end = SegmentHeader.bytes
    }

    /// Entries up to `index` are covered by a durable snapshot: removes the oldest segments as
    /// long as they hold nothing else. Syncs first, so that no unsynced cut of the log is needed
    /// to make sense of what stays.
    package mutating func prune(through index: LogIndex) throws(StorageError) {
        try sync()
        var removed = outline.base
        while segments.count > 1, segments[0].lastLive <= index,
            segments[1].firstSequence != 0, segments[1].firstSequence <= durableThrough
        {
            removed = max(removed, segments[0].lastLive)
            try removeOldestSegment()
        }
        outline.forget(through: removed)
    }

    /// One at a time and durably, oldest first: a crash never leaves a hole.
    private mutating func removeOldestSegment() throws(StorageError) {
        let name = segments[0].name
        try failing { storage throws(StorageError) in
            try storage.remove(name)
            try storage.syncDirectory()
        }
        segments.removeFirst()
    }

    /// A received snapshot, durable already, stands for all up to `mark`. Keeps the suffix if the
    /// log holds the mark's own entry, else starts anew. Durable when it returns.
    package mutating func reset(to mark: SnapshotMark) throws(StorageError) {
        try refuseAfterFailure()
        if mark.index <= outline.base { return }
        if mark.index <= outline.last && outline.term(at: mark.index) == mark.term {
            return try prune(through: mark.index)
        }
        if end > SegmentHeader.bytes { try roll() }
        try beginGroup(payloadBytes: GroupBuilder.frameBytes + 16)
        hardState.commit = max(hardState.commit, mark.index)
        builder.add(.reset, index: mark.index, term: mark.term)
        outline.restart(after: mark.index, mark.term)
        segments.forgetEntries()
        try writeGroup()
        lastDataSequence = lastSequence
        try sync()
        while segments.count > 1 { try removeOldestSegment() }
    }
}
