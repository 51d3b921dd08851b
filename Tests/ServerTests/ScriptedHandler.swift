// A gateway small enough to read at a glance, and a server around it, for tests of what event
// loops do with real sockets.

import Ensemble
import Gateway
import HTTP
import Raft
import Server
import System
import Testing
import Znodes

/// Paths: `/local...` answers at once, `/ask...` asks the replica first, `/twice...` asks twice,
/// `/wait...` is a long poll, `/big/N` answers N bytes, `/status` tells the applied zxid; any body
/// comes back behind the path.
struct ScriptedHandler: RequestHandler, ~Copyable {
    struct Pending {
        var path: [UInt8]
        var asksLeft: Int
    }

    static let bodyBytesMax = 100_000

    mutating func beginTurn(_ context: borrowing RequestContext) {}
    mutating func willBlock() {}

    func bodyBytesMax(for head: RequestHead, bytes: Span<UInt8>) -> Int { Self.bodyBytesMax }

    mutating func respond(
        to head: RequestHead, bytes: Span<UInt8>, body: Span<UInt8>, keepAlive: Bool,
        context: borrowing RequestContext, into out: inout ByteWriter
    ) -> Disposition<Pending> {
        let target = head.path.of(bytes)
        var path: [UInt8] = []
        for at in target.indices { path.append(target[at]) }
        let text = String(decoding: path, as: UTF8.self)
        if text.hasPrefix("/ask") {
            return .submit(
                .read(.linearizable(atLeast: nil)), Pending(path: path, asksLeft: 0))
        }
        if text.hasPrefix("/twice") {
            return .submit(
                .read(.linearizable(atLeast: nil)), Pending(path: path, asksLeft: 1))
        }
        if text.hasPrefix("/wait") {
            let wait = Wait(
                path: ZnodePath(trusted: path), view: .data, after: .zero, deadlineMs: .max,
                local: false)
            return .submit(.wait(wait), Pending(path: path, asksLeft: 0))
        }
        var answer = path
        if text.hasPrefix("/big/"), let count = Int(text.dropFirst(5)) {
            answer = [UInt8](repeating: UInt8(ascii: "x"), count: count)
        }
        if text == "/status" { answer = Array("\(context.status.applied)".utf8) }
        for at in body.indices { answer.append(body[at]) }
        write(200, answer, keepAlive, &out)
        return .answered(keepAlive: keepAlive)
    }

    mutating func resume(
        _ pending: consuming Pending, with reply: ClientReply, keepAlive: Bool,
        context: borrowing RequestContext, into out: inout ByteWriter
    ) -> Disposition<Pending> {
        if pending.asksLeft > 0 {
            pending.asksLeft -= 1
            return .submit(.read(.atLeast(.zero)), pending)
        }
        if case .refused = reply {
            write(503, pending.path, keepAlive, &out)
        } else {
            write(200, pending.path, keepAlive, &out)
        }
        return .answered(keepAlive: keepAlive)
    }

    mutating func refuse(
        _ refusal: EdgeRefusal, context: borrowing RequestContext, into out: inout ByteWriter
    ) {
        switch refusal {
        case .headTimeout, .bodyTimeout: write(408, [], false, &out)
        case .bodyTooLarge: write(413, [], false, &out)
        case .connectionLimit, .bodiesLimit: write(503, [], false, &out)
        }
    }

    mutating func refuse(
        _ violation: HTTPViolation, context: borrowing RequestContext, into out: inout ByteWriter
    ) {
        write(violation.status, [], false, &out)
    }

    private func write(
        _ status: Int, _ body: [UInt8], _ keepAlive: Bool, _ out: inout ByteWriter
    ) {
        out.append("HTTP/1.1 ")
        out.append(Array("\(status) Status\r\nContent-Length: \(body.count)\r\n".utf8))
        if !keepAlive { out.append("Connection: close\r\n") }
        out.append("\r\n")
        out.append(body)
    }
}

/// A server on a port of its own; `sink` is the replica's side, played by the test.
final class TestServer {
    let server: HTTPServer
    let sink: Mailbox<LoopRequest>
    let board: StatusBoard
    let counters: ServerCounters
    private var dealer: ReplyDealer
    private let epoll: Epoll
    private var arrived: [LoopRequest] = []

    init(
        loops: Int = 1, sinkItemsMax: Int = 10_000,
        _ change: (inout ServerLimits) -> Void = { _ in }
    ) throws {
        var limits = ServerLimits()
        limits.timerTickMs = 1
        change(&limits)
        let inboxes = try LoopInboxes(loops: loops)
        sink = try Mailbox(itemsMax: sinkItemsMax)
        board = StatusBoard(.initial(id: MemberID(1)))
        counters = ServerCounters(loops: loops, descriptorsMax: 0)
        dealer = ReplyDealer(inboxes)
        epoll = try Epoll(eventsMax: 4)
        try epoll.add(sink.number, .readable, Token(index: 0, generation: 0))
        server = try HTTPServer(
            addresses: [.loopback(port: 0)], limits: limits, inboxes: inboxes, sink: sink,
            board: board, counters: counters, makeHandler: { _ in ScriptedHandler() })
    }

    var address: SocketAddress { server.addresses[0] }

    func connect() throws -> TestClient { try TestClient(address) }

