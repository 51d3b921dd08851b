// What is going to happen, by virtual time; ties go by the order in which things were put in. Keys
// are moved about in the heap, events stay where they are.

import HeapModule

enum Occurrence {
    case tick(member: Int, run: Int)
    case deliver(from: Int, to: Int, epoch: Int, bytes: [UInt8])
    case peerLost(member: Int, run: Int, peer: Int)
    case refused(member: Int, run: Int, by: Int, reason: UInt8)
    case connect(Int, Int)
    case breakLink(Int, Int, epoch: Int)
    case turnEnds(member: Int, run: Int)
    case journalDone(member: Int, run: Int)
    case snapshotDone(member: Int, run: Int)
    case start(member: Int)
    case resume(member: Int, run: Int)
    case clientTurn(Int)
    case clientRead(client: Int, request: UInt64)
    case fault
    case clog(from: Int, to: Int, untilNs: UInt64)
    /// A graceful stop has come to its end.
    case exit(member: Int, run: Int)
    case room(member: Int, disk: Int)
    case heal(Int)
    /// So many bytes of a client's request reach the member.
    case webArrives(client: Int, connection: Int, count: Int)
    /// The event loop takes what the replica has answered.
    case webReply(client: Int, connection: Int)
    /// So many bytes of an answer reach the client.
    case webAnswered(client: Int, connection: Int, count: Int)
}

struct EventQueue {
    private struct Key: Comparable {
        let timeNs: UInt64
        let sequence: UInt64
        let slot: Int
        static func < (a: Key, b: Key) -> Bool {
            a.timeNs != b.timeNs ? a.timeNs < b.timeNs : a.sequence < b.sequence
        }
    }

    private var heap = Heap<Key>()
    private var slots: [Occurrence] = []
    private var free: [Int] = []
    private var sequence: UInt64 = 0

    var count: Int { heap.count }

    mutating func put(_ event: Occurrence, atNs timeNs: UInt64) {
        sequence += 1
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            slots[slot] = event
        } else {
            slot = slots.count
            slots.append(event)
        }
        heap.insert(Key(timeNs: timeNs, sequence: sequence, slot: slot))
    }

    mutating func pop() -> (timeNs: UInt64, event: Occurrence)? {
        guard let key = heap.popMin() else { return nil }
        let event = slots[key.slot]
        slots[key.slot] = .fault
        free.append(key.slot)
        return (key.timeNs, event)
    }
}
