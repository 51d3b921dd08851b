// A group: what one append writes, on whole sectors. Its header is the unit of trust in recovery:
// it carries the sequence, the chain to the group before, the mark of what was durable and what the
// member has promised by then. Nothing here reads a length that has not been checked against the
// file.

internal import Raft

/// Where a group was written to stand. What stands elsewhere was put there by a disk, not by a crash.
struct GroupPlace: Equatable {
    let segment: UInt64
    let offset: Int
}

struct GroupHeader: Equatable {
    static let bytes = 104
    /// "AVGP"
    static let magic: UInt32 = 0x5047_5641

    let logID: LogID
    /// 1 for a log's first group, then without a hole. What `durableThrough` counts in.
    let sequence: UInt64
    /// The sequence up to which fdatasync had returned when this group was written.
    let durableThrough: UInt64
    let place: GroupPlace
    let payloadBytes: UInt32
    let recordCount: UInt32
    /// Over the payload and the zeros up to the next sector.
    let payloadChecksum: UInt32
    /// The header checksum of the group before: a leftover of an abandoned tail never fits here.
    let chain: UInt32
    /// Term and vote after this group.
    let term: Term
    let vote: MemberID?
    /// After this group: where the log ends, or a later place that this member has acknowledged
    /// and lost (`WriteAheadLog.claim`).
    let promise: LogPosition
    /// Over bytes 8 to 103.
    let checksum: UInt32

    /// Of those that are read. One that is started with has room for as many again.
    static let sequenceMax: UInt64 = 1 << 62

    var groupBytes: Int { (Self.bytes + Int(payloadBytes)).sectorAligned }

    /// nil: no intact header of this log. The payload may still be damaged.
    static func decode(_ bytes: [UInt8], at offset: Int, logID: LogID) -> GroupHeader? {
        guard offset >= 0, bytes.count - offset >= Self.bytes,
            bytes.little(UInt32.self, at: offset) == magic
        else { return nil }
        let checksum = bytes.little(UInt32.self, at: offset + 4)
        guard checksum == bytes.checksum((offset + 8)..<(offset + Self.bytes)) else { return nil }
        func number(_ at: Int) -> UInt64 { bytes.little(UInt64.self, at: offset + at) }
        func small(_ at: Int) -> UInt32 { bytes.little(UInt32.self, at: offset + at) }
        let header = GroupHeader(
            logID: LogID(high: number(8), low: number(16)), sequence: number(24),
            durableThrough: number(32),
            place: GroupPlace(
                segment: number(40), offset: Int(truncatingIfNeeded: number(48))),
            payloadBytes: small(56), recordCount: small(60), payloadChecksum: small(64),
            chain: small(68), term: Term(number(72)),
            vote: number(80) == 0 ? nil : MemberID(number(80)),
            promise: LogPosition(index: LogIndex(number(88)), term: Term(number(96))),
            checksum: checksum)
        // No log gets there: such a header was not written by this program.
        guard header.sequence <= Self.sequenceMax, header.durableThrough <= Self.sequenceMax,
            max(header.term, header.promise.term) <= .max, header.promise.index <= .max
        else { return nil }
        return header.logID == logID ? header : nil
    }

    func payloadIsIntact(_ bytes: [UInt8], at offset: Int) -> Bool {
        guard groupBytes <= bytes.count - offset else { return false }
        return payloadChecksum == bytes.checksum((offset + Self.bytes)..<(offset + groupBytes))
    }
}

/// The records of a group, in the order in which they take effect.
enum RecordKind: UInt8 {
    /// Opens each segment: the log's last index and term before it.
    case segmentStart = 1
    case hardState = 2
    case entry = 3
    /// The log starts anew after an index and term, because a received snapshot stands for it.
    case reset = 4
}

/// Lays a group out in a buffer that is used again for the next one.
struct GroupBuilder {
    static let frameBytes = 8
    static let entryHeadBytes = 17
    /// Of what opens a segment: its start and the hard state.
    static let openingBytes = frameBytes + 16 + frameBytes + 24

    private(set) var bytes: [UInt8] = []
    private var recordCount: UInt32 = 0

    static func recordBytes(_ entry: Entry) -> Int {
        frameBytes + entryHeadBytes + entry.payload.count
    }

    mutating func begin() {
        bytes.removeAll(keepingCapacity: true)
        bytes.appendZeros(GroupHeader.bytes)
        recordCount = 0
    }

    private mutating func frame(_ kind: RecordKind, _ bodyBytes: Int) {
        bytes.appendLittle(UInt32(bodyBytes))
        bytes.append(kind.rawValue)
        bytes.appendZeros(3)
        recordCount += 1
    }

    mutating func add(_ kind: RecordKind, index: LogIndex, term: Term) {
        frame(kind, 16)
        bytes.appendLittle(index.rawValue)
        bytes.appendLittle(term.rawValue)
    }

    mutating func add(_ state: HardState) {
        frame(.hardState, 24)
        bytes.appendLittle(state.term.rawValue)
        bytes.appendLittle(state.vote?.rawValue ?? 0)
        bytes.appendLittle(state.commit.rawValue)
    }

    mutating func add(_ entry: Entry) {
        frame(.entry, Self.entryHeadBytes + entry.payload.count)
        bytes.appendLittle(entry.index.rawValue)
        bytes.appendLittle(entry.term.rawValue)
        bytes.append(entry.kind.rawValue)
        bytes.append(contentsOf: entry.payload)
    }

    /// Fills up to the sector and writes the header; the result is its checksum, the next chain.
    mutating func finish(
        at place: GroupPlace, logID: LogID, sequence: UInt64, durableThrough: UInt64, chain: UInt32,
        hardState: HardState, promise: LogPosition
    ) -> UInt32 {
        let payloadBytes = bytes.count - GroupHeader.bytes
        let whole = bytes.count.sectorAligned
        bytes.appendZeros(whole - bytes.count)
        bytes.putLittle(GroupHeader.magic, at: 0)
        bytes.putLittle(logID.high, at: 8)
        bytes.putLittle(logID.low, at: 16)
        bytes.putLittle(sequence, at: 24)
        bytes.putLittle(durableThrough, at: 32)
        bytes.putLittle(place.segment, at: 40)
        bytes.putLittle(UInt64(place.offset), at: 48)
        bytes.putLittle(UInt32(payloadBytes), at: 56)
        bytes.putLittle(recordCount, at: 60)
        bytes.putLittle(bytes.checksum(GroupHeader.bytes..<whole), at: 64)
        bytes.putLittle(chain, at: 68)
        bytes.putLittle(hardState.term.rawValue, at: 72)
        bytes.putLittle(hardState.vote?.rawValue ?? 0, at: 80)
        bytes.putLittle(promise.index.rawValue, at: 88)
        bytes.putLittle(promise.term.rawValue, at: 96)
        let checksum = bytes.checksum(8..<GroupHeader.bytes)
        bytes.putLittle(checksum, at: 4)
        return checksum
    }
}
