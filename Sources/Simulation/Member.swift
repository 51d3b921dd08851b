// One machine of the simulated ensemble: its disk and clocks, and the process on it, which is the
// real replica over the real journal with the shell that the server is to it: two threads' worth of
// storage work, the connections, the ticks.

import Ensemble
import Journal
import Raft
import Znodes

final class Member {
    let position: Int
    let disk: SimulatedDisk
    var clock: SimulatedClock
    var random: RandomGenerator
    /// Counts the starts; what was meant for an earlier process is dropped.
    var run = 0
    var process: Process?
    var isPaused = false
    /// What the kernel and the clocks keep for a process that does not run, in order.
    var deferred: [Occurrence] = []
    var isWiped = false
    var isStarting = false

    var id: MemberID { MemberID(UInt64(position + 1)) }

    init(position: Int, clock: SimulatedClock, random: RandomGenerator) {
        self.position = position
        self.clock = clock
        self.random = random
        disk = SimulatedDisk()
    }
}

/// What lives from a start to a crash.
final class Process {
    var replica: Replica
    var log: WriteAheadLog<SimulatedDisk>
    var snapshots: SnapshotStore<SimulatedDisk>
    var identity: MemberIdentity
    var reader: TreeReader
    var observation: RaftObservation?
    var applied = Zxid.zero
    var claims = false
    /// What inputs of this turn of the shell have made so far.
    var effects = Effects()
    var turnIsOpen = false

    /// Asked for, not written.
    var journalQueue: [StorageRequest] = []
    /// Written, and being synced.
    var journalTokens: [StorageToken] = []
    var journalIsBusy = false
    var snapshotQueue: [SnapshotRequest] = []

    init(
        replica: consuming Replica, log: consuming WriteAheadLog<SimulatedDisk>,
        snapshots: consuming SnapshotStore<SimulatedDisk>, identity: MemberIdentity
    ) {
        reader = replica.publication.registerReader()
        reader.online()
        self.replica = replica
        self.log = log
        self.snapshots = snapshots
        self.identity = identity
        applied = self.replica.applied
    }
}

/// What recovery gave, before the replica is made of it: the checks look at it first.
struct Recovered: ~Copyable {
    var log: WriteAheadLog<SimulatedDisk>
    var snapshots: SnapshotStore<SimulatedDisk>
    let identity: MemberIdentity
    let hardState: HardState
    let entries: [Entry]
    var restored: RestoredReplica?

    /// The way in of a member's process, as the server goes it.
    static func recover(_ member: Member, _ tuning: Tuning) throws(JournalError) -> Recovered {
        var disk = member.disk
        let fresh = JournalID(high: member.random.next(), low: member.random.next())
        let freshLog = JournalID(high: member.random.next(), low: member.random.next())
        let identity = try MemberIdentity.openOrCreate(
            &disk, memberID: member.id, freshStorageID: fresh)
        var snapshots = try SnapshotStore.open(storage: disk, limits: tuning.journal)
        let restored = try restore(&snapshots, hashSeed: member.random.next())
        var log = try WriteAheadLog.recover(
            storage: disk, limits: tuning.journal, freshLogID: freshLog,
            snapshot: snapshots.newest, damagedSnapshots: snapshots.damagedNames,
            logMustExist: identity.ensembleID != nil)
        let recovered = log.takeRecovered()
        return Recovered(
            log: log, snapshots: snapshots, identity: identity, hardState: recovered.hardState,
            entries: recovered.entries, restored: restored)
    }

    private static func restore(
        _ snapshots: inout SnapshotStore<SimulatedDisk>, hashSeed: UInt64
    ) throws(JournalError) -> RestoredReplica? {
        guard let mark = snapshots.newest else { return nil }
        var decoder = SnapshotDecoder(hashSeed: hashSeed)
        var offset: UInt64 = 0
        var isLast = false
        while !isLast {
            var bytes: [UInt8] = []
            isLast = try snapshots.read(
                index: mark.index, at: offset, count: 3_000, into: &bytes)
            offset += UInt64(bytes.count)
            do throws(ReplicaSnapshotError) {
                try decoder.consume(bytes.span)
            } catch {
                throw .rot(file: "snapshot", offset: Int(offset), found: "\(error)")
            }
        }
        do throws(ReplicaSnapshotError) {
            return try decoder.finish()
        } catch {
            throw .rot(file: "snapshot", offset: Int(offset), found: "\(error)")
        }
    }

    consuming func process(_ member: Member, of count: Int, _ tuning: Tuning, nowNs: UInt64)
        -> Process
    {
        let mark = snapshots.newest
        let text = [UInt8]("member-\(member.position + 1)".utf8)
        let replica = Replica(
            options: tuning.replica,
            identity: ReplicaIdentity(
                member: member.id,
                storage: StorageID(
                    high: identity.storageID.high, low: identity.storageID.low),
                ensemble: identity.ensembleID.map { EnsembleID(high: $0.high, low: $0.low) },
                httpAddress: text, peerAddress: text, version: [UInt8]("0".utf8),
                ensembleAddresses: (0..<count).map {
                    (MemberID(UInt64($0 + 1)), [UInt8]("member-\($0 + 1)".utf8))
                }),
            log: Ensemble.RecoveredLog(hardState: hardState, snapshot: mark, entries: entries),
            restored: restored.take(), nowMs: member.clock.bootMs(nowNs),
            wallMs: member.clock.wallMs(nowNs),
            random: RandomGenerator(seed: member.random.next()))
        return Process(replica: replica, log: log, snapshots: snapshots, identity: identity)
    }
}
