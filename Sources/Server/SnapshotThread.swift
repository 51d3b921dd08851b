// The one thread that writes and reads snapshot files, so that neither holds up the log; when it has
// nothing to do it reads what lies at rest again. What becomes of each request, and what is found, it
// tells the replica; what went wrong it logs and counts. It asks the file system for its free room,
// too: where that hangs, no event loop may.

internal import Ensemble
internal import Journal
internal import Raft
internal import System

enum SnapshotWork: Sendable {
    case request(SnapshotRequest)
    case end
}

enum SnapshotThread {
    /// Runs until `SnapshotWork.end` comes.
    static func start(
        files: HandOver<ReplicaSnapshotFiles<FileStorage>>, work: Mailbox<SnapshotWork>,
        directory: String, scrub: ScrubLimits, news: Mailbox<ReplicaNews>, log: Log,
        counters: MemberCounters
    ) throws(SystemError) -> PosixThread {
        try PosixThread(name: "snapshots") {
            guard let files = files.take() else { return }
            do throws(SystemError) {
                var loop = SnapshotLoop(
                    files: files, queue: try WorkQueue(work, spinsMax: 0),
                    directory: directory, scrub: scrub, news: news, log: log,
                    counters: counters)
                try loop.run()
            } catch {
                log.end(MemberFailure(.failure, "the snapshot thread failed: \(error)"))
            }
        }
    }
}

private struct SnapshotLoop: ~Copyable {
    /// How old what is known of the free room may be.
    private static let sampleMs: UInt64 = 1_000

    private var files: ReplicaSnapshotFiles<FileStorage>
    private var queue: WorkQueue<SnapshotWork>
    private let directory: String
    private var nextSampleMs: UInt64 = 0
    private var pace: ScrubPace
    private let news: Mailbox<ReplicaNews>
    private let log: Log
    private let counters: MemberCounters
    private var outcomes: [SnapshotOutcome] = []
    /// The last one that was written had no room, which is said once: it is tried again and again.
    private var lacksRoom = false
    private var ended = false

    init(
        files: consuming ReplicaSnapshotFiles<FileStorage>,
        queue: consuming WorkQueue<SnapshotWork>, directory: String, scrub: ScrubLimits,
        news: Mailbox<ReplicaNews>, log: Log, counters: MemberCounters
    ) {
        self.files = files
        self.directory = directory
        self.queue = queue
        pace = ScrubPace(scrub, nowMs: Clock.bootMs())
        self.news = news
        self.log = log
        self.counters = counters
    }

    mutating func run() throws(SystemError) {
        var batch: [SnapshotWork] = []
        while !ended {
            // While one is read again, requests are looked for between the pieces.
            try queue.take(
                into: &batch, timeoutMs: files.isVerifying ? 0 : waitMs(nowMs: Clock.bootMs()),
                spinning: false)
            sampleIfDue()
            let isIdle = batch.isEmpty && !files.isVerifying
            for work in batch {
                switch work {
                case .request(let request):
                    files.carryOut(request, into: &outcomes)
                    tellOutcomes()
                case .end: ended = true
                }
            }
            batch.removeAll(keepingCapacity: true)
            if !ended { files.verify(into: &outcomes) }
            if !ended, isIdle { scrubIfDue() }
            tellOutcomes()
        }
        files.abandon(into: &outcomes)
        tellOutcomes()
    }

    /// Until something is due that nobody asks for.
    private func waitMs(nowMs: UInt64) -> Int32 {
        let sampleMs = nextSampleMs > nowMs ? Int32(clamping: nextSampleMs - nowMs) : 0
        return min(sampleMs, pace.waitMs(nowMs: nowMs) ?? .max)
    }

    private mutating func sampleIfDue() {
        guard Clock.bootMs() >= nextSampleMs else { return }
        counters.sampled(dataBytesFree: FileSystemSpace.bytesFree(directory))
        nextSampleMs = Clock.bootMs() + Self.sampleMs
    }

    private mutating func scrubIfDue() {
        guard pace.waitMs(nowMs: Clock.bootMs()) == 0 else { return }
        let step = files.scrub(into: &outcomes)
        counters.scrubbed(step)
        pace.took(bytes: step.bytes, endsPass: step.endsPass, nowMs: Clock.bootMs())
    }

    private mutating func tellOutcomes() {
        for outcome in outcomes {
            note(outcome)
            if let input = outcome.input { _ = news.post(.input(input)) }
        }
        outcomes.removeAll(keepingCapacity: true)
    }

    private mutating func note(_ outcome: SnapshotOutcome) {
        switch outcome {
        case .appended, .read: break
        case .saved:
            lacksRoom = false
            counters.savedSnapshot()
        case .notSaved(let index, let error):
            if !lacksRoom || !error.lacksRoom {
                log.error(
                    "a snapshot could not be written; the log is kept instead, and grows",
                    ("index", index.rawValue), ("error", "\(error)"))
            }
            lacksRoom = error.lacksRoom
            counters.failedSnapshot()
        case .notRead(let index, let error):
            log.warning(
                "a snapshot could not be read", ("index", index.rawValue), ("error", "\(error)"))
        case .damaged(let damage):
            log.error(
                "a file at rest is damaged; a fresh snapshot takes its place",
                ("found", damage.finding))
        case .notRemoved(let index, let error):
            log.warning(
                "an unfinished snapshot could not be removed", ("index", index.rawValue),
                ("error", "\(error)"))
        }
    }
}
