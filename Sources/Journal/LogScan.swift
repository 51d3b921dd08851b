// Reads all segments and finds the cut: the place where the intact groups end. Decides whether a
// crash can have made it or only rot, by the marks; it reads and never writes.

internal import Raft

struct LogScan {
    var replay: LogReplay
    /// Where the next group goes, in the last of `replay.segments`.
    private(set) var end = SegmentHeader.bytes
    /// Behind the cut in that segment.
    private(set) var tail = LogTail()
    /// Behind it in later files.
    private(set) var laterTail = LogTail()
    /// Later files, oldest first.
    private(set) var later: [UInt64] = []
    /// One later file, prepared and never written: the next segment.
    private(set) var laterIsPrepared = false

    private init(replay: LogReplay) { self.replay = replay }

    /// `numbers` ascending, not empty.
    static func run<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage, numbers: [UInt64], floor: LogIndex
    ) throws(JournalError) -> LogScan {
        for (before, number) in zip(numbers, numbers.dropFirst()) where number != before + 1 {
            throw .missing(file: SegmentName.name(before + 1))
        }
        var bytes: [UInt8] = []
        let first = numbers[0]
        try read(&storage, first, into: &bytes)
        guard let header = try intactHeader(bytes, number: first, logID: nil) else {
            throw .rot(
                file: SegmentName.name(first), offset: 0,
                found: "the segment's header is damaged")
        }
        var scan = LogScan(
            replay: LogReplay(logID: header.logID, floor: floor, firstSegment: first))
        try scan.walk(bytes, number: first)
        if first > 1 && scan.replay.lastSequence == nil {
            throw .rot(
                file: SegmentName.name(first), offset: scan.end,
                found: "the first group of the log's oldest segment is damaged")
        }
        for number in numbers.dropFirst() {
            try read(&storage, number, into: &bytes)
            try scan.consider(bytes, number: number)
        }
        try scan.judge()
        return scan
    }

    private static func read<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage, _ number: UInt64, into bytes: inout [UInt8]
    ) throws(JournalError) {
        let name = SegmentName.name(number)
        bytes.removeAll(keepingCapacity: true)
        do throws(StorageError) {
            let size = try storage.size(name)
            try storage.read(name, at: 0, count: size, into: &bytes)
        } catch {
            throw .storage(error)
        }
    }

    /// nil: damaged.
    private static func intactHeader(
        _ bytes: [UInt8], number: UInt64, logID: LogID?
    ) throws(JournalError) -> SegmentHeader? {
        let name = SegmentName.name(number)
        guard let header = try SegmentHeader.decode(bytes, file: name) else { return nil }
        if header.number != number {
            throw .foreign(file: name, found: "it was written as segment \(header.number)")
        }
        if let logID, header.logID != logID {
            throw .foreign(file: name, found: "it is of the log \(header.logID), not \(logID)")
        }
        // Zeros and header were durable before the file got its name.
        if header.segmentBytes > UInt64(bytes.count) {
            throw .rot(
                file: name, offset: bytes.count,
                found: "the file ends there, but was made with \(header.segmentBytes) bytes")
        }
        return header
    }

    /// No crash damages a header: it was durable before the file got its name. That is no loss
    /// where no group was ever written behind it, and must not pass for one torn group else.
    private static func checkUnused(_ bytes: [UInt8], number: UInt64) throws(JournalError) {
        let name = SegmentName.name(number)
        guard bytes.count > SegmentHeader.bytes else {
            throw .rot(file: name, offset: bytes.count, found: "the file ends within its header")
        }
        guard bytes.isZero(SegmentHeader.bytes..<bytes.count) else {
            throw .rot(
                file: name, offset: 0, found: "the header of a segment with groups is damaged")
        }
    }

    /// Takes groups as long as they follow each other, then looks at what is behind.
    private mutating func walk(_ bytes: [UInt8], number: UInt64) throws(JournalError) {
        replay.segments.append(LogSegment(number: number, bytes: bytes.count))
        end = SegmentHeader.bytes
        while let header = replay.next(bytes, at: end) {
            try replay.take(header, bytes, at: end)
            end += header.groupBytes
        }
        tail = LogTail(bytes, from: min(end, bytes.count), logID: replay.logID)
    }

    private mutating func consider(_ bytes: [UInt8], number: UInt64) throws(JournalError) {
        let header = try Self.intactHeader(bytes, number: number, logID: replay.logID)
        if header == nil { try Self.checkUnused(bytes, number: number) }
        if later.isEmpty, header != nil,
            replay.next(bytes, at: SegmentHeader.bytes) != nil
        {
            // What is behind the end of a segment that the log has left means nothing.
            return try walk(bytes, number: number)
        }
        let behind = LogTail(bytes, from: SegmentHeader.bytes, logID: replay.logID)
        laterIsPrepared = later.isEmpty && header != nil && behind.written == nil
        laterTail.merge(behind)
        later.append(number)
    }

    var needsRepair: Bool { tail.written != nil || (!later.isEmpty && !laterIsPrepared) }

    /// Damage at or below the greatest intact mark is rot; above it, a crash may have made it.
    private func judge() throws(JournalError) {
        let mark = max(tail.greatestMark, laterTail.greatestMark)
        guard mark >= replay.nextSequence else { return }
        let found =
            "group \(replay.nextSequence) is damaged or missing, and a later group says that "
            + "all up to \(mark) were durable"
        if tail.written?.lowerBound != end, let next = later.first {
            throw .rot(file: SegmentName.name(next), offset: 0, found: found)
        }
        throw .rot(
            file: replay.segments[replay.segments.count - 1].name, offset: end, found: found)
    }
}
