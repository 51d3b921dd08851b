// Classes of octets (RFC 9110 5.6, RFC 3986 2) and scans over them, eight at a time. Nothing here
// knows about letters outside ASCII: bytes are compared as bytes.

@usableFromInline
package enum Octets {
    @usableFromInline static let tab: UInt8 = 0x09
    @usableFromInline static let lineFeed: UInt8 = 0x0A
    @usableFromInline static let carriageReturn: UInt8 = 0x0D
    @usableFromInline static let space: UInt8 = 0x20

    /// A set of ASCII characters: bits of 0x00 to 0x3F, then of 0x40 to 0x7F.
    @usableFromInline
    struct Characters {
        @usableFromInline let low: UInt64
        @usableFromInline let high: UInt64

        @inlinable
        init(_ low: UInt64, _ high: UInt64) {
            self.low = low
            self.high = high
        }

        @inlinable
        func contains(_ byte: UInt8) -> Bool {
            byte < 0x80 && ((byte < 64 ? low : high) &>> UInt64(byte & 63)) & 1 == 1
        }
    }

    /// `tchar` of RFC 9110 5.6.2: ! # $ % & ' * + - . 0-9, A-Z ^ _ ` a-z | ~
    @inlinable static var token: Characters {
        Characters(0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
    }

    /// What RFC 3986 allows in a path: pchar, `/`, and `%` of an escape.
    @inlinable static var path: Characters {
        Characters(0x2FFF_FFF2_0000_0000, 0x47FF_FFFE_87FF_FFFF)
    }

    /// What it allows in a query: the same and `?`.
    @inlinable static var query: Characters {
        Characters(0xAFFF_FFF2_0000_0000, 0x47FF_FFFE_87FF_FFFF)
    }

    /// What it allows in a registered name: unreserved, sub-delims, and `%` of an escape.
    @inlinable static var registeredName: Characters {
        Characters(0x2BFF_7FF2_0000_0000, 0x47FF_FFFE_87FF_FFFE)
    }

    /// Unreserved of RFC 3986 2.3: - . 0-9, A-Z _ a-z ~
    @inlinable static var unreserved: Characters {
        Characters(0x03FF_6000_0000_0000, 0x47FF_FFFE_87FF_FFFE)
    }

    /// The first byte of `from..<end` that is not of `set`, or `end`.
    @inlinable
    @inline(__always)
    static func first(
        outside set: Characters, in bytes: Span<UInt8>, from: Int, to end: Int
    ) -> Int {
        check(bytes, from, end)
        var index = from
        // Bounds were checked for the whole range.
        while index < end, unsafe set.contains(bytes[unchecked: index]) { index &+= 1 }
        return index
    }

    /// Once for a whole scan: from..<end lies in `bytes`.
    @inlinable
    @inline(__always)
    static func check(_ bytes: Span<UInt8>, _ from: Int, _ end: Int) {
        invariant(
            from >= 0 && end <= bytes.count, "scan of \(from)..<\(end) in \(bytes.count) bytes")
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

    /// True for the same ASCII letters in any case. `lowercase` holds small letters, digits and
    /// `- / * :` only, and `bytes` no control characters, as in any line of a head: then setting
    /// bit 5 makes two bytes equal exactly when they are one letter or the same.
    @inlinable
    @inline(__always)
    package static func equal(
        _ bytes: Span<UInt8>, _ range: Range<Int>, ignoringCase lowercase: StaticString
    ) -> Bool {
        let count = lowercase.utf8CodeUnitCount
        guard range.count == count else { return false }
        check(bytes, range.lowerBound, range.upperBound)
        var index = 0
        while count &- index >= 8 {
            let word = load8(unchecked: bytes, range.lowerBound &+ index)
            if (word | 0x2020_2020_2020_2020) != wanted(lowercase, index, 8) { return false }
            index &+= 8
        }
        while index < count {
            let byte = unsafe bytes[unchecked: range.lowerBound &+ index]
            if UInt64(byte | 0x20) != wanted(lowercase, index, 1) { return false }
            index &+= 1
        }
        return true
    }

    /// `count` bytes of `text` from `index` on, the first in the lowest byte.
    @inlinable
    @inline(__always)
    static func wanted(_ text: StaticString, _ index: Int, _ count: Int) -> UInt64 {
        let start = unsafe UnsafeRawPointer(text.utf8Start)
        if count == 1 {
            return unsafe UInt64(start.load(fromByteOffset: index, as: UInt8.self))
        }
        return unsafe UInt64(
            littleEndian: start.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    /// True for the very same bytes.
    @inlinable
    @inline(__always)
    package static func equal(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count == count else { return false }
        var index = 0
        while count &- index >= 8 {
            if load8(unchecked: bytes, index) != wanted(text, index, 8) { return false }
            index &+= 8
        }
        while index < count {
            if unsafe UInt64(bytes[unchecked: index]) != wanted(text, index, 1) { return false }
            index &+= 1
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
        let end = first(outside: token, in: bytes, from: range.lowerBound, to: range.upperBound)
        return !range.isEmpty && end == range.upperBound
    }

    // MARK: Eight octets at a time
    // Each test sets the top bit of the octets it finds. A borrow may set more of them, but only
    // above the first that is really found, and only the first is looked at.

    @usableFromInline static let ones: UInt64 = 0x0101_0101_0101_0101
    @usableFromInline static let tops: UInt64 = 0x8080_8080_8080_8080

    /// As `load8`; the caller has checked that eight octets are there.
    @inlinable
    @inline(__always)
    static func load8(unchecked bytes: Span<UInt8>, _ offset: Int) -> UInt64 {
        unsafe UInt64(
            littleEndian: bytes.bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: UInt64.self))
    }

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

    @inlinable
    static func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F }

    /// The first control octet (below 0x20, or 0x7F) of `from..<end`, or `end`.
    @inlinable
    @inline(__always)
    static func firstControl(_ bytes: Span<UInt8>, from: Int, to end: Int) -> Int {
        check(bytes, from, end)
        var index = from
        while end &- index >= 8 {
            let word = load8(unchecked: bytes, index)
            let found = marks(word, below: 0x20) | marks(word, equalTo: 0x7F)
            if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end, unsafe isText(bytes[unchecked: index]) { index &+= 1 }
        return index
    }

    /// Marks of the octets that JSON writes as escapes: controls, the quote and the backslash.
    @inlinable
    static func marksEscapedByJSON(_ word: UInt64) -> UInt64 {
        marks(word, below: 0x20) | marks(word, equalTo: 0x22) | marks(word, equalTo: 0x5C)
    }

    /// ASCII that is in a JSON string as it is.
    @inlinable
    package static func isPlainText(_ bytes: Span<UInt8>) -> Bool {
        let count = bytes.count
        var index = 0
        while index < count {
            if count < 8 {
                let byte = unsafe bytes[unchecked: index]
                if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5C { return false }
                index &+= 1
                continue
            }
            // The last eight octets overlap those before: better than one by one.
            let word = load8(unchecked: bytes, min(index, count &- 8))
            if (marksEscapedByJSON(word) | word & tops) != 0 { return false }
            index &+= 8
        }
        return true
    }

    /// Marks of all octets but letters, digits from `lowest` on (what lies between counts too) and
    /// `=`. No carry leaves an octet: each mark is true.
    @inlinable
    @inline(__always)
    static func marksUnusual(_ word: UInt64, lowest: UInt8) -> UInt64 {
        let low = word & ~tops
        let folded = low | (ones &* 0x20)
        let isLetter = (folded &+ ones &* (0x80 - 0x61)) & ~(folded &+ ones &* (0x80 - 0x7B))
        let isDigit = (low &+ ones &* UInt64(0x80 - lowest)) & ~(low &+ ones &* (0x80 - 0x3A))
        let isEquals = ~((low ^ ones &* 0x3D) &+ ones &* 0x7F)
        return (~(isLetter | isDigit | isEquals) | word) & tops
    }

    /// As `first(outside:)`, for sets with all letters, `=` and what is from `lowest` to the digits.
    @inlinable
    static func first(
        outside set: Characters, lowest: UInt8, in bytes: Span<UInt8>, from: Int, to end: Int
    ) -> Int {
        check(bytes, from, end)
        if end < 8 { return first(outside: set, in: bytes, from: from, to: end) }
        var index = from
        while index < end {
            let left = end &- index
            // Fewer than eight come from the end, with zeros behind, which are unusual.
            let word =
                left >= 8
                ? load8(unchecked: bytes, index)
                : load8(unchecked: bytes, end &- 8) &>> UInt64((8 &- left) &* 8)
            let marks = marksUnusual(word, lowest: lowest)
            index &+= marks == 0 ? 8 : marks.trailingZeroBitCount &>> 3
            if marks == 0 { continue }
            if index >= end { return end }
            if unsafe !set.contains(bytes[unchecked: index]) { return index }
            index &+= 1
        }
        return end
    }

    /// The first `byte` of `from..<end`, or `end`.
    @inlinable
    @inline(__always)
    package static func first(_ byte: UInt8, in bytes: Span<UInt8>, from: Int, to end: Int) -> Int {
        check(bytes, from, end)
        var index = from
        while end &- index >= 8 {
            let found = marks(load8(unchecked: bytes, index), equalTo: byte)
            if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < end, unsafe bytes[unchecked: index] != byte { index &+= 1 }
        return index
    }
}
