// Chance in the simulated world. Every part draws from a generator of its own, split off in a fixed
// order, so that one more draw here does not shift the draws there. Integers only.

import Raft

extension RandomGenerator {
    /// A generator that goes its own way from here.
    mutating func split() -> RandomGenerator { RandomGenerator(seed: next()) }

    mutating func chance(perMille: Int) -> Bool {
        perMille > 0 && next(below: 1_000) < UInt64(perMille)
    }

    mutating func coin() -> Bool { next() & 1 == 1 }

    /// Both ends included.
    mutating func draw(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + next(below: range.upperBound - range.lowerBound + 1)
    }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        invariant(!choices.isEmpty, "a pick from nothing")
        return choices[Int(next(below: UInt64(choices.count)))]
    }

    /// A delay with a long tail: mostly near the lower end, now and then several times the upper.
    mutating func delayNs(_ range: ClosedRange<UInt64>) -> UInt64 {
        let base = draw(range)
        switch next(below: 64) {
        case 0: return base * 8
        case 1...4: return base * 3
        default: return base
        }
    }
}

let millisecondNs: UInt64 = 1_000_000
