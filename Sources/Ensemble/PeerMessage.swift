// What members say to each other: the core's messages, writes on their way to the leader,
// snapshots in chunks, and a report of where each one stands.

package import Journal
package import Raft

/// The first frame on each connection, both ways. A refusal names its reason and is the last.
package struct Hello: Sendable, Equatable {
    package var ensemble: EnsembleID?
    package var member: MemberID
    package var storage: StorageID
    /// What the sender believes that it talks to.
    package var to: MemberID
    /// Random at each start of a process.
    package var incarnation: UInt64
    /// `HOST:PORT` of the sender's HTTP door, for redirects and lists.
    package var httpAddress: [UInt8]
    package var peerAddress: [UInt8]
    /// The program's version, such as `0.1.0`.
    package var version: [UInt8]

    package init(
        ensemble: EnsembleID?, member: MemberID, storage: StorageID, to: MemberID,
        incarnation: UInt64, httpAddress: [UInt8], peerAddress: [UInt8], version: [UInt8]
    ) {
        self.ensemble = ensemble
        self.member = member
        self.storage = storage
        self.to = to
        self.incarnation = incarnation
        self.httpAddress = httpAddress
        self.peerAddress = peerAddress
        self.version = version
    }
}

package enum HelloRefusal: UInt8, Sendable {
    case otherEnsemble = 1
    /// The member's number is known with another disk.
    case otherStorage = 2
    case unknownMember = 3
    case wrongAddressee = 4
    case otherProtocol = 5
}

/// One forwarded write; (member, incarnation, counter) names it for ever.
package struct ForwardID: Hashable, Sendable {
    package let member: MemberID
    package let incarnation: UInt64
    package let counter: UInt64
    package init(member: MemberID, incarnation: UInt64, counter: UInt64) {
        self.member = member
        self.incarnation = incarnation
        self.counter = counter
    }
}

package enum PeerMessage: Sendable, Equatable {
    case raft(Message)
    /// An encoded proposal for the leader of `term` and for no other.
    case forward(ForwardID, term: Term, proposal: [UInt8])
    /// The receiver of the forward has not appended it in `term`, and never will.
    case forwardRefused(ForwardID, term: Term, ForwardRefusal)
    /// The leader's snapshot, chunk by chunk; `offset` bytes went before.
    case snapshotChunk(mark: SnapshotMark, term: Term, offset: UInt64, bytes: [UInt8], last: Bool)
    /// The receiver wants the chunk at `offset` next; `done` when it is installed.
    case snapshotProgress(index: LogIndex, term: Term, offset: UInt64, done: Bool)
    /// Where the sender stands, about once a second; and when its disk becomes full or has room
    /// again.
    case report(role: Role, applied: LogIndex, isFull: Bool)
    /// The sender's state at a few places, oldest first, the last where it stands.
    case digests([DigestMark])
}
