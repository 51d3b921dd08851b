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

    mutating func write(
        _ start: Int, _ head: RequestHead, _ bytes: Span<UInt8>, _ body: Span<UInt8>,
        _ response: ResponseContext
    ) throws(Problem) -> Disposition<PendingAnswer> {
        if let problem = policy.refusal(head, bytes) { throw problem }
        if head.method != .delete {
            try checkCoding(head, bytes)
            if body.count > limits.dataBytesMax {
                throw .bodyTooLarge(bytesMax: limits.dataBytesMax)
            }
        }
        let method = head.method
        let allowed =
            method == .put
            ? Self.putParameters : method == .post ? Self.postParameters : Self.deleteParameters
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
        let command: Command
        var kind = WriteIntent.Kind.put
        switch method {
        case .put:
            command = try put(path, query, text, body, condition)
        case .post:
            kind = .create
            command = try create(below: path, query, text, body, condition)
        case .delete, .get, .head, .options, .patch:
            kind = .delete
            command = try delete(path, query, text, condition)
        }
        let intent = WriteIntent(
            kind: kind, createsOnly: condition == .absent, matchesWeakly: hasWeakTag, path: path)
        return .submit(.write(command), PendingAnswer(response, .write(intent)))
    }

    private func put(
        _ path: ZnodePath, _ query: borrowing Query, _ text: Span<UInt8>, _ body: Span<UInt8>,
        _ condition: Condition
    ) throws(Problem) -> Command {
        if ZnodePath.reserved.contains(path) { throw .reserved(path) }
        return .put(
            path: path, data: Array(copying: body), mode: .persistent,
            explicitMode: try hasMode(query, text), condition: condition,
            makeParents: try query.flag(.parents, text))
    }

    private func create(
        below parent: ZnodePath, _ query: borrowing Query, _ text: Span<UInt8>,
        _ body: Span<UInt8>, _ condition: Condition
    ) throws(Problem) -> Command {
        guard condition == .none else {
            throw .badRequest("A sequential znode is always a new one: leave the condition out.")
        }
        _ = try hasMode(query, text)
        if ZnodePath.reserved.contains(parent) { throw .reserved(parent) }
        let prefix = try query.text(.name, text) ?? []
        if prefix.contains(ZnodePath.slash) {
            throw Problem(.invalidPath, "The name of a child cannot hold a slash: remove it.")
        }
        // Ten digits, as the suffix will have.
        let example = parent.appending(prefix + Array(repeating: 0x30, count: 10))
        if let error = ZnodePath.check(example.bytes.span) { throw Problem(error) }
        return .createSequential(
            parent: parent, prefix: prefix, data: Array(copying: body),
            mode: .persistentSequential)
    }

    private func delete(
        _ path: ZnodePath, _ query: borrowing Query, _ text: Span<UInt8>, _ condition: Condition
    ) throws(Problem) -> Command {
        if path.isRoot || ZnodePath.reserved.contains(path) { throw .reserved(path) }
        if condition == .absent {
            throw .badRequest("What is absent cannot be deleted: leave If-None-Match out.")
        }
        return .delete(
            path: path, condition: condition, recursive: try query.flag(.recursive, text))
    }

    /// RFC 9110 8.4: data is kept as it comes, so a coded body would come back as another one.
    private func checkCoding(
        _ head: RequestHead, _ bytes: Span<UInt8>
    ) throws(Problem) {
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
            return (condition, tags.leftOutWeak)
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
