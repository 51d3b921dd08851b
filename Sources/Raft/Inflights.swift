// The append messages to one follower that no answer came for: a window on messages and bytes.

import DequeModule

package struct Inflights: Sendable {
    private var window: Deque<(lastIndex: LogIndex, bytes: Int)> = []
    package private(set) var bytes = 0

    package init() {}

    package var count: Int { window.count }

    package func isFull(_ limits: RaftLimits) -> Bool {
        window.count >= limits.inflightMessagesMax || bytes >= limits.inflightBytesMax
    }

    /// `lastIndex` is that of the message's last entry; they ascend.
    package mutating func add(lastIndex: LogIndex, bytes: Int) {
        invariant(
            window.last.map { $0.lastIndex < lastIndex } ?? true,
            "inflight \(lastIndex) after \(window.last?.lastIndex ?? .zero)")
        window.append((lastIndex, bytes))
        self.bytes += bytes
    }

    /// An answer for `index` answers all messages up to it.
    package mutating func free(through index: LogIndex) {
        while let first = window.first, first.lastIndex <= index {
            window.removeFirst()
            bytes -= first.bytes
        }
    }

    package mutating func clear() {
        window.removeAll(keepingCapacity: true)
        bytes = 0
    }
}
