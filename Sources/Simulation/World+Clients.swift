// What clients do: writes with conditions, reads of every kind, waits and feeds, in concurrence, on
// a few paths that all of them want.

import Ensemble
import Raft
import Znodes

extension World {
    static let clientsMax: UInt64 = 64

    func makeClients() {
        let drawn = Int(clientRandom.draw(2...6))
        let workers = options.workers ?? drawn
        for number in 0..<(workers + 4) {
            let kind: Client.Kind =
                number < workers ? .worker : number < workers + 2 ? .waiter : .follower
            let followed = EventQuery(
                path: clientRandom.coin() ? .root : somePath(), recursive: clientRandom.coin(),
                types: clientRandom.coin() ? .all : [.created, .deleted], after: .zero,
                eventsMax: clientRandom.pick([1, 7, 1_000]))
            let client = Client(
                number: number, kind: kind, member: number % options.members, followed: followed,
                isWeb: doorRandom.chance(perMille: doors.clients) && !options.isDirect)
            clients.append(client)
            schedule(client, afterNs: 300 * millisecondNs + clientRandom.draw(0...20_000_000))
        }
    }

    func schedule(_ client: Client, afterNs: UInt64) {
        guard client.turnsScheduled == 0 else { return }
        client.turnsScheduled += 1
        queue.put(.clientTurn(client.number), atNs: nowNs + afterNs)
    }

    func thinkNs() -> UInt64 { clientRandom.delayNs(500_000...15_000_000) }

    private func somePath() -> ZnodePath {
        let texts = [
            "/a", "/a/b", "/a/b/c", "/a/b/d", "/q", "/q/x", "/lock", "/long-name/with-a/child",
            "/a/e", "/config", "/zookeeper/quota",
        ]
        return ZnodePath(trusted: [UInt8](clientRandom.pick(texts).utf8))
    }

    // MARK: asking

    func turn(of client: Client) throws(Violation) {
        client.turnsScheduled -= 1
        if let open = client.open {
            guard !isSettling, open.run == members[open.member].run else { return }
            try giveUp(client, open)
            return
        }
        if isSettling {
            if members[client.member].process == nil { return schedule(client, afterNs: thinkNs()) }
            return try probe(client)
        }
        let member = members[client.member]
        guard member.process != nil, !member.isPaused else {
            client.member = Int(clientRandom.next(below: UInt64(options.members)))
            return schedule(client, afterNs: thinkNs())
        }
        if clientRandom.chance(perMille: 30) {
            client.member = Int(clientRandom.next(below: UInt64(options.members)))
            return schedule(client, afterNs: 0)
        }
        switch client.kind {
        case .worker: try work(client)
        case .waiter: try wait(client)
        case .follower: try follow(client)
        }
        // Patience has an end, for some.
        if client.open != nil, clientRandom.chance(perMille: 60) {
            schedule(client, afterNs: clientRandom.draw(1_000_000...400_000_000))
        }
    }

    private func giveUp(_ client: Client, _ open: OpenRequest) throws(Violation) {
        let member = members[open.member]
        if member.isPaused { return schedule(client, afterNs: thinkNs()) }
        // What the turn has answered already comes before the cancellation.
        try endTurn(member)
        guard client.open?.id == open.id, member.run == open.run else { return }
        // A gateway may not have asked yet, or have its answer already.
        let isAsked = client.asked != nil && client.connection?.reply == nil
        lose(client)
        marks.hit(client.isWeb ? .hungUp : .cancelled)
        if isAsked { try step(member, .cancel(RequestID(rawValue: open.id))) }
    }

    /// No answer will come to what it has open.
    func lose(_ client: Client) {
        guard let open = client.open else { return }
        // In a register's history it stays open: it may take effect, or not.
        if open.tag > 0 { work.unknownWrites += 1 }
        client.open = nil
        client.connection = nil
        schedule(client, afterNs: thinkNs())
    }

    private func ask(
        _ client: Client, _ ask: ClientRequest, tag: UInt64 = 0, path: ZnodePath? = nil,
        register: Registers.Handle? = nil, ofHere: Bool = false
    ) throws(Violation) {
        let member = members[client.member]
        guard let process = member.process else { return }
        client.requests += 1
        var open = OpenRequest(
            id: client.requests * Self.clientsMax + UInt64(client.number),
            member: member.position, run: member.run, ask: ask, tag: tag, path: path,
            register: register,
            known: options.comparesRealTime ? history.witnessed : .zero)
        open.askedAtEvent = events + 1
        open.isOfHere = ofHere
        client.open = open
        if client.isWeb { return sendRequest(client, open) }
        trace("client \(client.number) asks \(member.id) for \(ask)")
        try step(member, .request(RequestID(rawValue: open.id), ask))
        if options.bug == .readBeforeTicket, case .read(.linearizable) = ask, client.open != nil {
            try look(client, open, process)
        }
    }

