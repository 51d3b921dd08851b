// What checkers look at after each step of a replica: small values, cheap to take. Nothing is
// decided from them.

package import Raft
import Znodes

extension Replica {
    package var observation: RaftObservation { raft.observation }
    package var hasRoom: Bool { raft.hasRoom }
    /// Reads that the core has not answered, and those that wait for what it named.
    package var readsKept: Int { raft.readsOpen + reads.applyingCount }

    /// Whether a wait or feed sleeps; false while it is being confirmed, or waits to be served.
    package func isWaiting(_ request: RequestID) -> Bool {
        waits[request] != nil && !feeds.contains(request)
    }

    /// A fault of memory, for tests: see `StateMachine.harm`.
    package mutating func harmState(quietly: Bool = false) -> Bool {
        tree.harm(quietly: quietly)
    }

    /// `ReplicaStatus.freshAsOfMs`, without the rest of the status.
    package var provenFreshMs: UInt64 { freshAsOfMs }

    /// `ReplicaStatus.leaderConfirmedUntilMs`, without the rest of the status.
    package var claimedUntilMs: UInt64 { leaderConfirmedUntilMs }
}
