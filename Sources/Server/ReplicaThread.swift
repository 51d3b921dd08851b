// The one thread that owns the replica. A turn takes what has come (frames of other members,
// completions, clients' requests, at most one tick), steps the replica with each, then hands out
// what it wants done, each kind in one batch. It blocks nowhere but in epoll.

internal import Ensemble
internal import Journal
internal import Raft
internal import System

/// What reaches the replica's thread besides clients' requests.
enum ReplicaNews: Sendable {
    case input(Input)
    /// The resolver's answer to a dial.
    case resolved(MemberID, [SocketAddress])
    case end
}

/// Everything around the replica that its thread hands work to.
struct ReplicaSurroundings {
    var requests: Mailbox<LoopRequest>
    var news: Mailbox<ReplicaNews>
    var journal: Mailbox<JournalWork>
    var snapshots: Mailbox<SnapshotWork>
    var inboxes: LoopInboxes
    var board: StatusBoard
    var readings: ServerCounters
    var counters: MemberCounters
    var log: Log
    /// Called once after `Input.stop`, when this member does not lead any more or gave up waiting.
    var didStepAside: @Sendable () -> Void
}

struct ReplicaLoop: ~Copyable {
    /// Leadership is handed over within so long, or not.
    static let stepAsideMs: UInt64 = 2_000

    private var replica: Replica
    private let links: PeerLinks
    private let around: ReplicaSurroundings
    private let tickMs: UInt64
    private var dealer: ReplyDealer
    private var effects = Effects()
    private var spins = SpinBudget(spinsMax: SpinBudget.spinsMaxDefault)

    private var nowMs: UInt64
    private var nextTickMs: UInt64
    private var status: ReplicaStatus
    private var statusIsDue = true
    private var ended = false
    /// Set while stopping, until `didStepAside`.
    private var stepAsideByMs: UInt64?
    private var isBusy = false
    private var requestBatch: [LoopRequest] = []
    private var newsBatch: [ReplicaNews] = []

    init(
        replica: consuming Replica, links: PeerLinks, tickMs: UInt64,
        around: ReplicaSurroundings
    ) throws(SystemError) {
        try links.epoll.add(around.requests.number, .readable, .requests)
        try links.epoll.add(around.news.number, .readable, .news)
        status = replica.status()
        self.replica = replica
        self.links = links
        self.tickMs = tickMs
        self.around = around
        dealer = ReplyDealer(around.inboxes)
        nowMs = Clock.bootMs()
        nextTickMs = nowMs
    }

    mutating func run() throws(SystemError) {
        var events = 0
        while true {
            nowMs = Clock.bootMs()
            links.nowMs = nowMs
            isBusy = events > 0
            // Why messages come before the tick: after a pause the leader's heartbeats may lie
            // there, and time must not run out on a leader that was never silent.
            for at in 0..<events {
                let event = links.epoll.event(at)
                guard event.token.generation != PeerLinks.Kind.wakeup else { continue }
                links.handle(event.token, event.readiness)
                takeLinkEvents()
            }
            takeNews()
            tickIfDue()
            // After the tick: what a client asks after a pause must not be due already.
            takeRequests()
            handOut()
            if ended { return }
            events = try wait()
        }
    }

    /// All inputs of a turn are taken before one settling: their entries and answers go together.
    private mutating func step(_ input: Input) { replica.take(input, into: &effects) }

    // MARK: What comes in

    private mutating func takeNews() {
        around.news.take(into: &newsBatch)
        guard !newsBatch.isEmpty else { return }
        isBusy = true
        for news in newsBatch {
            switch news {
            case .input(.stop):
                stepAsideByMs = nowMs + Self.stepAsideMs
                statusIsDue = true
                step(.stop)
            case .input(let input): step(input)
            case .resolved(let member, let addresses): links.resolved(member, addresses)
            case .end: ended = true
            }
        }
        newsBatch.removeAll(keepingCapacity: true)
        takeLinkEvents()
    }

    private mutating func takeRequests() {
        around.requests.take(into: &requestBatch)
        guard !requestBatch.isEmpty else { return }
        isBusy = true
        for request in requestBatch {
            switch request {
            case .request(let id, let ask): step(.request(id, ask))
            case .cancel(let id): step(.cancel(id))
            }
        }
        requestBatch.removeAll(keepingCapacity: true)
    }