    private func work(_ client: Client) throws(Violation) {
        if clientRandom.chance(perMille: 350) { return try useRegister(client) }
        let path = somePath()
        switch clientRandom.next(below: 100) {
        case 0..<45: try write(client, path)
        case 45..<75:
            let asksForSeen = clientRandom.coin()
            let atLeast = asksForSeen && options.comparesRealTime ? client.seen : nil
            try ask(client, .read(.linearizable(atLeast: atLeast)), path: path)
        case 75..<85:
            // Now and then from a future that may never come.
            let ahead: UInt64 = clientRandom.chance(perMille: 50) ? 500 : 0
            let zxid = Zxid(client.seen.rawValue + ahead)
            try ask(client, .read(.atLeast(zxid)), path: path)
        default: try readHere(client, path)
        }
    }

    private func write(_ client: Client, _ path: ZnodePath) throws(Violation) {
        let tag = history.newWrite()
        let padding = Int(clientRandom.pick([0, 0, 20, 300, 1_500]))
        let data = Command.data(tag: tag, padding: padding)
        let command: Command
        switch clientRandom.next(below: 10) {
        case 0..<6:
            command = .put(
                path: path, data: data, mode: .persistent, explicitMode: false,
                condition: someCondition(client), makeParents: clientRandom.coin())
        case 6..<8:
            command = .createSequential(
                parent: clientRandom.coin() ? path : ZnodePath(trusted: [UInt8]("/q".utf8)),
                prefix: [UInt8]("n-".utf8), data: data, mode: .persistentSequential)
        default:
            // One mzxid that no znode has is the tag.
            let mark = Zxid(Command.tagBit | tag)
            command = .delete(
                path: path, condition: .mzxidAny([client.mzxids[0], mark]),
                recursive: clientRandom.coin())
            if clientRandom.coin() {
                let bare = Command.delete(
                    path: path, condition: .none, recursive: clientRandom.coin())
                return try ask(client, .write(bare))
            }
        }
        try ask(client, .write(command), tag: tag)
    }

    // MARK: registers

    private func useRegister(_ client: Client) throws(Violation) {
        let register = registers.register(
            Int(clientRandom.next(below: UInt64(Registers.inUse))))
        let path = registers.path(register)
        let choice = clientRandom.next(below: 10)
        if choice < 4 { return try readRegister(client, register) }
        let tag = history.newWrite()
        let seen = registers.seen(register)
        var condition = Condition.none
        switch clientRandom.next(below: 5) {
        case 0: condition = choice < 8 ? .absent : .exists
        case 1: if let seen { condition = .mzxidAny([seen.mzxid]) }
        case 2: if let seen { condition = .version(seen.version) }
        default: break
        }
        if choice < 8 {
            let command = Command.put(
                path: path, data: Command.data(tag: tag, padding: 0), mode: .persistent,
                explicitMode: false, condition: condition, makeParents: false)
            let handle = registers.begin(.put(tag: tag, condition), at: register)
            return try ask(client, .write(command), tag: tag, register: handle)
        }
        let handle = registers.begin(.delete(condition), at: register)
        let command = Command.delete(path: path, condition: condition, recursive: false)
        try ask(client, .write(command), register: handle)
    }

    private func readRegister(_ client: Client, _ register: Int) throws(Violation) {
        try ask(
            client, .read(.linearizable(atLeast: nil)), path: registers.path(register),
            register: registers.begin(.read, at: register))
    }

    private func someCondition(_ client: Client) -> Condition {
        switch clientRandom.next(below: 8) {
        case 0: .absent
        case 1: .exists
        case 2: .mzxidAny(client.mzxids)
        case 3: .version(Int32(clientRandom.next(below: 4)) - 1)
        default: .none
        }
    }

    private func wait(_ client: Client) throws(Violation) {
        let view = clientRandom.pick([View.data, .children, .existence, .node, .subtree])
        let back = clientRandom.coin() ? 0 : clientRandom.next(below: 20)
        var after = Zxid(client.seen.rawValue - min(client.seen.rawValue, back))
        // Now and then for a future that may never come.
        if clientRandom.chance(perMille: 30) { after = Zxid(client.seen.rawValue + 500) }
        let wait = Wait(
            path: somePath(), view: view, after: after, deadlineMs: deadlineMs(client),
            local: clientRandom.coin())
        try ask(client, .wait(wait))
    }

