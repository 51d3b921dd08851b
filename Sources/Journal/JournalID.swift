// 128 random bits that name a log, a disk or an ensemble. Drawn by the caller: this floor has no
// source of randomness.

package struct JournalID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { hexadecimal(high, digits: 16) + hexadecimal(low, digits: 16) }
}

/// Lower-case, filled with zeros on the left.
func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
