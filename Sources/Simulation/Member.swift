// One machine of the simulated ensemble: its disk and clocks, and the process on it, which is the
// real replica over the real journal with the shell that the server is to it: two threads' worth of
// storage work, the connections, the ticks.

import Ensemble
import Gateway
import Journal
import Raft
import Znodes

/// The connection of one of a member's disks with another member.
struct DiskLink: Hashable {
    let disk: Int
    let other: Int
}

final class Member {
    let position: Int
    var disk: SimulatedDisk
    var clock: SimulatedClock
    var random: RandomGenerator
    /// Counts the starts; what was meant for an earlier process is dropped.
    var run = 0
    var process: Process?
    var isPaused = false
    /// What the kernel and the clocks keep for a process that does not run, in order.
    var deferred: [Occurrence] = []
    /// Which of its disks it has, by the order in which they came; and what each says of itself.
    var diskNumber = 0
    var lastDiskNumber = 0
    var storages: [Int: StorageID] = [:]
    /// One that it had before and could have again.
    var shelf: (disk: SimulatedDisk, number: Int)?
    /// When its process with the disk of that number last lost its connection with another member.
    var lastLinkedNs: [DiskLink: UInt64] = [:]
    /// Until then its disk is slow.
    var slowUntilNs: UInt64 = 0
    /// How much was committed when its disk was damaged or its state given up; nil once all of that is
    /// back.
    var damagedAt: Int?
    /// Then the last group of its log went elsewhere, and stands for what was promised.
    var lastIsAstray = false
    /// The newest entry by which a leader took its vote away.
    var demotedAt = 0
    /// What changed last while it ran, and in which run.
    var spoiled: (file: String, run: Int)?
    /// Its disk knows that it belongs to the ensemble, so that it may vote.
    var isTakenIn = false
    var isStarting = false
    /// For good: it is never started again, and its disk is gone.
    var isLost = false

    /// The disk of that number, in the member or on the shelf; nil: it is lost.
    func disk(_ number: Int) -> SimulatedDisk? {
        if number == diskNumber { return disk }
        return shelf?.number == number ? shelf?.disk : nil
    }

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
    var journal: ReplicaJournal<SimulatedDisk>
    var snapshots: ReplicaSnapshotFiles<SimulatedDisk>
    var reader: TreeReader
    var gateway: RESTGateway
    /// As the event loop has it, and since when.
    var status: ReplicaStatus?
    var statusAtMs: UInt64 = 0
    var observation: RaftObservation?
    var applied = Zxid.zero
    var claims = false
    /// What inputs of this turn of the shell have made so far.
    var effects = Effects()
    var turnIsOpen = false
    var isStopping = false
    // For marks: what it has forwarded last, and whether a read index is on its way.
    var forwardedLast: UInt64 = 0
    var forwardedIn = Term.zero
    var asksForReadIndex = false
    var memoryIsCorrupted = false
    /// What it had proven last.
    var freshMs: UInt64 = 0

    /// Asked for, not written.
    var journalQueue: [StorageRequest] = []
    /// Written, and being synced.
    var journalTokens: [StorageToken] = []
    private var writtenLast = StorageToken(rawValue: 0)
    var journalIsBusy = false
    var snapshotQueue: [SnapshotRequest] = []
    var snapshotsAreBusy = false

    init(
        replica: consuming Replica, journal: consuming ReplicaJournal<SimulatedDisk>,
        snapshots: consuming ReplicaSnapshotFiles<SimulatedDisk>, _ options: GatewayOptions
    ) {
        gateway = RESTGateway(
            reader: replica.publication.registerReader(), options: options
        ) { ServerReadings() }
        reader = replica.publication.registerReader()
        reader.online()
        self.replica = replica
        self.journal = journal
        self.snapshots = snapshots
        applied = self.replica.applied
    }

    func noteWritten() {
        let written = journal.written
        if written > journalTokens.last ?? writtenLast { journalTokens.append(written) }
        writtenLast = written
    }
}

extension Member {
    /// The way in of a member's process. The checks look at it before a replica is made of it.
    func recover(
        of count: Int, _ tuning: Tuning
    ) throws(JournalError) -> ReplicaRecovery<SimulatedDisk> {
        let fresh = ReplicaRecovery<SimulatedDisk>.Fresh(
            storage: StorageID(high: random.next(), low: random.next()),
            log: LogID(high: random.next(), low: random.next()), hashSeed: random.next())
        return try ReplicaRecovery.recover(
            id, of: (0..<count).map { MemberID(UInt64($0 + 1)) },
            ReplicaRecovery.Handles(identity: disk, snapshots: disk, log: disk),
            limits: tuning.journal, fresh: fresh, pieceBytes: 3_000)
    }

    func process(
        from recovered: consuming ReplicaRecovery<SimulatedDisk>, _ log: RecoveredLog,
        of count: Int, _ tuning: Tuning, _ gateway: GatewayOptions, nowNs: UInt64
    ) -> Process {
        let text = [UInt8]("member-\(position + 1)".utf8)
        let replica = Replica(
            options: tuning.replica,
            identity: ReplicaIdentity(
                member: id, storage: recovered.identity.storageID,
                ensemble: recovered.identity.ensembleID, httpAddress: text, peerAddress: text,
                version: [UInt8]("0".utf8),
                ensembleAddresses: (0..<count).map {
                    (MemberID(UInt64($0 + 1)), [UInt8]("member-\($0 + 1)".utf8))
                }, isNewcomer: recovered.identity.isNewcomer),
            log: log, restored: recovered.restored, nowMs: clock.bootMs(nowNs),
            wallMs: clock.wallMs(nowNs), random: RandomGenerator(seed: random.next()))
        return Process(
            replica: replica, journal: recovered.journal, snapshots: recovered.snapshots,
            gateway)
    }
}
