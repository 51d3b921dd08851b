// Reads all segments and finds the cut: the place where the intact groups end. Decides whether a
// crash can have made it or only rot, by the marks, and whether what is left proves all that this
// member has promised; it reads and never writes.

internal import Raft

struct LogScan {
    var replay: LogReplay
    /// Where the next group goes, in the last of `replay.segments`.
    private(set) var end = SegmentHeader.bytes
    /// Behind the cut in that segment.
    private(set) var tail = LogTail()
    /// Behind it in later files, and what is displaced in earlier ones.
    private(set) var laterTail = LogTail()
    /// Later files, oldest first.
    private(set) var later: [UInt64] = []
    /// Of the one later file, prepared and never written: the next segment.
    private(set) var preparedBytes: Int?
    /// Bytes that were durable have changed or vanished: from the cut on nothing is believed but
    /// what intact headers say of the member's promises.
    private(set) var damage: JournalError?
    /// Damage that may have taken the newest promises with it: no intact header behind it yet.
    private var unproven: JournalError?

    private init(replay: LogReplay) { self.replay = replay }

    /// `numbers` ascending, not empty. Throws damage that leaves promises unknown.
    static func run<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage, numbers: [UInt64], floor: LogIndex
    ) throws(JournalError) -> LogScan {
        let logID = try logID(&storage, numbers)
        var scan = LogScan(
            replay: LogReplay(logID: logID, floor: floor, firstSegment: numbers[0]))
        var bytes: [UInt8] = []
        var expected = numbers[0]
        for number in numbers {
            if number != expected { scan.note(.missing(file: SegmentName.name(expected))) }
            expected = number + 1
            try read(&storage, number, into: &bytes)
            try scan.consider(bytes, number: number)
        }
        scan.judge()
        if let unproven = scan.unproven { throw unproven }
        return scan
    }

    /// Of the first file whose header is intact.
    private static func logID<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage, _ numbers: [UInt64]
    ) throws(JournalError) -> LogID {
        var bytes: [UInt8] = []
        for number in numbers {
            try read(&storage, number, countMax: SegmentHeader.bytes, into: &bytes)
            if let header = try SegmentHeader.decode(bytes, file: SegmentName.name(number)) {
                return header.logID
            }
        }
        throw .rot(
            file: SegmentName.name(numbers[0]), offset: 0,
            found: "the segment's header is damaged, and no other one tells which log it was")
    }

    private static func read<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage, _ number: UInt64, countMax: Int = .max, into bytes: inout [UInt8]
    ) throws(JournalError) {
        let name = SegmentName.name(number)
        bytes.removeAll(keepingCapacity: true)
        do throws(StorageError) {
            let size = try storage.size(name)
            try storage.read(name, at: 0, count: min(size, countMax), into: &bytes)
        } catch {
            throw .storage(error)
        }
    }

    /// The first damage is where the log is cut.
    private mutating func note(_ found: JournalError) {
        damage = damage ?? found
        unproven = unproven ?? found
    }

    /// nil: damaged.
    private static func intactHeader(
        _ bytes: [UInt8], number: UInt64, logID: LogID
    ) throws(JournalError) -> SegmentHeader? {
        let name = SegmentName.name(number)
        guard let header = try SegmentHeader.decode(bytes, file: name) else { return nil }
        if header.number != number {
            throw .foreign(file: name, found: "it was written as segment \(header.number)")
        }
        if header.logID != logID {
            throw .foreign(file: name, found: "it is of the log \(header.logID), not \(logID)")
        }
        return header
    }

    /// Takes groups as long as they follow each other, then looks at what is behind.
    private mutating func walk(_ bytes: [UInt8], number: UInt64) throws(JournalError) {
        // What is behind the end of a segment that the log has left means nothing, unless it was meant
        // for another place.
        if tail.displaced != nil { laterTail.merge(tail) }
        replay.segments.append(LogSegment(number: number, bytes: bytes.count))
        end = SegmentHeader.bytes
        while let header = replay.next(bytes, at: end, segment: number) {
            try replay.take(header, bytes, at: end)
            end += header.groupBytes
        }
        tail = LogTail(bytes, from: min(end, bytes.count), segment: number, logID: replay.logID)
    }

    private mutating func consider(_ bytes: [UInt8], number: UInt64) throws(JournalError) {
        let name = SegmentName.name(number)
        let header = try Self.intactHeader(bytes, number: number, logID: replay.logID)
        let isFirst = replay.segments.isEmpty && later.isEmpty
        var groupsBehind = 0
        if header != nil, damage == nil, later.isEmpty,
            isFirst || replay.next(bytes, at: SegmentHeader.bytes, segment: number) != nil
        {
            try walk(bytes, number: number)
            if replay.lastSequence == nil {
                note(
                    .rot(
                        file: name, offset: end,
                        found: "the first group of the log's oldest segment is damaged"))
            }
            groupsBehind = tail.groupCount
        } else {
            let behind = LogTail(
                bytes, from: SegmentHeader.bytes, segment: number, logID: replay.logID)
            let isPrepared = later.isEmpty && header != nil && behind.written == nil
            preparedBytes = isPrepared ? bytes.count : nil
            laterTail.merge(behind)
            later.append(number)
            groupsBehind = behind.groupCount
            if header == nil { noteHeader(bytes, name, isFirst: isFirst, behind) }
        }
        if groupsBehind > 0 { unproven = nil }
        // Zeros and header were durable before the file got its name.
        if let header, header.segmentBytes > UInt64(bytes.count) {
            note(
                .rot(
                    file: name, offset: bytes.count,
                    found: "the file ends there, but was made with \(header.segmentBytes) bytes"))
        }
    }

    /// No crash damages a segment's header: it was durable before the file got its name. That is no
    /// loss where no group was ever written behind it, and must not pass for one torn group else.
    private mutating func noteHeader(
        _ bytes: [UInt8], _ name: String, isFirst: Bool, _ behind: LogTail
    ) {
        if bytes.count <= SegmentHeader.bytes {
            note(
                .rot(file: name, offset: bytes.count, found: "the file ends within its header"))
        } else if isFirst || behind.written != nil {
            note(
                .rot(
                    file: name, offset: 0,
                    found: "the header of a segment with groups is damaged"))
        }
    }

    var needsRepair: Bool { tail.written != nil || (!later.isEmpty && preparedBytes == nil) }
    /// In any intact header, before the cut and behind it.
    var greatestSequence: UInt64 {
        max(replay.lastSequence ?? 0, max(tail.greatestSequence, laterTail.greatestSequence))
    }

    /// Damage at or below the greatest intact mark is rot; above it, a crash may have made it.
    private mutating func judge() {
        // No crash moves a group: its place lacks it, or lacked it until something else came there.
        if let stray = tail.displaced ?? laterTail.displaced {
            let found: JournalError = .rot(
                file: SegmentName.name(stray.place.segment), offset: stray.place.offset,
                found: "group \(stray.sequence) was written for this place and stands elsewhere")
            damage = damage ?? found
        }
        let mark = max(tail.greatestMark, laterTail.greatestMark)
        // Files are zeros when they are made, and so is what was dropped before entries are written
        // there: behind a group there is no older one.
        let least = min(tail.leastSequence, laterTail.leastSequence)
        if damage == nil, let last = replay.lastSequence, least <= last {
            damage = .rot(
                file: replay.segments[replay.segments.count - 1].name, offset: end,
                found: "group \(least) is behind group \(last)")
        }
        guard damage == nil, mark >= replay.nextSequence else { return }
        let found =
            "group \(replay.nextSequence) is damaged or missing, and a later group says that "
            + "all up to \(mark) were durable"
        if tail.written?.lowerBound != end, let next = later.first {
            damage = .rot(
                file: SegmentName.name(next), offset: SegmentHeader.bytes, found: found)
        } else {
            damage = .rot(
                file: replay.segments[replay.segments.count - 1].name, offset: end, found: found)
        }
    }
}
