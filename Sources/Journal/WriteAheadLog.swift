// The log and the hard state of one member, in segments of zero-filled files. One thread owns it;
// many appends may share one sync. It must never retry an operation that failed, but for room that
// could not be allocated: nothing is written before that is there. It must never claim as durable
// what no fdatasync has confirmed. docs/storage-format.md has the bytes.

package import Raft

/// What recovery found: the state to start the core with.
package struct RecoveredLog: Sendable {
    package let hardState: HardState
    /// What the newest durable snapshot stands for; nil: there is none.
    package let snapshot: SnapshotMark?
    /// Without a hole, from the first entry after the snapshot on.
    package let entries: [Entry]
    /// Unfinished writes that a crash left behind were dropped; nil after a clean stop.
    package let droppedTail: DroppedTail?
    /// A place that this member acknowledged once, beyond the end of what is left: damage took the
    /// rest. Until the log has reached it again, votes are judged as if it ended there.
    package let claim: LogPosition?
    /// What was found at this start; the log was given up for it and begins anew.
    package let damage: JournalError?

    package init(
        hardState: HardState, snapshot: SnapshotMark?, entries: [Entry],
        droppedTail: DroppedTail? = nil, claim: LogPosition? = nil, damage: JournalError? = nil
    ) {
        self.claim = claim
        self.damage = damage
        self.hardState = hardState
        self.snapshot = snapshot
        self.entries = entries
        self.droppedTail = droppedTail
    }
}

package struct DroppedTail: Sendable, Equatable {
    package let file: String
    package let offset: Int
    /// Groups behind the cut whose headers were intact.
    package let groupCount: Int
}

/// How far an append got.
package enum Appended: Sendable, Equatable {
    case whole
    /// The disk is full. So many of the entries are written, and with the first of them the hard
    /// state; of the rest there is no trace, and it can be appended later.
    case partly(entries: Int)
}

