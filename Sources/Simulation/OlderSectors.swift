// What sectors of a file held before their last durable change: a read may show it once.

import Journal

struct OlderSectors {
    /// By number; zeros where the file had no bytes yet.
    private var held: [Int: [UInt8]] = [:]

    subscript(sector: Int) -> [UInt8]? { held[sector] }

    var numbers: [Int] { held.keys.sorted() }

    static func range(_ sector: Int) -> Range<Int> {
        let bytes = JournalLimits.sectorBytes
        return (sector * bytes)..<((sector + 1) * bytes)
    }

    /// A whole sector of these bytes.
    static func sector(_ number: Int, of bytes: [UInt8]) -> [UInt8] {
        let range = range(number).clamped(to: 0..<bytes.count)
        let missing = JournalLimits.sectorBytes - range.count
        return bytes[range] + [UInt8](repeating: 0, count: missing)
    }

    /// Another sync is over. `before`: what the sectors held that were written since the last one.
    mutating func synced(_ bytes: [UInt8], before: [Int: [UInt8]]) {
        for (sector, old) in before where old != Self.sector(sector, of: bytes) {
            held[sector] = old
        }
    }
}
