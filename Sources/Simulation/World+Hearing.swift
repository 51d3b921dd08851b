// Clients that speak HTTP: how each asks, and what an answer means to it, by its status, its fields
// and its body alone. What it heard goes the same way into the histories as what is told to a
// client without a gateway.

import Ensemble
import Raft
import Znodes

extension World {
    // MARK: asking

    func sendRequest(_ client: Client, _ open: OpenRequest) {
        let connection = connection(of: client, to: open)
        connection.reset()
        var open = open
        // The end of a znode, or its change: as seen from the one that the client knows.
        if case .wait(var wait) = open.ask, wait.view == .existence, let known = client.known {
            wait.path = known.path
            open.ask = .wait(wait)
            client.open = open
            connection.noneMatch = known.tag
        }
        if open.register == nil { connection.shape = shape(for: open.ask) }
        var request = request(for: open, over: connection)
        request.isChunked = doorRandom.chance(perMille: 200)
        request.isEncoded = doorRandom.chance(perMille: 200)
        if request.body != nil, doorRandom.chance(perMille: 50) {
            request.add(field: "Expect: 100-continue")
        }
        // The last requests of a run must be served.
        if !isSettling, doorRandom.chance(perMille: doors.broken) {
            connection.door.isBroken = true
            request.add(
                field: doorRandom.pick(["Host: other", "Bad Field: x", "Content-Length: +1"]))
        }
        var bytes = request.bytes(chunkBytes: Int(doorRandom.draw(1...700)))
        if !isSettling, doorRandom.chance(perMille: doors.before) {
            let before = doorRandom.pick(SentBefore.allCases)
            connection.before = before
            connection.isBehindBefore = false
            bytes = before.bytes + bytes
        }
        connection.door.isTooLarge = (request.body?.count ?? 0) > doors.dataBytesMax
        trace(
            "client \(client.number) sends \(request.method) to \(open.member + 1) for \(open.ask)")
        send(bytes, from: client, over: connection)
    }

    private func connection(of client: Client, to open: OpenRequest) -> WebConnection {
        if let connection = client.connection, connection.member == open.member,
            connection.run == open.run, !connection.isClosing, doorRandom.chance(perMille: 950)
        {
            marks.hit(.keptAlive)
            return connection
        }
        client.connections += 1
        let connection = WebConnection(
            number: client.connections, member: open.member, run: open.run)
        client.connection = connection
        return connection
    }

    private func shape(for ask: ClientRequest) -> SentShape {
        let limit: Int? = doorRandom.coin() ? nil : Int(doorRandom.draw(1...3))
        switch ask {
        case .write, .feed: return .json
        case .read:
            return doorRandom.pick([.json, .json, .raw, .base64, .children(limit: limit)])
        case .wait(let wait):
            switch wait.view {
            case .data, .existence: return doorRandom.pick([.json, .raw, .base64])
            case .children, .node, .subtree: return .children(limit: limit)
            }
        }
    }

    private func request(for open: OpenRequest, over connection: WebConnection) -> SentRequest {
        let client = clients[Int(open.id % Self.clientsMax)]
        func forMs(_ deadlineMs: UInt64) -> UInt64 {
            let nowMs = members[open.member].clock.bootMs(nowNs)
            return deadlineMs > nowMs ? deadlineMs - nowMs : 0
        }
        switch open.ask {
        case .write(let command): return SentRequest(command)
        case .feed(let feed): return SentRequest(feed, forMs: forMs(feed.deadlineMs))
        case .read(let demand):
            var request = SentRequest(demand, of: open.path ?? .root, as: connection.shape)
            if open.register == nil, connection.shape.isOfData, doorRandom.chance(perMille: 150) {
                let known = client.known
                connection.noneMatch =
                    known?.path == open.path ? known?.tag : client.mzxids[0]
            }
            if let tag = connection.noneMatch { request.add(noneMatch: tag) }
            return request
        case .wait(let wait):
            return SentRequest(
                wait, forMs: forMs(wait.deadlineMs), as: connection.shape,
                noneMatch: connection.noneMatch)
        }
    }

