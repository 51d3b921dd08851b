// GET and HEAD of `/v1/znodes/...`: reads, conditional reads and waits. The zxid of an answer is
// that of the state that was really read, so a client that goes on with it misses no final state.
// A plain local read is one look at the published tree; all else is a small walk between look and
// replica.

import Ensemble
import HTTP
import Znodes

/// A znode in one state of the tree: the stat as of that state, the rest good until `quiescent`.
struct FoundZnode {
    var stat: Stat
    var view: ZnodeView
}

/// What to do after a look.
private enum Verdict {
    case answer
    case notModified(Zxid)
    case wait(View, after: Zxid, deadlineMs: UInt64)
    case fail(Problem)
}

extension RESTGateway {
    mutating func readZnode(
        _ start: Int, _ head: RequestHead, _ bytes: Span<UInt8>,
        _ response: ResponseContext, _ context: borrowing RequestContext,
        _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let text = head.queryText(in: bytes)
        // What most reads of a busy service look like, byte by byte: 1,000 instructions less.
        if Octets.equal(text, "consistency=local"), Self.acceptsAnything(head, bytes),
            !head.has(.ifNoneMatch), !head.has(.ifMatch)
        {
            return try readZnode(start, .localJSON, head, bytes, response, context, &out)
        }
        let query = try query(head, text, ReadPlan.parameters)
        let plan = try ReadPlan(query, text, head, bytes, limits)
        if plan.isPlain(head) {
            return try readZnode(start, plan, head, bytes, response, context, &out)
        }
        let afterName = try query.text(.afterName, text)
        return try withPath(start, head, bytes) {
            (gateway, path) throws(Problem) -> Disposition<PendingAnswer> in
            var read = PendingRead(
                path: ZnodePath(trusted: Array(copying: path)), plan: plan)
            read.afterName = afterName
            if head.has(.ifMatch) {
                read.ifMatch = try EntityTags(head: head, field: .ifMatch, bytes: bytes)
            }
            if head.has(.ifNoneMatch) {
                read.ifNoneMatch = try EntityTags(head: head, field: .ifNoneMatch, bytes: bytes)
            }
            if let waitMs = plan.waitMs {
                read.deadlineMs = gateway.deadline(waitMs, context)
            }
            return try gateway.begin(read, response, context, &out)
        }
    }

    /// No Accept, or the one that curl and other clients send of themselves.
    private static func acceptsAnything(_ head: RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard let value = head.value(of: .accept, in: bytes) else { return true }
        return !head.isRepeated(.accept) && Octets.equal(value, "*/*")
    }

    /// A plain local read.
    private mutating func readZnode(
        _ start: Int, _ plan: ReadPlan, _ head: RequestHead, _ bytes: Span<UInt8>,
        _ response: ResponseContext, _ context: borrowing RequestContext,
        _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        try withPath(start, head, bytes) {
            (gateway, path) throws(Problem) -> Disposition<PendingAnswer> in
            if try gateway.lookNow(path, plan, response, context, &out) {
                return .answered(keepAlive: response.keepAlive)
            }
            let read = PendingRead(path: ZnodePath(trusted: Array(copying: path)), plan: plan)
            return try gateway.begin(read, response, context, &out)
        }
    }

    /// The whole of a plain local read; false: the tree kept changing.
    private func lookNow(
        _ path: Span<UInt8>, _ plan: ReadPlan, _ response: ResponseContext,
        _ context: borrowing RequestContext, _ out: inout ByteWriter
    ) throws(Problem) -> Bool {
        let stalenessMs =
            try checkedStaleness(path, maxMs: plan.maxStalenessMs, context)
        let look = reader.read { state in
            state.find(path).map { FoundZnode(stat: $0.stat, view: $0) }
        }
        guard let (found, zxid) = look else { return false }
        guard let found else {
            throw .absent(Array(copying: path), zxid, stalenessMs: stalenessMs)
        }
        writeZnode(found, plan.shape, zxid, stalenessMs, response, &out)
        return true
    }

