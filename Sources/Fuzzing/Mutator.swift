// Changes seeds at random, by a seed: for tests, and where the compiler's fuzzer is not at hand. It
// knows nothing of formats; what has checksums puts them right itself.

internal import Raft

package struct Mutator {
    private var random: RandomGenerator
    private let corpus: [[UInt8]]
    private static let bytesMax = 8_192

    /// `corpus` is not empty.
    package init(_ corpus: [[UInt8]], seed: UInt64) {
        self.corpus = corpus
        random = RandomGenerator(seed: seed)
    }

    package mutating func next() -> [UInt8] {
        var bytes = corpus[below(corpus.count)]
        for _ in 0...below(4) { change(&bytes) }
        return Array(bytes.prefix(Self.bytesMax))
    }

    private mutating func below(_ limit: Int) -> Int { Int(random.next(below: UInt64(limit))) }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = below(bytes.count + 1)
        let end = min(bytes.count, place + 1 + below(below(8) == 0 ? 600 : 12))
        switch below(9) {
        case 0, 1:
            guard place < bytes.count else { return }
            bytes[place] ^= 1 << UInt8(below(8))
        case 2:
            bytes.put(random.next(), at: place, bytes: 1)
        case 3:
            bytes.put(interesting(), at: place, bytes: 1 << below(4))
        case 4:
            bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        case 5:
            bytes.removeSubrange(place..<end)
        case 6:
            bytes.insert(contentsOf: bytes[place..<end], at: below(bytes.count + 1))
        case 7:
            let other = corpus[below(corpus.count)]
            let from = below(2) == 0 ? min(place, other.count) : below(other.count + 1)
            bytes = Array(bytes[..<place]) + Array(other[from...])
        default:
            if below(4) == 0 {
                bytes.removeSubrange(place...)
            } else {
                bytes.put(interesting(), at: place, bytes: 8)
            }
        }
    }

    /// Numbers at the ends of ranges.
    private mutating func interesting() -> UInt64 {
        switch below(6) {
        case 0: 0
        case 1: .max
        case 2: 1 << UInt64(below(64))
        case 3: .max >> UInt64(below(64))
        case 4: UInt64(below(20))
        default: .max - UInt64(below(4))
        }
    }
}
