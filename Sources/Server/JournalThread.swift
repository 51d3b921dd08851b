// The one thread that writes the log: takes all that has queued, appends it, makes it durable with
// one fdatasync, and says so. After any error the process ends: what the disk holds then nobody
// knows, and a second try could report as durable what is lost. A full disk is none: what has no room
// is kept, and tried again from time to time.

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
        journal: HandOver<ReplicaJournal<FileStorage>>, work: Mailbox<JournalWork>,
        news: Mailbox<ReplicaNews>, log: Log, counters: MemberCounters
    ) throws(SystemError) -> PosixThread {
        try PosixThread(name: "journal") {
            guard let journal = journal.take() else { return }
            do {
                var loop = JournalLoop(
                    journal: journal,
                    queue: try WorkQueue(work, spinsMax: SpinBudget.spinsMaxDefault), news: news,
                    counters: counters, log: log)
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

    private var journal: ReplicaJournal<FileStorage>
    private var queue: WorkQueue<JournalWork>
    private let news: Mailbox<ReplicaNews>
    private let counters: MemberCounters
    private let log: Log
    private var ended = false
    private var room = RoomPace()

    init(
        journal: consuming ReplicaJournal<FileStorage>, queue: consuming WorkQueue<JournalWork>,
        news: Mailbox<ReplicaNews>, counters: MemberCounters, log: Log
    ) {
        self.journal = journal
        self.queue = queue
        self.news = news
        self.counters = counters
        self.log = log
    }

    mutating func run() throws {
        var batch: [JournalWork] = []
        var isBusy = false
        while !ended {
            room.note(lacksRoom: journal.lacksRoom, nowMs: Clock.bootMs())
            try queue.take(
                into: &batch,
                timeoutMs: journal.isFull
                    ? room.waitMs(nowMs: Clock.bootMs())
                    : journal.hasIdleWork ? Self.idleMs : nil,
                spinning: isBusy)
            if room.isDue(nowMs: Clock.bootMs()) {
                try journal.tryAgain()
                endIfDue()
                room.note(lacksRoom: journal.lacksRoom, nowMs: Clock.bootMs())
                try makeDurable()
            }
            if batch.isEmpty {
                isBusy = false
                try journal.doIdleWork()
                continue
            }
            try take(batch)
            batch.removeAll(keepingCapacity: true)
            isBusy = true
        }
        try journal.end()
    }

    private mutating func take(_ batch: [JournalWork]) throws(StorageError) {
        for work in batch {
            switch work {
            case .request(let request):
                try journal.carryOut(request)
                endIfDue()
                if case .append(_, _, let entries) = request { counters.appended(entries.count) }
            case .end:
                ended = true
            }
        }
        try makeDurable()
    }

    private func endIfDue() {
        switch journal.ending {
        case nil: break
        case .distrusted:
            log.end(
                MemberFailure(
                    .stateDiffers,
                    "this member's state differs from that of a majority: it serves nobody any more, "
                        + "and the next start fetches the state anew"))
        case .startsAnew:
            log.end(
                MemberFailure(
                    .stateDiffers,
                    "this member's memory does not hold what was applied: the next start reads the "
                        + "state from the disk"))
        }
    }

    private mutating func makeDurable() throws(StorageError) {
        if journal.needsSync {
            let begunNs = Clock.monotonicNs()
            try journal.sync()
            counters.synced(tookNs: Clock.monotonicNs() - begunNs)
        }
        for input in journal.takeNews() { _ = news.post(.input(input)) }
        if try journal.prune() { room.wasMade() }
    }
}
