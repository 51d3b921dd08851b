// Waits and feeds that are open: who, what for, until when. The watch table of the tree tells which
// of them a change concerns; this table tells what that means for the client.

import DequeModule
import HeapModule
import Znodes

struct OpenWaits {
    enum Kind {
        case wait(Wait)
        case feed(Feed)

        var deadlineMs: UInt64 {
            switch self {
            case .wait(let wait): wait.deadlineMs
            case .feed(let feed): feed.deadlineMs
            }
        }
        var local: Bool {
            switch self {
            case .wait(let wait): wait.local
            case .feed(let feed): feed.local
            }
        }
    }
    struct Deadline: Comparable {
        let ms: UInt64
        let request: RequestID
        static func < (a: Self, b: Self) -> Bool {
            (a.ms, a.request.rawValue) < (b.ms, b.request.rawValue)
        }
    }

    private var open: [RequestID: Kind] = [:]
    private var deadlines = Heap<Deadline>()
    /// Non-local waits that leave one by one while there is no leader.
    private var leaving: Deque<Deadline> = []
    private(set) var isLeaving = false

    var count: Int { open.count }

    subscript(request: RequestID) -> Kind? { open[request] }

    mutating func add(_ request: RequestID, _ kind: Kind) {
        open[request] = kind
        deadlines.insert(Deadline(ms: kind.deadlineMs, request: request))
        // Waits that ended early leave their deadline behind; bound what that can hold.
        if deadlines.count > 2 * open.count + 1_024 {
            let live = deadlines.unordered.filter { open[$0.request]?.deadlineMs == $0.ms }
            deadlines = Heap(live)
        }
    }

    /// A feed goes on from another zxid.
    mutating func update(_ request: RequestID, _ kind: Kind) { open[request] = kind }

    @discardableResult
    mutating func remove(_ request: RequestID) -> Kind? { open.removeValue(forKey: request) }

    mutating func popExpired(nowMs: UInt64) -> RequestID? {
        while let first = deadlines.min, first.ms <= nowMs {
            deadlines.removeMin()
            if let kind = open[first.request], kind.deadlineMs == first.ms { return first.request }
        }
        return nil
    }

    /// All open requests, in a fixed order.
    var requests: [RequestID] { open.keys.sorted { $0.rawValue < $1.rawValue } }

    /// Spreads the leaving of all non-local waits evenly over `spreadMs`.
    mutating func startLeaving(nowMs: UInt64, spreadMs: UInt64) {
        isLeaving = true
        let going = requests.filter { open[$0]?.local == false }
        leaving = Deque(
            going.enumerated().map { position, request in
                Deadline(
                    ms: nowMs + spreadMs * UInt64(position) / UInt64(going.count), request: request)
            })
    }

    mutating func stopLeaving() {
        isLeaving = false
        leaving.removeAll()
    }

    mutating func popLeaving(nowMs: UInt64) -> RequestID? {
        while let first = leaving.first, first.ms <= nowMs {
            leaving.removeFirst()
            if open[first.request] != nil { return first.request }
        }
        return nil
    }
}
