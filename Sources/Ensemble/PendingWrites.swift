// The writes that clients of this member wait for, by their counters. It knows for each one whether
// it can still be appended nowhere, may be in some log, or must be called unknown.

import DequeModule
import Raft
import Znodes

struct PendingWrite {
    enum State {
        /// Appended nowhere: it may be sent to any leader, or refused for good until `deadlineMs`.
        case queued(deadlineMs: UInt64)
        /// In this member's own log, or on the way to the leader of `term`: it may yet be applied.
        case inTerm(Term, sentMs: UInt64, forwarded: Bool)
    }
    let request: RequestID
    let payload: [UInt8]
    var state: State
    /// When it becomes `outcomeUnknown` unless it is queued.
    let unknownMs: UInt64
    /// The client went away: nobody is answered, but the write goes on.
    var abandoned = false
}

struct PendingWrites {
    private var slots: Deque<PendingWrite?> = []
    /// Counters of those whose client is there. Never iterated.
    private var byRequest: [RequestID: UInt64] = [:]
    /// The counter of the first slot.
    private var base: UInt64 = 1
    private(set) var count = 0
    private(set) var payloadBytes = 0
    /// Writes in `.queued`.
    private(set) var queuedCount = 0

    /// The counter that the next `add` gives.
    var nextCounter: UInt64 { base + UInt64(slots.count) }

    mutating func add(_ write: PendingWrite) {
        count += 1
        payloadBytes += write.payload.count
        if case .queued = write.state { queuedCount += 1 }
        byRequest[write.request] = nextCounter
        slots.append(write)
    }

    subscript(counter: UInt64) -> PendingWrite? {
        guard counter >= base, counter < nextCounter else { return nil }
        return slots[Int(counter - base)]
    }

    mutating func setState(_ counter: UInt64, _ state: PendingWrite.State) {
        guard var write = self[counter] else { return }
        if case .queued = write.state { queuedCount -= 1 }
        if case .queued = state { queuedCount += 1 }
        write.state = state
        slots[Int(counter - base)] = write
    }

    mutating func abandon(_ request: RequestID) {
        guard let counter = byRequest.removeValue(forKey: request) else { return }
        slots[Int(counter - base)]?.abandoned = true
    }

    @discardableResult
    mutating func remove(_ counter: UInt64) -> PendingWrite? {
        guard let write = self[counter] else { return nil }
        count -= 1
        payloadBytes -= write.payload.count
        if !write.abandoned { byRequest[write.request] = nil }
        if case .queued = write.state { queuedCount -= 1 }
        slots[Int(counter - base)] = nil
        while let first = slots.first, first == nil {
            slots.removeFirst()
            base += 1
        }
        return write
    }

    /// The counters of all open writes, oldest first.
    var counters: [UInt64] {
        slots.indices.compactMap { slots[$0] == nil ? nil : base + UInt64($0) }
    }
}

/// What a leader has seen of forwarded writes in its term: each (member, incarnation, counter) is
/// appended at most once, however often the network or the sender repeats it.
struct ForwardsSeen {
    private struct Window {
        let member: MemberID
        let incarnation: UInt64
        /// Counters below are taken for seen.
        var floor: UInt64
        var seen: Deque<Bool> = []
    }
    /// How far behind the newest counter of a sender an older one is still told apart.
    static let windowMax = 1 << 16
    /// Of one member: one that restarted has a new incarnation; its old ones send nothing any more.
    private static let runsMax = 8
    private var windows: [Window] = []

    /// The term that this member led last in this run, and that all of this is about.
    private(set) var term: Term?

    /// This member leads `term` now.
    mutating func begin(_ term: Term) {
        guard self.term != term else { return }
        windows.removeAll()
        self.term = term
    }

    /// True the first time. A leader also notes what it refuses, so that a late copy of a refused
    /// forward is never appended.
    mutating func insert(_ id: ForwardID) -> Bool {
        let position: Int
        if let known = windows.firstIndex(where: {
            $0.member == id.member && $0.incarnation == id.incarnation
        }) {
            position = known
        } else {
            if windows.count(where: { $0.member == id.member }) >= Self.runsMax,
                let oldest = windows.firstIndex(where: { $0.member == id.member })
            {
                windows.remove(at: oldest)
            }
            let floor =
                id.counter > UInt64(Self.windowMax) ? id.counter - UInt64(Self.windowMax) : 0
            windows.append(Window(member: id.member, incarnation: id.incarnation, floor: floor))
            position = windows.count - 1
        }
        guard id.counter >= windows[position].floor else { return false }
        let offset = id.counter - windows[position].floor
        if offset >= UInt64(2 * Self.windowMax) {
            windows[position].seen.removeAll()
            windows[position].floor = id.counter - UInt64(Self.windowMax)
        }
        let slot = Int(id.counter - windows[position].floor)
        while windows[position].seen.count <= slot { windows[position].seen.append(false) }
        if windows[position].seen[slot] { return false }
        windows[position].seen[slot] = true
        while windows[position].seen.count > Self.windowMax {
            windows[position].seen.removeFirst()
            windows[position].floor += 1
        }
        return true
    }
}
