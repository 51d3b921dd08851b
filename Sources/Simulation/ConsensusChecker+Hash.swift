// One number for an entry and all before it, by which logs are compared; it never leaves a run.

import Journal
import Raft

extension ConsensusChecker {
    static func hash(after previous: UInt64, _ entry: Entry) -> UInt64 {
        var hash = previous &* 0x9E37_79B9_7F4A_7C15 ^ entry.index.rawValue
        hash = (hash ^ entry.term.rawValue << 32) &* 0xBF58_476D_1CE4_E5B9
        hash ^= UInt64(entry.kind.rawValue) << 60 ^ UInt64(entry.payload.count) << 32
        hash ^= UInt64(CRC32C.checksum(entry.payload.span, seed: UInt32(truncatingIfNeeded: hash)))
        hash = hash &* 0x94D0_49BB_1331_11EB
        return hash ^ hash >> 29
    }
}
