// What one more signal to stop means. A supervisor that signals every process of a group, and a
// terminal with its shell, send two at once: that is one wish, and must not skip the drain.

package struct StopWishes {
    package enum Meaning: Sendable {
        case stop
        /// The signal that stopped it has been taken, and this one means no more.
        case sameAgain
        /// Someone does not want to wait.
        case endAtOnce
    }

    /// Within so long of the first, a signal is the same wish.
    package static let togetherMs: UInt64 = 1_000

    private var firstMs: UInt64?

    package init() {}

    package mutating func take(atMs nowMs: UInt64) -> Meaning {
        guard let firstMs else {
            self.firstMs = nowMs
            return .stop
        }
        return nowMs < firstMs + Self.togetherMs ? .sameAgain : .endAtOnce
    }
}
