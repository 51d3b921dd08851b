// Feeds that a change has woken and that wait to be served, in order. One entry may wake every feed
// there is, and each looks at all the events of it: too much to do before the next heartbeat.

import DequeModule

struct WokenFeeds {
    private var queue: Deque<RequestID> = []
    /// Never iterated.
    private var members: Set<RequestID> = []

    func contains(_ request: RequestID) -> Bool { members.contains(request) }

    mutating func add(_ request: RequestID) {
        if members.insert(request).inserted { queue.append(request) }
    }

    mutating func popFirst() -> RequestID? {
        guard let first = queue.popFirst() else { return nil }
        members.remove(first)
        return first
    }
}
