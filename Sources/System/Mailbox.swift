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

    /// Takes `batch` from its front, as far as there is room; false: the rest is left in it.
    package func post(_ batch: inout [Element]) -> Bool {
        if batch.isEmpty { return true }
        let outcome = state.withLock { state -> (taken: Int, wake: Bool) in
            let taken = min(batch.count, itemsMax - state.items.count)
            if taken == 0 { return (0, false) }
            if state.items.isEmpty && taken == batch.count {
                swap(&state.items, &batch)
            } else {
                state.items.append(contentsOf: batch[..<taken])
                batch.removeFirst(taken)
            }
            waiting.store(state.items.count, ordering: .releasing)
            defer { state.sleeping = false }
            return (taken, state.sleeping)
        }
        if outcome.wake { wakeup.signal() }
        return batch.isEmpty
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
