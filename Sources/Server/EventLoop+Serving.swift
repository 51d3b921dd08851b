// From bytes to answers: receive, parse, ask the gateway, send. Requests of a pipeline that is at
// hand are answered in one turn and sent together; one that must ask the replica holds those behind
// it, so that answers keep their order. Nothing here allocates for a request that comes in one
// piece and is answered at once.

internal import Ensemble
internal import Gateway
internal import HTTP
internal import System
internal import Znodes

extension EventLoop where Handler: ~Copyable {
    /// Something happened to a connection.
    mutating func serve(_ token: Token, _ readiness: Readiness) {
        let connection = unsafe connections.address(of: token.index)
        if unsafe !serve(&connection.pointee, token, readiness) { drop(token.index) }
    }

    private mutating func serve(
        _ connection: inout Connection, _ token: Token, _ readiness: Readiness
    ) -> Bool {
        if readiness.isBroken { return false }
        if readiness.contains(.readable) { connection.readable = true }
        if readiness.contains(.peerShut) {
            connection.readable = true
            connection.peerShut = true
            if isAbandonedWait(connection) { return false }
        }
        return progress(&connection, token)
    }

    /// A peer that has closed its half still gets its answers, except to a long poll: a client that
    /// died looks the same, and its wait would be held, in vain, for minutes.
    private func isAbandonedWait(_ connection: borrowing Connection) -> Bool {
        connection.peerShut && connection.waitsForChange && connection.pending != nil
    }

    /// Goes on as far as it can; false: close.
    mutating func progress(_ connection: inout Connection, _ token: Token) -> Bool {
        if case .lingering = connection.phase { return linger(&connection, token) }
        if !flush(&connection, token) { return false }
        var roundsLeft = limits.roundsPerTurnMax
        while connection.takesRequests && roundsLeft > 0 {
            if connection.holdsRequests {
                takeKept(&connection, token.index)
            } else if connection.readable {
                if !receive(&connection, token.index) { return false }
            } else {
                break
            }
            roundsLeft -= 1
            if !flush(&connection, token) { return false }
        }
        if isAbandonedWait(connection) { return false }
        return settle(&connection, token)
    }

    /// The connection's share of this turn is done: it goes on in the next one, closes, lingers, or
    /// waits for what comes.
    private mutating func settle(_ connection: inout Connection, _ token: Token) -> Bool {
        if connection.takesRequests {
            if connection.readable || connection.holdsRequests {
                resumeLater(&connection, token)
            } else if connection.ended {
                // Half a request will never be whole now.
                connection.closing = .atOnce
            } else if case .idle = connection.phase, context.draining {
                connection.closing = .lingering
            }
        }
        if connection.isClosing && connection.output.isEmpty { return close(&connection, token) }
        updateTimer(&connection, token.index)
        return true
    }

    mutating func resumeLater(_ connection: inout Connection, _ token: Token) {
        if connection.resumes { return }
        connection.resumes = true
        resuming.append(token)
    }

    // MARK: Receiving

    /// One receive into the loop's buffer; takes what came.
    private mutating func receive(_ connection: inout Connection, _ slot: UInt32) -> Bool {
        switch unsafe connection.socket.receive(into: receiveBuffer) {
        case .bytes(let count):
            counts.bytesReceived += count
            // Fewer than asked for: drained. An end behind them is told by the event.
            if count < limits.receiveBytes && !connection.peerShut { connection.readable = false }
            connection.wantsMore = false
            let raw = unsafe UnsafeRawBufferPointer(rebasing: receiveBuffer[..<count])
            let bytes = unsafe Span<UInt8>(_unsafeBytes: raw)
            if connection.input.isEmpty {
                let used = take(&connection, slot, bytes)
                if used < count { connection.input.append(bytes.extracting(used..<count)) }
            } else {
                connection.input.append(bytes)
            }
        case .wouldBlock:
            connection.readable = false
        case .end:
            connection.readable = false
            connection.ended = true
        case .failed:
            return false
        }
        return true
    }

    private mutating func takeKept(_ connection: inout Connection, _ slot: UInt32) {
        var kept = ByteWriter(retainedBytesMax: 0)
        swap(&kept, &connection.input)
        let used = take(&connection, slot, kept.bytes)
        kept.consume(used)
        swap(&kept, &connection.input)
    }

