// From a data directory to a member that can start: locks it, draws what is random, recovers, and
// says what was found. Each refusal says what is wrong and what to do.

internal import Ensemble
internal import Journal
internal import Raft
internal import System

struct MemberRecovery: ~Copyable {
    let found: ReplicaRecovery<FileStorage>
    var random: RandomGenerator

    /// Takes as long as reading the snapshot and the log does.
    static func recover(
        _ configuration: MemberConfiguration, log: Log
    ) throws(MemberFailure) -> MemberRecovery {
        var random = RandomGenerator(seed: try randomWord())
        let fresh = ReplicaRecovery<FileStorage>.Fresh(
            storage: StorageID(high: try randomWord(), low: try randomWord()),
            log: LogID(high: try randomWord(), low: try randomWord()), hashSeed: random.next())
        let directory = configuration.dataDirectory
        let storage = try open(directory)
        do throws(JournalError) {
            let handles = ReplicaRecovery<FileStorage>.Handles(
                identity: try handle(storage), snapshots: try handle(storage),
                log: try handle(storage))
            let found = try ReplicaRecovery.recover(
                configuration.id, of: configuration.ensemble.map(\.id), handles,
                limits: configuration.journal, fresh: fresh)
            report(found, log)
            return MemberRecovery(found: found, random: random)
        } catch {
            throw failure(error, directory)
        }
    }

    private static func report(_ found: borrowing ReplicaRecovery<FileStorage>, _ log: Log) {
        if !found.damagedSnapshots.isEmpty, found.log.damage != .distrusted {
            log.warning(
                "a damaged snapshot is passed over",
                ("files", found.damagedSnapshots.joined(separator: ",")))
        }
        if found.log.damage == .distrusted {
            log.warning(
                "the state is not believed: log and snapshots are given up, and fetched anew from "
                    + "the leader; until then this member votes for nobody who lacks what it had "
                    + "acknowledged",
                ("acknowledged", found.log.claim.map { "\($0)" } ?? "all there"))
        } else if let damage = found.log.damage {
            log.warning(
                "files are damaged: the log is given up, and fetched anew from the leader; until "
                    + "then this member votes for nobody who lacks what it had acknowledged",
                ("found", damage.finding),
                ("acknowledged", found.log.claim.map { "\($0)" } ?? "all there"))
        } else if let claim = found.log.claim {
            log.warning(
                "a repair goes on: what this member had acknowledged is not all back",
                ("acknowledged", "\(claim)"))
        }
        log.info(
            "recovered", ("storage", found.identity.storageID.description),
            ("ensemble", found.identity.ensembleID?.description),
            ("snapshot", found.log.snapshot?.index.rawValue),
            ("entries", found.log.entries.count), ("term", found.log.hardState.term.rawValue))
        if let tail = found.log.droppedTail {
            log.info(
                "unfinished writes of a crash were dropped", ("file", tail.file),
                ("offset", tail.offset), ("groups", tail.groupCount))
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
                case .notFound: "Its parent directory must be there, and take new ones."
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

    private static func randomWord() throws(MemberFailure) -> UInt64 {
        do throws(SystemError) {
            return try RandomBytes.takeUInt64()
        } catch {
            throw MemberFailure(.failure, error.description)
        }
    }

    private static func failure(_ error: JournalError, _ directory: String) -> MemberFailure {
        let code: ExitCode =
            switch error {
            case .storage: .diskFailed
            case .identityMismatch, .ensembleMismatch: .otherMember
            case .distrusted, .rot, .malformed, .unsupportedVersion, .foreign, .missing, .gap,
                .contradiction,
                .identityMissing, .snapshotAbsent:
                .corruptData
            }
        return MemberFailure(code, "the data directory \(directory) is refused: \(error)")
    }
}
