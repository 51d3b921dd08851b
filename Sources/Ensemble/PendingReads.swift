// Linearizable reads on their way through ReadIndex: what each one is for, until when it may wait
// for a quorum, and, once an index is confirmed, what it waits for to be applied.

import DequeModule
import HeapModule
import Raft
import Znodes

/// What happens when the read may look at the tree.
enum ReadPurpose {
    case read(atLeast: Zxid?)
    case wait(Wait)
    case feed(Feed)
    /// The member's own, to prove that it has all that is committed.
    case catchUp

    /// What the client claims to have seen.
    var atLeast: Zxid? {
        switch self {
        case .read(let atLeast): atLeast
        case .wait(let wait): wait.after
        case .feed(let feed): feed.query.after
        case .catchUp: nil
        }
    }
}

struct PendingReads {
    struct Read {
        let request: RequestID
        let purpose: ReadPurpose
        let askedMs: UInt64
    }
    private struct Applying: Comparable {
        let index: LogIndex
        let order: UInt64
        let read: ReadID
        static func < (a: Self, b: Self) -> Bool { (a.index, a.order) < (b.index, b.order) }
        static func == (a: Self, b: Self) -> Bool { a.order == b.order }
    }

    private var reads: [ReadID: Read] = [:]
    private var byRequest: [RequestID: ReadID] = [:]
    private var lastID: UInt64 = 0
    /// All reads may wait equally long, so the order of arrival is the order of the deadlines.
    private var deadlines: Deque<(deadlineMs: UInt64, read: ReadID)> = []
    private var applying = Heap<Applying>()
    private var applyingOrder: UInt64 = 0
    /// Reads that no quorum confirmed; asked again at the next tick.
    private var unconfirmed: [ReadID] = []
    /// Some went before they were answered, and the core knows them still.
    private var someAreGone = false

    /// Stands for the member itself; no shell gives it out.
    static let ownRequest = RequestID(rawValue: .max)

    var count: Int { reads.count }
    var applyingCount: Int { applying.count }

    func isOpen(_ request: RequestID) -> Bool { byRequest[request] != nil }

    mutating func add(
        _ request: RequestID, _ purpose: ReadPurpose, askedMs: UInt64, deadlineMs: UInt64
    ) -> ReadID {
        lastID += 1
        let id = ReadID(rawValue: lastID)
        reads[id] = Read(request: request, purpose: purpose, askedMs: askedMs)
        byRequest[request] = id
        deadlines.append((deadlineMs, id))
        return id
    }

    mutating func cancel(_ request: RequestID) {
        guard let id = byRequest.removeValue(forKey: request) else { return }
        reads.removeValue(forKey: id)
        someAreGone = true
    }

    mutating func remove(_ id: ReadID) -> Read? {
        guard let read = reads.removeValue(forKey: id) else { return nil }
        byRequest.removeValue(forKey: read.request)
        return read
    }

    func contains(_ id: ReadID) -> Bool { reads[id] != nil }

    /// True: reads went that nobody has answered since the last time; nothing is kept of them here.
    mutating func forgetGone() -> Bool {
        guard someAreGone else { return false }
        someAreGone = false
        applying = Heap(applying.unordered.filter { contains($0.read) })
        return true
    }

    mutating func awaitApplied(_ id: ReadID, index: LogIndex) {
        guard contains(id) else { return }
        applyingOrder += 1
        applying.insert(Applying(index: index, order: applyingOrder, read: id))
    }

    /// One read whose index is applied, or nil.
    mutating func popApplied(through applied: LogIndex) -> (read: ReadID, index: LogIndex)? {
        guard let first = applying.min, first.index <= applied else { return nil }
        applying.removeMin()
        return (first.read, first.index)
    }

    mutating func noteUnconfirmed(_ id: ReadID) {
        if reads[id] != nil { unconfirmed.append(id) }
    }

    mutating func takeUnconfirmed() -> [ReadID] {
        defer { unconfirmed.removeAll(keepingCapacity: true) }
        return unconfirmed.filter { reads[$0] != nil }
    }

    mutating func popExpired(nowMs: UInt64) -> Read? {
        while let first = deadlines.first {
            if reads[first.read] == nil {
                deadlines.removeFirst()
            } else if first.deadlineMs <= nowMs {
                deadlines.removeFirst()
                someAreGone = true
                return remove(first.read)
            } else {
                return nil
            }
        }
        return nil
    }
}
