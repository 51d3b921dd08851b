// PUT, POST and DELETE of `/v1/znodes/...`: each becomes one command, decided when its entry is
// applied. Only what needs no look at the tree is refused here.

import Ensemble
import HTTP
import Znodes

extension RESTGateway {
    private static let putParameters = ParameterSet.of(
        .mode, .ttl, .parents, .version, .acl, .ifLock, .fence)
    private static let postParameters = ParameterSet.of(.name, .mode, .ttl, .ifLock, .fence)
    private static let deleteParameters = ParameterSet.of(.recursive, .version, .ifLock, .fence)

    /// What the three have in common.
    private struct Change: ~Copyable {
        let query: Query
        let path: ZnodePath
        let condition: Condition
        let hasWeakTag: Bool
    }

    mutating func put(
        _ start: Int, _ head: RequestHead, _ bytes: Span<UInt8>, _ body: Span<UInt8>,
        _ response: ResponseContext
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let text = head.queryText(in: bytes)
        let change = try readChange(start, head, bytes, Self.putParameters)
        try checkBody(head, bytes)
        if ZnodePath.reserved.contains(change.path) { throw .reserved(change.path) }
        let command = Command.put(
            path: change.path, data: Array(copying: body), mode: .persistent,
            explicitMode: try hasMode(change.query, text), condition: change.condition,
            makeParents: try change.query.flag(.parents, text))
        return submit(command, .put, change, response)
    }

    mutating func create(
        below start: Int, _ head: RequestHead, _ bytes: Span<UInt8>, _ body: Span<UInt8>,
        _ response: ResponseContext
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let text = head.queryText(in: bytes)
        let change = try readChange(start, head, bytes, Self.postParameters)
        try checkBody(head, bytes)
        guard change.condition == .none else {
            throw .badRequest("A sequential znode is always a new one: leave the condition out.")
        }
        _ = try hasMode(change.query, text)
        if ZnodePath.reserved.contains(change.path) { throw .reserved(change.path) }
        let prefix = try change.query.text(.name, text) ?? []
        if prefix.contains(ZnodePath.slash) {
            throw Problem(.invalidPath, "The name of a child cannot hold a slash: remove it.")
        }
        // Ten digits, as the suffix will have.
        let example = change.path.appending(prefix + Array(repeating: 0x30, count: 10))
        if let error = ZnodePath.check(example.bytes.span) { throw Problem(nameOfChild: error) }
        let command = Command.createSequential(
            parent: change.path, prefix: prefix, data: Array(copying: body),
            mode: .persistentSequential)
        return submit(command, .create, change, response)
    }

    mutating func delete(
        _ start: Int, _ head: RequestHead, _ bytes: Span<UInt8>, _ response: ResponseContext
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let text = head.queryText(in: bytes)
        let change = try readChange(start, head, bytes, Self.deleteParameters)
        if change.path.isRoot || ZnodePath.reserved.contains(change.path) {
            throw .reserved(change.path)
        }
        if change.condition == .absent {
            throw .badRequest("What is absent cannot be deleted: leave If-None-Match out.")
        }
        let command = Command.delete(
            path: change.path, condition: change.condition,
            recursive: try change.query.flag(.recursive, text))
        return submit(command, .delete, change, response)
    }

    private func submit(
        _ command: Command, _ kind: WriteIntent.Kind, _ change: borrowing Change,
        _ response: ResponseContext
    ) -> Disposition<PendingAnswer> {
        let intent = WriteIntent(
            kind: kind, createsOnly: change.condition == .absent, hasWeakTag: change.hasWeakTag,
            path: change.path)
        return .submit(.write(command), PendingAnswer(response, .write(intent)))
    }

    private mutating func readChange(
        _ start: Int, _ head: RequestHead, _ bytes: Span<UInt8>, _ allowed: ParameterSet
    ) throws(Problem) -> Change {
        if let problem = policy.refusal(head, bytes) { throw problem }
        let text = head.queryText(in: bytes)
        let query = try query(head, text, allowed)
        for later in [Parameter.ifLock, .fence] where query.has(later) {
            throw .notImplemented(later.name)
        }
        if try query.flag(.acl, text) { throw .notImplemented("acl") }
        let path = try withPath(start, head, bytes) { _, path in
            ZnodePath(trusted: Array(copying: path))
        }
        let (condition, hasWeakTag) = try readCondition(query, text, head, bytes)
        return Change(query: query, path: path, condition: condition, hasWeakTag: hasWeakTag)
    }

