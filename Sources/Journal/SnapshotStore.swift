// The snapshots of one data directory: finds the newest intact one, writes the next, keeps the one
// before until the new one has been read again. One thread owns it, another one than the log's,
// over its own handle. It must never remove a snapshot before a newer one is known to be intact.

package import Raft

package struct SnapshotStore<Storage: JournalStorage & ~Copyable>: ~Copyable {
    private var storage: Storage
    private let limits: JournalLimits
    private var writer: SnapshotWriter?
    /// Finished, and being read again; it takes the newest one's place when it is found intact.
    private var unverified: (reader: SnapshotReader, verification: SnapshotVerification)?
    /// Of the newest one that was read from start to end.
    private var reader: SnapshotReader?
    /// Stays when a newer one takes its place.
    private var keptIndex: LogIndex?
    /// A newer one has taken its place.
    private var kept: SnapshotReader?
    /// Finished ones that another one replaced, and damaged ones: gone once one is verified.
    private var superseded: [String] = []
    /// Found damaged when opening, newest first. The log must reach `newest` all the same.
    package private(set) var damagedNames: [String] = []

    private init(storage: consuming Storage, limits: JournalLimits) {
        self.storage = storage
        self.limits = limits
    }

    /// The newest snapshot that was found intact.
    package var newest: SnapshotMark? { reader?.mark }
    package var newestName: String? { reader?.name }
    package var newestBodyBytes: UInt64 { reader?.bodyBytes ?? 0 }
    /// The one being written.
    package var underWay: SnapshotMark? { writer?.mark }
    /// `verify` has work.
    package var needsVerification: Bool { unverified != nil }

    /// Removes unfinished files and reads snapshots whole, newest first, until one is intact.
    /// A damaged one is no reason to refuse yet: the log may reach back to the one before. With
    /// `isDistrusted` all of them count for damaged, see `DistrustMark`.
    package static func open(
        storage: consuming Storage, limits: JournalLimits, isDistrusted: Bool = false
    ) throws(JournalError) -> SnapshotStore {
        var store = SnapshotStore(storage: storage, limits: limits)
        let names = try storing { () throws(StorageError) in try store.removeUnfinished() }
        for name in names.reversed() {
            if isDistrusted {
                store.damagedNames.append(name)
                continue
            }
            if store.reader != nil {
                store.superseded.append(name)
                continue
            }
            do throws(JournalError) {
                let reader = try SnapshotReader(name, storage: &store.storage)
                var verification = SnapshotVerification(reader)
                _ = try verification.step(blocksMax: .max, storage: &store.storage)
                store.reader = reader
            } catch {
                guard case .rot = error else { throw error }
                store.damagedNames.append(name)
            }
        }
        if store.damagedNames.isEmpty {
            try storing { () throws(StorageError) in try store.removeSuperseded() }
        } else {
            store.superseded += store.damagedNames
        }
        return store
    }

    /// The finished ones, oldest first. Their names are durable when it returns, which a killed
    /// process may not have got to.
    private mutating func removeUnfinished() throws(StorageError) -> [String] {
        var names: [String] = []
        for name in try storage.list().sorted() {
            if SnapshotName.isTemporary(name) {
                try storage.remove(name)
            } else if SnapshotName.isFinal(name) {
                names.append(name)
            }
        }
        try storage.syncDirectory()
        return names
    }

    /// All that there were, once a log that does not need them is durable.
    package mutating func removeDistrusted() throws(JournalError) {
        try storing { () throws(StorageError) in try removeSuperseded() }
    }

    private mutating func removeSuperseded() throws(StorageError) {
        guard !superseded.isEmpty else { return }
        // One after the other, so that what failed can be tried again.
        while let name = superseded.last {
            do throws(StorageError) {
                try storage.remove(name)
            } catch {
                if error.cause != .notFound { throw error }
            }
            superseded.removeLast()
        }
        damagedNames.removeAll()
        try storage.syncDirectory()
    }

    // MARK: writing

    /// Starts a snapshot; one that is under way is given up.
    package mutating func begin(_ mark: SnapshotMark) throws(JournalError) {
        try abandon()
        do throws(StorageError) {
            writer = try SnapshotWriter(mark, limits: limits, storage: &storage)
        } catch {
            throw .storage(error)
        }
    }

    package mutating func append(_ bytes: [UInt8]) throws(JournalError) {
        invariant(writer != nil, "snapshot bytes without a snapshot")
        do throws(StorageError) {
            try writer?.append(bytes, storage: &storage)
        } catch {
            throw .storage(error)
        }
    }

    /// Durable under its name when it returns. Then call `verify` until it returns true: only then is
    /// it the newest one, and may the log be pruned.
    package mutating func finish() throws(JournalError) {
        invariant(writer != nil, "the end of a snapshot without a snapshot")
        // One that fails is still the one to be given up.
        guard var done = writer else { return }
        let name = try storing { () throws(StorageError) in try done.finish(storage: &storage) }
        writer = nil
        superseded.removeAll { $0 == name }
        // One that was not verified in time, and one that had this name, are not there any more.
        if let before = unverified.take()?.reader.name, before != name { superseded.append(before) }
        if reader?.name == name { reader = nil }
        // Until it is verified it counts for damaged. Read from the disk's point of view: header and
        // footer too.
        superseded.append(name)
        let reader = try SnapshotReader(name, storage: &storage)
        unverified = (reader, SnapshotVerification(reader))
    }

    /// Reads some more of the snapshot that was finished last. True when all of it is intact; older
    /// ones are removed then. Throws `rot` when it is not: the one before stays the newest.
    package mutating func verify(blocksMax: Int = 64) throws(JournalError) -> Bool {
        guard var next = unverified.take() else { return true }
        guard try next.verification.step(blocksMax: blocksMax, storage: &storage) else {
            unverified = next
            return false
        }
        superseded.removeAll { $0 == next.reader.name }
        if let before = reader {
            if before.mark.index == keptIndex {
                kept = before
            } else {
                superseded.append(before.name)
            }
        }
        reader = next.reader
        try storing { () throws(StorageError) in try removeSuperseded() }
        return true
    }

    /// Reads some more of what lies at rest in the directory.
    package mutating func scrub(_ scrub: inout Scrub, bytesMax: Int) -> ScrubStep {
        scrub.step(newest: reader?.name, bytesMax: bytesMax, storage: &storage)
    }

    package mutating func abandon() throws(JournalError) {
        guard let given = writer.take() else { return }
        do throws(StorageError) {
            try given.abandon(storage: &storage)
        } catch {
            throw .storage(error)
        }
    }

    // MARK: reading

    /// From now on, of those that newer ones have replaced, this one stays, if it is the newest or is
    /// kept already. Until the next start.
    package mutating func keep(_ index: LogIndex?) throws(JournalError) {
        keptIndex = index
        guard let old = kept, old.mark.index != index else { return }
        kept = nil
        try storing { () throws(StorageError) in
            try storage.remove(old.name)
            try storage.syncDirectory()
        }
    }

    /// Appends at most `count` body bytes from `offset` on of the newest snapshot or the kept one,
    /// which must be the one at `index` (`snapshotAbsent` else). True when they are the last ones.
    package mutating func read(
        index: LogIndex, at offset: UInt64, count: Int, into out: inout [UInt8]
    ) throws(JournalError) -> Bool {
        if var current = kept, current.mark.index == index {
            defer { kept = current }
            return try current.read(at: offset, count: count, into: &out, storage: &storage)
        }
        guard var current = reader, current.mark.index == index else {
            throw .snapshotAbsent(index: index.rawValue)
        }
        reader = nil
        defer { reader = current }
        return try current.read(at: offset, count: count, into: &out, storage: &storage)
    }
}

extension SnapshotStore: Sendable where Storage: ~Copyable & Sendable {}
