// The words between an event loop and a gateway: what the loop knows when it asks, and what a
// gateway may say. Pure values; neither sockets nor threads are named here.

package import Ensemble

/// What a loop knows in one turn. Refreshed once a turn, never for each request.
package struct RequestContext: Sendable {
    /// The boot-time clock, the one of `Input.tick`.
    package var nowMs: UInt64
    /// Milliseconds since 1970.
    package var wallMs: Int64
    /// As last published by the replica.
    package var status: ReplicaStatus
    /// The member is stopping: answers go out, nothing new is begun.
    package var draining: Bool

    package init(nowMs: UInt64, wallMs: Int64, status: ReplicaStatus, draining: Bool) {
        self.nowMs = nowMs
        self.wallMs = wallMs
        self.status = status
        self.draining = draining
    }
}

/// What became of a request.
package enum Disposition<Pending> {
    /// A whole answer was appended. `keepAlive`: the connection may carry another request.
    case answered(keepAlive: Bool)
    /// Nothing was appended; the replica is asked, and `Pending` holds all that the answer needs.
    case submit(ClientRequest, Pending)
}

/// What a loop refuses before a gateway sees a request. Each is answered, then the connection ends.
package enum EdgeRefusal: Sendable, Equatable {
    /// 408: the head was not whole in time.
    case headTimeout
    /// 408: the body came slower than allowed.
    case bodyTimeout
    /// 413: the body is announced, or has grown, larger than allowed.
    case bodyTooLarge(bytesMax: Int)
    /// 503: the server holds as many connections as it may.
    case connectionLimit
    /// 503: bodies that are not whole yet hold as much memory as they may.
    case bodiesLimit
}

/// Counters of the process and of its event loops, taken when `/metrics` or `/health/live` asks.
package struct ServerReadings: Sendable, Equatable {
    package var residentBytes: UInt64 = 0
    package var cpuUserMs: UInt64 = 0
    package var cpuSystemMs: UInt64 = 0
    package var threads: UInt64 = 0
    package var descriptorsOpen: UInt64 = 0
    package var descriptorsMax: UInt64 = 0
    /// Milliseconds since 1970.
    package var startWallMs: Int64 = 0
    package var loops: UInt64 = 0
    package var connectionsOpen: UInt64 = 0
    package var connectionsAccepted: UInt64 = 0
    /// Turned away: the limit, or no descriptor left.
    package var connectionsRefused: UInt64 = 0
    package var requests: UInt64 = 0
    package var requestsInFlight: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var timeouts: UInt64 = 0
    /// Malformed requests.
    package var violations: UInt64 = 0

    // The journal, snapshots and links to the other members.
    /// Of the fdatasync calls of the log; `journalSyncBuckets` counts them by duration, each once.
    package var journalSyncNsSum: UInt64 = 0
    package var journalSyncBuckets: [UInt64] = []
    /// Upper bounds of `journalSyncBuckets` but the last, which has none.
    package static let journalSyncBoundsUs: [UInt64] = [
        100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
        1_000_000,
    ]
    package var entriesAppended: UInt64 = 0
    package var snapshotsSaved: UInt64 = 0
    package var snapshotsFailed: UInt64 = 0
    /// Read again at rest; passes over all of it; damage found.
    package var scrubBytes: UInt64 = 0
    package var scrubPasses: UInt64 = 0
    package var scrubDamage: UInt64 = 0
    /// Of the data directory's file system, for this user, a second ago at most unless it hangs; nil:
    /// unknown.
    package var dataBytesFree: UInt64?
    package var peerBytesSent: UInt64 = 0
    package var peerBytesReceived: UInt64 = 0
    /// Frames that had no open link to go to.
    package var peerFramesDropped: UInt64 = 0
    /// Outgoing links open now.
    package var peerLinksOpen: UInt64 = 0
    package var logLinesDropped: UInt64 = 0

    /// How long ago the least lively event loop or the replica thread last turned.
    package var stalestTurnAgeMs: UInt64 = 0

    package init() {}
}
