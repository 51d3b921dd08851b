// The timers and limits of the core. All times are ticks: the core never compares clocks.

/// Bounds on what the core keeps and on what it gives out at once.
package struct RaftLimits: Sendable {
    /// Entries in one append message; a larger single entry travels alone.
    package var appendBytesMax = 1 << 20
    /// Unanswered append messages to one follower.
    package var inflightMessagesMax = 128
    package var inflightBytesMax = 16 << 20
    /// A leader refuses proposals above it: else the log grows without bound while the quorum is
    /// lost.
    package var uncommittedBytesMax = 64 << 20
    /// A leader refuses proposals while an entry has waited for longer to be committed.
    package var uncommittedTicksMax = 150
    /// Committed entries in one `Ready`.
    package var committedBytesMax = 4 << 20
    /// Read rounds of a leader under way at once; later reads join the next.
    package var readRoundsMax = 2
    /// A follower's requests for a read index that it waits for at once.
    package var readAttemptsMax = 8
    /// How far behind a learner may be when it becomes a voter.
    package var catchUpEntriesMax = 4_096

    package init() {}
}

/// What stays in the log behind a snapshot, for members that are behind: entries are cheaper than a
/// snapshot, and a snapshot that takes longer than the log reaches back would never be enough.
package struct LogRetention: Sendable {
    /// Kept in any case, for members that are away: so many, of so many bytes.
    package var entries = 10_000
    package var bytes = 64 << 20
    /// Bytes that a leader keeps for members that it is bringing along.
    package var catchUpBytes = 256 << 20

    package init() {}
}

package struct RaftOptions: Sendable {
    /// The length of a tick; only for callers and for what is said about time.
    package var tickMs: UInt64 = 10
    package var heartbeatTicks = 5
    /// A member that heard a leader within so many ticks helps nobody to replace it.
    package var electionTicksMin = 25
    /// Time-outs are drawn from above `electionTicksMin` up to this.
    package var electionTicksMax = 50
    /// What no answer came for is asked for again; answers may take longer all the same.
    package var readRetryTicks = 10
    package var limits = RaftLimits()

    package init() {}

    /// How long after `RaftNode.quorumConfirmedMs` no other member can lead, as long as no
    /// member's ticks run faster than this clock. A caller subtracts its own margin for drift.
    package var leaseMs: UInt64 { UInt64(electionTicksMin) * tickMs }

    func check() {
        invariant(tickMs > 0 && heartbeatTicks > 0, "tick \(tickMs) heartbeat \(heartbeatTicks)")
        invariant(
            heartbeatTicks < electionTicksMin && electionTicksMin < electionTicksMax,
            "heartbeat \(heartbeatTicks) election \(electionTicksMin)..\(electionTicksMax)")
        invariant(readRetryTicks > 0, "read retry \(readRetryTicks)")
        invariant(
            limits.inflightMessagesMax > 0 && limits.readRoundsMax > 0
                && limits.readAttemptsMax > 0,
            "inflight \(limits.inflightMessagesMax) rounds \(limits.readRoundsMax) "
                + "attempts \(limits.readAttemptsMax)")
    }
}
