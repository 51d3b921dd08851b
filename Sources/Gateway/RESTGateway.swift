// The gateway of one event loop: HTTP requests in, requests of the ensemble or whole answers out.
// It decides nothing about the tree: it reads what is published, and asks the replica for the rest.
// Pure: time comes with the context, randomness from a seed.

package import Ensemble
package import HTTP
package import Znodes

package struct RESTGateway: ~Copyable {
    let options: GatewayOptions
    let policy: HostPolicy
    let readings: @Sendable () -> ServerReadings
    var reader: TreeReader
    var jitter: JitterGenerator
    private var date = HTTPDate(unixSeconds: 0)
    private var dateSeconds: Int64 = -1
    private var isOnline = false
    /// Kept so that neither a percent-encoded path nor a listing costs an allocation.
    private var pathScratch: [UInt8] = []
    var page: [ZnodeView] = []

    var limits: GatewayLimits { options.limits }

    /// On the thread of its loop; `reader` is that thread's.
    package init(
        reader: consuming TreeReader, options: GatewayOptions,
        readings: @escaping @Sendable () -> ServerReadings
    ) {
        self.options = options
        policy = HostPolicy(
            allowedOrigins: options.allowedOrigins, hostNames: options.hostNames)
        self.readings = readings
        self.reader = reader
        jitter = JitterGenerator(seed: options.jitterSeed)
    }

    // MARK: The loop's turn

    /// Once a turn: what was read before is let go, and the tree may be read.
    package mutating func beginTurn(_ context: borrowing RequestContext) {
        if isOnline {
            reader.quiescent()
        } else {
            reader.online()
            isOnline = true
        }
        let seconds = context.wallMs / 1_000
        if seconds != dateSeconds {
            dateSeconds = seconds
            date = HTTPDate(unixSeconds: seconds)
        }
    }

    /// Nothing is read until the next `beginTurn`.
    package mutating func willBlock() {
        if isOnline { reader.offline() }
        isOnline = false
    }

    // MARK: Requests

    package func bodyBytesMax(for head: RequestHead, bytes: Span<UInt8>) -> Int {
        switch head.method {
        case .put, .post: options.dataBytesMax
        case .get, .head, .delete, .options, .patch: limits.droppedBodyBytesMax
        }
    }

    package mutating func respond(
        to head: RequestHead, bytes: Span<UInt8>, body: Span<UInt8>, keepAlive: Bool,
        context: borrowing RequestContext, into out: inout ByteWriter
    ) -> Disposition<PendingAnswer> {
        let response = ResponseContext(answering: head, mayKeepAlive: keepAlive, date: date)
        do throws(Problem) {
            return try dispatch(head, bytes, body, response, context, &out)
        } catch {
            error.write(response, into: &out)
            return .answered(keepAlive: response.keepAlive)
        }
    }

    package mutating func resume(
        _ pending: consuming PendingAnswer, with reply: ClientReply, keepAlive: Bool,
        context: borrowing RequestContext, into out: inout ByteWriter
    ) -> Disposition<PendingAnswer> {
        let response = pending.response(keepAlive: keepAlive, date: date)
        do throws(Problem) {
            if case .refused(let refusal) = reply {
                throw Problem(
                    refusal, to: pending.work, context,
                    retryAfterSeconds: limits.retryAfterSeconds)
            }
            switch pending.work {
            case .write(let intent):
                return try answer(intent, reply, response, &out)
            case .read(let read):
                return try resume(read, reply, response, context, &out)
            case .feed(let feed):
                return try resume(feed, reply, response, context, &out)
            }
        } catch {
            error.write(response, into: &out)
            return .answered(keepAlive: response.keepAlive)
        }
    }

    package mutating func refuse(
        _ refusal: EdgeRefusal, context: borrowing RequestContext, into out: inout ByteWriter
    ) {
        let problem = Problem(refusal, retryAfterSeconds: limits.retryAfterSeconds)
        problem.write(ResponseContext(closingAt: date), into: &out)
    }

    package mutating func refuse(
        _ violation: HTTPViolation, context: borrowing RequestContext, into out: inout ByteWriter
    ) {
        Problem(violation).write(ResponseContext(closingAt: date), into: &out)
    }

    // MARK: Routes

    private mutating func dispatch(
        _ head: RequestHead, _ bytes: Span<UInt8>, _ body: Span<UInt8>,
        _ response: ResponseContext, _ context: borrowing RequestContext,
        _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let route = try Router.route(head.path.of(bytes))
        try admit(route, head)
        switch route {
        case .znode(let start):
            switch head.method {
            case .get, .head: return try readZnode(start, head, bytes, response, context, &out)
            case .put: return try put(start, head, bytes, body, response)
            case .post: return try create(below: start, head, bytes, body, response)
            case .delete: return try delete(start, head, bytes, response)
            case .options, .patch: break
            }
        case .probe(let probe):
            // Load balancers ask by OPTIONS as well, and look at the status.
            return try self.probe(probe, head, bytes, response, context, &out)
        case .watch(let start):
            if head.method == .options { break }
            return try watch(start, head, bytes, response, context)
        case .document(let document):
            if head.method == .options { break }
            return try self.document(document, head, bytes, response, context, &out)
        case .server: break
        }
        return options(route, response, &out)
    }

    /// Throws unless the method may be used here, and what the fields ask for is built.
    private func admit(_ route: Route, _ head: RequestHead) throws(Problem) {
        if !route.methods.contains(MethodSet(head.method)) {
            if case .document(.members) = route, head.method == .post || head.method == .delete {
                throw Problem(.notImplemented, LaterResource.changesOfMembers)
            }
            var problem = Problem(.methodNotAllowed, "Use one of the methods that Allow names.")
            problem.allow = route.methods
            throw problem
        }
        if head.has(.aviarySession) { throw .notImplemented("Aviary-Session") }
        if head.has(.idempotencyKey) { throw .notImplemented("Idempotency-Key") }
    }

    private func options(
        _ route: Route, _ response: ResponseContext, _ out: inout ByteWriter
    ) -> Disposition<PendingAnswer> {
        let answer = ResponseSerializer(status: 204, context: response, into: &out)
        answer.field("Allow", into: &out) { route.methods.write(into: &$0) }
        answer.finishEmpty(into: &out)
        return .answered(keepAlive: response.keepAlive)
    }

    /// The znode's path of a target, decoded and checked, handed to `body`.
    mutating func withPath<R>(
        _ start: Int, _ head: RequestHead, _ bytes: Span<UInt8>,
        _ body: (inout RESTGateway, Span<UInt8>) throws(Problem) -> R
    ) throws(Problem) -> R {
        let whole = head.path.of(bytes)
        // The root's path is the slash that any target begins with.
        let encoded =
            start == whole.count
            ? whole.extracting(0..<1) : whole.extracting(start..<whole.count)
        if PercentDecoding.isPlain(encoded) {
            if let error = ZnodePath.check(encoded) { throw Problem(error) }
            return try body(&self, encoded)
        }
        var decoded: [UInt8] = []
        swap(&decoded, &pathScratch)
        decoded.removeAll(keepingCapacity: true)
        let decodingError = PercentDecoding.decodePath(encoded, into: &decoded)
        let result: Result<R, Problem>
        do throws(Problem) {
            if let decodingError { throw Problem(decodingError) }
            let path = decoded.span
            if let error = ZnodePath.check(path) { throw Problem(error) }
            result = .success(try body(&self, path))
        } catch {
            result = .failure(error)
        }
        swap(&decoded, &pathScratch)
        return try result.get()
    }

    func query(
        _ head: RequestHead, _ text: Span<UInt8>, _ allowed: ParameterSet
    ) throws(Problem) -> Query {
        try Query(text, allowed: allowed, limits: limits)
    }

    /// When a wait that begins now ends.
    mutating func deadline(_ waitMs: UInt64, _ context: borrowing RequestContext) -> UInt64 {
        let jitterMsMax = waitMs * limits.waitJitterThousandthsMax / 1_000
        return context.nowMs + waitMs - jitter.next(through: jitterMsMax)
    }
}
