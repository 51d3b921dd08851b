// Reads one segment of the log that is not written any more, a stretch at a time: every byte of it is
// under one checksum, or must be zero. It must never be given the segment that takes the appends, nor
// the next one: they change while they are read.

struct SegmentCheck: Sendable {
    /// Where a segment's groups ended, for the first group of the next one.
    struct End: Equatable {
        let segment: UInt64
        let sequence: UInt64
        let chain: UInt32
    }

    /// What the next sector must be.
    private enum Part {
        case header
        /// The first sector of a group, or the zeros behind the last one.
        case group
        case payload(GroupHeader, at: Int, left: Int, checksum: UInt32)
        case zeros
    }

    let number: UInt64
    private let before: End?
    private let bytes: Int
    private(set) var offset = 0
    private var part = Part.header
    private var logID: LogID?
    private var sequence: UInt64 = 0
    private var chain: UInt32 = 0
    private var buffer: [UInt8] = []

    /// `before`: of the segment before this one, if it was looked at.
    init<Storage: JournalStorage & ~Copyable>(
        _ number: UInt64, after before: End?, storage: inout Storage
    ) throws(JournalError) {
        self.number = number
        self.before = before?.segment == number - 1 ? before : nil
        let name = SegmentName.name(number)
        storage.letGo(name)
        bytes = try storing { () throws(StorageError) in try storage.size(name) }
    }

    var name: String { SegmentName.name(number) }
    /// Once all of it was found intact.
    var end: End { End(segment: number, sequence: sequence, chain: chain) }

    /// Reads at most `bytesMax`, whole sectors. True when that was the last of it.
    mutating func step<Storage: JournalStorage & ~Copyable>(
        bytesMax: Int, storage: inout Storage
    ) throws(JournalError) -> Bool {
        let count = min(bytesMax, bytes - offset)
        let (name, offset) = (name, offset)
        buffer.removeAll(keepingCapacity: true)
        do throws(StorageError) {
            try storage.read(name, at: offset, count: count, into: &buffer)
        } catch {
            throw .storage(error)
        }
        guard buffer.count == count, bytes >= 2 * SegmentHeader.bytes else {
            throw rot(at: offset + buffer.count, "the file ends there")
        }
        var at = 0
        while at < buffer.count { try take(&at) }
        self.offset += count
        guard self.offset == bytes else { return false }
        switch part {
        case .payload, .header: throw rot(at: bytes, "the file ends within a group")
        case .group, .zeros: break
        }
        storage.letGo(name)
        return true
    }

    private func rot(at offset: Int, _ found: String) -> JournalError {
        .rot(file: name, offset: offset, found: found)
    }

    private mutating func take(_ at: inout Int) throws(JournalError) {
        switch part {
        case .header: try takeHeader(&at)
        case .group: try takeGroup(&at)
        case .payload(let header, let start, let left, let seed):
            let taken = min(left, buffer.count - at)
            let checksum = buffer.checksum(at..<(at + taken), seed: seed)
            at += taken
            try takePayload(header, at: start, left: left - taken, checksum)
        case .zeros:
            let end = min(at + JournalLimits.sectorBytes, buffer.count)
            guard buffer.isZero(at..<end) else {
                throw rot(
                    at: offset + at, "behind the last group there is something else than zeros")
            }
            at = end
        }
    }

    private mutating func takeHeader(_ at: inout Int) throws(JournalError) {
        guard let header = try SegmentHeader.decode(buffer, file: name) else {
            throw rot(at: 0, "the header of a segment with groups is damaged")
        }
        guard header.number == number else {
            throw .foreign(file: name, found: "it was written as segment \(header.number)")
        }
        guard header.segmentBytes <= UInt64(bytes) else {
            throw rot(
                at: bytes, "the file ends there, but was made with \(header.segmentBytes) bytes")
        }
        logID = header.logID
        part = .group
        at += SegmentHeader.bytes
    }

    private mutating func takeGroup(_ at: inout Int) throws(JournalError) {
        let place = offset + at
        let isFirst = place == SegmentHeader.bytes
        guard let logID, let header = GroupHeader.decode(buffer, at: at, logID: logID) else {
            let end = min(at + JournalLimits.sectorBytes, buffer.count)
            guard !isFirst, buffer.isZero(at..<end) else {
                throw rot(at: place, "a group is damaged")
            }
            part = .zeros
            return
        }
        let last = isFirst ? before?.sequence : sequence
        let lastChain = isFirst ? before?.chain : chain
        if let last, header.sequence != last + 1 || header.chain != lastChain {
            throw rot(at: place, "group \(header.sequence) follows group \(last)")
        }
        guard header.place == GroupPlace(segment: number, offset: place) else {
            throw rot(at: place, "group \(header.sequence) was not written there")
        }
        guard header.groupBytes <= bytes - place else {
            throw rot(at: bytes, "the file ends within group \(header.sequence)")
        }
        let taken = min(header.groupBytes, buffer.count - at)
        let checksum = buffer.checksum((at + GroupHeader.bytes)..<(at + taken))
        at += taken
        try takePayload(header, at: place, left: header.groupBytes - taken, checksum)
    }

    private mutating func takePayload(
        _ header: GroupHeader, at place: Int, left: Int, _ checksum: UInt32
    ) throws(JournalError) {
        guard left == 0 else {
            part = .payload(header, at: place, left: left, checksum: checksum)
            return
        }
        guard checksum == header.payloadChecksum else {
            throw rot(at: place, "group \(header.sequence) is damaged")
        }
        sequence = header.sequence
        chain = header.checksum
        part = .group
    }
}
