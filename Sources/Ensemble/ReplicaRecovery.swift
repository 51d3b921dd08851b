// From a data directory to what a replica starts with: whose it is, the newest intact snapshot with
// its body restored, the log behind it. The one way in, for the server's disks and for simulated
// ones. It must never change what it refuses, nor start a member without all that it promised.

package import Journal
package import Raft
internal import Znodes

/// Frozen, so that each part can be handed to a thread of its own.
@frozen
package struct ReplicaRecovery<Storage: JournalStorage & ~Copyable>: ~Copyable {
    /// Handles on one data directory: each goes to the owner of what it reads and writes.
    @frozen
    package struct Handles: ~Copyable {
        let identity: Storage
        let snapshots: Storage
        let log: Storage

        package init(
            identity: consuming Storage, snapshots: consuming Storage, log: consuming Storage
        ) {
            self.identity = identity
            self.snapshots = snapshots
            self.log = log
        }
    }

    /// Random, for what the directory does not have yet.
    package struct Fresh: Sendable {
        let storage: StorageID
        let log: LogID
        /// Of the tree: another one at each start.
        let hashSeed: UInt64

        package init(storage: StorageID, log: LogID, hashSeed: UInt64) {
            self.storage = storage
            self.log = log
            self.hashSeed = hashSeed
        }
    }

    package let identity: MemberIdentity
    package let log: RecoveredLog
    /// From the snapshot that `log.snapshot` names, and nil with it.
    package let restored: RestoredReplica?
    /// Damaged ones that were passed over, newest first.
    package let damagedSnapshots: [String]
    package let journal: ReplicaJournal<Storage>
    package let snapshots: ReplicaSnapshotFiles<Storage>

    /// Takes as long as reading the snapshot, `pieceBytes` at a time, and the log does.
    package static func recover(
        _ member: MemberID, of founders: [MemberID], _ handles: consuming Handles,
        limits: JournalLimits, fresh: Fresh,
        pieceBytes: Int = 1 << 20
    ) throws(JournalError) -> ReplicaRecovery {
        var identityStorage = handles.identity
        let identity = try MemberIdentity.openOrCreate(
            &identityStorage, memberID: member, founders: founders, freshStorageID: fresh.storage)
        let isDistrusted = try DistrustMark.isSet(&identityStorage)
        var store = try SnapshotStore.open(
            storage: handles.snapshots, limits: limits, isDistrusted: isDistrusted)
        let damaged = store.damagedNames
        let restored = try restore(&store, hashSeed: fresh.hashSeed, pieceBytes: pieceBytes)
        var log = try WriteAheadLog.recover(
            storage: handles.log, limits: limits, freshLogID: fresh.log, snapshot: store.newest,
            damagedSnapshots: damaged, logMustExist: identity.ensembleID != nil,
            hasPeers: founders.count > 1, isDistrusted: isDistrusted)
        if isDistrusted {
            // The new log holds the promises: what they were found in may go, then the mark.
            try store.removeDistrusted()
            try DistrustMark.clear(&identityStorage)
        }
        let found = log.takeRecovered()
        return ReplicaRecovery(
            identity: identity, log: found, restored: restored, damagedSnapshots: damaged,
            journal: ReplicaJournal(
                log: log, identity: identity, identityStorage: identityStorage),
            snapshots: ReplicaSnapshotFiles(store))
    }

    private static func restore(
        _ store: inout SnapshotStore<Storage>, hashSeed: UInt64, pieceBytes: Int
    ) throws(JournalError) -> RestoredReplica? {
        guard let mark = store.newest, let name = store.newestName else { return nil }
        var decoder = SnapshotDecoder(hashSeed: hashSeed)
        var piece: [UInt8] = []
        var offset: UInt64 = 0
        var isLast = false
        while !isLast {
            piece.removeAll(keepingCapacity: true)
            isLast = try store.read(
                index: mark.index, at: offset, count: pieceBytes, into: &piece)
            do throws(ReplicaSnapshotError) {
                try decoder.consume(piece.span)
            } catch {
                throw malformed(name, offset, error)
            }
            offset += UInt64(piece.count)
        }
        let restored: RestoredReplica
        do throws(ReplicaSnapshotError) {
            restored = try decoder.finish()
        } catch {
            throw malformed(name, offset, error)
        }
        guard restored.tree.lastZxid.rawValue == mark.index.rawValue else {
            throw .malformed(
                file: name, offset: 0, found: "the body is the state at \(restored.tree.lastZxid)")
        }
        return restored
    }

    /// The checksums were right: a faulty program has written it.
    private static func malformed(
        _ name: String, _ offset: UInt64, _ error: ReplicaSnapshotError
    ) -> JournalError {
        .malformed(
            file: name, offset: Int(offset), found: "the body does not decode there (\(error))")
    }
}
