// Every number that a replica's behaviour hangs on, with its unit, in one place.

package import Raft
package import Znodes

package struct ReplicaOptions: Sendable {
    package var raft = RaftOptions()
    package var znodes = ZnodeLimits()

    /// The period of `Input.tick`.
    package var tickMs: UInt64 { raft.tickMs }
    /// A request that is appended nowhere waits so long for a leader, then `Refusal.noQuorum`.
    package var leaderlessRequestMs: UInt64 = 1_000
    /// A write that was appended or forwarded and not seen applied by then is `outcomeUnknown`.
    package var writeTimeoutMs: UInt64 = 3_000
    /// What a leader takes must be answered in time: else clients that give up and ask again fill the
    /// log with what nobody waits for.
    var uncommittedTicksMax: Int { max(1, Int(writeTimeoutMs / tickMs / 2)) }
    /// For how long after a heartbeat was sent that a quorum confirmed, a leader may say that nobody
    /// else leads: a minimum election time-out, less a margin for ticks and clocks.
    package var leadershipProofMs: UInt64 {
        let leaseMs = raft.leaseMs
        let marginMs = 2 * tickMs + leaseMs / 20
        return leaseMs > marginMs ? leaseMs - marginMs : 0
    }
    /// What a proof must outlast, or a healthy leader would be without one between two heartbeats:
    /// the heartbeat, and a tick each until it is sent and until its answer is taken.
    package var leadershipGapMs: UInt64 { (UInt64(raft.heartbeatTicks) + 2) * tickMs }
    /// A forwarded write that was not seen applied is sent once more to the same leader of the same
    /// term, which knows it by its id and appends it once.
    package var forwardAgainMs: UInt64 = 200
    /// Waits and feeds stay through a loss of the leader for so long, then leave over `waitSpreadMs`.
    package var leaderlessWaitMs: UInt64 = 2_000
    package var waitSpreadMs: UInt64 = 1_000
    package var reportMs: UInt64 = 500
    /// Members note the digest of their tree at each multiple of so many entries. Alike on all.
    package var digestEntries: UInt64 = 1_024
    /// Members of different states wait so long for a third to settle it, then serve no more.
    package var disputeMs: UInt64 { 3 * reportMs }
    /// How often a member proves to itself, by ReadIndex, that it has all that is committed: two
    /// heartbeats, a second at most. Local reads know by it how old they are at most.
    package var catchUpProofMs: UInt64 { min(2 * UInt64(raft.heartbeatTicks) * tickMs, 1_000) }
    /// How long the proof lets it call itself caught up.
    package var catchUpValidMs: UInt64 = 3_000

    /// A member's disk is taken for exchanged when a blank one has asked to be let in in its place for
    /// so many ticks, in which nothing came from the disk that is named: some election time-outs.
    package var exchangedDiskTicks = 200
    /// How far behind a new disk's member may be when it gets its vote back.
    package var admittedEntriesBehindMax: UInt64 = 1_024

    /// Writes that were taken from clients of this member and are not decided.
    package var pendingWritesMax = 4_096
    package var pendingWriteBytesMax = 64 << 20
    package var pendingReadsMax = 65_536
    package var waitsMax = 200_000
    /// What one look of a feed at the history may cost; then it is answered as far as it came.
    package var eventsScannedMax = 4_096
    /// What feeds look at in one turn, some milliseconds; those that are left wait for the next.
    package var eventsPerTurnMax = 16_384

    /// A snapshot is due after so many entries, or bytes of payload, since the last one.
    package var snapshotEntries = 200_000
    package var snapshotLogBytes = 64 << 20
    /// It waits until no snapshot is on its way to a follower, but not beyond so many times that.
    package var snapshotPatience = 4
    package var retention = LogRetention()
    /// One piece of a snapshot, on disk and between members.
    package var snapshotPieceBytes = 256 << 10
    package var snapshotPiecesPerTick = 4
    package var snapshotPiecesAhead = 8
    /// A transfer without progress is given up.
    package var snapshotStallMs: UInt64 = 10_000
    /// A snapshot that had no room is tried again so soon, or after `snapshotRetryTimes` of what the
    /// attempt took. Another pace than that at which the journal looks for room, which fills the disk.
    package var snapshotRetryMs: UInt64 = 700
    package var snapshotRetryTimes: UInt64 = 4

    package init() {}
}