    /// The next thing that a loop hands to the replica.
    func nextRequest() throws -> LoopRequest {
        let deadline = Clock.bootMs() + testWaitMs
        while arrived.isEmpty {
            if Clock.bootMs() > deadline { throw TestFailure("no request came") }
            if sink.prepareToSleep() {
                let events = try epoll.wait(timeoutMs: 100)
                sink.awake(byWakeup: events > 0)
            }
            sink.take(into: &arrived)
        }
        return arrived.removeFirst()
    }

    func nextID() throws -> RequestID {
        guard case .request(let id, _) = try nextRequest() else {
            throw TestFailure("a cancel came instead of a request")
        }
        return id
    }

    func reply(_ replies: [(RequestID, ClientReply)]) {
        var list: [Reply] = replies.map { (request: $0.0, reply: $0.1) }
        dealer.post(&list)
    }

    func waitUntil(_ what: String, _ holds: () throws -> Bool) throws {
        let deadline = Clock.bootMs() + testWaitMs
        while try !holds() {
            if Clock.bootMs() > deadline { throw TestFailure("never came: \(what)") }
            _ = try epoll.wait(timeoutMs: 1)
        }
    }

    func stop() {
        server.drain(withinMs: 0)
        server.join()
    }
}

let testWaitMs: UInt64 = 30_000

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

struct TestAnswer: Equatable {
    var status: Int
    var closes: Bool
    var body: String
}

/// A client that waits, with an end, for what it asks for.
final class TestClient {
    let socket: Socket
    private let epoll: Epoll
    private var received: [UInt8] = []
    private var ended = false
    private(set) var failed = false

    init(_ address: SocketAddress, receiveBytes: Int = 0) throws {
        socket = try Socket.connecting(to: address)
        socket.setBuffers(receiveBytes: receiveBytes, sendBytes: 0)
        epoll = try Epoll(eventsMax: 4)
        try epoll.add(socket.number, [.readable, .writable], Token(index: 0, generation: 0))
        _ = try epoll.wait(timeoutMs: 10_000)
        if let code = socket.connectResult() { throw TestFailure("connect: \(code)") }
        try epoll.modify(socket.number, [.readable], Token(index: 0, generation: 0))
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var at = 0
        let deadline = Clock.bootMs() + testWaitMs
        while at < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { raw in
                unsafe socket.send(UnsafeRawBufferPointer(rebasing: raw[at...]))
            }
            switch sent {
            case .bytes(let count): at += count
            case .wouldBlock:
                if Clock.bootMs() > deadline { throw TestFailure("the server does not read") }
                _ = try epoll.wait(timeoutMs: 1)
            case .failed(let code): throw TestFailure("send: \(code)")
            }
        }
    }

    func get(_ path: String, _ fields: String = "") throws {
        try send("GET \(path) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
    }

    func shutdown() { socket.shutdownWrite() }

    private func receiveMore() throws {
        if ended { throw TestFailure("the connection ended after \(received.count) bytes") }
        let deadline = Clock.bootMs() + testWaitMs
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let result = unsafe buffer.withUnsafeMutableBytes { raw in
                unsafe socket.receive(into: raw)
            }
            switch result {
            case .bytes(let count):
                received.append(contentsOf: buffer[..<count])
                return
            case .end:
                ended = true
                return
            case .failed:
                ended = true
                failed = true
                return
            case .wouldBlock:
                if Clock.bootMs() > deadline { throw TestFailure("the server does not answer") }
                _ = try epoll.wait(timeoutMs: 1_000)
            }
        }
    }

    /// Takes exactly these bytes from what came.
    func expect(_ text: String) throws {
        let wanted = Array(text.utf8)
        while received.count < wanted.count { try receiveMore() }
        guard Array(received[..<wanted.count]) == wanted else {
            throw TestFailure("got \(String(decoding: received, as: UTF8.self))")
        }
        received.removeFirst(wanted.count)
    }

    func answer() throws -> TestAnswer {
        let separator = Array("\r\n\r\n".utf8)
        var headEnd = 0
        while true {
            if let found = (0..<max(received.count - 3, 0)).first(where: {
                received[$0] == 13 && Array(received[$0..<($0 + 4)]) == separator
            }) {
                headEnd = found
                break
            }
            try receiveMore()
        }
        let head = String(decoding: received[..<headEnd], as: UTF8.self)
        var length = 0
        var closes = false
        for line in head.split(separator: "\r\n") {
            if line.hasPrefix("Content-Length: ") { length = Int(line.dropFirst(16)) ?? -1 }
            if line == "Connection: close" { closes = true }
        }
        let end = headEnd + 4 + length
        while received.count < end { try receiveMore() }
        let body = String(decoding: received[(headEnd + 4)..<end], as: UTF8.self)
        received.removeFirst(end)
        return TestAnswer(status: Int(head.dropFirst(9).prefix(3)) ?? 0, closes: closes, body: body)
    }

    /// The server closes, and has sent nothing more.
    func expectEnd() throws {
        while !ended { try receiveMore() }
        if !received.isEmpty {
            throw TestFailure("more came: \(String(decoding: received, as: UTF8.self))")
        }
    }

    /// Waits for a reset without reading anything.
    func expectReset() throws {
        let deadline = Clock.bootMs() + testWaitMs
        while Clock.bootMs() < deadline {
            let events = try epoll.wait(timeoutMs: 1)
            for at in 0..<events where epoll.event(at).readiness.contains(.hangUp) { return }
        }
        throw TestFailure("no reset")
    }
}
