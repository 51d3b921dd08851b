// Feeds take turns of a bounded cost, in order; and a body's pace, on a clock of the test's own.

import Ensemble
import Server
import Testing
import Znodes

@Suite struct FeedQueueTests {
    private static let feed = Feed(
        query: EventQuery(
            path: .root, recursive: true, types: .all, after: .zero, eventsMax: 1_000),
        deadlineMs: 0, local: true)

    /// The ids served in one turn, each of which costs so many events.
    private func turn(_ queue: inout FeedQueue, costing events: Int) -> [UInt64] {
        var served: [UInt64] = []
        queue.beginTurn()
        while let next = queue.next() {
            served.append(next.id.rawValue)
            queue.spent(events: events)
        }
        return served
    }

    private func add(_ queue: inout FeedQueue, _ id: UInt64) -> Bool {
        queue.add(RequestID(rawValue: id), Self.feed)
    }

    private func cancel(_ queue: inout FeedQueue, _ id: UInt64) -> Bool {
        queue.cancel(RequestID(rawValue: id))
    }

    @Test("Costly feeds are spread over turns, in the order of their coming, none left out")
    func costly() {
        var queue = FeedQueue(feedsMax: 1_000)
        for id in UInt64(0)..<300 { #expect(add(&queue, id)) }
        var served: [UInt64] = []
        var turns = 0
        while !queue.isEmpty {
            let now = turn(&queue, costing: 4_096)
            #expect(now.count * 4_096 <= FeedQueue.eventsPerTurnMax)
            served += now
            turns += 1
            if turns == 1 { #expect(add(&queue, 300)) }
        }
        #expect(served == Array(0...300))
    }

    @Test("One that costs more than a turn is served all the same, and the next turn goes on")
    func oneTooCostly() {
        var queue = FeedQueue(feedsMax: 10)
        for id in UInt64(0)..<2 { #expect(add(&queue, id)) }
        #expect(turn(&queue, costing: 10_000_000) == [0])
        #expect(turn(&queue, costing: 10_000_000) == [1])
        #expect(queue.isEmpty)
    }

    @Test("Feeds that cost nothing end a turn by their count")
    func cheap() {
        var queue = FeedQueue(feedsMax: 1_000)
        for id in UInt64(0)..<1_000 { #expect(add(&queue, id)) }
        #expect(turn(&queue, costing: 0).count == FeedQueue.feedsPerTurnMax)
    }

    @Test("A cancelled feed is not served and makes room; one that is unknown is the replica's")
    func cancelled() {
        var queue = FeedQueue(feedsMax: 2)
        #expect(add(&queue, 1))
        #expect(add(&queue, 2))
        #expect(!add(&queue, 3))
        #expect(cancel(&queue, 1))
        #expect(!cancel(&queue, 1))
        #expect(add(&queue, 3))
        #expect(turn(&queue, costing: 1) == [2, 3])
        #expect(!cancel(&queue, 2))
        #expect(queue.isEmpty)
    }
}

@Suite struct BodyPaceTests {
    private static var limits: ServerLimits {
        var limits = ServerLimits()
        limits.bodyMs = 10_000
        limits.bodyBytesPerSecondMin = 1_000
        return limits
    }

    @Test("A megabyte at once earns no more silence than the first byte")
    func fastThenSilent() {
        var pace = BodyPace(nowMs: 5, Self.limits)
        #expect(pace.dueMs == 10_005)
        pace.received(total: 1 << 20, nowMs: 20, Self.limits)
        #expect(pace.dueMs == 10_020)
    }

    @Test("A byte now and then does not keep a body alive; the least pace does")
    func trickle() {
        var pace = BodyPace(nowMs: 0, Self.limits)
        pace.received(total: 1 << 20, nowMs: 0, Self.limits)
        for step in 1...9 {
            pace.received(total: (1 << 20) + step, nowMs: UInt64(step) * 1_000, Self.limits)
        }
        #expect(pace.dueMs == 10_009)
        var steady = BodyPace(nowMs: 0, Self.limits)
        for step in 1...600 {
            let nowMs = UInt64(step) * 1_000
            #expect(steady.dueMs > nowMs)
            steady.received(total: step * 1_000, nowMs: nowMs, Self.limits)
        }
    }
}