    // MARK: hearing

    /// The answer to what went before a request.
    func hear(
        _ answer: HeardAnswer, to before: SentBefore, _ door: DoorRequest
    ) throws(Violation) {
        marks.hit(.heardBefore)
        if let turnedAway = door.turnedAway {
            if answer.status != turnedAway.status { throw answer.wrong("to be turned away") }
            return
        }
        let isRight =
            switch before {
            // A member without a state, one that does not lead, one that is not ready.
            case .head: [200, 404, 503].contains(answer.status)
            case .leader, .ready: answer.status == 200 || answer.status == 503
            case .options: answer.status == 204 && answer["allow"] != nil
            case .members: answer.status == 200 && NaiveJSON(answer.body) != nil
            case .metrics: answer.status == 200
            case .unknown: answer.status == 404
            }
        if !isRight { throw answer.wrong("an answer to \(before.rawValue)") }
    }

    func hear(
        _ answer: HeardAnswer, _ client: Client, _ open: OpenRequest,
        _ connection: WebConnection
    ) throws(Violation) {
        let code = try answer.code()
        mark(answer, code)
        let isRefusedByDoor = try connection.door.judge(
            status: answer.status, code: code, hasZxid: answer.zxid != nil,
            wasAsked: connection.askedCount > 0)
        if let refusal = try refusal(answer, code, of: open.ask) {
            return try take(refusal, client, open)
        }
        var isNotBegun = isRefusedByDoor
        if !isNotBegun { isNotBegun = try isReserved(answer, code, open, connection) }
        if isNotBegun {
            marks.hit(.notBegun)
            if open.tag > 0 { try history.refused(open.tag) }
            if let handle = open.register { registers.refused(handle) }
            return finish(client)
        }
        guard let zxid = answer.zxid else { throw answer.wrong("no zxid to \(open.ask)") }
        switch open.ask {
        case .write(let command):
            let outcome = try outcome(answer, code, of: command, at: zxid)
            try decide(client, open, command, outcome, zxid)
        case .read: try hearRead(answer, code, zxid, client, open, connection)
        case .wait(let wait): try hear(answer, code, zxid, to: wait, client, open, connection)
        case .feed(let feed): try hear(answer, code, zxid, to: feed, client, open)
        }
        finish(client)
    }

    /// 503 and 504, and what lies ahead: nothing was done, or nobody knows.
    private func refusal(
        _ answer: HeardAnswer, _ code: String?, of ask: ClientRequest
    ) throws(Violation) -> Refusal? {
        if answer.status == 503, answer["retry-after"] == nil {
            throw answer.wrong("no Retry-After")
        }
        switch (answer.status, code) {
        case (503, "no_quorum"): return .noQuorum
        case (503, "overloaded"): return .overloaded
        case (503, "disk_full"):
            if case .write = ask { return .diskFull }
            // The gateway says why no read is confirmed here.
            return .noQuorum
        case (503, "too_stale"):
            // The others are bringing it along: it serves what is local to nobody.
            switch ask {
            case .read(.atLeast): return .noQuorum
            case .wait(let wait) where wait.local: return .noQuorum
            case .feed(let feed) where feed.local: return .noQuorum
            case .write, .read, .wait, .feed: throw answer.wrong("nothing local was asked for")
            }
        case (503, "shutting_down"): return .shuttingDown
        case (503, "state_differs"): return .stateDiffers
        case (504, "outcome_unknown"): return .outcomeUnknown
        case (400, "zxid_ahead"): return .zxidAhead(confirmed: Zxid(try answer.numberInDetail()))
        case (503, _), (504, _): throw answer.wrong("an unknown refusal")
        default: return nil
        }
    }