    // MARK: The walk

    private mutating func begin(
        _ read: PendingRead, _ response: ResponseContext, _ context: borrowing RequestContext,
        _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let plan = read.plan
        if plan.local { try checkServes(read.path.bytes.span, context) }
        if let after = plan.after, plan.waitMs != nil, read.ifMatch == nil,
            plan.atLeast ?? .zero <= after
        {
            return wait(read, read.view, after, read.deadlineMs, response)
        }
        var floor = plan.atLeast
        if let after = plan.after { floor = max(after, floor ?? .zero) }
        if !plan.local { return submit(.read(.linearizable(atLeast: floor)), read, response) }
        if let floor { return submit(.read(.atLeast(floor)), read, response) }
        return try look(read, response, context, &out)
    }

    mutating func resume(
        _ read: PendingRead, _ reply: ClientReply, _ response: ResponseContext,
        _ context: borrowing RequestContext, _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        var read = read
        switch reply {
        case .readable: break
        case .changed, .historyCompacted: read.stage = .changed
        case .unchanged(let zxid): read.stage = .settling(zxid)
        case .decided, .events, .refused: fatalError("invariant: \(reply) to a read")
        }
        return try look(read, response, context, &out)
    }

    private mutating func look(
        _ read: PendingRead, _ response: ResponseContext, _ context: borrowing RequestContext,
        _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let stalenessMs =
            read.plan.local
            ? try checkedStaleness(
                read.path.bytes.span, maxMs: read.plan.maxStalenessMs, context) : nil
        guard let (found, more, zxid) = findAndList(read) else {
            // The replica's thread answers between two changes.
            return submit(.read(.atLeast(.zero)), read, response)
        }
        switch Self.verdict(read, found?.stat, zxid, context.nowMs) {
        case .fail(let problem):
            throw problem
        case .wait(let view, let after, let deadlineMs):
            return wait(read, view, after, deadlineMs, response)
        case .notModified(let zxid):
            let unchanged = found.flatMap { found in
                read.plan.after.map { !read.changed(found.stat, after: $0) } ?? true
                    ? found.stat : nil
            }
            writeNotModified(read, unchanged, zxid, stalenessMs, response, &out)
        case .answer:
            guard let found else {
                throw .absent(read.path.bytes, zxid, stalenessMs: stalenessMs)
            }
            if read.plan.shape == .children {
                writeChildren(read, found.stat, more, zxid, stalenessMs, response, &out)
            } else {
                writeZnode(found, read.plan.shape, zxid, stalenessMs, response, &out)
            }
        }
        return .answered(keepAlive: response.keepAlive)
    }

    /// A znode, and for a listing its page of children in `page`.
    private mutating func findAndList(
        _ read: PendingRead
    ) -> (found: FoundZnode?, more: Bool, zxid: Zxid)? {
        var names: [ZnodeView] = []
        swap(&names, &page)
        var more = false
        let look = reader.read { state -> FoundZnode? in
            names.removeAll(keepingCapacity: true)
            more = false
            guard let view = state.find(read.path) else { return nil }
            if read.plan.shape == .children {
                if let after = read.afterName {
                    let name = after.span
                    more = view.childViews(after: name, limit: read.plan.limit) {
                        names.append($0)
                    }
                } else {
                    more = view.childViews(after: nil, limit: read.plan.limit) {
                        names.append($0)
                    }
                }
            }
            return FoundZnode(stat: view.stat, view: view)
        }
        swap(&names, &page)
        return look.map { ($0.result, more, $0.zxid) }
    }

    private static func verdict(
        _ read: PendingRead, _ stat: Stat?, _ zxid: Zxid, _ nowMs: UInt64
    ) -> Verdict {
        if let tags = read.ifMatch, !(stat.map { read.matches(tags, $0) } ?? false) {
            return .fail(.unmatched(read.path, tags, absent: stat == nil, zxid))
        }
        if let after = read.plan.after {
            return verdict(read, after: after, stat, zxid, nowMs)
        }
        // RFC 9110 13.1.2; absence is never a match.
        guard let tags = read.ifNoneMatch, let stat, read.matches(tags, stat) else {
            return .answer
        }
        if case .settling(let settled) = read.stage { return .notModified(settled) }
        if read.plan.waitMs == nil { return .notModified(zxid) }
        return .wait(
            tags.isAny ? .existence : read.view, after: zxid, deadlineMs: read.deadlineMs)
    }

