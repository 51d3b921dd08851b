// All connections with the other members, and the epoll of the replica's thread. Each member dials
// each other one, and a connection carries the messages of the one that opened it. This file says
// what happened as events; the replica's thread asks the replica what to make of them.

internal import Ensemble
internal import Journal
internal import Raft
internal import System

@safe final class PeerLinks {
    enum Event {
        /// Another member opened a connection and says who it is. Until `accept` or `refuse`
        /// nothing more is read from it.
        case asks(inbound: UInt32, Hello)
        /// Our own connection was accepted by `member`, who says who it is.
        case accepted(MemberID, Hello)
        case refused(by: MemberID, HelloRefusal)
        /// Of the process with that incarnation.
        case message(PeerMessage, from: MemberID, incarnation: UInt64)
        /// What was sent to it lately may be lost, and our own connection is gone.
        case sendingLost(MemberID)
        /// The connection that it spoke on is gone.
        case hearingLost(MemberID)
    }

    /// Epoll's tokens: the index is a number that is never used twice, the generation says of what.
    enum Kind {
        static let wakeup: UInt32 = 0
        static let listener: UInt32 = 1
        static let inbound: UInt32 = 2
        static let outbound: UInt32 = 3
    }

    final class Door: Sendable {
        let socket: ListeningSocket
        init(_ socket: consuming ListeningSocket) { self.socket = socket }
    }

    let epoll: Epoll
    let limits: PeerLimits
    let log: Log
    let counters: MemberCounters
    let resolver: PeerResolver?
    var links: [PeerLink]
    var inbound: [UInt32: InboundPeer] = [:]
    var random: RandomGenerator
    var nowMs: UInt64
    var events: [Event] = []
    let receiveBuffer: UnsafeMutableRawBufferPointer

    private let doors: [Door]
    private var doorsPausedUntilMs: UInt64?
    private var lastNumber: UInt32 = 0
    /// Refusals that were logged, so that a stranger that keeps knocking fills no disk.
    private var refusalsLogged: [MemberID: HelloRefusal] = [:]

    init(
        others: [(member: EnsembleMember, ownHello: Hello)], doors: [Door],
        resolver: PeerResolver?, limits: PeerLimits, log: Log, counters: MemberCounters,
        random: RandomGenerator, nowMs: UInt64
    ) throws(SystemError) {
        epoll = try Epoll(eventsMax: limits.eventsPerTurnMax)
        self.limits = limits
        self.log = log
        self.counters = counters
        self.resolver = resolver
        self.doors = doors
        self.random = random
        self.nowMs = nowMs
        links = others.map { other, ownHello in
            PeerLink(member: other.id, name: other.address, limits: limits, ownHello: ownHello)
        }
        unsafe receiveBuffer = .allocate(byteCount: limits.receiveBytes, alignment: 64)
        try watchDoors()
    }

    deinit { unsafe receiveBuffer.deallocate() }

    func nextNumber() -> UInt32 {
        lastNumber &+= 1
        return lastNumber
    }

    func link(to member: MemberID) -> PeerLink? { links.first { $0.member == member } }

    /// Whether it can be sent to.
    func isOpen(to member: MemberID) -> Bool { link(to: member)?.isOpen ?? false }

    /// The connection that `member` speaks on.
    func inboundPeer(of member: MemberID) -> InboundPeer? {
        inbound.values.first { $0.hello?.member == member }
    }

    /// What `member` said of itself on a connection that stands, ours or its own.
    func greeted(_ member: MemberID) -> Hello? {
        link(to: member)?.hello ?? inboundPeer(of: member)?.hello
    }

    // MARK: Turning

    /// What epoll says of one of these sockets; other tokens are the caller's.
    func handle(_ token: Token, _ readiness: Readiness) {
        switch token.generation {
        case Kind.listener: accept(from: Int(token.index))
        case Kind.inbound: if let peer = inbound[token.index] { read(peer) }
        case Kind.outbound:
            if let link = links.first(where: { $0.connection?.number == token.index }) {
                handle(link, readiness)
            }
        default: break
        }
    }

    func takeEvents() -> [Event] {
        var taken: [Event] = []
        swap(&taken, &events)
        return taken
    }

    /// Dials what is due and gives up what takes too long. Once a tick.
    func tick() {
        if let untilMs = doorsPausedUntilMs, nowMs >= untilMs {
            doorsPausedUntilMs = nil
            do { try watchDoors() } catch { pauseDoors() }
        }
        for link in links {
            if link.isOverdue(nowMs: nowMs) {
                lose(link, "it does not answer")
            } else if link.isDue(nowMs: nowMs) {
                link.phase = .resolving
                resolver?.ask(link.member, link.name)
            }
        }
        let overdue = inbound.values.filter { $0.isOverdue(nowMs: nowMs, limits: limits) }
        for peer in overdue.sorted(by: { $0.number < $1.number }) { drop(peer) }
    }

    // MARK: Sending

