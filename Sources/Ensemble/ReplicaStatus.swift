// What a replica shows of itself to probes, lists and metrics: a small value that the shell copies
// out after steps. Nothing is decided from it but the answers of `/health`, `/leader`, `/v1/members`.

package import Journal
package import Raft
package import Znodes

/// What a member says of itself every `ReplicaOptions.reportMs`.
package struct MemberReport: Sendable, Equatable {
    package var role: Role
    package var applied: Zxid
    /// When it was heard, on the clock of `Input.tick`.
    package var atMs: UInt64
    /// Its disk takes no more entries.
    package var isFull: Bool
    package init(role: Role, applied: Zxid, atMs: UInt64, isFull: Bool = false) {
        self.role = role
        self.applied = applied
        self.atMs = atMs
        self.isFull = isFull
    }
}

package struct MemberStatus: Sendable, Equatable {
    package var id: MemberID
    package var voter: Bool
    /// nil: not heard of lately.
    package var role: Role?
    package var httpAddress: [UInt8]
    package var peerAddress: [UInt8]
    package var version: [UInt8]
    /// The last, which may be of before it went silent.
    package var report: MemberReport?
    /// When this member last heard of it, on the clock of `Input.tick`; nil: never.
    package var lastContactMs: UInt64?
    package init(
        id: MemberID, voter: Bool, role: Role?, httpAddress: [UInt8], peerAddress: [UInt8],
        version: [UInt8], report: MemberReport?, lastContactMs: UInt64?
    ) {
        self.id = id
        self.voter = voter
        self.role = role
        self.httpAddress = httpAddress
        self.peerAddress = peerAddress
        self.version = version
        self.report = report
        self.lastContactMs = lastContactMs
    }
}

/// What keeps a member's disk from counting.
package enum AdmissionState: Sendable {
    /// The ensemble knows its number with another disk, or with none, and has not named this one yet.
    case unnamed
    /// It is named and takes in what the ensemble holds.
    case catchingUp
    /// Another disk has taken its place.
    case replaced
}

package struct ReplicaStatus: Sendable, Equatable {
    package var id: MemberID
    package var ensemble: EnsembleID?
    package var role: Role
    package var term: Term
    package var leader: MemberID?
    package var applied: Zxid
    package var commit: Zxid
    /// As leader: until then (exclusive, clock of `Input.tick`) no other member can lead, confirmed
    /// by a quorum. 0: not confirmed.
    package var leaderConfirmedUntilMs: UInt64
    /// As follower: when the leader was last heard. As leader: as of the last confirmation.
    package var lastLeaderContactMs: UInt64
    /// All that had been acknowledged to anybody before then (clock of `Input.tick`) is applied here; 0:
    /// not known since the start.
    package var freshAsOfMs: UInt64 = 0
    /// When the member lost sight of a leader with a quorum; nil while it has one.
    package var leaderlessSinceMs: UInt64?
    /// A confirmed read index of the last `ReplicaOptions.catchUpValidMs` is applied here
    /// (docs/decisions/0007).
    package var caughtUp: Bool
    /// This member was turned away by the others.
    package var refusedBy: HelloRefusal?
    /// Why this member does not count; nil: it does.
    package var admission: AdmissionState?
    package var stopping: Bool
    /// Damage took entries up to here from this member, and they are not all back; nil: whole.
    package var repairingThrough: LogIndex?
    /// This member's disk is full: it takes no entries and refuses changes.
    package var diskIsFull = false
    package var members: [MemberStatus]
    /// Voters that may fail now before the quorum is lost.
    package var failureTolerance: Int
    package var minElectionTimeoutMs: UInt64

    // For metrics.
    package var znodes: Int
    package var storeBytes: Int
    package var digest: UInt64
    package var waits: Int
    package var pendingWrites: Int
    package var logFirst: LogIndex
    package var logLast: LogIndex
    package var snapshotIndex: LogIndex
    package var elections: UInt64
    package var leaderChanges: UInt64
    /// Writes taken from clients of this member, whatever became of them.
    package var proposals: UInt64
    package var repairs: UInt64
    package var disksAdmitted: UInt64
    package var stateVerdict = StateVerdict.agreed
    /// Digests of others that were compared with this member's, and how often it was found to differ.
    package var stateComparisons: UInt64 = 0
    package var stateDifferences: UInt64 = 0

    package static func initial(id: MemberID) -> Self {
        Self(
            id: id, ensemble: nil, role: .follower, term: .zero, leader: nil, applied: .zero,
            commit: .zero, leaderConfirmedUntilMs: 0, lastLeaderContactMs: 0, leaderlessSinceMs: 0,
            caughtUp: false, refusedBy: nil, admission: nil, stopping: false, repairingThrough: nil,
            members: [],
            failureTolerance: 0, minElectionTimeoutMs: 0, znodes: 0, storeBytes: 0, digest: 0,
            waits: 0,
            pendingWrites: 0, logFirst: .zero, logLast: .zero, snapshotIndex: .zero, elections: 0,
            leaderChanges: 0, proposals: 0, repairs: 0, disksAdmitted: 0)
    }
}