    private static func verdict(
        _ read: PendingRead, after: Zxid, _ stat: Stat?, _ zxid: Zxid, _ nowMs: UInt64
    ) -> Verdict {
        let hasChanged = stat.map { read.changed($0, after: after) } ?? false
        switch read.stage {
        case .changed:
            return .answer
        case .settling(let settled):
            // Gone in between: the client goes on from the settled zxid and hears of it then.
            return hasChanged ? .answer : .notModified(settled)
        case .reading:
            if hasChanged { return .answer }
            if read.plan.waitMs != nil {
                return .wait(read.view, after: after, deadlineMs: read.deadlineMs)
            }
            if stat != nil { return .notModified(zxid) }
            // Whether absence is old or new, only the replica remembers: ask, and do not wait.
            return .wait(read.view, after: after, deadlineMs: nowMs)
        }
    }

    private func wait(
        _ read: PendingRead, _ view: View, _ after: Zxid, _ deadlineMs: UInt64,
        _ response: ResponseContext
    ) -> Disposition<PendingAnswer> {
        var read = read
        read.stage = .reading
        let wait = Wait(
            path: read.path, view: view, after: after, deadlineMs: deadlineMs,
            local: read.plan.local)
        return submit(.wait(wait), read, response)
    }

    private func submit(
        _ request: ClientRequest, _ read: PendingRead, _ response: ResponseContext
    ) -> Disposition<PendingAnswer> {
        .submit(request, PendingAnswer(response, .read(read)))
    }

    // MARK: Local reads

    /// Throws where the tree here is not one that the ensemble was ever in.
    func checkServes(
        _ path: Span<UInt8>, _ context: borrowing RequestContext
    ) throws(Problem) {
        let status = context.status
        if status.ensemble != nil, status.refusedBy == nil, status.differsAtNumber == nil,
            status.admission == nil, status.repairingThrough == nil
        {
            return
        }
        var problem = Problem.unserved(context.status)
        problem.path = Array(copying: path)
        problem.retryAfterSeconds = limits.retryAfterSeconds
        throw problem
    }

    /// How old a local read may be; nil: not known, since nothing is proven since the start.
    func checkedStaleness(
        _ path: Span<UInt8>, maxMs: UInt64?, _ context: borrowing RequestContext
    ) throws(Problem) -> UInt64? {
        try checkServes(path, context)
        let stalenessMs = context.stalenessMs
        guard let maxMs, stalenessMs.map({ $0 > maxMs }) ?? true else { return stalenessMs }
        var problem: Problem
        if let stalenessMs {
            problem = Problem(.tooStale, "This member last had all that was committed ")
            problem.echo = Echo(stalenessMs)
            problem.detailEnd = " ms ago: ask another member, or allow more."
        } else {
            problem = Problem(
                .tooStale,
                "This member has not had all that was committed since its start: ask another one.")
        }
        problem.path = Array(copying: path)
        problem.retryAfterSeconds = limits.retryAfterSeconds
        throw problem
    }
}

extension RequestContext {
    /// Since when changes may have been acknowledged that this member has not applied; nil: nothing is
    /// proven since its start, so they may be of any age.
    var stalenessMs: UInt64? { status.freshAsOfMs == 0 ? nil : ms(since: status.freshAsOfMs) }

    /// Since the leader was heard; nil: never.
    var leaderSilentMs: UInt64? {
        status.lastLeaderContactMs == 0 ? nil : ms(since: status.lastLeaderContactMs)
    }

    private func ms(since thenMs: UInt64) -> UInt64 { nowMs > thenMs ? nowMs - thenMs : 0 }
}
