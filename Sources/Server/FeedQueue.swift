// Feeds that wait for the replica's thread. A feed looks through the history, which costs a thousand
// times what other requests do; so feeds take turns of a bounded cost, and ticks, members' messages
// and all other requests go before what is left. Feeds keep their own order.

package import Ensemble

package struct FeedQueue {
    private var queue: [(id: RequestID, feed: Feed)] = []
    /// Taken from the front of `queue`.
    private var taken = 0
    /// Those whose clients are still there. Never iterated.
    private var waiting: Set<RequestID> = []
    private let feedsMax: Int
    private var feedsLeft = 0
    private var eventsLeft = 0

    /// What is looked at in one turn, beyond which the rest waits for the next: some milliseconds.
    package static let eventsPerTurnMax = 16_384
    package static let feedsPerTurnMax = 256

    package init(feedsMax: Int) { self.feedsMax = feedsMax }

    package var isEmpty: Bool { waiting.isEmpty }

    /// False: there are too many already.
    package mutating func add(_ id: RequestID, _ feed: Feed) -> Bool {
        guard waiting.count < feedsMax else { return false }
        waiting.insert(id)
        queue.append((id, feed))
        return true
    }

    /// False: it is not here, and the replica may have it.
    package mutating func cancel(_ id: RequestID) -> Bool {
        guard waiting.remove(id) != nil else { return false }
        return true
    }

    package mutating func beginTurn() {
        feedsLeft = Self.feedsPerTurnMax
        eventsLeft = Self.eventsPerTurnMax
    }

    /// Of this turn: one that was served has looked at so many events.
    package mutating func spent(events: Int) { eventsLeft -= events }

    /// Nil when none waits, or this turn's share is spent.
    package mutating func next() -> (id: RequestID, feed: Feed)? {
        guard feedsLeft > 0, eventsLeft > 0 else { return nil }
        while taken < queue.count {
            let first = queue[taken]
            taken += 1
            if taken * 2 > queue.count {
                queue.removeFirst(taken)
                taken = 0
            }
            if waiting.remove(first.id) == nil { continue }
            feedsLeft -= 1
            return first
        }
        return nil
    }
}