    private func follow(_ client: Client) throws(Violation) {
        var query = client.followed
        query.after = client.next
        let feed = Feed(
            query: query, deadlineMs: deadlineMs(client), local: clientRandom.coin())
        try ask(client, .feed(feed))
    }

    private func deadlineMs(_ client: Client) -> UInt64 {
        members[client.member].clock.bootMs(nowNs) + clientRandom.draw(0...1_500)
    }

    // MARK: reading the published tree

    func read(_ client: Client, _ request: UInt64) throws(Violation) {
        guard let open = client.open, open.id == request else { return }
        let member = members[open.member]
        guard let process = member.process, member.run == open.run else { return }
        if member.isPaused {
            queue.put(
                .clientRead(client: client.number, request: request),
                atNs: nowNs + 50 * millisecondNs)
            return
        }
        try look(client, open, process)
        work.reads += 1
        finish(client)
    }

    private func look(_ client: Client, _ open: OpenRequest, _ process: Process) throws(Violation) {
        guard let path = open.path else { return }
        try takeRead(see(path, process), client, open)
    }

    /// What a read that waited for its turn has found.
    func takeRead(
        _ seen: HistoryChecker.Read, _ client: Client, _ open: OpenRequest
    ) throws(Violation) {
        var atLeast = open.known
        if case .read(.atLeast(let zxid)) = open.ask { atLeast = zxid }
        if case .read(.linearizable(let zxid?)) = open.ask { atLeast = max(atLeast, zxid) }
        try history.read(seen, atLeast: atLeast, oracle)
        client.see(seen.zxid)
        if let handle = open.register {
            registers.end(
                handle,
                .seen(
                    seen.stat.map { stat in
                        ZnodeOperation.Seen(
                            tag: Command.tag(inData: seen.data), version: stat.version,
                            mzxid: stat.mzxid)
                    }))
        }
        if let stat = seen.stat { client.mzxids = [stat.mzxid, client.mzxids[0]] }
    }

    /// Without a word to the replica.
    private func readHere(_ client: Client, _ path: ZnodePath) throws(Violation) {
        if client.isWeb {
            return try ask(client, .read(.atLeast(.zero)), path: path, ofHere: true)
        }
        let member = members[client.member]
        guard let process = member.process else { return }
        let seen = try see(path, process)
        try takeLocal(seen.zxid, client, member)
        try history.read(seen, atLeast: .zero, oracle)
        client.see(seen.zxid)
        finish(client)
    }

    /// What a client sees of one process never goes back.
    func takeLocal(_ zxid: Zxid, _ client: Client, _ member: Member) throws(Violation) {
        try client.local.shown(zxid, member: member.position, run: member.run)
        work.localReads += 1
    }

    func see(_ path: ZnodePath, _ process: Process) throws(Violation)
        -> HistoryChecker.Read
    {
        let found = process.reader.read { state -> (Stat?, [UInt8], [[UInt8]]) in
            guard let view = state.find(path) else { return (nil, [], []) }
            var children: [[UInt8]] = []
            _ = view.children(after: nil, limit: .max) { name in
                children.append(name.indices.map { name[$0] })
            }
            let data = view.data
            return (view.stat, data.indices.map { data[$0] }, children)
        }
        process.reader.quiescent()
        guard let found else {
            throw Violation(.wrongRead, "\(path) cannot be read while nobody writes")
        }
        let (stat, data, children) = found.result
        return HistoryChecker.Read(
            path: path, stat: stat, data: data, children: children, zxid: found.zxid)
    }

    func finish(_ client: Client) {
        noteWitnessed()
        client.open = nil
        switch client.probe {
        case .none, .done: break
        case .write: client.probe = .read
        case .read: client.probe = .local
        case .local: client.probe = .done
        }
        if !isSettling || !client.isIdle { schedule(client, afterNs: thinkNs()) }
    }

    // MARK: the last requests

    func startProbe(_ client: Client) {
        let there = membersThere
        client.member = there[client.number % there.count].position
        client.probe = .write
        schedule(client, afterNs: thinkNs())
    }

    private func probe(_ client: Client) throws(Violation) {
        switch client.probe {
        case .none, .done: return
        case .local: return try readHere(client, somePath())
        case .read:
            return try readRegister(client, registers.register(client.number % Registers.inUse))
        case .write: break
        }
        let tag = history.newWrite()
        let command = Command.put(
            path: somePath(), data: Command.data(tag: tag, padding: 0), mode: .persistent,
            explicitMode: false, condition: .none, makeParents: true)
        try ask(client, .write(command), tag: tag)
    }
}
