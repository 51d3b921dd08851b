// Random numbers that a seed repeats, from the core's generator. For tests only.

import Raft

typealias SplitMix = RandomGenerator

extension RandomGenerator {
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}
