// A bounded queue into one thread that sleeps in epoll. Producers wake it only when it sleeps, and
// then once for all that they post: a wake-up costs more than many items.

package import Synchronization

// Sendable by hand: items are touched only under the lock. (A PosixMutex around them would not be
// specialized in other modules, and a loop asks in every turn.)
package final class Mailbox<Element: Sendable>: @unchecked Sendable {
    @usableFromInline let lock = PosixLock()
    @usableFromInline var items: [Element] = []
    // Atomic for its cheap access, not for its order: it changes only under the lock.
    @usableFromInline let sleeping = Atomic<Bool>(false)
    @usableFromInline let wakeup: WakeupEvent
    @usableFromInline let itemsMax: Int
    /// How many there are, for a look without the lock.
    @usableFromInline let waiting = Atomic<Int>(0)

    @inlinable package init(itemsMax: Int) throws(SystemError) {
        self.itemsMax = itemsMax
        wakeup = try WakeupEvent()
    }

    /// For the consumer's epoll, level-triggered.
    package var number: Int32 { wakeup.number }

    /// Takes `batch` from its front, as far as there is room; false: the rest is left in it.
    @inlinable package func post(_ batch: inout [Element]) -> Bool {
        if batch.isEmpty { return true }
        lock.lock()
        let taken = min(batch.count, itemsMax - items.count)
        if taken == 0 {
            lock.unlock()
            return false
        }
        if items.isEmpty && taken == batch.count {
            swap(&items, &batch)
        } else {
            items.append(contentsOf: batch[..<taken])
            batch.removeFirst(taken)
        }
        waiting.store(items.count, ordering: .releasing)
        let wake = sleeping.exchange(false, ordering: .relaxed)
        lock.unlock()
        if wake { wakeup.signal() }
        return batch.isEmpty
    }

    @inlinable package func post(_ element: Element) -> Bool {
        var batch = [element]
        return post(&batch)
    }

    /// By the consumer, at any time.
    @inlinable package var isEmpty: Bool { waiting.load(ordering: .acquiring) == 0 }

    /// Takes all there is, after what `list` holds.
    @inlinable package func take(into list: inout [Element]) {
        if isEmpty { return }
        lock.lock()
        if list.isEmpty {
            swap(&items, &list)
        } else {
            list.append(contentsOf: items)
            items.removeAll(keepingCapacity: true)
        }
        waiting.store(0, ordering: .releasing)
        lock.unlock()
    }

    /// True: nothing is there, and the next post wakes the consumer, which may now block.
    @inlinable package func prepareToSleep() -> Bool {
        lock.lock()
        let empty = waiting.load(ordering: .relaxed) == 0
        sleeping.store(empty, ordering: .relaxed)
        lock.unlock()
        return empty
    }

    /// After the block, whatever ended it.
    @inlinable package func awake(byWakeup: Bool) {
        if byWakeup { wakeup.drain() }
        // Only the consumer sets it, so that false is final here: no lock after a mere look.
        if !sleeping.load(ordering: .relaxed) { return }
        lock.lock()
        sleeping.store(false, ordering: .relaxed)
        lock.unlock()
    }
}
