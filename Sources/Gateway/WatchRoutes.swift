// The event feed `/v1/watch/...` as long poll: every event after a zxid, in order, and where to go
// on. A quiet feed ends with a bookmark; a gap is never passed over, but told (410).

import Ensemble
import HTTP
import Znodes

extension RESTGateway {
    private static let watchParameters = ParameterSet.of(
        .after, .wait, .recursive, .types, .consistency, .maxStaleness, .data, .previous, .initial)

    mutating func watch(
        _ start: Int, _ head: RequestHead, _ bytes: Span<UInt8>,
        _ response: ResponseContext, _ context: borrowing RequestContext
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let text = head.queryText(in: bytes)
        let query = try query(head, text, Self.watchParameters)
        for later in [Parameter.data, .previous, .initial] where try query.flag(later, text) {
            throw .notImplemented(later.name)
        }
        if head.has(.accept),
            AcceptedTypes(head: head, bytes: bytes).prefers(.eventStream, over: .json)
        {
            throw Problem(
                .notImplemented,
                "Server-sent events are not built yet: accept application/json, and poll with wait."
            )
        }
        if head.has(.lastEventID) { throw .notImplemented("Last-Event-ID") }
        guard let after = try query.number(.after, text) else {
            throw .badParameter(.after, "must say from which zxid on: give that of a listing.")
        }
        let path = try withPath(start, head, bytes) { _, path in
            ZnodePath(trusted: Array(copying: path))
        }
        var waitMs = try query.milliseconds(.wait, text)
        if waitMs == nil, head.has(.prefer) {
            waitMs = ReadPlan.preferred(head, bytes, limits)
        }
        let events = EventQuery(
            path: path, recursive: try query.flag(.recursive, text),
            types: try Self.eventTypes(query, text), after: Zxid(after),
            eventsMax: limits.feedEventsMax)
        var feed = PendingFeed(
            query: events, deadlineMs: context.nowMs,
            local: try ReadPlan.isLocal(query, text))
        feed.maxStalenessMs = try ReadPlan.maxStalenessMs(query, text, local: feed.local)
        if feed.local { try checkServes(path.bytes.span, context) }
        if let waitMs { feed.deadlineMs = deadline(min(waitMs, limits.waitMsMax), context) }
        return .submit(
            .feed(Feed(query: feed.query, deadlineMs: feed.deadlineMs, local: feed.local)),
            PendingAnswer(response, .feed(feed)))
    }

    private static func eventTypes(
        _ query: borrowing Query, _ text: Span<UInt8>
    ) throws(Problem) -> EventTypes {
        guard let list = try query.text(.types, text) else { return .all }
        var types: EventTypes = []
        for name in list.split(separator: 0x2C, omittingEmptySubsequences: false) {
            let bytes = Array(name)
            let span = bytes.span
            if Octets.equal(span, "created") {
                types.insert(.created)
            } else if Octets.equal(span, "changed") {
                types.insert(.changed)
            } else if Octets.equal(span, "deleted") {
                types.insert(.deleted)
            } else if Octets.equal(span, "children") {
                types.insert(.children)
            } else {
                throw .badParameter(
                    .types, "must list created, changed, deleted or children, with commas.")
            }
        }
        return types
    }

    mutating func resume(
        _ feed: PendingFeed, _ reply: ClientReply, _ response: ResponseContext,
        _ context: borrowing RequestContext, _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        switch reply {
        case .events(let page):
            let stalenessMs =
                feed.local
                ? try checkedStaleness(
                    feed.query.path.bytes.span, maxMs: feed.maxStalenessMs, context) : nil
            writeEvents(page, stalenessMs, response, &out)
            return .answered(keepAlive: response.keepAlive)
        case .historyCompacted(let zxid):
            throw Problem(
                .historyCompacted,
                "Events are forgotten: list the znodes again, and go on from that zxid.",
                path: feed.query.path.bytes, zxid: zxid)
        case .decided, .readable, .changed, .unchanged, .refused:
            fatalError("invariant: \(reply) to a feed")
        }
    }

    private func writeEvents(
        _ page: EventPage, _ stalenessMs: UInt64?, _ response: ResponseContext,
        _ out: inout ByteWriter
    ) {
        var answer = ResponseSerializer(status: 200, context: response, into: &out)
        writeState(page.next, stalenessMs, answer, &out)
        answer.beginBody(contentType: "application/json", into: &out)
        out.append("{\"events\":[")
        var isFirst = true
        page.forEach { zxid, type, path in
            out.append(isFirst ? "{\"zxid\":" : ",{\"zxid\":")
            isFirst = false
            out.append(decimal: zxid.rawValue)
            out.append(",\"type\":\"")
            out.append(Self.name(type))
            out.append("\",\"path\":\"")
            out.appendJSONEscaped(path)
            out.append("\"}")
        }
        out.append("],\"next\":")
        out.append(decimal: page.next.rawValue)
        out.append("}\n")
        answer.endBody(into: &out)
    }

    private static func name(_ type: EventTypes) -> StaticString {
        switch type {
        case .created: "created"
        case .changed: "changed"
        case .deleted: "deleted"
        case .children: "children"
        default: fatalError("invariant: an event of types \(type.rawValue)")
        }
    }
}
