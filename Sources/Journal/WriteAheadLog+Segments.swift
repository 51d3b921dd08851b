// The files of the log: made ahead of need, left when full, removed behind snapshots. A segment
// gets its name only when all of it is durable, and goes only when what follows is. What a disk has
// no room for is found out here, by allocating it, before anything of the log is written.

package import Raft

extension WriteAheadLog where Storage: ~Copyable {
    /// Makes the next segment so that no append pays for it. For the owner's idle moments; an
    /// append that finds none makes it itself. True if it made one, false if it is there or the disk
    /// has no room for it.
    @discardableResult
    package mutating func prepareNextSegment() throws(StorageError) -> Bool {
        try refuseAfterFailure()
        guard preparedBytes == nil, !lacksRoom else { return false }
        let number = segments[segments.count - 1].number + 1
        let (logID, limits) = (logID, limits)
        let isThere = try allocating { storage throws(StorageError) in
            try Self.fillSegment(&storage, number: number, logID: logID, limits: limits)
        }
        guard isThere else {
            // Half of it may have taken the last of the room. Where it stays, the next try empties it.
            try? storage.remove(SegmentName.name(number) + SegmentName.temporarySuffix)
            return false
        }
        try failing { storage throws(StorageError) in
            try Self.nameSegment(&storage, number: number)
        }
        preparedBytes = limits.segmentBytes
        return true
    }

    static func makeSegment(
        _ storage: inout Storage, number: UInt64, logID: LogID, limits: JournalLimits,
        group: [UInt8] = []
    ) throws(StorageError) {
        try fillSegment(&storage, number: number, logID: logID, limits: limits, group: group)
        try nameSegment(&storage, number: number)
    }

    private static func fillSegment(
        _ storage: inout Storage, number: UInt64, logID: LogID, limits: JournalLimits,
        group: [UInt8] = []
    ) throws(StorageError) {
        let temporary = SegmentName.name(number) + SegmentName.temporarySuffix
        let header = SegmentHeader(
            logID: logID, number: number, segmentBytes: UInt64(limits.segmentBytes)
        ).encoded()
        try storage.create(temporary, zeroFilledTo: limits.segmentBytes)
        try storage.write(temporary, at: 0, header.span)
        if !group.isEmpty { try storage.write(temporary, at: SegmentHeader.bytes, group.span) }
        try storage.sync(temporary)
    }

    private static func nameSegment(
        _ storage: inout Storage, number: UInt64
    ) throws(StorageError) {
        let name = SegmentName.name(number)
        try storage.rename(name + SegmentName.temporarySuffix, to: name)
        try storage.syncDirectory()
    }

    // MARK: room

    /// The next append, or the next time that a segment is prepared, may try once more to allocate. The
    /// owner says when.
    package mutating func lookForRoom() { lacksRoom = false }

    /// Does what only allocates. False when the disk is full; any other error is remembered.
    private mutating func allocating(
        _ body: (inout Storage) throws(StorageError) -> Void
    ) throws(StorageError) -> Bool {
        if lacksRoom { return false }
        do throws(StorageError) {
            try body(&storage)
            return true
        } catch {
            if error.cause == .outOfSpace {
                lacksRoom = true
                return false
            }
            failure = error
            throw error
        }
    }

    /// Room for a group at `end`, in this segment or the next one; `keepingReserve` as well as for
    /// the reserve. False when the disk has none: nothing has changed. Why what is allocated is
    /// written as zeros first: then a group that is written finds its blocks there.
    mutating func findRoom(
        payloadBytes: Int, keepingReserve: Bool
    ) throws(StorageError) -> Bool {
        let reserve = keepingReserve ? limits.reserveBytes : 0
        let groupBytes = (GroupHeader.bytes + payloadBytes).sectorAligned
        let isFirst = end == SegmentHeader.bytes
        if !isFirst {
            if end + groupBytes + reserve <= segments[segments.count - 1].bytes { return true }
            guard try roll() else { return false }
        }
        let firstBytes =
            (GroupHeader.bytes + GroupBuilder.openingBytes + payloadBytes).sectorAligned
        return try growSegment(to: end + firstBytes + reserve)
    }

    /// For a group that is larger than a whole segment.
    private mutating func growSegment(to bytes: Int) throws(StorageError) -> Bool {
        let segment = segments[segments.count - 1]
        guard bytes > segment.bytes else { return true }
        let zeros = [UInt8](repeating: 0, count: bytes - segment.bytes)
        let isThere = try allocating { storage throws(StorageError) in
            try storage.write(segment.name, at: segment.bytes, zeros.span)
        }
        if isThere { segments[segments.count - 1].bytes = bytes }
        return isThere
    }

    /// Goes on in the next segment. False when the disk has no room for one.
    private mutating func roll() throws(StorageError) -> Bool {
        if preparedBytes == nil { try prepareNextSegment() }
        guard let bytes = preparedBytes.take() else { return false }
        let number = segments[segments.count - 1].number + 1
        segments.append(LogSegment(number: number, bytes: bytes))
        end = SegmentHeader.bytes
        return true
    }

    /// Entries up to `index` are covered by a durable snapshot: removes the oldest segments as
    /// long as they hold nothing else. Syncs first, so that no unsynced cut of the log is needed
    /// to make sense of what stays. True if it removed some.
    @discardableResult
    package mutating func prune(through index: LogIndex) throws(StorageError) -> Bool {
        try sync()
        let before = segments.count
        var removed = outline.base
        while segments.count > 1, segments[0].lastLive <= index,
            segments[1].firstSequence != 0, segments[1].firstSequence <= durableThrough
        {
            removed = max(removed, segments[0].lastLive)
            try removeOldestSegment()
        }
        outline.forget(through: removed)
        return segments.count < before
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
    /// log holds the mark's own entry, else starts anew. Durable when it returns. False: the disk is
    /// full, and nothing has changed.
    @discardableResult
    package mutating func reset(to mark: SnapshotMark) throws(StorageError) -> Bool {
        try refuseAfterFailure()
        if mark.index <= outline.base { return true }
        if mark.index <= outline.last && outline.term(at: mark.index) == mark.term {
            try prune(through: mark.index)
            return true
        }
        if end > SegmentHeader.bytes {
            guard try roll() else { return false }
        }
        guard try findRoom(payloadBytes: GroupBuilder.frameBytes + 16, keepingReserve: true) else {
            return false
        }
        beginGroup()
        hardState.commit = max(hardState.commit, mark.index)
        builder.add(.reset, index: mark.index, term: mark.term)
        outline.restart(after: mark.index, mark.term)
        segments.forgetEntries()
        try writeGroup()
        lastDataSequence = lastSequence
        try sync()
        while segments.count > 1 { try removeOldestSegment() }
        return true
    }
}
