// Little-endian numbers and counted bytes, for proposals, frames and the replica's part of a
// snapshot. Reading never traps: what is short or too long is an error.

package enum CodecError: Error, Sendable, Equatable {
    case truncated
    case trailingBytes
    case unknownTag(UInt8)
    case tooLong
    case badChecksum
    case notContiguous
    case invalidConfiguration
    /// Read and written again it would be other bytes.
    case notCanonical
    case otherProtocol(UInt32)
}

struct ByteReader: ~Escapable {
    private let span: Span<UInt8>
    private var position = 0

    @_lifetime(copy span)
    init(_ span: Span<UInt8>) { self.span = span }

    var remaining: Int { span.count - position }

    mutating func u8() throws(CodecError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { position += 1 }
        return span[position]
    }

    mutating func u64() throws(CodecError) -> UInt64 {
        guard remaining >= 8 else { throw .truncated }
        var value: UInt64 = 0
        for i in 0..<8 { value |= UInt64(span[position + i]) << UInt64(8 * i) }
        position += 8
        return value
    }

    mutating func u32() throws(CodecError) -> UInt32 {
        guard remaining >= 4 else { throw .truncated }
        var value: UInt32 = 0
        for i in 0..<4 { value |= UInt32(span[position + i]) << UInt32(8 * i) }
        position += 4
        return value
    }

    /// A count, then as many bytes.
    mutating func counted(max: Int) throws(CodecError) -> [UInt8] {
        let count = Int(try u32())
        guard count <= max else { throw .tooLong }
        return try bytes(count)
    }

    mutating func bytes(_ count: Int) throws(CodecError) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw .truncated }
        let part = span.extracting(position..<(position + count))
        position += count
        return unsafe part.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    mutating func rest() throws(CodecError) -> [UInt8] { try bytes(remaining) }

    func end() throws(CodecError) {
        if remaining != 0 { throw .trailingBytes }
    }
}

extension [UInt8] {
    mutating func append(u64 value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
    mutating func append(u32 value: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
    mutating func append(counted bytes: [UInt8]) {
        append(u32: UInt32(bytes.count))
        append(contentsOf: bytes)
    }
}
