// The HTTP side of the server over real sockets on loopback: requests in any pieces and order.

import Ensemble
import Gateway
import Raft
import Server
import System
import Testing
import Znodes

@Suite struct HTTPServerTests {
    @Test("A connection carries one request after another")
    func keepAlive() throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        for turn in 0..<5 {
            try client.get("/local/\(turn)")
            #expect(
                try client.answer()
                    == TestAnswer(
                        status: 200, closes: false, body: "/local/\(turn)"))
        }
        try client.get("/local", "Connection: close\r\n")
        #expect(try client.answer() == TestAnswer(status: 200, closes: true, body: "/local"))
        try client.expectEnd()
    }

    @Test("The answers of a pipeline come in the order of its requests, those of the replica too")
    func pipeline() throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        try client.send(
            ["/local/1", "/ask/2", "/local/3", "/twice/4", "/ask/5", "/local/6"]
                .map { "GET \($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined())
        #expect(try client.answer().body == "/local/1")
        // One request of the connection is with the replica; those behind it wait.
        let second = try server.nextID()
        #expect(server.counters.readings().requests <= 2)
        server.reply([(second, .readable)])
        #expect(try client.answer().body == "/ask/2")
        #expect(try client.answer().body == "/local/3")
        let fourth = try server.nextID()
        server.reply([(fourth, .readable)])
        let again = try server.nextID()
        #expect(again != fourth)
        // A late answer to what was answered is dropped.
        server.reply([(second, .readable), (fourth, .readable), (again, .readable)])
        #expect(try client.answer().body == "/twice/4")
        server.reply([(try server.nextID(), .refused(.noQuorum))])
        #expect(try client.answer() == TestAnswer(status: 503, closes: false, body: "/ask/5"))
        #expect(try client.answer().body == "/local/6")
    }

    @Test("A thousand requests in one piece are answered in order, by few sends")
    func longPipeline() throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        try client.send(
            (0..<1_000).map { "GET /local/\($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined())
        for turn in 0..<1_000 {
            #expect(try client.answer().body == "/local/\(turn)")
        }
    }

    @Test(
        "A request is the same in any pieces: whole, in small ones, byte by byte",
        arguments: [100_000, 1_000, 7, 1])
    func pieces(pieceBytes: Int) throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        let text =
            "PUT /local/a HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"
            + "PUT /local/b HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nfoo\r\nA\r\n0123456789\r\n0\r\n\r\n"
            + "GET /local/c HTTP/1.1\r\nHost: test\r\n\r\n"
        let bytes = Array(text.utf8)
        client.socket.setNoDelay()
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            try client.send(Array(bytes[start..<min(start + pieceBytes, bytes.count)]))
        }
        #expect(try client.answer().body == "/local/ahello")
        #expect(try client.answer().body == "/local/bfoo0123456789")
        #expect(try client.answer().body == "/local/c")
    }

    @Test("Bodies of many receives come whole, by length and in chunks")
    func bigBodies() throws {
        let server = try TestServer { $0.receiveBytes = 4_096 }
        defer { server.stop() }
        let client = try server.connect()
        let body = String(repeating: "0123456789", count: 9_000)
        try client.send("PUT /local HTTP/1.1\r\nHost: t\r\nContent-Length: 90000\r\n\r\n" + body)
        #expect(try client.answer().body == "/local" + body)
        var chunks = "PUT /local HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
        for _ in 0..<9 {
            chunks += "2710\r\n" + String(repeating: "0123456789", count: 1_000) + "\r\n"
        }
        try client.send(chunks + "0\r\n\r\n")
        #expect(try client.answer().body == "/local" + body)
    }

    @Test("100 Continue is sent when the body is wanted, and 413 when it is too large")
    func expectContinue() throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        let head = "PUT /local HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: "
        try client.send(head + "5\r\n\r\n")
        try client.expect("HTTP/1.1 100 Continue\r\n\r\n")
        try client.send("hello")
        #expect(try client.answer().body == "/localhello")
        // A body that is on its way already needs no invitation.
        try client.send(head + "5\r\n\r\nhello")
        #expect(try client.answer().body == "/localhello")
        try client.send(head + "100001\r\n\r\n")
        #expect(try client.answer() == TestAnswer(status: 413, closes: true, body: ""))
        try client.expectEnd()
    }

    @Test("A chunked body that grows too large is refused, and the answer can be read")
    func chunkedTooLarge() throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        let chunk = "10000\r\n" + String(repeating: "z", count: 65_536) + "\r\n"
        try client.send(
            "PUT /local HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk)
        #expect(try client.answer().status == 413)
        try client.expectEnd()
    }

    @Test(
        "What is malformed is answered once and closed; what follows it is not served",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", 400), ("NONSENSE\r\n\r\n", 400),
            (
                "GET /local HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                400
            ),
            ("PUT /l HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
            ("GET /" + String(repeating: "a", count: 9_000) + " HTTP/1.1\r\nHost: t\r\n\r\n", 414),
        ])
    func malformed(text: String, status: Int) throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        try client.send("GET /local HTTP/1.1\r\nHost: t\r\n\r\n" + text)
        try client.send("GET /ask HTTP/1.1\r\nHost: t\r\n\r\n")
        #expect(try client.answer().status == 200)
        #expect(try client.answer() == TestAnswer(status: status, closes: true, body: ""))
        try client.expectEnd()
        let other = try server.connect()
        try other.get("/local")
        #expect(try other.answer().status == 200)
        #expect(server.sink.isEmpty)
    }

    @Test("A peer that closes its half still gets its answers, then the end")
    func halfClosed() throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        try client.get("/local")
        try client.get("/ask")
        client.shutdown()
        #expect(try client.answer().body == "/local")
        server.reply([(try server.nextID(), .readable)])
        #expect(try client.answer().body == "/ask")
        try client.expectEnd()
    }

    @Test("Half a request and the end are no request: the connection just ends")
    func halfARequest() throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        try client.send("PUT /local HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhel")
        client.shutdown()
        try client.expectEnd()
    }

    @Test("The wait of a client that went away is cancelled; a late reply reaches nobody else")
    func abandonedWait() throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try server.connect()
        try client.get("/wait/1")
        let id = try server.nextID()
        client.shutdown()
        guard case .cancel(let cancelled) = try server.nextRequest() else {
            throw TestFailure("no cancel")
        }
        #expect(cancelled == id)
        try client.expectEnd()
        // The slot's next connection asks too; the reply to the first must not answer it.
        let next = try server.connect()
        try next.get("/wait/2")
        let second = try server.nextID()
        #expect(second != id)
        #expect(second.slot == id.slot)
        server.reply([(id, .refused(.noQuorum)), (second, .changed)])
        #expect(try next.answer() == TestAnswer(status: 200, closes: false, body: "/wait/2"))
    }

    @Test("A request whose client resets the connection is cancelled")
    func reset() throws {
        let server = try TestServer()
        defer { server.stop() }
        let id: RequestID
        do {
            let client = try server.connect()
            try client.get("/ask")
            id = try server.nextID()
            client.socket.setResetOnClose()
        }
        guard case .cancel(let cancelled) = try server.nextRequest() else {
            throw TestFailure("no cancel")
        }
        #expect(cancelled == id)
        try server.waitUntil("no connection") { server.counters.readings().connectionsOpen == 0 }
    }

    @Test("What the replica's queue has no room for is answered as overloaded")
    func overloaded() throws {
        let server = try TestServer(sinkItemsMax: 1)
        defer { server.stop() }
        let first = try server.connect()
        try first.get("/ask/1")
        try server.waitUntil("the first request") { !server.sink.isEmpty }
        let second = try server.connect()
        try second.get("/ask/2")
        #expect(try second.answer() == TestAnswer(status: 503, closes: false, body: "/ask/2"))
        server.reply([(try server.nextID(), .readable)])
        #expect(try first.answer() == TestAnswer(status: 200, closes: false, body: "/ask/1"))
    }

    @Test("Loops share the port, and what the replica published is what they see")
    func manyConnections() throws {
        let server = try TestServer(loops: 2)
        defer { server.stop() }
        var status = ReplicaStatus.initial(id: MemberID(1))
        status.applied = Zxid(42)
        server.board.publish(status)
        var clients: [TestClient] = []
        for _ in 0..<64 { clients.append(try server.connect()) }
        for turn in 0..<20 {
            for client in clients { try client.get(turn == 0 ? "/status" : "/local/\(turn)") }
            for client in clients {
                #expect(try client.answer().body == (turn == 0 ? "42" : "/local/\(turn)"))
            }
        }
        for client in clients { try client.get("/ask") }
        var ids: [RequestID] = []
        for _ in clients { ids.append(try server.nextID()) }
        #expect(Set(ids).count == 64)
        #expect(Set(ids.map(\.loop)) == [0, 1])
        server.reply(ids.map { ($0, .readable) })
        for client in clients { #expect(try client.answer().body == "/ask") }
        let readings = server.counters.readings()
        #expect(readings.connectionsAccepted == 64)
        #expect(readings.connectionsOpen == 64)
    }
}
