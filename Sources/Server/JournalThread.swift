// The one thread that writes the log: takes all that has queued, appends it, makes it durable with
// one fdatasync, and says so. After any error the process ends: what the disk holds then nobody
// knows, and a second try could report as durable what is lost.

internal import Ensemble
internal import Journal
internal import Raft
internal import System

enum JournalWork: Sendable {
    case request(StorageRequest)
    case end
}

enum JournalThread {
    /// Runs until `JournalWork.end` comes.
    static func start(
        journal: HandOver<WriteAheadLog<FileStorage>>, identity: MemberIdentity,
        identityStorage: HandOver<FileStorage>, work: Mailbox<JournalWork>,
        news: Mailbox<ReplicaNews>, log: Log, counters: MemberCounters
    ) throws(SystemError) -> PosixThread {
        try PosixThread(name: "journal") {
            guard let journal = journal.take(), let storage = identityStorage.take() else { return }
            do {
                var loop = JournalLoop(
                    journal: journal, identity: identity, identityStorage: storage,
                    queue: try WorkQueue(work, spinsMax: 64), news: news, counters: counters)
                try loop.run()
            } catch let error as StorageError {
                log.end(
                    MemberFailure(
                        .diskFailed,
                        "the journal failed: \(error). What is durable is unknown now, so this "
                            + "member ends; check the disk before starting it again"))
            } catch {
                log.end(MemberFailure(.failure, "the journal's thread failed: \(error)"))
            }
        }
    }
}

private struct JournalLoop: ~Copyable {
    /// Without work for so long, the log is idle: the mark is carried on and a segment prepared.
    private static let idleMs: Int32 = 20

    private var journal: WriteAheadLog<FileStorage>
    private var identity: MemberIdentity
    private var identityStorage: FileStorage
    private var queue: WorkQueue<JournalWork>
    private let news: Mailbox<ReplicaNews>
    private let counters: MemberCounters
    private var pruneThrough: LogIndex?
    private var ended = false

    init(
        journal: consuming WriteAheadLog<FileStorage>, identity: MemberIdentity,
        identityStorage: consuming FileStorage, queue: consuming WorkQueue<JournalWork>,
        news: Mailbox<ReplicaNews>, counters: MemberCounters
    ) {
        self.journal = journal
        self.identity = identity
        self.identityStorage = identityStorage
        self.queue = queue
        self.news = news
        self.counters = counters
    }

    mutating func run() throws {
        var batch: [JournalWork] = []
        var isIdleWorkDone = false
        var isBusy = false
        while !ended {
            try queue.take(
                into: &batch, timeoutMs: isIdleWorkDone ? nil : Self.idleMs, spinning: isBusy)
            if batch.isEmpty {
                isBusy = false
                if !isIdleWorkDone { isIdleWorkDone = try doIdleWork() }
                continue
            }
            try take(batch)
            batch.removeAll(keepingCapacity: true)
            isBusy = true
            isIdleWorkDone = false
        }
        _ = try journal.carryMark()
    }

    /// True when there is no more of it.
    private mutating func doIdleWork() throws(StorageError) -> Bool {
        if try journal.carryMark() { return false }
        return try !journal.prepareNextSegment()
    }

    private mutating func take(_ batch: [JournalWork]) throws(StorageError) {
        var last: StorageToken?
        for work in batch {
            switch work {
            case .request(.append(let token, let hardState, let entries)):
                try journal.append(hardState: hardState, entries: entries)
                counters.appended(entries.count)
                last = token
            case .request(.prune(let index)):
                // Nobody waits for it: after what somebody waits for.
                pruneThrough = index
            case .request(.resetLog(let mark)):
                try journal.reset(to: mark)
            case .request(.identity(let ensemble)):
                identity.ensembleID = JournalID(high: ensemble.high, low: ensemble.low)
                try identity.write(&identityStorage)
            case .end:
                ended = true
            }
        }
        if journal.needsSync {
            let begunNs = Clock.monotonicNs()
            try journal.sync()
            counters.synced(tookNs: Clock.monotonicNs() - begunNs)
        }
        // A completion stands for all before it.
        if let last { _ = news.post(.input(.stored(last))) }
        if let index = pruneThrough.take() { try journal.prune(through: index) }
    }
}
