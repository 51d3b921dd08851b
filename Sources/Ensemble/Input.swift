// All that can happen to a replica. Time comes only as `tick`, completions only as inputs.

package import Raft

/// A piece of the durable snapshot file, asked for by `SnapshotRequest.read`.
package struct SnapshotPiece: Sendable {
    package var index: LogIndex
    package var offset: UInt64
    package var bytes: [UInt8]
    package var last: Bool
    package init(index: LogIndex, offset: UInt64, bytes: [UInt8], last: Bool) {
        self.index = index
        self.offset = offset
        self.bytes = bytes
        self.last = last
    }
}

package enum Input: Sendable {
    /// Every `ReplicaOptions.tickMs`. `nowMs`: the boot-time clock, which goes on in suspend and
    /// pause; `wallMs`: milliseconds since 1970, only for ctime and mtime.
    case tick(nowMs: UInt64, wallMs: Int64)
    /// A peer's hello, on a connection that either side opened.
    case hello(Hello)
    /// The last connection to a peer is gone.
    case peerLost(MemberID)
    /// A peer turned this member away.
    case refused(by: MemberID, HelloRefusal)
    case received(PeerMessage, from: MemberID)
    /// `StorageRequest.append(token)` and all before it are durable.
    case stored(StorageToken)
    /// Term and vote of `StorageRequest.append(token)` and of all before it are durable, while their
    /// entries wait for room.
    case votesStored(StorageToken)
    /// The disk has no room for a storage request, which waits for it; or has taken all of them.
    case diskFull(Bool)
    /// One `SnapshotRequest.append` is written; bounds how far the walk runs ahead of the disk.
    case snapshotAppended(LogIndex)
    /// `SnapshotRequest.finish` is done: the snapshot is durable under its final name.
    case snapshotSaved(LogIndex)
    case snapshotRead(SnapshotPiece)
    /// A snapshot could not be written, for want of room or another reason; the attempt is given up.
    case snapshotNotSaved(LogIndex, lacksRoom: Bool)
    /// The newest durable snapshot could not be read, or is another one by now.
    case snapshotNotRead(LogIndex)
    /// On the disk a segment of the log that is not written any more is damaged.
    case logDamaged
    case request(RequestID, ClientRequest)
    /// The client went away.
    case cancel(RequestID)
    /// SIGTERM: hand leadership over, answer the waiters, take nothing new.
    case stop
}