    /// Adds a frame for the next `flush`. While a link to a member that is heard is being opened,
    /// a little may wait for it: an answer lost here would cost an election.
    func send(_ message: PeerMessage, to member: MemberID) {
        guard let link = link(to: member) else { return counters.droppedFrame() }
        if link.isOpen {
            link.output.append(.message(message))
            if link.output.count > limits.outputBytesMax { lose(link, "it does not keep up") }
        } else if link.output.count < limits.dialOutputBytesMax, inboundPeer(of: member) != nil {
            link.output.append(.message(message))
        } else {
            counters.droppedFrame()
        }
    }

    /// One send for each link that has something and can take it.
    func flush() {
        for link in links where link.isOpen && link.isWritable && !link.output.isEmpty {
            flush(link)
        }
    }

    func flush(_ link: PeerLink) {
        guard let connection = link.connection else { return }
        var sent = 0
        let result = link.output.flush(connection.socket, sent: &sent)
        counters.sentToPeers(sent)
        switch result {
        case .drained: break
        case .blocked: link.isWritable = false
        case .failed(let code): lose(link, code.description)
        }
    }

    // MARK: Those who dial us

    private func watchDoors() throws(SystemError) {
        for (position, door) in doors.enumerated() {
            try epoll.add(
                door.socket.number, .readable,
                Token(index: UInt32(position), generation: Kind.listener))
        }
    }

    private func pauseDoors() {
        if doorsPausedUntilMs == nil {
            for door in doors { epoll.remove(door.socket.number) }
        }
        doorsPausedUntilMs = nowMs + limits.acceptPauseMs
    }

    private func accept(from door: Int) {
        for _ in 0..<limits.acceptsPerTurnMax {
            switch doors[door].socket.accept() {
            case .connection(let socket, from: _): admit(socket)
            case .wouldBlock: return
            case .gone: continue
            case .failed: return pauseDoors()
            }
        }
    }

    private func admit(_ socket: consuming Socket) {
        // The oldest gives way: a member's hello comes within a round trip, so silent connections
        // cannot hold the door shut.
        let ungreeted = inbound.values.filter { !$0.isGreeted }
        if ungreeted.count >= limits.ungreetedMax, let oldest = ungreeted.map(\.number).min() {
            inbound[oldest].map(drop)
        }
        let peer = InboundPeer(socket: socket, number: nextNumber(), nowMs: nowMs, limits: limits)
        peer.socket.setNoDelay()
        do {
            try epoll.add(
                peer.socket.number, .readable,
                Token(index: peer.number, generation: Kind.inbound))
        } catch { return }
        inbound[peer.number] = peer
    }

    /// It may speak. A connection of the same member that was there before is a dead one.
    func accept(_ number: UInt32, answer: Hello) {
        guard let peer = inbound[number], case .judged(let hello) = peer.state else { return }
        let before = inboundPeer(of: hello.member)
        peer.state = .open(hello)
        before.map { _ = inbound.removeValue(forKey: $0.number) }
        refusalsLogged[hello.member] = nil
        guard peer.answer(.helloAccepted(answer)) else { return drop(peer) }
        link(to: hello.member)?.hurry()
        takeFrames(peer)
    }

    func refuse(_ number: UInt32, _ reason: HelloRefusal) {
        guard let peer = inbound[number] else { return }
        if case .judged(let hello) = peer.state { logRefusal(hello, reason) }
        _ = peer.answer(.helloRefused(reason))
        peer.socket.shutdownWrite()
        inbound[number] = nil
    }

    private func logRefusal(_ hello: Hello, _ reason: HelloRefusal) {
        guard refusalsLogged[hello.member] != reason else { return }
        if refusalsLogged.count >= limits.ungreetedMax { refusalsLogged.removeAll() }
        refusalsLogged[hello.member] = reason
        log.warning(
            "member \(hello.member) refused", ("reason", reason.words),
            ("storage", hello.storage.description),
            ("peer", String(decoding: hello.peerAddress, as: UTF8.self)))
    }

    func drop(_ peer: InboundPeer) {
        guard inbound.removeValue(forKey: peer.number) != nil, let hello = peer.hello else {
            return
        }
        events.append(.hearingLost(hello.member))
    }
}

extension HelloRefusal {
    var words: String {
        switch self {
        case .otherEnsemble: "other ensemble"
        case .otherStorage: "other storage"
        case .unknownMember: "unknown member"
        case .wrongAddressee: "wrong addressee"
        case .otherProtocol: "other protocol"
        }
    }

    /// For the log of a member that was turned away: what it means, and what to do.
    var advice: String {
        switch self {
        case .otherEnsemble:
            "this data directory belongs to another ensemble. Check --ensemble and --data"
        case .otherStorage:
            "this disk is not the one that the ensemble knows under this member's number, so it does "
                + "not vote. An empty one is admitted within seconds, without your doing, when a "
                + "majority of all members is there without it (of two members never: restore the "
                + "old data directory). A disk whose place another one has taken is not: move its "
                + "data directory away and start with none"
        case .unknownMember:
            "it does not know this member's number. Check --id and --ensemble"
        case .wrongAddressee:
            "another member listens at this address. Check --ensemble"
        case .otherProtocol:
            "it speaks another version of the protocol between members. Use versions that fit"
        }
    }
}
