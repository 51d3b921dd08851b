// The HTTP door of a member: the product's own parser and gateway, with the part of an event loop
// that lies between a socket and them. Bytes come and go in pieces, later and later, and in order.

import Ensemble
import Gateway
import HTTP
import Raft
import Znodes

extension World {
    /// Of the gateway of a process that starts.
    func gatewayOptions() -> GatewayOptions {
        var options = GatewayOptions(
            version: Array("0".utf8), jitterSeed: doorRandom.next(),
            dataBytesMax: doors.dataBytesMax)
        options.limits.feedEventsMax = doors.feedEventsMax
        return options
    }

    // MARK: the way there

    /// Hands `bytes` to the network.
    func send(_ bytes: [UInt8], from client: Client, over connection: WebConnection) {
        connection.coming += bytes
        inPieces(bytes.count) { count, atNs in
            queue.put(
                .webArrives(client: client.number, connection: connection.number, count: count),
                atNs: atNs)
        }
    }

    private func inPieces(_ count: Int, _ each: (Int, UInt64) -> Void) {
        var left = count
        var atNs = nowNs
        var pieces = doorRandom.draw(1...doors.piecesMax)
        while left > 0 {
            let size = pieces <= 1 ? left : Int(doorRandom.draw(1...UInt64(left)))
            atNs += doorRandom.delayNs(1_000...100_000)
            each(size, atNs)
            left -= size
            pieces -= 1
        }
    }

    /// The connection of an occurrence, if it is still the client's.
    private func connection(_ client: Int, _ number: Int) -> WebConnection? {
        guard let connection = clients[client].connection, connection.number == number else {
            return nil
        }
        return connection
    }

    func arrive(_ event: Occurrence, client: Int, connection number: Int, count: Int)
        throws(Violation)
    {
        guard let connection = connection(client, number),
            !isHeldBack(event, connection.member, run: connection.run),
            let process = members[connection.member].process
        else { return }
        connection.input += connection.coming.prefix(count)
        connection.coming.removeFirst(count)
        try takeRequests(clients[client], connection, process)
    }

    /// The loop takes what the replica has answered.
    func takeReply(_ event: Occurrence, client: Int, connection number: Int) throws(Violation) {
        guard let connection = connection(client, number),
            !isHeldBack(event, connection.member, run: connection.run),
            let process = members[connection.member].process,
            let pending = connection.pending, var reply = connection.reply
        else { return }
        if options.bug == .changeMadeUp, case .unchanged = reply { reply = .changed }
        connection.pending = nil
        connection.reply = nil
        connection.asked = nil
        let member = members[connection.member]
        // Who has an answer finds the status that belongs to it.
        process.status = nil
        let context = context(of: member, process)
        process.gateway.beginTurn(context)
        var out = ByteWriter()
        let disposition = process.gateway.resume(
            pending, with: reply, keepAlive: connection.wantsKeepAlive && !process.isStopping,
            context: context, into: &out)
        process.gateway.willBlock()
        try conclude(disposition, clients[client], connection, process, out)
        try takeRequests(clients[client], connection, process)
    }

    private func context(of member: Member, _ process: Process) -> RequestContext {
        let nowMs = member.clock.bootMs(nowNs)
        if process.status == nil || process.statusAtMs + tuning.replica.tickMs < nowMs {
            process.status = process.replica.status()
            process.statusAtMs = nowMs
        }
        return RequestContext(
            nowMs: nowMs, wallMs: member.clock.wallMs(nowNs),
            status: process.status ?? process.replica.status(), draining: process.isStopping)
    }

    // MARK: the event loop

    private func takeRequests(
        _ client: Client, _ connection: WebConnection, _ process: Process
    ) throws(Violation) {
        while client.connection === connection, connection.pending == nil, !connection.isClosing,
            !connection.input.isEmpty, members[connection.member].process === process
        {
            let isWhole =
                connection.body == nil
                ? try takeHead(client, connection, process)
                : try takeBody(client, connection, process)
            if !isWhole { return }
        }
    }

    /// False: more must come first.
    private func takeHead(
        _ client: Client, _ connection: WebConnection, _ process: Process
    ) throws(Violation) -> Bool {
        if doorRandom.chance(perMille: doors.turnedAway) {
            marks.hit(.doorFull)
            let isFull = doorRandom.coin()
            if connection.isBehindBefore {
                connection.door.turnedAway = isFull ? .full : .late
            } else {
                connection.doorBefore.turnedAway = isFull ? .full : .late
            }
            refuse(.limit(isFull ? .connectionLimit : .headTimeout), client, connection)
            return true
        }
        let input = connection.input
        switch connection.parser.parseHead(input.span, limits: HTTPLimits()) {
        case .needMore: return false
        case .invalid(let violation):
            refuse(.violation(violation), client, connection)
            return true
        case .head(let head, let length):
            connection.input.removeFirst(length)
            connection.isBehindBefore = true
            let headBytes = Array(input[..<length])
            if head.framing == .none || head.framing == .length(0) {
                try respond(client, connection, process, head, headBytes, body: [])
                return true
            }
            let bytesMax = process.gateway.bodyBytesMax(for: head, bytes: headBytes.span)
            if case .length(let length) = head.framing, length > bytesMax {
                refuse(.limit(.bodyTooLarge(bytesMax: bytesMax)), client, connection)
                return true
            }
            connection.body = WebConnection.PartialBody(
                head: head, headBytes: headBytes, bytesMax: bytesMax,
                decoder: BodyDecoder(
                    head: head, limits: HTTPLimits(), bodyBytesMax: bytesMax),
                bytes: options.bug == .bodyKept ? connection.lastBody : [])
            if head.expectsContinue, connection.input.isEmpty {
                marks.hit(.continued)
                var out = ByteWriter()
                ResponseSerializer.appendContinue(into: &out)
                send(out, client, connection)
            }
            return true
        }
    }

