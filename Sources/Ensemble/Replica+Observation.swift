// What checkers look at after each step of a replica: small values, cheap to take. Nothing is
// decided from them.

package import Raft

extension Replica {
    package var observation: RaftObservation { raft.observation }

    /// `ReplicaStatus.leaderConfirmedUntilMs`, without the rest of the status.
    package var claimedUntilMs: UInt64 { leaderConfirmedUntilMs }
}
