// Numbers and encodings appended to a ByteWriter: decimal, hexadecimal, base64, JSON strings and
// percent-encoding. All write bytes only; none makes a String.

extension ByteWriter {
    @usableFromInline static let digitPairs: StaticString = """
        00010203040506070809101112131415161718192021222324252627282930313233343536373839\
        40414243444546474849505152535455565758596061626364656667686970717273747576777879\
        8081828384858687888990919293949596979899
        """

    @inlinable
    static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            count += 4
        }
        if rest >= 1000 { return count + 3 }
        if rest >= 100 { return count + 2 }
        return rest >= 10 ? count + 1 : count
    }

    /// Writes the digits of `value` so that the last stands before `limit`, two at a time. The
    /// caller has made room for `digitCount(value)` bytes.
    @inlinable
    static func writeDecimal(_ value: UInt64, endingAt limit: UnsafeMutableRawPointer) {
        var rest = value
        var place = unsafe limit
        let pairs = unsafe UnsafeRawPointer(digitPairs.utf8Start)
        while rest >= 100 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            unsafe place -= 2
            unsafe place.copyMemory(from: pairs + Int(pair) * 2, byteCount: 2)
            rest = quotient
        }
        if rest >= 10 {
            unsafe place -= 2
            unsafe place.copyMemory(from: pairs + Int(rest) * 2, byteCount: 2)
        } else {
            unsafe place -= 1
            unsafe place.storeBytes(of: UInt8(rest) + 0x30, as: UInt8.self)
        }
    }

    @inlinable
    @inline(__always)
    package mutating func append(decimal value: UInt64) {
        if value < 10 {
            append(UInt8(truncatingIfNeeded: value) + 0x30)
        } else {
            appendDigits(value)
        }
    }

    @usableFromInline
    @inline(never)
    package mutating func appendDigits(_ value: UInt64) {
        // Up to 20 digits; a store scratches up to seven bytes behind the last.
        reserve(32)
        let (upper, lower) = value.quotientAndRemainder(dividingBy: 100_000_000)
        let digits = ByteWriter.eightDigits(lower)
        if upper == 0 {
            let zeros = (digits ^ 0x3030_3030_3030_3030).trailingZeroBitCount &>> 3
            let skipped = min(zeros, 7)
            unsafe memory.storeBytes(
                of: (digits &>> UInt64(skipped &* 8)).littleEndian, toByteOffset: end,
                as: UInt64.self)
            end += 8 - skipped
        } else {
            append(decimal: upper)
            unsafe memory.storeBytes(of: digits.littleEndian, toByteOffset: end, as: UInt64.self)
            end += 8
        }
    }

    /// The digits of a number below 100,000,000 with leading zeros, the first in the lowest byte:
    /// halves, quarters and single digits are divided side by side in one word, by multiplication.
    @inlinable
    static func eightDigits(_ value: UInt64) -> UInt64 {
        let (high, low) = value.quotientAndRemainder(dividingBy: 10_000)
        let halves = high | low &<< 32
        let hundreds = (halves &* 10_486) &>> 20 & 0x0000_007F_0000_007F
        let quarters = hundreds | (halves &- hundreds &* 100) &<< 16
        let tens = (quarters &* 103) &>> 10 & 0x000F_000F_000F_000F
        return (tens | (quarters &- tens &* 10) &<< 8) &+ 0x3030_3030_3030_3030
    }

    @inlinable
    @inline(__always)
    package mutating func append(decimal value: Int64) {
        if value < 0 { append(0x2D) }
        append(decimal: value.magnitude)
    }

    @inlinable
    @inline(__always)
    package mutating func append(decimal value: Int) {
        append(decimal: Int64(value))
    }

    /// Lower-case digits, without leading zeros.
    @inlinable
    package mutating func append(hexadecimal value: UInt64) {
        let digits = max(1, (67 - value.leadingZeroBitCount) / 4)
        append(hexadecimal: value, digits: digits)
    }

    /// The lowest `digits` hexadecimal digits of `value`, at most 16.
    @inlinable
    package mutating func append(hexadecimal value: UInt64, digits: Int) {
        var shift = min(digits, 16) * 4
        while shift > 0 {
            shift -= 4
            append(ByteWriter.hexDigit(UInt8(truncatingIfNeeded: value &>> UInt64(shift)) & 15))
        }
    }

    @inlinable
    static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + 0x30 : value + 0x57
    }

    package mutating func appendJSONEscaped(_ text: StaticString) {
        let bytes = unsafe UnsafeBufferPointer(
            start: text.utf8Start, count: text.utf8CodeUnitCount)
        unsafe appendJSONEscaped(bytes.span)
    }

    /// The inside of a JSON string (RFC 8259 7). `text` must be valid UTF-8, which passes as it
    /// is; only the quote, the backslash and controls are escaped.
    package mutating func appendJSONEscaped(_ text: Span<UInt8>) {
        if Octets.isPlainText(text) { return append(text) }
        var start = 0
        while start < text.count {
            // In pieces: room for the worst case of all of a large text would be much.
            let end = min(text.count, start + 1024)
            unsafe appendUninitialized((end - start) * 6 + 8) { place in
                unsafe ByteWriter.writeJSONEscaped(text, start..<end, to: place)
            }
            start = end
        }
    }

    /// Writes at most 6 bytes a byte, and scratches up to 7 bytes behind; returns the count.
    private static func writeJSONEscaped(
        _ text: Span<UInt8>, _ range: Range<Int>, to place: UnsafeMutableRawPointer
    ) -> Int {
        var index = range.lowerBound
        var written = 0
        while index < range.upperBound {
            if range.upperBound - index >= 8 {
                let word = Octets.load8(text, index)
                let marks = Octets.marksEscapedByJSON(word)
                // Bytes behind a mark are written over again.
                unsafe place.storeBytes(
                    of: word.littleEndian, toByteOffset: written, as: UInt64.self)
                let plain = marks == 0 ? 8 : marks.trailingZeroBitCount / 8
                index += plain
                written += plain
                if marks == 0 { continue }
            }
            let byte = text[index]
            index += 1
            let escape = escapeLetter(byte)
            if escape == 0 {
                unsafe place.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
                written += 1
            } else {
                unsafe place.storeBytes(of: 0x5C, toByteOffset: written, as: UInt8.self)
                unsafe place.storeBytes(of: escape, toByteOffset: written + 1, as: UInt8.self)
                written += 2
                if escape != 0x75 { continue }
                unsafe place.storeBytes(of: 0x30, toByteOffset: written, as: UInt8.self)
                unsafe place.storeBytes(of: 0x30, toByteOffset: written + 1, as: UInt8.self)
                let high = byte < 0x10 ? 0x30 : 0x31 as UInt8
                unsafe place.storeBytes(of: high, toByteOffset: written + 2, as: UInt8.self)
                let low = hexDigit(byte & 15)
                unsafe place.storeBytes(of: low, toByteOffset: written + 3, as: UInt8.self)
                written += 4
            }
        }
        return written
    }

    /// What follows the backslash; 0 where there is none.
    @inline(__always)
    private static func escapeLetter(_ byte: UInt8) -> UInt8 {
        if byte == 0x22 || byte == 0x5C { return byte }
        if byte >= 0x20 { return 0 }
        switch byte {
        case 0x08: return 0x62
        case 0x09: return 0x74
        case 0x0A: return 0x6E
        case 0x0C: return 0x66
        case 0x0D: return 0x72
        default: return 0x75
        }
    }

    /// RFC 4648 4, with padding.
    package mutating func appendBase64(_ source: Span<UInt8>) {
        let alphabet: StaticString =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        let digits = unsafe alphabet.utf8Start
        let size = (source.count + 2) / 3 * 4
        unsafe appendUninitialized(size) { place in
            var out = unsafe place.assumingMemoryBound(to: UInt8.self)
            var index = 0
            while index < source.count {
                let left = source.count - index
                let first = source[index]
                let second = left > 1 ? source[index + 1] : 0
                let third = left > 2 ? source[index + 2] : 0
                unsafe out[0] = digits[Int(first &>> 2)]
                unsafe out[1] = digits[Int((first & 3) &<< 4 | second &>> 4)]
                unsafe out[2] = left > 1 ? digits[Int((second & 15) &<< 2 | third &>> 6)] : 0x3D
                unsafe out[3] = left > 2 ? digits[Int(third & 63)] : 0x3D
                unsafe out += 4
                index += 3
            }
            return size
        }
    }

    /// A path for `Location`: everything but unreserved characters and `/` is percent-encoded.
    package mutating func appendPercentEncoded(path: Span<UInt8>) {
        for index in path.indices {
            let byte = path[index]
            if Octets.unreserved.contains(byte) || byte == 0x2F {
                append(byte)
            } else {
                append(0x25)
                append(PercentDecoding.upperHexDigit(byte &>> 4))
                append(PercentDecoding.upperHexDigit(byte & 15))
            }
        }
    }

    /// A field's value from outside: controls become spaces (RFC 9110 5.5), so that no value can
    /// end its line or start another.
    package mutating func appendFieldValue(_ value: Span<UInt8>) {
        for index in value.indices {
            let byte = value[index]
            append(byte < 0x20 || byte == 0x7F ? Octets.space : byte)
        }
    }
}
