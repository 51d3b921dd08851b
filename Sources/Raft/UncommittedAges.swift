// How long a leader's oldest uncommitted entry has waited: one mark for each tick in which entries
// were appended, so it holds no more of them than the ticks that an entry may wait.

import DequeModule

struct UncommittedAges {
    private var marks: Deque<(first: LogIndex, tick: UInt64)> = []

    /// Of the oldest entry that is not committed; nil when all are.
    var oldestTick: UInt64? { marks.first?.tick }

    mutating func appended(_ index: LogIndex, tick: UInt64) {
        if marks.last.map({ $0.tick < tick }) ?? true { marks.append((index, tick)) }
    }

    /// `last`: the end of the log.
    mutating func committed(through commit: LogIndex, last: LogIndex) {
        if commit >= last { return marks.removeAll(keepingCapacity: true) }
        while marks.count > 1, marks[1].first <= commit.next { marks.removeFirst() }
    }
}