    /// One tick a turn at most: after a pause the core's timers must not run ahead of real time.
    private mutating func tickIfDue() {
        guard nowMs >= nextTickMs else { return }
        nextTickMs += tickMs
        if nextTickMs <= nowMs { nextTickMs = nowMs + tickMs }
        step(.tick(nowMs: nowMs, wallMs: Clock.wallMs()))
        for link in links.links { link.ownHello = replica.hello(to: link.member) }
        links.tick()
        takeLinkEvents()
        around.counters.linksOpen(links.links.count { $0.isOpen })
        around.readings.replicaTurned(atMs: nowMs)
        statusIsDue = true
    }

    // MARK: The other members

    private mutating func takeLinkEvents() {
        while !links.events.isEmpty {
            for event in links.takeEvents() { take(event) }
        }
    }

    /// For the replica, a member is connected while a greeted connection with it stands, in either
    /// direction: then what it says counts, and what is said to it goes out on our own connection,
    /// or waits a little there while that is being opened. When frames to it may have been lost,
    /// the replica hears `peerLost`, and its hello again if it can still be heard.
    private mutating func take(_ event: PeerLinks.Event) {
        switch event {
        case .message(let message, let member, let incarnation):
            // Two processes use one number: what the other one says must not be taken for this one's.
            if let known = replica.incarnation(of: member), known != incarnation {
                links.inboundPeer(of: member).map(links.drop)
            } else {
                step(.received(message, from: member))
            }
        case .asks(let inbound, let hello):
            if let reason = greet(hello) {
                links.refuse(inbound, reason)
                greetAgain(hello.member)
            } else {
                links.accept(inbound, answer: replica.hello(to: hello.member))
            }
        case .accepted(let member, let hello):
            if let reason = greet(hello) {
                links.close(member, reason)
            } else {
                links.confirm(member)
            }
        case .refused(let member, let reason):
            step(.refused(by: member, reason))
            statusIsDue = true
        case .sendingLost(let member):
            step(.peerLost(member))
            greetAgain(member)
        case .hearingLost(let member):
            if !links.isOpen(to: member) { step(.peerLost(member)) }
        }
    }

    /// Asks the replica; nil when it lets the other in.
    private mutating func greet(_ hello: Hello) -> HelloRefusal? {
        step(.hello(hello))
        let refusal = effects.refusals.last { $0.member == hello.member }
        effects.refusals.removeAll(keepingCapacity: true)
        return refusal?.reason
    }

    /// A connection of the same member that stands goes on, whoever else used its number.
    private mutating func greetAgain(_ member: MemberID) {
        guard let hello = links.greeted(member) else { return }
        if let reason = greet(hello) { turnAway(member, reason) }
    }

    private func turnAway(_ member: MemberID, _ reason: HelloRefusal) {
        links.close(member, reason)
        links.inboundPeer(of: member).map(links.drop)
    }

    // MARK: What goes out

    private mutating func handOut() {
        replica.settle(into: &effects)
        // The log first: it takes longest, and the other members are told meanwhile.
        if !effects.storage.isEmpty {
            var work = effects.storage.map { JournalWork.request($0) }
            _ = around.journal.post(&work)
        }
        for event in effects.events { note(event) }
        // Before the messages: one may ask another member to lead at once, which must not do so while
        // this one's claim still stands. And before the replies: who has an answer finds the status
        // that belongs to it.
        if statusIsDue { publishStatus() }
        for (member, message) in effects.sends { links.send(message, to: member) }
        links.flush()
        if !effects.snapshots.isEmpty {
            var work = effects.snapshots.map { SnapshotWork.request($0) }
            _ = around.snapshots.post(&work)
        }
        for (member, reason) in effects.refusals { turnAway(member, reason) }
        if !effects.replies.isEmpty { dealer.post(&effects.replies) }
        effects.reset()
    }

    private mutating func publishStatus() {
        statusIsDue = false
        let newer = replica.status()
        if newer != status {
            status = newer
            around.board.publish(newer)
        }
        guard let byMs = stepAsideByMs else { return }
        if status.role != .leader || status.members.count < 2 || nowMs >= byMs {
            stepAsideByMs = nil
            around.didStepAside()
        }
    }

