// Every limit of the HTTP server, by name, units last. The defaults are the contract of the
// interface; configuration and tests may change them.

package import HTTP

package struct ServerLimits: Sendable, Equatable {
    package var http = HTTPLimits()

    /// Of all event loops together; more are answered 503 and closed.
    package var connectionsMax = 100_000
    /// Connections beyond the limit that are being told so; still more are closed without a word.
    package var refusalsMax = 64
    package var requestsPerConnectionMax = 10_000
    /// Of bodies that are not whole yet, over all connections; a request beyond it is 503.
    package var unfinishedBodyBytesMax = 256 << 20
    /// Of answers that slow readers have not taken, over all connections; one that needs more is
    /// reset.
    package var unsentBytesMax = 512 << 20

    /// Between requests.
    package var idleMs: UInt64 = 60_000
    /// A head, from its first byte to its end.
    package var headMs: UInt64 = 10_000
    /// A body may be this much behind `bodyBytesPerSecondMin`.
    package var bodyMs: UInt64 = 10_000
    package var bodyBytesPerSecondMin: UInt64 = 1_024
    /// Without the peer taking a byte of its answers.
    package var writeStallMs: UInt64 = 10_000
    /// After the last answer, until the peer has read it and closed.
    package var lingerMs: UInt64 = 2_000
    package var lingerBytesMax = 16 << 20
    /// A peer is looked for after this long without a word, and given up after as long again.
    package var keepAliveIdleSeconds: Int32 = 30
    /// Sent bytes that no one acknowledges.
    package var unacknowledgedMs: UInt32 = 60_000

    /// One receive, and one loop's buffer for it.
    package var receiveBytes = 64 << 10
    /// Receives, and batches of answers, of one connection in one turn: then the others get theirs.
    package var roundsPerTurnMax = 4
    /// Answers of a pipeline that are gathered before they are sent.
    package var gatheredBytesMax = 256 << 10
    package var eventsPerTurnMax = 512
    package var acceptsPerTurnMax = 64
    /// After the system ran out of descriptors or memory.
    package var acceptPauseMs: UInt64 = 100
    package var listenBacklog = 1_024

    /// Empty looks at epoll before blocking, while requests keep coming; 0: block at once.
    package var spinsMax = SpinBudget.spinsMaxDefault
    package var timerTickMs: UInt64 = 16
    /// An idle loop turns this often, so that one which hangs can be told from it.
    package var turnMsMax: UInt64 = 1_000

    package init() {}

    /// What the process asks for, and takes less of where it may not have so many.
    static let descriptorsWanted: UInt64 = 1 << 20
    /// Descriptors that are kept for the log, snapshots, and the other members' door with all the
    /// strangers that it lets wait (`PeerLimits.ungreetedMax`).
    package static let descriptorsReserved = 192

    /// Connections leave the member what it needs for itself, whatever the process may open.
    package mutating func fit(descriptorsMax: Int) {
        let free = max(descriptorsMax - Self.descriptorsReserved, 4)
        refusalsMax = min(refusalsMax, free / 4)
        connectionsMax = min(connectionsMax, free - refusalsMax)
    }
}
