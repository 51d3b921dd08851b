// The one thread that writes and reads snapshot files, so that neither holds up the log. A snapshot
// that cannot be written is given up and said so: the log still has everything. It must never say
// that one is saved before it has been read again.

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
        store: HandOver<SnapshotStore<FileStorage>>, work: Mailbox<SnapshotWork>,
        news: Mailbox<ReplicaNews>, log: Log, counters: MemberCounters
    ) throws(SystemError) -> PosixThread {
        try PosixThread(name: "snapshots") {
            guard let store = store.take() else { return }
            do throws(SystemError) {
                var loop = SnapshotLoop(
                    store: store, queue: try WorkQueue(work, spinsMax: 0), news: news, log: log,
                    counters: counters)
                try loop.run()
            } catch {
                log.end(MemberFailure(.failure, "the snapshot thread failed: \(error)"))
            }
        }
    }
}

private struct SnapshotLoop: ~Copyable {
    private var store: SnapshotStore<FileStorage>
    private var queue: WorkQueue<SnapshotWork>
    private let news: Mailbox<ReplicaNews>
    private let log: Log
    private let counters: MemberCounters
    /// The one being written; nil after it failed, so that the rest of it is skipped.
    private var underWay: LogIndex?
    /// Written, and being read again.
    private var verifying: LogIndex?
    private var ended = false

    init(
        store: consuming SnapshotStore<FileStorage>, queue: consuming WorkQueue<SnapshotWork>,
        news: Mailbox<ReplicaNews>, log: Log, counters: MemberCounters
    ) {
        self.store = store
        self.queue = queue
        self.news = news
        self.log = log
        self.counters = counters
    }

    mutating func run() throws(SystemError) {
        var batch: [SnapshotWork] = []
        while !ended {
            // While one is read again, requests are looked for between the pieces.
            try queue.take(into: &batch, timeoutMs: verifying == nil ? nil : 0, spinning: false)
            for work in batch {
                switch work {
                case .request(let request): serve(request)
                case .end: ended = true
                }
            }
            batch.removeAll(keepingCapacity: true)
            if !ended { verifyMore() }
        }
        if underWay != nil { try? store.abandon() }
    }

    private mutating func serve(_ request: SnapshotRequest) {
        switch request {
        case .begin(let mark):
            while verifying != nil { verifyMore() }
            underWay = mark.index
            writing(mark.index) { store throws(JournalError) in
                try Self.storing { () throws(StorageError) in try store.begin(mark) }
            }
        case .append(let bytes):
            guard let index = underWay else { return }
            writing(index) { store throws(JournalError) in
                try Self.storing { () throws(StorageError) in try store.append(bytes) }
            }
            if underWay != nil { _ = news.post(.input(.snapshotAppended(index))) }
        case .finish(let index):
            guard underWay == index else { return }
            writing(index) { store throws(JournalError) in try store.finish() }
            if underWay != nil { verifying = index }
            underWay = nil
        case .abandon(let index):
            guard underWay == index else { return }
            underWay = nil
            do { try store.abandon() } catch {
                log.warning("an unfinished snapshot could not be removed", ("error", "\(error)"))
            }
        case .read(let index, let offset, let count):
            read(index, offset, count)
        }
    }

    private mutating func writing(
        _ index: LogIndex,
        _ body: (inout SnapshotStore<FileStorage>) throws(JournalError) -> Void
    ) {
        do throws(JournalError) {
            try body(&store)
        } catch {
            failed(index, error)
            underWay = nil
            // What is left of it is removed at the latest at the next start.
            try? store.abandon()
        }
    }

    private func failed(_ index: LogIndex, _ error: JournalError) {
        log.error(
            "a snapshot could not be written; the log is kept instead, and grows",
            ("index", "\(index)"), ("error", "\(error)"))
        counters.failedSnapshot()
        _ = news.post(.input(.snapshotFailed(index)))
    }

    private mutating func verifyMore() {
        guard let index = verifying else { return }
        do throws(JournalError) {
            guard try store.verify() else { return }
            counters.savedSnapshot()
            _ = news.post(.input(.snapshotSaved(index)))
        } catch {
            failed(index, error)
        }
        verifying = nil
    }

    private mutating func read(_ index: LogIndex, _ offset: UInt64, _ count: Int) {
        var bytes: [UInt8] = []
        do throws(JournalError) {
            let last = try store.read(index: index, at: offset, count: count, into: &bytes)
            let piece = SnapshotPiece(index: index, offset: offset, bytes: bytes, last: last)
            _ = news.post(.input(.snapshotRead(piece)))
        } catch {
            log.warning(
                "a snapshot could not be read", ("index", "\(index)"), ("error", "\(error)"))
            _ = news.post(.input(.snapshotFailed(index)))
        }
    }

    private static func storing(_ body: () throws(StorageError) -> Void) throws(JournalError) {
        do { try body() } catch { throw .storage(error) }
    }
}
