// Numbers and durations in requests, read strictly: digits only, no sign that is not asked for, no
// leading zero, no space, no overflow. (`Int("+5")` is 5 in Swift: it must not be used on bytes.)

package enum DecimalParsing {
    /// The number that all of `bytes` spell; nil for anything else.
    package static func parse(_ bytes: Span<UInt8>) -> UInt64? {
        if bytes.isEmpty || (bytes[0] == 0x30 && bytes.count > 1) { return nil }
        var value: UInt64 = 0
        for index in bytes.indices {
            let digit = bytes[index] &- 0x30
            if digit > 9 { return nil }
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(UInt64(digit))
            if overflowed || carried { return nil }
            value = sum
        }
        return value
    }

    /// As `parse`, with one `-` allowed before a number other than zero.
    package static func parseSigned(_ bytes: Span<UInt8>) -> Int64? {
        if bytes.isEmpty || bytes[0] != 0x2D {
            return parse(bytes).flatMap { Int64(exactly: $0) }
        }
        guard let magnitude = parse(bytes.extracting(1..<bytes.count)), magnitude > 0,
            magnitude <= UInt64(Int64.max) + 1
        else { return nil }
        return Int64(truncatingIfNeeded: 0 &- magnitude)
    }
}

package enum DurationParsing {
    /// Milliseconds of `500ms`, `30s`, `5m` or `1h`; nil for anything else and for an overflow.
    package static func milliseconds(_ bytes: Span<UInt8>) -> UInt64? {
        var digits = 0
        while digits < bytes.count, Octets.isDigit(bytes[digits]) { digits += 1 }
        guard let number = DecimalParsing.parse(bytes.extracting(0..<digits)),
            let unit = unitMilliseconds(bytes.extracting(digits..<bytes.count))
        else { return nil }
        let (product, overflowed) = number.multipliedReportingOverflow(by: unit)
        return overflowed ? nil : product
    }

    private static func unitMilliseconds(_ unit: Span<UInt8>) -> UInt64? {
        if Octets.equal(unit, "ms") { return 1 }
        if Octets.equal(unit, "s") { return 1000 }
        if Octets.equal(unit, "m") { return 60_000 }
        if Octets.equal(unit, "h") { return 3_600_000 }
        return nil
    }
}