    // MARK: Taking requests

    /// Takes requests from the front of `bytes` as far as they are whole and may be answered; gives
    /// the count of bytes that are done with.
    private mutating func take(
        _ connection: inout Connection, _ slot: UInt32, _ bytes: Span<UInt8>
    ) -> Int {
        var at = 0
        while at < bytes.count {
            if connection.partial?.body != nil {
                takeBody(&connection, slot, bytes, &at)
            } else {
                takeHead(&connection, slot, bytes, &at)
            }
            if connection.wantsMore { return at }
            switch connection.phase {
            case .waiting: return at
            case .idle, .head, .body, .lingering: break
            }
            // What follows a last request is not read.
            if connection.isClosing { return bytes.count }
            if out.count >= limits.gatheredBytesMax { return at }
        }
        return at
    }

    private mutating func takeHead(
        _ connection: inout Connection, _ slot: UInt32, _ bytes: Span<UInt8>, _ at: inout Int
    ) {
        let rest = bytes.extracting(at..<bytes.count)
        let result: HeadResult
        if let partial = connection.partial {
            result = partial.parser.parseHead(rest, limits: limits.http)
        } else {
            result = parser.parseHead(rest, limits: limits.http)
        }
        switch result {
        case .head(let head, let length):
            connection.partial = nil
            at += length
            let headBytes = rest.extracting(0..<length)
            switch head.framing {
            case .none, .length(0):
                answer(&connection, slot, head, headBytes, body: Span())
            case .length, .chunked:
                beginBody(&connection, slot, head, headBytes, bytes, &at)
            }
        case .needMore:
            connection.wantsMore = true
            if connection.partial == nil {
                connection.partial = PartialRequest(parser: parser, counters: shared)
                parser = RequestParser()
                connection.enter(.head, nowMs: context.nowMs)
            }
        case .invalid(let violation):
            parser = RequestParser()
            refuse(&connection, violation)
        }
    }

    private mutating func beginBody(
        _ connection: inout Connection, _ slot: UInt32, _ head: RequestHead,
        _ headBytes: Span<UInt8>, _ bytes: Span<UInt8>, _ at: inout Int
    ) {
        let bytesMax = handler.bodyBytesMax(for: head, bytes: headBytes)
        if case .length(let length) = head.framing {
            if length > bytesMax {
                refuse(&connection, .bodyTooLarge(bytesMax: bytesMax))
                return
            }
            if bytes.count - at >= length {
                let body = bytes.extracting(at..<(at + length))
                at += length
                answer(&connection, slot, head, headBytes, body: body)
                return
            }
        }
        var copy: [UInt8] = []
        copy.reserveCapacity(headBytes.count)
        unsafe headBytes.withUnsafeBufferPointer { unsafe copy.append(contentsOf: $0) }
        connection.partial = PartialRequest(
            body: PartialBody(
                head: head, headBytes: copy, bytesMax: bytesMax,
                decoder: BodyDecoder(head: head, limits: limits.http, bodyBytesMax: bytesMax),
                pace: BodyPace(nowMs: context.nowMs, limits)),
            counters: shared)
        connection.enter(.body, nowMs: context.nowMs)
        if at < bytes.count {
            takeBody(&connection, slot, bytes, &at)
            return
        }
        connection.wantsMore = true
        // RFC 9110 10.1.1: only when the body is wanted, and not when it comes already.
        if head.expectsContinue { ResponseSerializer.appendContinue(into: &out) }
    }

    private mutating func takeBody(
        _ connection: inout Connection, _ slot: UInt32, _ bytes: Span<UInt8>, _ at: inout Int
    ) {
        guard let partial = connection.partial, var body = partial.body else { return }
        partial.body = nil
        switch body.decoder.decode(bytes.extracting(at..<bytes.count), into: &body.bytes) {
        case .needMore:
            at = bytes.count
            let held = partial.countBody(bytes: body.bytes.count)
            if held > limits.unfinishedBodyBytesMax { return refuse(&connection, .bodiesLimit) }
            body.pace.received(
                total: body.decoder.decodedBytes, nowMs: context.nowMs, limits)
            partial.body = body
            connection.wantsMore = true
        case .done(let consumed):
            at += consumed
            connection.partial = nil
            let headBytes = body.headBytes.span
            let whole = body.bytes.span
            answer(&connection, slot, body.head, headBytes, body: whole)
        case .invalid(let violation):
            refuse(&connection, violation)
        case .tooLarge:
            refuse(&connection, .bodyTooLarge(bytesMax: body.bytesMax))
        }
    }

