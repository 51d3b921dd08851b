// From a data directory to a member that can start: locks it, finds out whose it is, restores the
// newest intact snapshot and the log behind it. It changes nothing of what it refuses, and each
// refusal says what was found and what to do.

internal import Ensemble
internal import Journal
internal import Raft
internal import System
internal import Znodes

struct MemberRecovery: ~Copyable {
    var identity: MemberIdentity
    // Each goes to a thread of its own.
    let identityStorage: HandOver<FileStorage>
    let journal: HandOver<WriteAheadLog<FileStorage>>
    let store: HandOver<SnapshotStore<FileStorage>>
    var restored: RestoredReplica?
    var log: Ensemble.RecoveredLog
    var random: RandomGenerator

    /// Takes as long as reading the snapshot and the log does.
    static func recover(
        _ configuration: MemberConfiguration, log: Log
    ) throws(MemberFailure) -> MemberRecovery {
        var random = RandomGenerator(
            seed: try failing { () throws(SystemError) in
                try RandomBytes.takeUInt64()
            })
        let directory = configuration.dataDirectory
        var storage = try open(directory)
        do throws(JournalError) {
            let identity = try MemberIdentity.openOrCreate(
                &storage, memberID: configuration.id, freshStorageID: try freshID())
            var store = try SnapshotStore.open(
                storage: try handle(storage), limits: configuration.journal)
            if !store.damagedNames.isEmpty {
                log.warning(
                    "a damaged snapshot is passed over",
                    ("files", store.damagedNames.joined(separator: ",")))
            }
            let restored = try restore(&store, hashSeed: random.next())
            var journal = try WriteAheadLog.recover(
                storage: try handle(storage), limits: configuration.journal,
                freshLogID: try freshID(),
                snapshot: store.newest, damagedSnapshots: store.damagedNames,
                logMustExist: identity.ensembleID != nil)
            let found = journal.takeRecovered()
            report(found, snapshot: store.newest, identity, log)
            let recovered = Ensemble.RecoveredLog(
                hardState: found.hardState, snapshot: store.newest, entries: found.entries)
            return MemberRecovery(
                identity: identity, identityStorage: HandOver(storage), journal: HandOver(journal),
                store: HandOver(store), restored: restored, log: recovered, random: random)
        } catch {
            throw failure(error, directory)
        }
    }

    private static func restore(
        _ store: inout SnapshotStore<FileStorage>, hashSeed: UInt64
    ) throws(JournalError) -> sending RestoredReplica? {
        guard let mark = store.newest else { return nil }
        var decoder = SnapshotDecoder(hashSeed: hashSeed)
        var offset: UInt64 = 0
        var isLast = false
        do {
            while !isLast {
                var piece: [UInt8] = []
                isLast = try store.read(
                    index: mark.index, at: offset, count: 1 << 20, into: &piece)
                offset += UInt64(piece.count)
                try decoder.consume(piece.span)
            }
            return try decoder.finish()
        } catch let error as JournalError {
            throw error
        } catch {
            throw .malformed(
                file: "the snapshot at index \(mark.index)", offset: Int(offset),
                found: "\(error)")
        }
    }

    private static func report(
        _ found: Journal.RecoveredLog, snapshot: SnapshotMark?, _ identity: MemberIdentity,
        _ log: Log
    ) {
        log.info(
            "recovered", ("storage", identity.storageID.description),
            ("ensemble", identity.ensembleID?.description ?? "none"),
            ("snapshot", snapshot.map { "\($0.index)" } ?? "none"),
            ("entries", "\(found.entries.count)"), ("term", "\(found.hardState.term)"))
        if let tail = found.droppedTail {
            log.info(
                "unfinished writes of a crash were dropped", ("file", tail.file),
                ("offset", "\(tail.offset)"), ("groups", "\(tail.groupCount)"))
        }
    }

    // MARK: Failures

    private static func open(_ directory: String) throws(MemberFailure) -> FileStorage {
        do throws(StorageError) {
            return try FileStorage(directory: directory)
        } catch {
            let advice =
                switch error.cause {
                case .inUse: "Another process holds its lock: is this member running already?"
                case .notFound: "Its parent directory must be there."
                case .inputOutput, .outOfSpace, .other: "Check its path and permissions."
                }
            throw MemberFailure(
                .dataUnavailable, "cannot use the data directory \(directory): \(error). \(advice)")
        }
    }

    private static func handle(
        _ storage: borrowing FileStorage
    ) throws(JournalError) -> FileStorage {
        do { return try storage.anotherHandle() } catch { throw .storage(error) }
    }

    private static func freshID() throws(JournalError) -> JournalID {
        do throws(SystemError) {
            return JournalID(
                high: try RandomBytes.takeUInt64(), low: try RandomBytes.takeUInt64())
        } catch {
            throw .storage(StorageError(.read, "random bytes", .other(error.code?.rawValue ?? 0)))
        }
    }

    private static func failing<Value>(
        _ body: () throws(SystemError) -> Value
    ) throws(MemberFailure) -> Value {
        do { return try body() } catch { throw MemberFailure(.failure, error.description) }
    }

    private static func failure(_ error: JournalError, _ directory: String) -> MemberFailure {
        let code: ExitCode =
            switch error {
            case .storage: .diskFailed
            case .identityMismatch: .otherMember
            case .rot, .malformed, .unsupportedVersion, .foreign, .missing, .gap, .contradiction,
                .identityMissing, .snapshotAbsent:
                .corruptData
            }
        return MemberFailure(code, "the data directory \(directory) is refused: \(error)")
    }
}
