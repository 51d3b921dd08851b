// Percent-decoding of one path segment or one part of a query (RFC 3986 2.1). Each is decoded
// exactly once, after splitting. Strict: two hexadecimal digits, no encoded slash or NUL in a
// segment, and `+` stays `+`. Whether the result is UTF-8 or a valid name is not decided here.

@usableFromInline
package enum PercentDecodingError: Error, Sendable, Equatable {
    /// `%` without two hexadecimal digits behind it.
    case badEscape
    /// `%2F`: it would name another znode than it seems to.
    case encodedSlash
    /// `%00`.
    case encodedNUL
}

@usableFromInline
package enum PercentDecoding {
    /// True when the bytes are their own decoded form: nothing needs to be copied.
    @inlinable
    package static func isPlain(_ encoded: Span<UInt8>) -> Bool {
        Octets.first(0x25, in: encoded, from: 0, to: encoded.count) == encoded.count
    }

    /// Appends one decoded path segment, or a whole path with its slashes: an encoded slash is
    /// refused, so splitting before or after gives the same segments. Nil means success.
    package static func decodePath(
        _ encoded: Span<UInt8>, into out: inout [UInt8]
    ) -> PercentDecodingError? {
        decode(encoded, into: &out) { byte in
            byte == 0x2F ? .encodedSlash : byte == 0 ? .encodedNUL : nil
        }
    }

    /// Appends one decoded name or value of a query. Nil means success.
    package static func decodeQuery(
        _ encoded: Span<UInt8>, into out: inout [UInt8]
    ) -> PercentDecodingError? {
        decode(encoded, into: &out) { _ in nil }
    }

    /// `refuse` looks at each byte that was escaped.
    @inline(__always)
    private static func decode(
        _ encoded: Span<UInt8>, into out: inout [UInt8],
        refuse: (UInt8) -> PercentDecodingError?
    ) -> PercentDecodingError? {
        var index = 0
        while index < encoded.count {
            let byte = encoded[index]
            if byte != 0x25 {
                out.append(byte)
                index += 1
                continue
            }
            guard let decoded = escape(encoded, at: index) else { return .badEscape }
            if let error = refuse(decoded) { return error }
            out.append(decoded)
            index += 3
        }
        return nil
    }

    private static func escape(_ bytes: Span<UInt8>, at index: Int) -> UInt8? {
        guard index + 2 < bytes.count, let high = Octets.hexValue(bytes[index + 1]),
            let low = Octets.hexValue(bytes[index + 2])
        else { return nil }
        return high &<< 4 | low
    }

    static func upperHexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + 0x30 : value + 0x37
    }
}

/// The pairs `name[=value]` of a query, between `&`, in their order and still encoded. An empty
/// query has none; an empty place between two `&` comes as a pair with an empty name.
@usableFromInline
package struct QueryIterator: ~Escapable {
    @usableFromInline
    package struct Pair: Sendable, Equatable {
        /// Places in the query.
        package let name: ByteRange
        /// Nil without `=`.
        package let value: ByteRange?
    }

    private let query: Span<UInt8>
    private var next = 0

    @_lifetime(copy query)
    package init(_ query: Span<UInt8>) {
        self.query = query
        if query.isEmpty { next = 1 }
    }

    @_lifetime(self: copy self)
    package mutating func nextPair() -> Pair? {
        if next > query.count { return nil }
        let end = Octets.first(0x26, in: query, from: next, to: query.count)
        let equals = Octets.first(0x3D, in: query, from: next, to: end)
        let name = ByteRange(next..<equals)
        let value = equals == end ? nil : ByteRange((equals + 1)..<end)
        next = end + 1
        return Pair(name: name, value: value)
    }
}
