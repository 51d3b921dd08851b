// An ensemble in a few lines, to stand behind the gateway in tests: a real tree, writes decided at
// once, waits and feeds compared and kept as the replica does it. Time moves only when told.

import Ensemble
import Gateway
import HTTP
import Journal
import Raft
import Znodes

final class OneMember {
    struct Open {
        var request: ClientRequest
        var pending: PendingAnswer
        var keepAlive: Bool
    }

    var context: RequestContext
    private var tree: StateMachine
    private var gateway: RESTGateway
    private var open: [Open] = []
    /// What the replica says to the next request instead of the truth.
    var nextReply: ClientReply?
    private let readings: ReadingsBox

    final class ReadingsBox: @unchecked Sendable {
        var readings = ServerReadings()
    }

    init(options: GatewayOptions? = nil) {
        let box = ReadingsBox()
        box.readings.dataBytesFree = 5 << 30
        readings = box
        tree = StateMachine(limits: ZnodeLimits(), hashSeed: 7)
        var status = ReplicaStatus.initial(id: MemberID(1))
        status.caughtUp = true
        status.leaderlessSinceMs = nil
        status.lastLeaderContactMs = 9_990
        status.freshAsOfMs = 9_980
        status.ensemble = EnsembleID(high: 0x0123, low: 0xFEDC_BA98)
        status.leader = MemberID(2)
        status.minElectionTimeoutMs = 250
        context = RequestContext(
            nowMs: 10_000, wallMs: 784_111_777_000, status: status, draining: false)
        gateway = RESTGateway(
            reader: tree.publication.registerReader(),
            options: options
                ?? GatewayOptions(
                    version: Array("0.1.0".utf8), jitterSeed: 1,
                    dataBytesMax: ZnodeLimits().dataBytesMax),
            readings: { box.readings })
    }

    func setTurnAge(_ ageMs: UInt64) { readings.readings.stalestTurnAgeMs = ageMs }

    func setSyncs() {
        readings.readings.journalSyncBuckets = [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]
        readings.readings.journalSyncNsSum = 1_500_000_020
        readings.readings.cpuUserMs = 61_007
        readings.readings.startWallMs = 1_700_000_000_250
    }

    var lastZxid: Zxid { tree.lastZxid }
    var openWaits: Int { open.count }

    @discardableResult
    func apply(_ command: Command) -> Outcome {
        let zxid = Zxid(tree.lastZxid.rawValue + 1)
        return tree.apply(
            command, zxid: zxid, timeMs: 1_700_000_000_000 + Int64(zxid.rawValue) * 1_000)
    }

    // MARK: Asking

    /// The bytes of the answer, or what the request waits for.
    func ask(_ request: [UInt8]) -> Asked {
        var parser = RequestParser()
        let bytes = request.span
        gateway.beginTurn(context)
        defer { gateway.willBlock() }
        var out = ByteWriter()
        switch parser.parseHead(bytes, limits: HTTPLimits()) {
        case .needMore:
            return .answer(Array("incomplete".utf8))
        case .invalid(let violation):
            gateway.refuse(violation, context: context, into: &out)
            return .answer(out.array)
        case .head(let head, let length):
            let body = bytes.extracting(length..<bytes.count)
            if body.count > gateway.bodyBytesMax(for: head, bytes: bytes) {
                let bytesMax = gateway.bodyBytesMax(for: head, bytes: bytes)
                gateway.refuse(.bodyTooLarge(bytesMax: bytesMax), context: context, into: &out)
                return .answer(out.array)
            }
            let disposition = gateway.respond(
                to: head, bytes: bytes.extracting(0..<length), body: body,
                keepAlive: head.keepAlive && !context.draining, context: context, into: &out)
            return conclude(disposition, keepAlive: head.keepAlive, &out)
        }
    }

    enum Asked {
        case answer([UInt8])
        case waits(ClientRequest)
    }

    func refuse(_ refusal: EdgeRefusal) -> [UInt8] {
        var out = ByteWriter()
        gateway.refuse(refusal, context: context, into: &out)
        return out.array
    }

    func refuse(_ violation: HTTPViolation) -> [UInt8] {
        var out = ByteWriter()
        gateway.refuse(violation, context: context, into: &out)
        return out.array
    }

    private func conclude(
        _ first: Disposition<PendingAnswer>, keepAlive: Bool, _ out: inout ByteWriter
    ) -> Asked {
        var disposition = first
        while true {
            switch disposition {
            case .answered:
                return .answer(out.array)
            case .submit(let request, let pending):
                guard let reply = reply(to: request) else {
                    open.append(Open(request: request, pending: pending, keepAlive: keepAlive))
                    return .waits(request)
                }
                disposition = gateway.resume(
                    pending, with: reply, keepAlive: keepAlive && !context.draining,
                    context: context, into: &out)
            }
        }
    }

    /// Nil: it waits.
    private func reply(to request: ClientRequest) -> ClientReply? {
        if let reply = nextReply {
            nextReply = nil
            return reply
        }
        switch request {
        case .write(let command):
            return .decided(apply(command), zxid: tree.lastZxid)
        case .read(.linearizable(let atLeast)):
            return confirmed(atLeast ?? .zero) ?? .readable
        case .read(.atLeast(let zxid)):
            return confirmed(zxid) ?? .readable
        case .wait(let wait):
            if let ahead = confirmed(wait.after) { return ahead }
            if tree.changed(wait.view, wait.path, after: wait.after) { return .changed }
            return wait.deadlineMs <= context.nowMs ? .unchanged(zxid: tree.lastZxid) : nil
        case .feed(let feed):
            if let ahead = confirmed(feed.query.after) { return ahead }
            switch tree.events(feed.query) {
            case .failure(let compacted):
                return .historyCompacted(zxid: compacted.last)
            case .success(let page):
                let isDue = feed.deadlineMs <= context.nowMs
                return page.isEmpty && !isDue ? nil : .events(page)
            }
        }
    }

    private func confirmed(_ zxid: Zxid) -> ClientReply? {
        zxid > tree.lastZxid ? .refused(.zxidAhead(confirmed: tree.lastZxid)) : nil
    }

    /// Looks at all open waits again; gives the answers of those that end, in order.
    func settle(reply forced: ClientReply? = nil) -> [Asked] {
        let waiting = open
        open = []
        var ended: [Asked] = []
        gateway.beginTurn(context)
        defer { gateway.willBlock() }
        for one in waiting {
            guard let reply = forced ?? reply(to: one.request) else {
                open.append(one)
                continue
            }
            var out = ByteWriter()
            let disposition = gateway.resume(
                one.pending, with: reply, keepAlive: one.keepAlive && !context.draining,
                context: context, into: &out)
            ended.append(conclude(disposition, keepAlive: one.keepAlive, &out))
        }
        return ended
    }
}

extension ByteWriter {
    var array: [UInt8] {
        let all = bytes
        return all.indices.map { all[$0] }
    }
}
