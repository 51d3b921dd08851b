// What becomes of each answer: it must be to something that is open, be of the right kind, and
// agree with what was committed.

import Ensemble
import Raft
import Znodes

extension World {
    func answer(
        _ request: RequestID, _ reply: ClientReply, _ member: Member, _ process: Process
    ) throws(Violation) {
        let client = clients[Int(request.rawValue % Self.clientsMax)]
        guard var open = client.open, let ask = client.asked, open.id == request.rawValue,
            !open.hasTicket, client.connection?.reply == nil
        else {
            throw Violation(
                .answer,
                "member \(member.id) answers \(reply) to \(request.rawValue), "
                    + "which is not open")
        }
        if case .events(let page) = reply {
            trace("client \(client.number) gets \(page.count) events, up to \(page.next)")
        } else {
            trace("client \(client.number) gets \(reply)")
        }
        mix(request.rawValue)
        var reply = reply
        if options.bug == .unknownAsRefused, reply == .refused(.outcomeUnknown) {
            reply = .refused(.noQuorum)
        }
        mark(reply, to: ask, later: open.askedAtEvent < events)
        if let connection = client.connection, client.isWeb {
            connection.reply = reply
            return queue.put(
                .webReply(client: client.number, connection: connection.number),
                atNs: nowNs + doorRandom.draw(doors.replyDelayNs))
        }
        if case .refused(let refusal) = reply { return try take(refusal, client, open) }
        switch (open.ask, reply) {
        case (.write(let command), .decided(let outcome, let zxid)):
            try decide(client, open, command, outcome, zxid)
        case (.read, .readable):
            open.hasTicket = true
            client.open = open
            queue.put(
                .clientRead(client: client.number, request: open.id),
                atNs: nowNs + clientRandom.draw(1_000...5_000_000))
            return
        case (.wait(let wait), .changed):
            try history.changed(
                wait, applied: process.replica.applied, remembersAll: tuning.remembersAll, oracle)
            work.changes += 1
            let seen = try see(wait.path, process)
            try history.read(
                seen, atLeast: wait.local ? wait.after : max(wait.after, open.known), oracle)
            client.see(seen.zxid)
        case (.wait(let wait), .unchanged(let zxid)):
            try history.unchanged(wait, at: zxid, oracle)
            try checkSeen(open, zxid, local: wait.local)
            work.quietWaits += 1
            client.see(zxid)
        case (.feed(let feed), .events(let page)): try take(page, of: feed, client, open)
        case (.feed(let feed), .historyCompacted(let zxid)):
            try takeCompacted(zxid, of: feed, client)
        case (.write, _), (.read, _), (.wait, _), (.feed, _):
            throw Violation(.answer, "\(reply) to \(open.ask)")
        }
        finish(client)
    }

    func take(
        _ page: EventPage, of feed: Feed, _ client: Client, _ open: OpenRequest
    ) throws(Violation) {
        try history.events(page, of: feed.query, oracle)
        if page.isEmpty { try checkSeen(open, page.next, local: feed.local) }
        work.pages += 1
        client.next = page.next
        client.see(page.next)
    }

    func takeCompacted(_ zxid: Zxid, of feed: Feed, _ client: Client) throws(Violation) {
        try expect(
            !tuning.remembersAll && zxid >= feed.query.after, .feed,
            "nothing is remembered after \(feed.query.after), go on from \(zxid)")
        client.next = zxid
    }

    /// That nothing happened is said of all that anybody knew when it was asked, unless it was asked
    /// of this member alone.
    func checkSeen(_ open: OpenRequest, _ zxid: Zxid, local: Bool) throws(Violation) {
        try expect(
            local || zxid >= open.known, .staleRead,
            "\(open.ask) is quiet up to \(zxid), \(open.known) was known before")
    }

    func decide(
        _ client: Client, _ open: OpenRequest, _ command: Command, _ outcome: Outcome, _ zxid: Zxid
    ) throws(Violation) {
        try history.acknowledged(
            open.tag, command, outcome, at: zxid, known: open.known, oracle)
        client.see(zxid)
        if let handle = open.register {
            guard let result = ZnodeOperation.Result(outcome) else {
                throw Violation(.answer, "\(outcome) to \(command)")
            }
            registers.end(handle, result)
        }
        switch outcome {
        case .created(_, let stat), .set(_, let stat):
            client.mzxids = [stat.mzxid, client.mzxids[0]]
        case .deleted, .failed: break
        }
    }

    func take(_ refusal: Refusal, _ client: Client, _ open: OpenRequest) throws(Violation) {
        work.refusals += 1
        switch (open.ask, refusal) {
        case (.write, .noQuorum), (.write, .overloaded), (.write, .diskFull),
            (.write, .shuttingDown), (.write, .stateDiffers):
            if open.tag > 0 { try history.refused(open.tag) }
            if let handle = open.register { registers.refused(handle) }
        case (.write, .outcomeUnknown): work.unknownWrites += 1
        case (.read, .zxidAhead(let confirmed)), (.wait, .zxidAhead(let confirmed)),
            (.feed, .zxidAhead(let confirmed)):
            try expect(
                confirmed >= open.known, .staleRead,
                "\(open.ask) is refused as ahead of \(confirmed), \(open.known) was known")
        case (.read, .noQuorum), (.read, .overloaded), (.read, .shuttingDown),
            (.wait, .noQuorum), (.wait, .overloaded), (.wait, .shuttingDown),
            (.feed, .noQuorum), (.feed, .overloaded), (.feed, .shuttingDown),
            (.read, .stateDiffers), (.wait, .stateDiffers), (.feed, .stateDiffers):
            break
        case (.write, .zxidAhead), (.read, .outcomeUnknown), (.wait, .outcomeUnknown),
            (.feed, .outcomeUnknown), (.read, .diskFull), (.wait, .diskFull), (.feed, .diskFull):
            throw Violation(.answer, "\(refusal) to \(open.ask)")
        }
        client.open = nil
        if clientRandom.coin(), !isSettling {
            client.member = Int(clientRandom.next(below: UInt64(options.members)))
        }
        if !isSettling || !client.isIdle {
            // Who knocks at a full queue again at once keeps the others from work that is worth it.
            let isFull = refusal == .overloaded || refusal == .diskFull
            schedule(client, afterNs: isFull ? 20 * thinkNs() : thinkNs())
        }
    }

    /// Whatever happened up to what the member has applied, it has told those who wait for it.
    func checkOpenWaits(_ member: Member, _ process: Process) throws(Violation) {
        let applied = process.applied
        for client in clients where client.kind != .worker {
            guard let open = client.open, open.member == member.position, open.run == member.run,
                process.replica.isWaiting(RequestID(rawValue: open.id)), let ask = client.asked
            else { continue }
            switch ask {
            case .wait(let wait):
                try expect(
                    !oracle.model.changed(
                        wait.view, wait.path, after: wait.after, through: applied),
                    .missedChange, "client \(client.number) still waits at \(applied) for \(wait)")
            case .feed(let feed):
                // Its turn may not have come; that it comes is seen at the end.
                if process.replica.hasFeedsToServe { continue }
                try expect(
                    oracle.model.select(feed.query, through: applied, countMax: 1).isEmpty,
                    .missedChange, "client \(client.number) still waits at \(applied) for \(feed)")
            case .write, .read: break
            }
        }
    }
}
