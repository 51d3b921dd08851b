// One thread's world: its epoll, its listeners, its connections and its gateway. It owns all of
// them, blocks nowhere but in epoll, and hands requests to the replica once a turn. This file turns
// the loop; the other parts accept, serve, answer and time out.

internal import Ensemble
internal import Gateway
internal import HTTP
internal import System

@safe struct EventLoop<Handler: RequestHandler & ~Copyable>: ~Copyable {
    typealias Connection = HTTPConnection<Handler.Pending>

    let index: Int
    let limits: ServerLimits
    let epoll: Epoll
    let replies: Mailbox<Reply>
    let commands: Mailbox<LoopCommand>
    let sink: any RequestSink
    let board: StatusBoard
    let counters: LoopCounters
    let shared: ServerCounters

    var handler: Handler
    var listeners: Listeners
    var connections = Slab<Connection>()
    var timers: TimerWheel
    var context: RequestContext
    var statusSeen: UInt64 = 0
    var counts = LoopCounts()

    /// Every receive goes here first; connections keep only what is left over.
    let receiveBuffer: UnsafeMutableRawBufferPointer
    /// Answers of the connection that is being served; empty between connections.
    var out = ByteWriter(retainedBytesMax: 1 << 20)
    /// Between requests at its start; parses those that come in one piece.
    var parser = RequestParser()
    /// For the replica, at the end of the turn.
    var outbox: [LoopRequest] = []
    /// To go on with in the next turn: they had more to read than one turn gives them.
    var resuming: [Token] = []
    /// Where the next connection of a slot goes on counting.
    var sequences: [UInt64] = []
    /// Set while draining; what is still open then is cut off.
    var drainedByMs: UInt64?

    private var spins: SpinBudget
    private var batch: [Reply] = []
    private var fired: [UInt32] = []
    /// Grows with each request and each reply.
    var activity = 0
    private var activityBefore = 0

    init(
        index: Int, limits: ServerLimits, listeners: consuming Listeners, inboxes: LoopInboxes,
        sink: any RequestSink, board: StatusBoard, counters: ServerCounters,
        handler: consuming Handler
    ) throws(SystemError) {
        // What may fail comes first: a value that cannot be copied is made whole or not at all.
        let epoll = try Epoll(eventsMax: limits.eventsPerTurnMax)
        try epoll.add(inboxes.replies[index].number, .readable, .replies)
        try epoll.add(inboxes.commands[index].number, .readable, .commands)
        try listeners.register(epoll)
        self.epoll = epoll
        self.index = index
        self.limits = limits
        self.listeners = listeners
        self.sink = sink
        self.board = board
        self.handler = handler
        replies = inboxes.replies[index]
        commands = inboxes.commands[index]
        shared = counters
        self.counters = counters.loops[index]
        let nowMs = Clock.bootMs()
        timers = TimerWheel(startMs: nowMs, tickMs: limits.timerTickMs)
        var status = board.initial
        board.refresh(&status, seen: &statusSeen)
        context = RequestContext(
            nowMs: nowMs, wallMs: Clock.wallMs(), status: status, draining: false)
        spins = SpinBudget(spinsMax: limits.spinsMax)
        unsafe receiveBuffer = .allocate(byteCount: limits.receiveBytes, alignment: 64)
    }

    deinit { unsafe receiveBuffer.deallocate() }

    /// Turns until the loop has been drained.
    mutating func run() throws(SystemError) {
        var events = 0
        while true {
            beginTurn()
            takeCommands()
            for at in 0..<events {
                let event = epoll.event(at)
                handle(event.token, event.readiness)
            }
            resumeReading()
            takeReplies()
            try expireTimers()
            submit()
            counters.publish(counts, nowMs: context.nowMs)
            if drainedByMs != nil && connections.count == 0 { return }
            events = try wait()
        }
    }

    private mutating func beginTurn() {
        context.nowMs = Clock.bootMs()
        context.wallMs = Clock.wallMs()
        board.refresh(&context.status, seen: &statusSeen)
        handler.beginTurn(context)
    }

    private mutating func handle(_ token: Token, _ readiness: Readiness) {
        if token.generation == 0 {
            // Wake-ups are drained after the wait; what they announce is looked for every turn.
            if token != .replies && token != .commands { accept(from: Int(token.index)) }
            return
        }
        // A connection that was closed earlier in this turn, or its slot's next one.
        guard connections.isLive(token) else { return }
        serve(token, readiness)
    }