    /// The gateway refused the request for its path: the replica never heard of it.
    private func isReserved(
        _ answer: HeardAnswer, _ code: String?, _ open: OpenRequest, _ connection: WebConnection
    ) throws(Violation) -> Bool {
        guard answer.zxid == nil, (answer.status, code) == (400, "invalid_path"),
            case .write(let command) = open.ask
        else { return false }
        if !ZnodePath.reserved.contains(command.path) || connection.askedCount > 0 {
            throw answer.wrong("refused: \(open.ask)")
        }
        return true
    }

    private func outcome(
        _ answer: HeardAnswer, _ code: String?, of command: Command, at zxid: Zxid
    ) throws(Violation) -> Outcome {
        switch (answer.status, code) {
        case (200, nil), (201, nil):
            let json = try answer.json()
            guard let path = json["path"]?.bytes, let stat = HeardAnswer.stat(json["stat"]),
                json["created"] == .bool(answer.status == 201),
                answer["etag"] == "\"\(stat.mzxid.rawValue)\"", stat.mzxid == zxid
            else { throw answer.wrong("no written znode") }
            let known = ZnodePath(trusted: path)
            if answer.status == 200 { return .set(path: known, stat: stat) }
            guard let place = answer["location"], place.utf8.elementsEqual("/v1/znodes".utf8 + path)
            else { throw answer.wrong("another place") }
            return .created(path: known, stat: stat)
        case (204, nil):
            // How many went is not said.
            guard case .deleted(let count)? = oracle.record(zxid)?.outcome else {
                return .deleted(count: 1)
            }
            return .deleted(count: count)
        default: return .failed(try failure(answer, code, of: command))
        }
    }

    private func failure(
        _ answer: HeardAnswer, _ code: String?, of command: Command
    ) throws(Violation) -> Failure {
        let path = try answer.problemPath()
        switch (answer.status, code) {
        case (404, "no_node"): return .noNode(path: path)
        case (409, "node_exists") where !command.createsOnly,
            (412, "node_exists") where command.createsOnly:
            return .nodeExists(path: path)
        case (412, "no_node"): return .badVersion(path: path, absent: true)
        case (412, "bad_version"): return .badVersion(path: path, absent: false)
        case (409, "not_empty"): return .notEmpty(path: path)
        case (413, "too_large"): return .tooManyZnodes(path: path)
        case (507, "store_full"): return .storeFull
        case (400, "invalid_path"): return .invalidPath(path: path)
        default: throw answer.wrong("an unknown failure of \(command)")
        }
    }

    private func hearRead(
        _ answer: HeardAnswer, _ code: String?, _ zxid: Zxid, _ client: Client,
        _ open: OpenRequest, _ connection: WebConnection
    ) throws(Violation) {
        let path = open.path ?? .root
        var atLeast = open.known
        switch open.ask {
        case .read(.atLeast(let wanted)): atLeast = wanted
        case .read(.linearizable(let wanted?)): atLeast = max(atLeast, wanted)
        case .read, .write, .wait, .feed: break
        }
        if open.isOfHere { try takeLocal(zxid, client, members[open.member]) }
        if let seen = try look(answer, code, zxid, at: path, atLeast: atLeast, connection, client) {
            try takeRead(seen, client, open)
        }
        client.see(zxid)
        if !open.isOfHere { work.reads += 1 }
    }

    private func hear(
        _ answer: HeardAnswer, _ code: String?, _ zxid: Zxid, to wait: Wait, _ client: Client,
        _ open: OpenRequest, _ connection: WebConnection
    ) throws(Violation) {
        var wait = wait
        if case .children = connection.shape { wait.view = .children } else { wait.view = .data }
        client.see(zxid)
        if connection.noneMatch == nil {
            if answer.status == 304 {
                try history.unchanged(wait, at: zxid, oracle)
                work.quietWaits += 1
                return try checkSeen(open, zxid, local: wait.local)
            }
            try history.changed(
                wait, applied: zxid, remembersAll: tuning.remembersAll, oracle)
        }
        work.changes += 1
        let after = connection.noneMatch == nil ? wait.after : .zero
        let atLeast = wait.local ? after : max(after, open.known)
        if let seen = try look(
            answer, code, zxid, at: wait.path, atLeast: atLeast, connection, client)
        {
            try history.read(seen, atLeast: atLeast, oracle)
        }
    }

