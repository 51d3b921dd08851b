// Who a member is, durably: its number, its disk, its ensemble. The hello between members carries
// it, so that a stranger, or a known member on another disk, is found before it says a word.

/// 128 random bits.
package struct RandomID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String {
        func hex(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return hex(high) + hex(low)
    }
}

/// Made once in an empty data directory, before the first vote.
package typealias StorageID = RandomID
/// Fixed by the first leader's first entry.
package typealias EnsembleID = RandomID
