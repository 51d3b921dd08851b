// What the log remembers of one of its files while it runs. The list is oldest first; the last one
// takes the appends.

internal import Raft

struct LogSegment: Equatable {
    let number: UInt64
    /// Of the file; grows when a group is larger than a whole segment.
    var bytes: Int
    /// Of its first and last group; zero while there is none.
    var firstSequence: UInt64 = 0
    var lastSequence: UInt64 = 0
    /// The greatest index that counts among its entries; zero when none does. A segment can go
    /// once this is pruned.
    var lastLive: LogIndex = .zero

    var name: String { SegmentName.name(number) }

    mutating func note(group sequence: UInt64) {
        if firstSequence == 0 { firstSequence = sequence }
        lastSequence = sequence
    }
}

extension Array where Element == LogSegment {
    /// An entry goes into the last segment; with `replacing`, those at and after it are gone.
    mutating func put(_ index: LogIndex, replacing: Bool) {
        if replacing {
            for position in indices where self[position].lastLive >= index {
                self[position].lastLive = index.previous
            }
        }
        self[count - 1].lastLive = index
    }

    mutating func forgetEntries() {
        for position in indices { self[position].lastLive = .zero }
    }
}