    private mutating func note(_ event: ReplicaEvent) {
        let log = around.log
        statusIsDue = true
        switch event {
        case .roleChanged(let role, let term, let leader):
            log.info(
                "role changed", ("role", "\(role)"), ("term", term.rawValue),
                ("leader", leader?.rawValue))
        case .handingOver:
            log.info("handing leadership over")
        case .ensembleFixed(let ensemble):
            log.info("part of an ensemble", ("ensemble", ensemble.description))
        case .snapshotStarted(let index):
            log.info("snapshot started", ("index", index.rawValue))
        case .snapshotSaved(let index):
            log.info("snapshot saved", ("index", index.rawValue))
        case .snapshotSending(let index, let member):
            log.info("snapshot sending", ("index", index.rawValue), ("to", member.rawValue))
        case .snapshotInstalled(let index):
            log.info("snapshot installed", ("index", index.rawValue))
        case .repaired(let index):
            log.info("repaired: what damage took is back", ("index", index.rawValue))
        case .healed(let index):
            log.info(
                "damage is healed: a fresh snapshot stands for the damaged files",
                ("index", index.rawValue))
        case .diskFull:
            log.error(
                "the disk is full: this member takes no changes until there is room, and looks for "
                    + "it twice a second")
        case .diskHasRoom:
            log.info("the disk has room again: this member takes changes")
        case .diskMissed(let member):
            log.warning(
                "a member has another disk: it loses its vote until that has caught up",
                ("member", member.rawValue))
        case .diskNamed(let member):
            log.info("a new disk takes its member's place", ("member", member.rawValue))
        case .diskCounts(let member):
            log.info("a new disk has caught up and votes again", ("member", member.rawValue))
        case .diskNotAdmitted(let member):
            log.error(
                "a member has another disk, and without it no majority is there: start the others, or "
                    + "bring its old data directory back", ("member", member.rawValue))
        case .stateJudged(.agreed):
            log.info("the state is that of the others again")
        case .stateJudged(.disputed(let index)):
            log.error(
                "another member holds another state, and no majority tells which is right: this "
                    + "one serves nobody until it is settled",
                ("index", index.rawValue))
        case .stateJudged(.wrong(let index)):
            log.error(
                "a majority of the members holds another state than this one",
                ("index", index.rawValue))
        case .stateJudged(.corrupted(let index)):
            log.error(
                "the tree is not what was applied to it: memory failed, or the program is wrong",
                ("index", index.rawValue))
        case .otherStateDiffers(let member, let index):
            log.error(
                "a member holds another state than a majority with this one does",
                ("other", member.rawValue), ("index", index.rawValue))
        }
    }

    // MARK: Waiting

    private var hasWork: Bool {
        !around.news.isEmpty || !around.requests.isEmpty || !links.events.isEmpty
    }

    private mutating func wait() throws(SystemError) -> Int {
        if !links.events.isEmpty || replica.hasFeedsToServe {
            let events = try links.epoll.wait(timeoutMs: 0)
            drainWakeups(events)
            return events
        }
        if isBusy {
            var left = spins.take()
            while left > 0 {
                let events = try links.epoll.wait(timeoutMs: 0)
                if events > 0 || hasWork {
                    spins.paid()
                    if events > 0 { drainWakeups(events) }
                    return events
                }
                left -= 1
            }
            spins.wasted()
        }
        let asleep = around.news.prepareToSleep() && around.requests.prepareToSleep()
        let events = try links.epoll.wait(timeoutMs: asleep ? blockingMs : 0)
        drainWakeups(events)
        return events
    }

    /// After every look, not only after a block: a wake-up may arrive when its mailbox has been
    /// emptied already, and one that stays readable would keep the thread busy for ever.
    private func drainWakeups(_ events: Int) {
        var woken = (news: false, requests: false)
        for at in 0..<events {
            let token = links.epoll.event(at).token
            if token == .news { woken.news = true }
            if token == .requests { woken.requests = true }
        }
        around.news.awake(byWakeup: woken.news)
        around.requests.awake(byWakeup: woken.requests)
    }

    private var blockingMs: Int32 {
        let nowMs = Clock.bootMs()
        return nextTickMs > nowMs ? Int32(clamping: nextTickMs - nowMs) : 0
    }
}

extension Token {
    fileprivate static let requests = Token(index: 0, generation: PeerLinks.Kind.wakeup)
    fileprivate static let news = Token(index: 1, generation: PeerLinks.Kind.wakeup)
}
