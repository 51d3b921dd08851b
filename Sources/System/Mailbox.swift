// A bounded queue into one thread that sleeps in epoll. Producers wake it only when it sleeps, and
// then once for all that they post: a wake-up costs more than many items.

internal import Synchronization

package final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var items: [Element] = []
        var sleeping = false
    }

    private let state = PosixMutex(State())
    private let wakeup: WakeupEvent
    private let itemsMax: Int
    /// How many there are, for a look without the lock.
    private let waiting = Atomic<Int>(0)

    package init(itemsMax: Int) throws(SystemError) {
        self.itemsMax = itemsMax
        wakeup = try WakeupEvent()
    }

    /// For the consumer's epoll, level-triggered.
    package var number: Int32 { wakeup.number }

    /// All of `batch`, which is empty afterwards; false: it would be too many, and nothing was taken.
    package func post(_ batch: inout [Element]) -> Bool {
        if batch.isEmpty { return true }
        let outcome = state.withLock { state -> (taken: Bool, wake: Bool) in
            guard state.items.count + batch.count <= itemsMax else { return (false, false) }
            if state.items.isEmpty {
                swap(&state.items, &batch)
            } else {
                state.items.append(contentsOf: batch)
            }
            waiting.store(state.items.count, ordering: .releasing)
            defer { state.sleeping = false }
            return (true, state.sleeping)
        }
        if outcome.taken { batch.removeAll(keepingCapacity: true) }
        if outcome.wake { wakeup.signal() }
        return outcome.taken
    }

    package func post(_ element: Element) -> Bool {
        var batch = [element]
        return post(&batch)
    }

    /// By the consumer, at any time.
    package var isEmpty: Bool { waiting.load(ordering: .acquiring) == 0 }

    /// Takes all there is, after what `into` holds.
    package func take(into list: inout [Element]) {
        if isEmpty { return }
        state.withLock { state in
            if list.isEmpty {
                swap(&state.items, &list)
            } else {
                list.append(contentsOf: state.items)
                state.items.removeAll(keepingCapacity: true)
            }
            waiting.store(0, ordering: .releasing)
        }
    }

    /// True: nothing is there, and the next post wakes the consumer, which may now block.
    package func prepareToSleep() -> Bool {
        state.withLock { state in
            state.sleeping = state.items.isEmpty
            return state.sleeping
        }
    }

    /// After the block, whatever ended it.
    package func awake(byWakeup: Bool) {
        if byWakeup { wakeup.drain() }
        state.withLock { state in state.sleeping = false }
    }
}
