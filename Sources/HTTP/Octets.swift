// Classes of octets (RFC 9110 5.6, RFC 3986 2) and scans over them, eight at a time. Nothing here
// knows about letters outside ASCII: bytes are compared as bytes.

package enum Octets {
    @usableFromInline static let tab: UInt8 = 0x09
    @usableFromInline static let lineFeed: UInt8 = 0x0A
    @usableFromInline static let carriageReturn: UInt8 = 0x0D
    @usableFromInline static let space: UInt8 = 0x20

    /// `tchar` of RFC 9110 5.6.2.
    @inlinable
    static func isToken(_ byte: UInt8) -> Bool {
        // Bits of ! # $ % & ' * + - . 0-9, then of A-Z ^ _ ` a-z | ~
        contains(byte, low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    }

    /// What RFC 3986 allows in a path or a query: pchar, `/`, `?`, and `%` of an escape.
    @inlinable
    static func isTarget(_ byte: UInt8) -> Bool {
        // Bits of ! $ % & ' ( ) * + , - . / 0-9 : ; = ?, then of @ A-Z _ a-z ~
        contains(byte, low: 0xAFFF_FFF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF)
    }

    /// What RFC 3986 allows in a registered name: unreserved, sub-delims, and `%` of an escape.
    @inlinable
    static func isRegisteredName(_ byte: UInt8) -> Bool {
        // Bits of ! $ % & ' ( ) * + , - . 0-9 ; =, then of A-Z _ a-z ~
        contains(byte, low: 0x2BFF_7FF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    /// Stands unescaped in a `Location`: unreserved of RFC 3986 2.3.
    @inlinable
    static func isUnreserved(_ byte: UInt8) -> Bool {
        // Bits of - . 0-9, then of A-Z _ a-z ~
        contains(byte, low: 0x03FF_6000_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    @inlinable
    static func contains(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        if byte >= 0x80 { return false }
        return ((byte < 64 ? low : high) &>> UInt64(byte & 63)) & 1 == 1
    }

    @inlinable
    package static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of a hexadecimal digit of either case.
    @inlinable
    package static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let lower = byte | 0x20
        if lower &- 0x61 < 6 { return lower &- 0x61 &+ 10 }
        return nil
    }

    @inlinable
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// True for the same ASCII letters in any case; `lowercase` holds no upper-case letter.
    @inlinable
    package static func equal(
        _ bytes: Span<UInt8>, _ range: Range<Int>, ignoringCase lowercase: StaticString
    ) -> Bool {
        guard range.count == lowercase.utf8CodeUnitCount else { return false }
        let other = unsafe lowercase.utf8Start
        var index = 0
        while index < range.count {
            let byte = bytes[range.lowerBound + index]
            if unsafe lowercased(byte) != other[index] { return false }
            index += 1
        }
        return true
    }

    /// True for the very same bytes.
    @inlinable
    package static func equal(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        let other = unsafe text.utf8Start
        for index in bytes.indices where unsafe bytes[index] != other[index] {
            return false
        }
        return true
    }

    /// The range without spaces and tabs at its ends.
    @inlinable
    static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, bytes[lower] == space || bytes[lower] == tab { lower += 1 }
        while upper > lower, bytes[upper - 1] == space || bytes[upper - 1] == tab { upper -= 1 }
        return lower..<upper
    }

    @inlinable
    static func isToken(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range where !isToken(bytes[index]) { return false }
        return !range.isEmpty
    }

    // MARK: Eight octets at a time
    // Each test sets the top bit of the octets it finds. A borrow may set more of them, but only
    // above the first that is really found, and only the first is looked at.

    @usableFromInline static let ones: UInt64 = 0x0101_0101_0101_0101
    @usableFromInline static let tops: UInt64 = 0x8080_8080_8080_8080

    @inlinable
    static func load8(_ bytes: Span<UInt8>, _ offset: Int) -> UInt64 {
        // Bounds are checked by the raw span; any eight octets are a valid UInt64.
        unsafe UInt64(
            littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inlinable
    static func marks(_ word: UInt64, below limit: UInt8) -> UInt64 {
        (word &- ones &* UInt64(limit)) & ~word & tops
    }

    @inlinable
    static func marks(_ word: UInt64, equalTo byte: UInt8) -> UInt64 {
        marks(word ^ (ones &* UInt64(byte)), below: 1)
    }

    /// The first control octet (below 0x20, or 0x7F) of `from..<end`, or `end`.
    @inlinable
    static func firstControl(_ bytes: Span<UInt8>, from: Int, to end: Int) -> Int {
        var index = from
        while index + 8 <= end {
            let word = load8(bytes, index)
            let found = marks(word, below: 0x20) | marks(word, equalTo: 0x7F)
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < end, bytes[index] >= 0x20, bytes[index] != 0x7F { index += 1 }
        return index
    }

    /// The first octet of `from..<end` that JSON writes as an escape, or `end`.
    @inlinable
    static func firstEscapedByJSON(_ bytes: Span<UInt8>, from: Int, to end: Int) -> Int {
        var index = from
        while index + 8 <= end {
            let word = load8(bytes, index)
            let found =
                marks(word, below: 0x20) | marks(word, equalTo: 0x22) | marks(word, equalTo: 0x5C)
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < end, bytes[index] >= 0x20, bytes[index] != 0x22, bytes[index] != 0x5C {
            index += 1
        }
        return index
    }

    /// The first `byte` of `from..<end`, or `end`.
    @inlinable
    package static func first(_ byte: UInt8, in bytes: Span<UInt8>, from: Int, to end: Int) -> Int {
        var index = from
        while index + 8 <= end {
            let found = marks(load8(bytes, index), equalTo: byte)
            if found != 0 { return index + found.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < end, bytes[index] != byte { index += 1 }
        return index
    }
}
