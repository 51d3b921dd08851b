// Feeds that may have something to be told: asked for just now, or woken by a change. Each looks through
// the history, which costs a thousand times what other requests do, and one entry may wake all there
// are: they are served in order, some a turn, and never between an entry and the next heartbeat.

import DequeModule

struct FeedQueue {
    private var queue: Deque<RequestID> = []
    /// Those in the queue whose clients are there. Never iterated.
    private var members: Set<RequestID> = []

    var isEmpty: Bool { members.isEmpty }

    func contains(_ request: RequestID) -> Bool { members.contains(request) }

    mutating func add(_ request: RequestID) {
        if members.insert(request).inserted { queue.append(request) }
    }

    mutating func remove(_ request: RequestID) {
        guard members.remove(request) != nil else { return }
        // Clients that ask and go away must not fill it while others are served.
        if queue.count > 2 * members.count + 1_024 { queue.removeAll { !members.contains($0) } }
    }

    mutating func popFirst() -> RequestID? {
        while let first = queue.popFirst() {
            if members.remove(first) != nil { return first }
        }
        return nil
    }
}
