// What carries out a replica's storage requests: the log and the identity file. Owned by one thread,
// which says when to sync. It must never give a write out as durable: who asks for a sync knows.

package import Journal
internal import Raft

package struct ReplicaJournal<Storage: JournalStorage & ~Copyable>: ~Copyable {
    private var log: WriteAheadLog<Storage>
    private var identityStorage: Storage
    package private(set) var identity: MemberIdentity
    private var pruneThrough: LogIndex?

    package init(
        log: consuming WriteAheadLog<Storage>, identity: MemberIdentity,
        identityStorage: consuming Storage
    ) {
        self.log = log
        self.identity = identity
        self.identityStorage = identityStorage
    }

    /// An append is not durable before `sync`; a prune waits for `prune`. After an error nobody
    /// knows what is on the disk, and the member ends.
    package mutating func carryOut(_ request: StorageRequest) throws(StorageError) {
        switch request {
        case .append(_, let hardState, let entries):
            try log.append(hardState: hardState, entries: entries)
        case .prune(let index):
            pruneThrough = index
        case .resetLog(let mark):
            try log.reset(to: mark)
        case .identity(let ensemble, let isNewcomer):
            identity.ensembleID = ensemble
            identity.isNewcomer = isNewcomer
            try identity.write(&identityStorage)
        }
    }

    package var needsSync: Bool { log.needsSync }

    /// All that was carried out is durable when it returns.
    package mutating func sync() throws(StorageError) { try log.sync() }

    /// Nobody waits for it: after what somebody waits for.
    package mutating func prune() throws(StorageError) {
        if let index = pruneThrough.take() { try log.prune(through: index) }
    }

    /// For a journal without work: carries the mark on, then prepares a segment. True when there
    /// is no more of it.
    package mutating func doIdleWork() throws(StorageError) -> Bool {
        if try log.carryMark() { return false }
        do throws(StorageError) {
            return try !log.prepareNextSegment()
        } catch {
            // Nothing of the log was touched, and the current segment may have room for long: only
            // an append that finds none ends the member.
            guard error.cause == .outOfSpace else { throw error }
            return true
        }
    }

    /// The mark is carried on, so that damage to the last groups is known as rot.
    package mutating func end() throws(StorageError) { _ = try log.carryMark() }
}

extension ReplicaJournal: Sendable where Storage: ~Copyable & Sendable {}
