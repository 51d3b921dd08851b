// 128 random bits that name a log, a disk or an ensemble. Drawn by the caller: this floor has no
// source of randomness.

package struct RandomID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { hexadecimal(high, digits: 16) + hexadecimal(low, digits: 16) }
}

/// Keeps the groups of one log apart from those of all others.
package typealias LogID = RandomID
/// Made once in an empty data directory, before the first vote: another disk under an old member's
/// number is told by it.
package typealias StorageID = RandomID
/// Fixed by the first leader's first entry.
package typealias EnsembleID = RandomID

/// Lower-case, filled with zeros on the left.
func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