    private mutating func resumeReading() {
        if resuming.isEmpty { return }
        var list: [Token] = []
        swap(&list, &resuming)
        for token in list where connections.isLive(token) {
            unsafe connections.address(of: token.index).pointee.resumes = false
            serve(token, [])
        }
    }

    private mutating func takeReplies() {
        if replies.isEmpty { return }
        var taken: [Reply] = []
        swap(&taken, &batch)
        replies.take(into: &taken)
        for reply in taken { deliver(reply.request, reply.reply) }
        taken.removeAll(keepingCapacity: true)
        swap(&taken, &batch)
    }

    private mutating func takeCommands() {
        if commands.isEmpty { return }
        var list: [LoopCommand] = []
        commands.take(into: &list)
        for command in list {
            switch command {
            case .drain(let byMs): drain(byMs: byMs)
            }
        }
    }

    private mutating func expireTimers() throws(SystemError) {
        if let resumeMs = listeners.resumeMs, resumeMs <= context.nowMs {
            try listeners.resume(epoll)
        }
        if let byMs = drainedByMs, byMs <= context.nowMs { cutOff() }
        var list: [UInt32] = []
        swap(&list, &fired)
        timers.expire(nowMs: context.nowMs, into: &list)
        for slot in list { timerFired(slot) }
        list.removeAll(keepingCapacity: true)
        swap(&list, &fired)
    }

    /// Hands over the turn's requests. What the replica has no room for is answered here, and only
    /// the cancels among it are kept.
    private mutating func submit() {
        while !outbox.isEmpty {
            sink.submit(&outbox)
            if outbox.isEmpty { return }
            var left: [LoopRequest] = []
            swap(&left, &outbox)
            var cancels: [LoopRequest] = []
            for item in left {
                switch item {
                case .request(let id, _): deliver(id, .refused(.overloaded))
                case .cancel: cancels.append(item)
                }
            }
            // An overloaded request is answered, not asked again, so this ends; cancels alone wait
            // for the next turn.
            let asks = outbox.count
            outbox.append(contentsOf: cancels)
            if asks == 0 { return }
        }
    }

    // MARK: Waiting

    /// Looks at epoll without blocking as long as requests keep coming, then blocks. A wake-up from
    /// a blocked epoll_wait costs more than several empty looks.
    private mutating func wait() throws(SystemError) -> Int {
        let busy = activity != activityBefore
        activityBefore = activity
        if !resuming.isEmpty { return try epoll.wait(timeoutMs: 0) }
        if busy {
            var left = spins.take()
            while left > 0 {
                let events = try epoll.wait(timeoutMs: 0)
                if events > 0 || !replies.isEmpty || !commands.isEmpty {
                    spins.paid()
                    return events
                }
                left -= 1
            }
            spins.wasted()
        }
        // The handler says that it reads nothing, then the mailboxes that posts must wake us.
        handler.willBlock()
        let asleep = replies.prepareToSleep() && commands.prepareToSleep()
        let events = try epoll.wait(timeoutMs: asleep ? blockingMs : 0)
        var woken = (replies: false, commands: false)
        for at in 0..<events {
            let token = epoll.event(at).token
            if token == .replies { woken.replies = true }
            if token == .commands { woken.commands = true }
        }
        replies.awake(byWakeup: woken.replies)
        commands.awake(byWakeup: woken.commands)
        return events
    }

    private var blockingMs: Int32 {
        var untilMs = context.nowMs + limits.turnMsMax
        if let nextMs = timers.nextMs { untilMs = min(untilMs, nextMs) }
        if let resumeMs = listeners.resumeMs { untilMs = min(untilMs, resumeMs) }
        if let byMs = drainedByMs { untilMs = min(untilMs, byMs) }
        // Cancels that the replica had no room for.
        if !outbox.isEmpty { untilMs = min(untilMs, context.nowMs + 1) }
        let nowMs = Clock.bootMs()
        return untilMs > nowMs ? Int32(clamping: untilMs - nowMs) : 0
    }
}

/// How often to look in vain before blocking: doubled when it paid, halved when it did not.
struct SpinBudget {
    /// Of the threads that answer waits for; a look takes less than a microsecond.
    static let spinsMaxDefault = 64

    private let spinsMax: Int
    private var spins: Int

    init(spinsMax: Int) {
        self.spinsMax = spinsMax
        spins = min(spinsMax, 4)
    }

    func take() -> Int { spins }
    mutating func paid() { spins = min(spinsMax, spins * 2) }
    mutating func wasted() { spins = min(spinsMax, max(spins / 2, 1)) }
}