    /// RFC 9110 8.4: data is kept as it comes, so a coded body would come back as another one.
    /// RFC 9110 14.5: a part of the data must not be taken for the whole.
    private func checkBody(
        _ head: RequestHead, _ bytes: Span<UInt8>
    ) throws(Problem) {
        if head.has(.contentRange) {
            throw .badRequest("Data is written as a whole: leave Content-Range out.")
        }
        guard head.has(.contentEncoding) else { return }
        var values = head.lines(of: .contentEncoding)
        while let value = values.next(in: bytes) {
            if Octets.equal(bytes, value.range, ignoringCase: "identity") { continue }
            throw Problem(.unsupportedMediaType, "Send the body without a content coding.")
        }
    }

    /// True: the client names a mode, and it is the one that there is.
    private func hasMode(_ query: borrowing Query, _ text: Span<UInt8>) throws(Problem) -> Bool {
        if query.has(.ttl) { throw .notImplemented("ttl") }
        guard let mode = query.value(.mode, text) else { return false }
        if Octets.equal(mode, "persistent") { return true }
        for later: StaticString in ["ephemeral", "container", "ttl"] where Octets.equal(mode, later)
        {
            var problem = Problem(.notImplemented, "Znodes of mode '")
            problem.echo = Echo(later)
            problem.detailEnd = "' are not built yet: leave the mode out for one that stays."
            throw problem
        }
        throw .badParameter(.mode, "must be persistent, ephemeral, container or ttl.")
    }

    private func readCondition(
        _ query: borrowing Query, _ text: Span<UInt8>, _ head: RequestHead,
        _ bytes: Span<UInt8>
    ) throws(Problem) -> (Condition, hasWeakTag: Bool) {
        let hasMatch = head.has(.ifMatch)
        let hasNoneMatch = head.has(.ifNoneMatch)
        if (hasMatch && hasNoneMatch) || (query.has(.version) && (hasMatch || hasNoneMatch)) {
            throw .badRequest("Choose one of If-Match, If-None-Match and version.")
        }
        if hasNoneMatch {
            guard try EntityTags(head: head, field: .ifNoneMatch, bytes: bytes).isAny else {
                throw .badRequest("A change takes If-None-Match: * only; tags go in If-Match.")
            }
            return (.absent, false)
        }
        if hasMatch {
            let tags = try EntityTags(head: head, field: .ifMatch, bytes: bytes)
            let condition = tags.isAny ? .exists : Condition.mzxidAny(tags.data.map { Zxid($0) })
            return (condition, tags.hasWeakTag)
        }
        guard let version = query.value(.version, text) else { return (.none, false) }
        guard let signed = DecimalParsing.parseSigned(version), let number = Int32(exactly: signed),
            number >= -1
        else { throw .badParameter(.version, "must be a version as stat shows it, or -1.") }
        return (.version(number), false)
    }

    // MARK: The answer

    func answer(
        _ intent: WriteIntent, _ reply: ClientReply, _ response: ResponseContext,
        _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        guard case .decided(let outcome, let zxid) = reply else {
            fatalError("invariant: \(reply) to a write")
        }
        switch outcome {
        case .created(let path, let stat):
            writeWritten(path, stat, created: true, zxid, response, &out)
        case .set(let path, let stat):
            writeWritten(path, stat, created: false, zxid, response, &out)
        case .deleted:
            let answer = ResponseSerializer(status: 204, context: response, into: &out)
            answer.field("Aviary-Zxid", number: zxid.rawValue, into: &out)
            answer.finishEmpty(into: &out)
        case .failed(let failure):
            throw Problem(failure, intent, zxid: zxid)
        }
        return .answered(keepAlive: response.keepAlive)
    }

    private func writeWritten(
        _ path: ZnodePath, _ stat: Stat, created: Bool, _ zxid: Zxid,
        _ response: ResponseContext, _ out: inout ByteWriter
    ) {
        var answer = ResponseSerializer(
            status: created ? 201 : 200, context: response, into: &out)
        answer.field("Aviary-Zxid", number: zxid.rawValue, into: &out)
        answer.entityTag(stat.mzxid.rawValue, into: &out)
        if created { answer.location("/v1/znodes", path: path.bytes.span, into: &out) }
        answer.beginBody(contentType: "application/json", into: &out)
        ZnodeJSON.appendWritten(
            path: path.bytes.span, created: created, stat: stat, into: &out)
        answer.endBody(into: &out)
    }
}

extension Problem {
    static func reserved(_ path: ZnodePath) -> Problem {
        Problem(
            .invalidPath,
            path.isRoot
                ? "The root cannot be deleted: delete what is below it."
                : "The tree below /zookeeper is reserved: choose another path.",
            path: path.bytes)
    }
}
