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
    package mutating func append(decimal value: UInt64) {
        let digits = ByteWriter.digitCount(value)
        unsafe appendUninitialized(digits) { place in
            unsafe ByteWriter.writeDecimal(value, endingAt: place + digits)
            return digits
        }
    }

    @inlinable
    package mutating func append(decimal value: Int64) {
        if value < 0 { append(0x2D) }
        append(decimal: value.magnitude)
    }

    @inlinable
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

    /// The inside of a JSON string (RFC 8259 7). `text` must be valid UTF-8, which passes as it
    /// is; only the quote, the backslash and controls are escaped.
    @inlinable
    package mutating func appendJSONEscaped(_ text: Span<UInt8>) {
        reserve(text.count)
        var index = 0
        while true {
            let stop = Octets.firstEscapedByJSON(text, from: index, to: text.count)
            if stop > index { append(text.extracting(index..<stop)) }
            if stop == text.count { return }
            appendJSONEscape(text[stop])
            index = stop + 1
        }
    }

    @usableFromInline
    mutating func appendJSONEscape(_ byte: UInt8) {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5C: append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        default:
            append("\\u")
            append(hexadecimal: UInt64(byte), digits: 4)
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
            if Octets.isUnreserved(byte) || byte == 0x2F {
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
