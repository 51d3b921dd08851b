// The threads behind a member's doors and the mailboxes between them: started together, ended in the
// order in which they hand work on, so that nothing is handed to a thread that is gone.

internal import Ensemble
internal import Gateway
internal import Journal
internal import Raft
internal import System
internal import Znodes

struct MemberThreads: ~Copyable {
    let publication: TreePublication
    let board: StatusBoard
    let requests: Mailbox<LoopRequest>
    let news: Mailbox<ReplicaNews>
    private let journalWork: Mailbox<JournalWork>
    private let snapshotWork: Mailbox<SnapshotWork>
    private let resolver: PeerResolver?
    private let replica: PosixThread
    private let journal: PosixThread
    private let snapshots: PosixThread

    init(
        _ configuration: MemberConfiguration, _ recovery: consuming sending MemberRecovery,
        doors: MemberDoors, inboxes: LoopInboxes, readings: ServerCounters,
        counters: MemberCounters, log: Log, didStepAside: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let news = try Mailbox<ReplicaNews>(itemsMax: .max)
        let journalWork = try Mailbox<JournalWork>(itemsMax: .max)
        let snapshotWork = try Mailbox<SnapshotWork>(itemsMax: .max)
        let requests = try Mailbox<LoopRequest>(itemsMax: configuration.queuedRequestsMax)
        let resolver = configuration.others.isEmpty ? nil : try PeerResolver(answers: news)
        let linkSeed = recovery.random.next()
        let random = recovery.random
        let found = recovery.found
        let journal = HandOver(found.journal)
        let snapshotFiles = HandOver(found.snapshots)
        let replica = Replica(
            options: configuration.replica,
            identity: Self.identity(configuration, found.identity, doors), log: found.log,
            restored: found.restored, nowMs: Clock.bootMs(), wallMs: Clock.wallMs(),
            random: random)
        let board = StatusBoard(replica.status())
        let publication = replica.publication
        let around = ReplicaSurroundings(
            requests: requests, news: news, journal: journalWork, snapshots: snapshotWork,
            inboxes: inboxes, board: board, readings: readings, counters: counters, log: log,
            didStepAside: didStepAside)
        let others = configuration.others.map { ($0, replica.hello(to: $0.id)) }
        let handedReplica = HandOver(replica)
        let replicaThread = try PosixThread(name: "replica") {
            guard let replica = handedReplica.take() else { return }
            do throws(SystemError) {
                let links = try PeerLinks(
                    others: others, doors: doors.peers, resolver: resolver,
                    limits: configuration.peers, log: log, counters: counters,
                    random: RandomGenerator(seed: linkSeed), nowMs: Clock.bootMs())
                var loop = try ReplicaLoop(
                    replica: replica, links: links, tickMs: configuration.replica.tickMs,
                    around: around)
                try loop.run()
            } catch {
                log.end(MemberFailure(.failure, "the replica's thread failed: \(error)"))
            }
        }
        let journalThread = try JournalThread.start(
            journal: journal, work: journalWork, news: news, log: log, counters: counters)
        let snapshotThread = try SnapshotThread.start(
            files: snapshotFiles, work: snapshotWork, directory: configuration.dataDirectory,
            scrub: configuration.scrub, news: news, log: log, counters: counters)
        self.replica = replicaThread
        self.journal = journalThread
        snapshots = snapshotThread
        self.publication = publication
        self.board = board
        self.requests = requests
        self.news = news
        self.journalWork = journalWork
        self.snapshotWork = snapshotWork
        self.resolver = resolver
    }

    private static func identity(
        _ configuration: MemberConfiguration, _ found: MemberIdentity, _ doors: MemberDoors
    ) -> ReplicaIdentity {
        ReplicaIdentity(
            member: configuration.id, storage: found.storageID, ensemble: found.ensembleID,
            httpAddress: Array(doors.advertisedHTTP.utf8),
            peerAddress: Array(doors.advertisedPeer.utf8), version: Array(Version.text.utf8),
            ensembleAddresses: configuration.ensemble.map {
                ($0.id, Array($0.address.description.utf8))
            }, isNewcomer: found.isNewcomer)
    }

    /// Hands leadership over and takes nothing new; `didStepAside` is called when that is done.
    func stop() { _ = news.post(.input(.stop)) }

    /// After the HTTP door has closed.
    consuming func end() {
        _ = news.post(.end)
        replica.join()
        _ = journalWork.post(.end)
        _ = snapshotWork.post(.end)
        journal.join()
        snapshots.join()
        resolver?.close()
    }
}