    // MARK: Answering

    private mutating func answer(
        _ connection: inout Connection, _ slot: UInt32, _ head: RequestHead,
        _ headBytes: Span<UInt8>, body: Span<UInt8>
    ) {
        connection.requests += 1
        counts.requests += 1
        activity += 1
        let keepAlive = mayKeepAlive(connection, wanted: head.keepAlive)
        let disposition = handler.respond(
            to: head, bytes: headBytes, body: body, keepAlive: keepAlive, context: context,
            into: &out)
        conclude(&connection, slot, disposition, wanted: head.keepAlive)
    }

    private func mayKeepAlive(_ connection: borrowing Connection, wanted: Bool) -> Bool {
        wanted && !context.draining && connection.requests < limits.requestsPerConnectionMax
    }

    private mutating func conclude(
        _ connection: inout Connection, _ slot: UInt32, _ disposition: Disposition<Handler.Pending>,
        wanted: Bool
    ) {
        switch disposition {
        case .answered(let keepAlive):
            connection.enter(.idle, nowMs: context.nowMs)
            if keepAlive && mayKeepAlive(connection, wanted: wanted) { return }
            connection.closing = wanted ? .lingering : .atOnce
        case .submit(let request, let pending):
            connection.sequence = (connection.sequence + 1) & RequestID.sequenceMask
            connection.enter(.waiting, nowMs: context.nowMs)
            connection.pending = pending
            connection.pendingKeepAlive = wanted
            connection.waitsForChange =
                switch request {
                case .wait(let wait): wait.deadlineMs > context.nowMs
                case .feed(let feed): feed.deadlineMs > context.nowMs
                case .write, .read: false
                }
            counts.inFlight += 1
            let id = RequestID(loop: index, slot: slot, sequence: connection.sequence)
            outbox.append(.request(id, request))
        }
    }

    /// The replica has answered. Late replies, to connections that are gone, are dropped.
    mutating func deliver(_ id: RequestID, _ reply: ClientReply) {
        guard let token = connections.token(at: id.slot) else { return }
        let connection = unsafe connections.address(of: id.slot)
        if unsafe !deliver(&connection.pointee, token, id, reply) { drop(id.slot) }
    }

    private mutating func deliver(
        _ connection: inout Connection, _ token: Token, _ id: RequestID, _ reply: ClientReply
    ) -> Bool {
        guard connection.sequence == id.sequence, let pending = connection.pending else {
            return true
        }
        connection.pending = nil
        counts.inFlight -= 1
        activity += 1
        let wanted = connection.pendingKeepAlive
        let disposition = handler.resume(
            pending, with: affordable(reply), keepAlive: mayKeepAlive(connection, wanted: wanted),
            context: context, into: &out)
        conclude(&connection, token.index, disposition, wanted: wanted)
        return progress(&connection, token)
    }

    /// A page of a feed may make many megabytes of a short request. It is written only if they may be
    /// kept in case its client does not take them.
    private func affordable(_ reply: ClientReply) -> ClientReply {
        guard case .events(let page) = reply,
            shared.unsent + page.answerBytes > limits.unsentBytesMax
        else { return reply }
        return .refused(.overloaded)
    }

    private mutating func refuse(_ connection: inout Connection, _ violation: HTTPViolation) {
        counts.violations += 1
        handler.refuse(violation, context: context, into: &out)
        connection.partial = nil
        connection.closing = .lingering
    }

    private mutating func refuse(_ connection: inout Connection, _ refusal: EdgeRefusal) {
        handler.refuse(refusal, context: context, into: &out)
        connection.partial = nil
        connection.closing = .lingering
    }
}