package struct WriteAheadLog<Storage: JournalStorage & ~Copyable>: ~Copyable {
    var storage: Storage
    let limits: JournalLimits
    package let logID: LogID
    var builder = GroupBuilder()
    /// Oldest first; the last takes the appends.
    var segments: [LogSegment]
    /// Where the next group goes in the last segment.
    var end: Int
    /// Something could not be allocated. Until `lookForRoom` nothing more is tried to be: each try
    /// fills with zeros what room there is.
    package internal(set) var lacksRoom = false
    /// Of the file after the last segment, which is there, zero-filled and durable; nil while it is
    /// not. An earlier start may have made it with another size than this one's.
    var preparedBytes: Int?
    var lastSequence: UInt64
    var chain: UInt32
    /// Groups up to this sequence are durable.
    var durableThrough: UInt64
    /// The greatest `durableThrough` in a group written.
    var carriedMark: UInt64
    var lastDataSequence: UInt64
    var outline: LogOutline
    /// The newest appended; written again at the start of each segment.
    package internal(set) var hardState: HardState
    /// The first error that leaves the disk's state unknown; every later call throws it again.
    var failure: StorageError?
    /// See `RecoveredLog.claim`. Each group's header repeats it until it is met.
    var claim: LogPosition?
    var recovered = RecoveredLog(hardState: .initial, snapshot: nil, entries: [])

    package var firstIndex: LogIndex { outline.base.next }
    package var lastIndex: LogIndex { outline.last }
    package var segmentCount: Int { segments.count }
    /// Where the log ends, or the claim.
    var promise: LogPosition { max(outline.end, claim ?? .zero) }
    /// Something was appended and not yet synced.
    package var needsSync: Bool { durableThrough < lastSequence }

    /// Writes one group (more only above `groupBytesMax`): the hard state if there is one, then
    /// the entries, which replace all from the first one's index on. Not durable before `sync`.
    /// An error ends the member: what of the group is on the disk, nobody knows.
    @discardableResult
    package mutating func append(
        hardState newState: HardState?, entries: [Entry]
    ) throws(StorageError) -> Appended {
        try refuseAfterFailure()
        check(entries)
        guard newState != nil || !entries.isEmpty else { return .whole }
        var state = newState
        var next = 0
        repeat {
            var stop = next
            var payloadBytes = state == nil ? 0 : GroupBuilder.frameBytes + 24
            while stop < entries.count {
                let recordBytes = GroupBuilder.recordBytes(entries[stop])
                if stop > next && payloadBytes + recordBytes > limits.groupBytesMax { break }
                payloadBytes += recordBytes
                stop += 1
            }
            guard try findRoom(payloadBytes: payloadBytes, keepingReserve: stop > next) else {
                return .partly(entries: next)
            }
            beginGroup()
            if let state {
                hardState = state
                builder.add(state)
            }
            for entry in entries[next..<stop] {
                segments.put(entry.index, replacing: entry.index <= outline.last)
                outline.put(entry.index, entry.term)
                builder.add(entry)
            }
            try writeGroup()
            lastDataSequence = lastSequence
            state = nil
            next = stop
        } while next < entries.count
        return .whole
    }

    private func check(_ entries: [Entry]) {
        guard let first = entries.first else { return }
        invariant(
            first.index > outline.base && first.index <= outline.last.next,
            "entry \(first.index) for a log from \(outline.base) to \(outline.last)")
        for (position, entry) in entries.enumerated() {
            invariant(
                entry.index == first.index + position,
                "entry \(entry.index) at \(position) after \(first.index)")
            invariant(
                entry.payload.count <= limits.entryBytesMax,
                "entry \(entry.index) of \(entry.payload.count) bytes")
        }
    }

    /// Makes all groups appended so far durable, with one fdatasync for each segment that has
    /// some (almost always one).
    package mutating func sync() throws(StorageError) {
        try refuseAfterFailure()
        guard durableThrough < lastSequence else { return }
        for segment in segments where segment.lastSequence > durableThrough {
            try failing { storage throws(StorageError) in try storage.sync(segment.name) }
        }
        durableThrough = lastSequence
    }

    /// For a log that has been idle for a tick: writes and syncs an empty group whose header says
    /// that all before it is durable, so that later damage to it is known as rot. Does nothing
    /// until there is something new to say. True if it wrote.
    @discardableResult
    package mutating func carryMark() throws(StorageError) -> Bool {
        try refuseAfterFailure()
        guard carriedMark < lastDataSequence, durableThrough >= lastDataSequence else {
            return false
        }
        guard try findRoom(payloadBytes: 0, keepingReserve: false) else { return false }
        beginGroup()
        try writeGroup()
        try sync()
        return true
    }

    /// The result of recovery, once; its entries are not kept.
    package mutating func takeRecovered() -> RecoveredLog {
        let result = recovered
        recovered = RecoveredLog(
            hardState: result.hardState, snapshot: result.snapshot, entries: [])
        return result
    }

    // MARK: groups

    /// Starts a group, once there is room for it; the first one of a segment opens with the hard
    /// state and the place where the log stands, so that older segments can go.
    mutating func beginGroup() {
        builder.begin()
        if end == SegmentHeader.bytes {
            let end = outline.end
            builder.add(.segmentStart, index: end.index, term: end.term)
            builder.add(hardState)
        }
    }

    mutating func writeGroup() throws(StorageError) {
        let sequence = lastSequence + 1
        if let claim, outline.end >= claim { self.claim = nil }
        let position = segments.count - 1
        chain = builder.finish(
            at: GroupPlace(segment: segments[position].number, offset: end), logID: logID,
            sequence: sequence, durableThrough: durableThrough, chain: chain,
            hardState: hardState, promise: promise)
        let name = segments[position].name
        let offset = end
        let group = builder.bytes
        try failing { storage throws(StorageError) in
            try storage.write(name, at: offset, group.span)
        }
        end += group.count
        segments[position].bytes = max(segments[position].bytes, end)
        segments[position].note(group: sequence)
        lastSequence = sequence
        carriedMark = durableThrough
    }

    func refuseAfterFailure() throws(StorageError) {
        if let failure { throw failure }
    }

    /// Remembers an error after which nothing more may be written.
    mutating func failing(
        _ body: (inout Storage) throws(StorageError) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            try body(&storage)
        } catch {
            failure = error
            throw error
        }
    }
}

extension WriteAheadLog: Sendable where Storage: ~Copyable & Sendable {}