    private func takeBody(
        _ client: Client, _ connection: WebConnection, _ process: Process
    ) throws(Violation) -> Bool {
        guard var body = connection.body else { return false }
        let input = connection.input
        let step = body.decoder.decode(input.span, into: &body.bytes)
        connection.body = body
        switch step {
        case .needMore:
            connection.input = []
            return false
        case .done(let consumed):
            connection.input.removeFirst(consumed)
            connection.body = nil
            connection.lastBody = body.bytes
            try respond(
                client, connection, process, body.head, body.headBytes, body: body.bytes)
        case .invalid(let violation): refuse(.violation(violation), client, connection)
        case .tooLarge:
            refuse(.limit(.bodyTooLarge(bytesMax: body.bytesMax)), client, connection)
        }
        return true
    }

    private func respond(
        _ client: Client, _ connection: WebConnection, _ process: Process, _ head: RequestHead,
        _ headBytes: [UInt8], body: [UInt8]
    ) throws(Violation) {
        let member = members[connection.member]
        let context = context(of: member, process)
        process.gateway.beginTurn(context)
        var out = ByteWriter()
        connection.wantsKeepAlive = head.keepAlive
        let disposition = process.gateway.respond(
            to: head, bytes: headBytes.span, body: body.span,
            keepAlive: head.keepAlive && !process.isStopping, context: context, into: &out)
        process.gateway.willBlock()
        if headBytes.starts(with: SentBefore.leader.rawValue.utf8) {
            let isOK = unsafe out.withBytes { unsafe $0.count > 12 && $0[9] == UInt8(ascii: "2") }
            if isOK {
                marks.hit(.leaderTold)
                try claims.told(member.position, nowNs: nowNs)
            }
        }
        try conclude(disposition, client, connection, process, out)
    }

    private func conclude(
        _ disposition: Disposition<PendingAnswer>, _ client: Client, _ connection: WebConnection,
        _ process: Process, _ out: borrowing ByteWriter
    ) throws(Violation) {
        let member = members[connection.member]
        switch disposition {
        case .answered(let keepAlive):
            connection.isClosing = !keepAlive || process.isStopping || !connection.wantsKeepAlive
            send(out, client, connection)
        case .submit(let request, let pending):
            guard var open = client.open else {
                throw Violation(.answer, "\(request) is asked for nobody")
            }
            connection.pending = pending
            connection.asked = request
            connection.askedCount += 1
            if connection.askedCount > 1 { marks.hit(.askedAgain) }
            client.requests += 1
            open.id = client.requests * Self.clientsMax + UInt64(client.number)
            open.askedAtEvent = events + 1
            client.open = open
            trace("the gateway of \(member.id) asks for \(request), for client \(client.number)")
            if options.bug == .readBeforeTicket, case .read(.linearizable) = request {
                connection.reply = .readable
                return queue.put(
                    .webReply(client: client.number, connection: connection.number), atNs: nowNs)
            }
            try step(member, .request(RequestID(rawValue: open.id), forgetting(request)))
        }
    }

    private func forgetting(_ request: ClientRequest) -> ClientRequest {
        guard options.bug == .conditionForgotten,
            case .write(.put(let path, let data, let mode, let explicitMode, _, let makeParents)) =
                request
        else { return request }
        return .write(
            .put(
                path: path, data: data, mode: mode, explicitMode: explicitMode, condition: .none,
                makeParents: makeParents))
    }

    private enum DoorRefusal {
        case limit(EdgeRefusal)
        case violation(HTTPViolation)
    }

    /// What the loop refuses without the gateway's look at the request.
    private func refuse(
        _ refusal: DoorRefusal, _ client: Client, _ connection: WebConnection
    ) {
        let member = members[connection.member]
        guard let process = member.process else { return }
        let context = context(of: member, process)
        process.gateway.beginTurn(context)
        var out = ByteWriter()
        switch refusal {
        case .limit(let limit): process.gateway.refuse(limit, context: context, into: &out)
        case .violation(let violation):
            process.gateway.refuse(violation, context: context, into: &out)
        }
        process.gateway.willBlock()
        connection.isClosing = true
        send(out, client, connection)
    }

    // MARK: the way back

    private func send(
        _ out: borrowing ByteWriter, _ client: Client, _ connection: WebConnection
    ) {
        let bytes = unsafe out.withBytes { unsafe Array($0) }
        connection.going += bytes
        inPieces(bytes.count) { count, atNs in
            queue.put(
                .webAnswered(client: client.number, connection: connection.number, count: count),
                atNs: atNs)
        }
    }

    /// A piece of an answer reaches the client.
    func receive(client number: Int, connection: Int, count: Int) throws(Violation) {
        let client = clients[number]
        guard let connection = self.connection(number, connection) else { return }
        connection.received += connection.going.prefix(count)
        connection.going.removeFirst(count)
        while client.connection === connection, let open = client.open {
            guard
                let answer = try HeardAnswer.take(
                    from: &connection.received, isHead: connection.before == .head)
            else { return }
            if answer.status == 100 { continue }
            if answer.isLast { client.connection = nil }
            if let before = connection.before {
                connection.before = nil
                try hear(answer, to: before, connection.doorBefore)
                // What is behind it was never read.
                if answer.isLast { return lose(client) }
            } else {
                trace("client \(number) hears \(answer.status)")
                try hear(answer, client, open, connection)
            }
        }
    }
}