    private func hear(
        _ answer: HeardAnswer, _ code: String?, _ zxid: Zxid, to feed: Feed, _ client: Client,
        _ open: OpenRequest
    ) throws(Violation) {
        switch (answer.status, code) {
        case (200, nil):
            let json = try answer.json()
            guard let list = json["events"]?.list, json["next"]?.unsigned == zxid.rawValue else {
                throw answer.wrong("no page")
            }
            var events: [Event] = []
            for one in list {
                guard let at = one["zxid"]?.unsigned, let path = one["path"]?.bytes,
                    let name = one["type"]?.bytes,
                    let type = SentRequest.eventNames.first(where: {
                        $0.name.utf8.elementsEqual(name)
                    })?.type
                else { throw answer.wrong("no event") }
                events.append(Event(zxid: Zxid(at), type: type, path: ZnodePath(trusted: path)))
            }
            try take(EventPage(events: events, next: zxid), of: feed, client, open)
        case (410, "history_compacted"): try takeCompacted(zxid, of: feed, client)
        default: throw answer.wrong("to a feed")
        }
    }

    /// The znode that an answer shows, or its absence; nil: it shows something else, which is judged
    /// here.
    private func look(
        _ answer: HeardAnswer, _ code: String?, _ zxid: Zxid, at path: ZnodePath, atLeast: Zxid,
        _ connection: WebConnection, _ client: Client
    ) throws(Violation) -> HistoryChecker.Read? {
        switch (answer.status, code) {
        case (304, nil):
            guard let tag = connection.noneMatch else { throw answer.wrong("not modified") }
            try history.stillThere(path, tag, at: zxid, atLeast: atLeast, oracle)
            return nil
        case (200, nil):
            if case .children(let limit) = connection.shape {
                try history.read(
                    listing(answer, path, zxid, limit: limit), atLeast: atLeast, oracle)
                return nil
            }
            let (stat, data) = try answer.znode(connection.shape, path)
            client.known = (path, stat.mzxid)
            if stat.mzxid == connection.noneMatch { throw answer.wrong("a tag that matches") }
            return HistoryChecker.Read(
                path: path, stat: stat, data: data, children: nil, zxid: zxid)
        case (404, "no_node"):
            return HistoryChecker.Read(path: path, stat: nil, data: [], children: nil, zxid: zxid)
        default: throw answer.wrong("to a read")
        }
    }

    private func listing(
        _ answer: HeardAnswer, _ path: ZnodePath, _ zxid: Zxid, limit: Int?
    ) throws(Violation) -> HistoryChecker.Listing {
        let json = try answer.json()
        var names: [[UInt8]] = []
        for name in json["children"]?.list ?? [] {
            guard let bytes = name.bytes else { throw answer.wrong("no name") }
            names.append(bytes)
        }
        let next = json["next"]
        let tag = answer["etag"]?.dropFirst(2).dropLast().split(separator: "-") ?? []
        guard json["path"]?.bytes == path.bytes, json["zxid"]?.unsigned == zxid.rawValue,
            tag.count == 3, let czxid = UInt64(tag[0]), let pzxid = UInt64(tag[1]),
            let cversion = Int32(tag[2]), next == .null || next?.bytes == names.last
        else { throw answer.wrong("no list of children") }
        return HistoryChecker.Listing(
            path: path, czxid: Zxid(czxid), pzxid: Zxid(pzxid), cversion: cversion, names: names,
            goesOn: next != .null, limit: limit ?? 1_000, zxid: zxid)
    }
}
