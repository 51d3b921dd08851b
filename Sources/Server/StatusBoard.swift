// Where the replica's thread shows how it stands, for all event loops. A loop that finds the same
// version as before pays one atomic load.

package import Ensemble
internal import Synchronization
internal import System

package final class StatusBoard: Sendable {
    private let version = Atomic<UInt64>(1)
    private let status: PosixMutex<ReplicaStatus>

    /// What a copy may start as.
    let initial: ReplicaStatus

    package init(_ initial: ReplicaStatus) {
        self.initial = initial
        status = PosixMutex(initial)
    }

    package func publish(_ newer: ReplicaStatus) {
        status.withLock { status in
            status = newer
            version.wrappingAdd(1, ordering: .releasing)
        }
    }

    /// Brings a copy up to date; `seen` is the version that it has, 0 for none.
    package func refresh(_ copy: inout ReplicaStatus, seen: inout UInt64) {
        if version.load(ordering: .acquiring) == seen { return }
        status.withLock { status in
            copy = status
            seen = version.load(ordering: .relaxed)
        }
    }
}
