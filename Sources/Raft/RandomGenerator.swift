// The only source of chance in the core, handed in by the caller. It must never take a seed from
// the machine: the same seed and the same steps give the same run.

/// SplitMix64 (Steele, Lea, Flood 2014). Restarts of one member must be given different seeds, as
/// read contexts start from a drawn number.
package struct RandomGenerator: RandomNumberGenerator, Sendable {
    var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in `0..<bound`; `bound` is at least 1. Unbiased (Lemire 2019).
    package mutating func next(below bound: UInt64) -> UInt64 {
        invariant(bound > 0, "a draw below 0")
        let threshold = (0 &- bound) % bound
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= threshold { return product.high }
        }
    }

    /// A number in `range`, both ends included.
    package mutating func draw(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next(below: UInt64(range.upperBound - range.lowerBound) + 1))
    }
}
