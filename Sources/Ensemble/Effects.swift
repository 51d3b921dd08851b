// What a step wants done. The caller keeps one value and hands it in each time; buffers are reused.
// Lists are independent of each other, in order within themselves.

package import Journal
package import Raft

/// For the journal's thread, in order.
package enum StorageRequest: Sendable {
    /// Write, make durable, answer `Input.stored(token)`. Entries replace all from the first one on.
    case append(token: StorageToken, hardState: HardState?, entries: [Entry])
    /// Entries up to `index` are covered by a durable snapshot and may go.
    case prune(through: LogIndex)
    /// A received snapshot is durable: the log starts anew after `index`, except for a suffix that
    /// follows it with the same term.
    case resetLog(to: SnapshotMark)
    /// Write into the identity file, before what comes after: the ensemble's id, nil while it is
    /// unknown, and whether this disk votes only once it is named.
    case identity(EnsembleID?, isNewcomer: Bool)
    /// Mark log and snapshots as not to be believed, then end the process: this member's state is
    /// wrong. The next start keeps its promises and fetches everything else anew.
    case distrust
    /// End the process: memory does not hold what was applied, and the files are to be believed. The
    /// next start reads them.
    case startAnew
}

/// For the snapshot thread, in order. One snapshot is written at a time, own or received.
package enum SnapshotRequest: Sendable {
    case begin(SnapshotMark)
    case append([UInt8])
    /// Sync, rename, sync the directory, answer `Input.snapshotSaved`, or `snapshotNotSaved`
    /// as soon as any part of it fails.
    case finish(LogIndex)
    case abandon(LogIndex)
    /// The newest durable one if it is at this index, or the one that is kept already, stays readable
    /// when a newer one is durable, until another one is kept, or none.
    case keep(LogIndex?)
    /// Answer `Input.snapshotRead` with at most `count` bytes from `offset` of the newest durable
    /// snapshot, or of the kept one, if it is the one at `index`, else `Input.snapshotNotRead`.
    case read(index: LogIndex, offset: UInt64, count: Int)
}

/// What happened, for logs and counters; never needed for correctness.
package enum ReplicaEvent: Sendable, Equatable {
    case roleChanged(Role, Term, leader: MemberID?)
    /// A leader that stops, whose disk is full or whose state is not to be believed has begun to make
    /// another member the leader.
    case handingOver
    case ensembleFixed(EnsembleID)
    case snapshotStarted(LogIndex)
    case snapshotSaved(LogIndex)
    case snapshotSending(LogIndex, to: MemberID)
    case snapshotInstalled(LogIndex)
    /// What damage had taken from this member's files is back, up to here and further.
    case repaired(LogIndex)
    /// What was found damaged on the disk of this running member is not needed any more: a fresh
    /// snapshot stands for it, up to here.
    case healed(LogIndex)
    /// This member's disk takes no more entries; and takes them again.
    case diskFull
    case diskHasRoom
    /// As leader, of a member whose disk was exchanged, step by step: its vote is taken away; its new
    /// disk is named; it has caught up and gets its vote back.
    case diskMissed(MemberID)
    case diskNamed(MemberID)
    case diskCounts(MemberID)
    /// Without it no majority is there, so that nothing can be done for it.
    case diskNotAdmitted(MemberID)
    /// What the others' digests, or its own memory, say of this member's state is another thing now.
    case stateJudged(StateVerdict)
    /// A majority, this member with it, agrees on a state that the named one does not have.
    case otherStateDiffers(MemberID, LogIndex)
}

package struct Effects: Sendable {
    package var storage: [StorageRequest] = []
    package var snapshots: [SnapshotRequest] = []
    package var sends: [(to: MemberID, message: PeerMessage)] = []
    package var replies: [(request: RequestID, reply: ClientReply)] = []
    /// Close the connections with this member; it was refused.
    package var refusals: [(member: MemberID, reason: HelloRefusal)] = []
    package var events: [ReplicaEvent] = []

    package init() {}

    package mutating func reset() {
        storage.removeAll(keepingCapacity: true)
        snapshots.removeAll(keepingCapacity: true)
        sends.removeAll(keepingCapacity: true)
        replies.removeAll(keepingCapacity: true)
        refusals.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}
