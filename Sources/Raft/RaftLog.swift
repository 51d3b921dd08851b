// The entries that a member holds in memory, after the prefix that a snapshot stands for. It
// knows what was handed to storage, never what is durable (that is `StorageLedger`).

import DequeModule

extension Entry {
    /// What an entry counts for in limits: its bytes and what surrounds them.
    package var weightBytes: Int { payload.count + 32 }
}

struct RaftLog {
    /// Stands for everything before the first entry.
    private(set) var baseIndex: LogIndex
    private(set) var baseTerm: Term
    private var entries: Deque<Entry>
    /// The first entry that no storage request has carried yet.
    private(set) var nextToStore: LogIndex

    /// `entries` are durable and follow `baseIndex`.
    init(baseIndex: LogIndex, baseTerm: Term, entries: [Entry]) {
        self.baseIndex = baseIndex
        self.baseTerm = baseTerm
        self.entries = Deque(minimumCapacity: entries.count)
        nextToStore = baseIndex + (entries.count + 1)
        for entry in entries { append(entry) }
    }

    var firstIndex: LogIndex { baseIndex.next }
    var lastIndex: LogIndex { baseIndex + entries.count }
    var lastTerm: Term { entries.last?.term ?? baseTerm }
    var end: LogPosition { LogPosition(index: lastIndex, term: lastTerm) }
    var hasUnstored: Bool { nextToStore <= lastIndex }

    subscript(index: LogIndex) -> Entry { entries[index - firstIndex] }

    /// Nil before the base and after the end.
    func term(at index: LogIndex) -> Term? {
        if index == baseIndex { return baseTerm }
        if index < baseIndex || index > lastIndex { return nil }
        return entries[index - firstIndex].term
    }

    /// The last index at or before `index` whose term is not above `term`: no later entry can be
    /// shared with a log that has `term` there. Stops at `floor`, which is shared.
    func lastIndex(from index: LogIndex, notAbove term: Term, floor: LogIndex) -> LogIndex {
        var probe = min(index, lastIndex)
        let end = max(floor, baseIndex)
        while probe > end, let here = self.term(at: probe), here > term { probe = probe.previous }
        return max(probe, end)
    }

    mutating func append(_ entry: Entry) {
        // ZOOKEEPER-4785: a hole in one member's log spreads to the others.
        invariant(entry.index == lastIndex.next, "append \(entry.index) after \(lastIndex)")
        invariant(entry.term >= lastTerm, "append of term \(entry.term) after \(lastTerm)")
        entries.append(entry)
    }

    /// Removes everything at and after `index`.
    mutating func truncate(from index: LogIndex) {
        invariant(
            index > baseIndex && index <= lastIndex,
            "truncate at \(index) of \(firstIndex)...\(lastIndex)")
        entries.removeLast(lastIndex - index + 1)
        nextToStore = min(nextToStore, index)
    }

    mutating func compact(through index: LogIndex) {
        guard index > baseIndex else { return }
        invariant(index <= lastIndex, "compact through \(index) of \(firstIndex)...\(lastIndex)")
        baseTerm = self[index].term
        entries.removeFirst(index - baseIndex)
        baseIndex = index
        nextToStore = max(nextToStore, index.next)
    }

    /// A snapshot replaces the whole log.
    mutating func reset(index: LogIndex, term: Term) {
        entries.removeAll()
        baseIndex = index
        baseTerm = term
        nextToStore = index.next
    }

    mutating func markStored() { nextToStore = lastIndex.next }

    /// Entries from `index` on, up to `bytesMax` but at least one.
    func slice(from index: LogIndex, through last: LogIndex, bytesMax: Int) -> [Entry] {
        guard index <= last else { return [] }
        let start = index - firstIndex
        let limit = last - firstIndex + 1
        var end = start
        var bytes = 0
        while end < limit {
            bytes += entries[end].weightBytes
            if bytes > bytesMax, end > start { break }
            end += 1
        }
        return Array(entries[start..<end])
    }

    func weightBytes(after index: LogIndex, through last: LogIndex) -> Int {
        var bytes = 0
        var next = index.next
        while next <= last {
            bytes += self[next].weightBytes
            next = next.next
        }
        return bytes
    }
}
