// Frames between members: u32 length of what follows the checksum, u32 CRC32C of it, one tag, the
// fields. Numbers are little-endian. Lengths are bounded before anything is allocated for them.

import Journal
import Raft

/// What a connection between members carries: hello first, then messages.
package enum PeerFrame: Sendable, Equatable {
    case hello(Hello)
    case helloAccepted(Hello)
    case helloRefused(HelloRefusal)
    case message(PeerMessage)
}

package enum PeerCodec {
    /// A frame's body: an entry of 1 MiB, a full batch and its head fit well.
    package static let frameBytesMax = 8 << 20
    package static let headBytes = 8
    /// The first field of a hello; a change of layout raises it.
    package static let protocolVersion: UInt32 = 1
    static let addressBytesMax = 512
    static let entriesMax = 1 << 16
    static let configurationBytesMax = 64 << 10
    static let digestsMax = StateComparison.marksMax + 1

    /// From 16 on: `BodyTag`, the core's messages.
    private enum Tag {
        static let hello: UInt8 = 1
        static let helloAccepted: UInt8 = 2
        static let helloRefused: UInt8 = 3
        static let forward: UInt8 = 4
        static let forwardRefused: UInt8 = 5
        static let snapshotChunk: UInt8 = 6
        static let snapshotProgress: UInt8 = 7
        static let report: UInt8 = 8
        static let digests: UInt8 = 9
    }

    /// Appends one whole frame.
    package static func encode(_ frame: PeerFrame, into bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(u64: 0)
        switch frame {
        case .hello(let hello):
            bytes.append(Tag.hello)
            append(hello, to: &bytes)
        case .helloAccepted(let hello):
            bytes.append(Tag.helloAccepted)
            append(hello, to: &bytes)
        case .helloRefused(let reason):
            bytes.append(Tag.helloRefused)
            bytes.append(reason.rawValue)
        case .message(let message):
            append(message, to: &bytes)
        }
        let length = bytes.count - start - headBytes
        invariant(length <= frameBytesMax, "a frame of \(length) bytes")
        let checksum = CRC32C.checksum(bytes.span.extracting((start + headBytes)...))
        let head = UInt64(length) | UInt64(checksum) << 32
        for i in 0..<8 { bytes[start + i] = UInt8(truncatingIfNeeded: head >> UInt64(8 * i)) }
    }

    /// One frame at the start of `bytes` and its length, or nil when more bytes are needed.
    package static func decode(_ bytes: Span<UInt8>) throws(CodecError) -> (
        frame: PeerFrame, length: Int
    )? {
        guard bytes.count >= headBytes else { return nil }
        var head = ByteReader(bytes)
        let length = Int(try head.u32())
        let checksum = try head.u32()
        guard length >= 1, length <= frameBytesMax else { throw .tooLong }
        guard bytes.count >= headBytes + length else { return nil }
        let body = bytes.extracting(headBytes..<(headBytes + length))
        guard CRC32C.checksum(body) == checksum else { throw .badChecksum }
        var reader = ByteReader(body)
        let frame = try decodeBody(&reader)
        try reader.end()
        return (frame, headBytes + length)
    }

    private static func decodeBody(_ reader: inout ByteReader) throws(CodecError) -> PeerFrame {
        let tag = try reader.u8()
        switch tag {
        case Tag.hello: return .hello(try reader.hello())
        case Tag.helloAccepted: return .helloAccepted(try reader.hello())
        case Tag.helloRefused:
            let reason = try reader.u8()
            guard let refusal = HelloRefusal(rawValue: reason) else { throw .unknownTag(reason) }
            return .helloRefused(refusal)
        case Tag.forward:
            return .message(
                .forward(
                    try reader.forwardID(), term: try reader.term(),
                    proposal: try reader.counted(max: frameBytesMax)))
        case Tag.forwardRefused:
            let (id, term) = (try reader.forwardID(), try reader.term())
            let reason = try reader.u8()
            guard let refusal = ForwardRefusal(rawValue: reason) else { throw .unknownTag(reason) }
            return .message(.forwardRefused(id, term: term, refusal))
        case Tag.snapshotChunk:
            return .message(
                .snapshotChunk(
                    mark: try reader.mark(), term: try reader.term(),
                    offset: try reader.u64(), bytes: try reader.counted(max: frameBytesMax),
                    last: try reader.flag()))
        case Tag.snapshotProgress:
            return .message(
                .snapshotProgress(
                    index: try reader.index(), term: try reader.term(),
                    offset: try reader.u64(), done: try reader.flag()))
        case Tag.report:
            let role = try reader.u8()
            guard let known = Role(rawValue: role) else { throw .unknownTag(role) }
            return .message(
                .report(role: known, applied: try reader.index(), isFull: try reader.flag()))
        case Tag.digests: return .message(.digests(try reader.digests()))
        default:
            return .message(.raft(try reader.raftMessage(tag: tag)))
        }
    }

    private static func append(_ hello: Hello, to bytes: inout [UInt8]) {
        bytes.append(u32: protocolVersion)
        bytes.append(hello.ensemble == nil ? 0 : 1)
        bytes.append(id: hello.ensemble ?? RandomID(high: 0, low: 0))
        bytes.append(u64: hello.member.rawValue)
        bytes.append(id: hello.storage)
        bytes.append(u64: hello.to.rawValue)
        bytes.append(u64: hello.incarnation)
        bytes.append(counted: hello.httpAddress)
        bytes.append(counted: hello.peerAddress)
        bytes.append(counted: hello.version)
    }

    private static func append(_ message: PeerMessage, to bytes: inout [UInt8]) {
        switch message {
        case .raft(let message):
            bytes.append(message)
        case .forward(let id, let term, let proposal):
            bytes.append(Tag.forward)
            bytes.append(forwardID: id)
            bytes.append(u64: term.rawValue)
            bytes.append(counted: proposal)
        case .forwardRefused(let id, let term, let reason):
            bytes.append(Tag.forwardRefused)
            bytes.append(forwardID: id)
            bytes.append(u64: term.rawValue)
            bytes.append(reason.rawValue)
        case .snapshotChunk(let mark, let term, let offset, let piece, let last):
            bytes.append(Tag.snapshotChunk)
            bytes.append(mark: mark)
            bytes.append(u64: term.rawValue)
            bytes.append(u64: offset)
            bytes.append(counted: piece)
            bytes.append(last ? 1 : 0)
        case .snapshotProgress(let index, let term, let offset, let done):
            bytes.append(Tag.snapshotProgress)
            bytes.append(u64: index.rawValue)
            bytes.append(u64: term.rawValue)
            bytes.append(u64: offset)
            bytes.append(done ? 1 : 0)
        case .report(let role, let applied, let isFull):
            bytes.append(Tag.report)
            bytes.append(role.rawValue)
            bytes.append(u64: applied.rawValue)
            bytes.append(isFull ? 1 : 0)
        case .digests(let marks):
            bytes.append(Tag.digests)
            bytes.append(UInt8(marks.count))
            for mark in marks {
                bytes.append(u64: mark.index.rawValue)
                bytes.append(u64: mark.digest)
            }
        }
    }
}

