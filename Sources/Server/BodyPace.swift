// How long a body may still take. It is ended when it falls `bodyMs` behind the least pace; what it was
// ahead earns no more than that either, or a sender that was fast at first could be silent for as
// long as it liked, holding what all bodies together may hold.

package struct BodyPace: Sendable {
    /// When the body is ended unless more of it comes.
    package private(set) var dueMs: UInt64
    private var received = 0

    package init(nowMs: UInt64, _ limits: borrowing ServerLimits) {
        dueMs = nowMs + limits.bodyMs
    }

    /// `total` bytes are here by now.
    package mutating func received(
        total: Int, nowMs: UInt64, _ limits: borrowing ServerLimits
    ) {
        // The difference of totals: rounded down at each receive, a byte would earn nothing.
        let perSecond = limits.bodyBytesPerSecondMin
        let earnedMs = UInt64(total) * 1_000 / perSecond - UInt64(received) * 1_000 / perSecond
        received = total
        dueMs = min(dueMs + earnedMs, nowMs + limits.bodyMs)
    }
}