extension ByteReader {
    fileprivate mutating func hello() throws(CodecError) -> Hello {
        let version = try u32()
        guard version == PeerCodec.protocolVersion else { throw .otherProtocol(version) }
        let known = try flag()
        let ensemble = try id()
        return Hello(
            ensemble: known ? ensemble : nil, member: MemberID(try u64()), storage: try id(),
            to: MemberID(try u64()), incarnation: try u64(),
            httpAddress: try counted(max: PeerCodec.addressBytesMax),
            peerAddress: try counted(max: PeerCodec.addressBytesMax),
            version: try counted(max: PeerCodec.addressBytesMax))
    }

    mutating func flag() throws(CodecError) -> Bool {
        let byte = try u8()
        guard byte <= 1 else { throw .unknownTag(byte) }
        return byte == 1
    }

    mutating func index() throws(CodecError) -> LogIndex {
        let index = LogIndex(try u64())
        guard index <= .max else { throw .tooLong }
        return index
    }

    mutating func term() throws(CodecError) -> Term {
        let term = Term(try u64())
        guard term <= .max else { throw .tooLong }
        return term
    }

    /// Of a boot clock, in milliseconds: so far from the end that a sum with a duration is one, too.
    mutating func clock() throws(CodecError) -> UInt64 {
        let ms = try u64()
        guard ms <= .max >> 2 else { throw .tooLong }
        return ms
    }

    fileprivate mutating func digests() throws(CodecError) -> [DigestMark] {
        let count = Int(try u8())
        guard count <= PeerCodec.digestsMax else { throw .tooLong }
        var marks: [DigestMark] = []
        for _ in 0..<count { marks.append(DigestMark(index: try index(), digest: try u64())) }
        return marks
    }

    fileprivate mutating func forwardID() throws(CodecError) -> ForwardID {
        ForwardID(member: MemberID(try u64()), incarnation: try u64(), counter: try u64())
    }

    fileprivate mutating func mark() throws(CodecError) -> SnapshotMark {
        let index = try self.index()
        let term = try self.term()
        let encoded = try counted(max: PeerCodec.configurationBytesMax)
        guard let configuration = try? Configuration(decoding: encoded) else {
            throw .invalidConfiguration
        }
        return SnapshotMark(index: index, term: term, configuration: configuration)
    }
}

extension [UInt8] {
    fileprivate mutating func append(forwardID id: ForwardID) {
        append(u64: id.member.rawValue)
        append(u64: id.incarnation)
        append(u64: id.counter)
    }

    fileprivate mutating func append(mark: SnapshotMark) {
        append(u64: mark.index.rawValue)
        append(u64: mark.term.rawValue)
        append(counted: mark.configuration.encoded())
    }
}
