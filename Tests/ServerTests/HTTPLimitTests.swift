// Limits and ends of connections: time-outs made small by hand, slow readers, too many
// connections, no descriptors, and the drain. Nothing sleeps; each wait has a generous end.

import Ensemble
import Gateway
import Server
import System
import Testing
import Znodes

@Suite struct HTTPLimitTests {
    @Test("A head that does not come to its end in time is 408 and closed")
    func slowHead() throws {
        let server = try TestServer { $0.headMs = 30 }
        defer { server.stop() }
        let client = try server.connect()
        try client.send("GET /local HTTP/1.1\r\nHost")
        #expect(try client.answer() == TestAnswer(status: 408, closes: true, body: ""))
        try client.expectEnd()
        try server.waitUntil("the count") { server.counters.readings().timeouts == 1 }
    }

    @Test("A body slower than allowed is 408 and closed")
    func slowBody() throws {
        let server = try TestServer {
            $0.bodyMs = 30
            $0.bodyBytesPerSecondMin = 1 << 30
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send("PUT /local HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n12345")
        #expect(try client.answer() == TestAnswer(status: 408, closes: true, body: ""))
        try client.expectEnd()
    }

    @Test("An idle connection is closed without a word; one that waits is not idle")
    func idle() throws {
        let server = try TestServer { $0.idleMs = 30 }
        defer { server.stop() }
        let waiting = try server.connect()
        try waiting.get("/wait")
        let id = try server.nextID()
        let client = try server.connect()
        try client.expectEnd()
        server.reply([(id, .changed)])
        #expect(try waiting.answer().status == 200)
        try waiting.expectEnd()
    }

    @Test("Connections leave the member its own descriptors, whatever the process may open")
    func descriptorsKept() {
        for descriptorsMax in [64, 256, 1_024, 65_536, 1 << 20] {
            var limits = ServerLimits()
            limits.fit(descriptorsMax: descriptorsMax)
            let taken = limits.connectionsMax + limits.refusalsMax
            #expect(taken <= max(descriptorsMax - ServerLimits.descriptorsReserved, 4))
            #expect(limits.connectionsMax >= 1 && limits.connectionsMax <= 100_000)
        }
    }

    @Test("Unfinished bodies of all connections together are bounded; what ends is given back")
    func unfinishedBodies() throws {
        let server = try TestServer { $0.unfinishedBodyBytesMax = 100_000 }
        defer { server.stop() }
        let half = String(repeating: "x", count: 60_000)
        let put = "PUT /local HTTP/1.1\r\nHost: t\r\nContent-Length: 70000\r\n\r\n"
        let first = try server.connect()
        try first.send(put + half)
        try server.waitUntil("it came") { server.counters.readings().bytesReceived >= 60_000 }
        let second = try server.connect()
        try second.send(put + half)
        #expect(try second.answer().status == 503)
        try second.expectEnd()
        try first.send(String(repeating: "x", count: 10_000))
        #expect(try first.answer().status == 200)
        let third = try server.connect()
        try third.send(put + half + String(repeating: "x", count: 10_000))
        #expect(try third.answer().status == 200)
    }

    @Test("Readers that take nothing cannot hold more of the server than its limit")
    func unsentAnswers() throws {
        let server = try TestServer { $0.unsentBytesMax = 1_000_000 }
        defer { server.stop() }
        let client = try TestClient(server.address, receiveBytes: 65_536)
        try client.get("/big/20000000")
        try client.expectReset()
        let other = try server.connect()
        try other.get("/local/1")
        #expect(try other.answer().status == 200)
    }

    @Test("A reader that takes what was kept for it is not reset for what others have not taken")
    func drainsBesideOthers() throws {
        let server = try TestServer { $0.unsentBytesMax = 20_000_000 }
        defer { server.stop() }
        let client = try TestClient(server.address, receiveBytes: 65_536)
        try client.get("/big/15000000")
        try server.waitUntil("it is kept") { server.counters.unsent > 0 }
        // Another loop's connection has grown over the limit, and is about to be reset.
        _ = server.counters.unsentGrew(by: 30_000_000)
        #expect(try client.answer().body.utf8.count == 15_000_000)
    }

    @Test("A page of a feed that is more than may be kept unsent is refused before it is written")
    func pageBeyondUnsent() throws {
        let server = try TestServer { $0.unsentBytesMax = 10_000 }
        defer { server.stop() }
        let client = try server.connect()
        let long = ZnodePath(trusted: [UInt8](repeating: UInt8(ascii: "/"), count: 1_000))
        let event = Event(zxid: Zxid(1), type: .created, path: long)
        for (events, status) in [(9, 200), (10, 503)] {
            try client.get("/ask")
            let page = EventPage(events: Array(repeating: event, count: events), next: Zxid(1))
            server.reply([(try server.nextID(), .events(page))])
            #expect(try client.answer().status == status)
        }
    }

    @Test("A slow reader of many large answers gets every byte, and holds up nobody else")
    func slowReader() throws {
        let server = try TestServer { $0.requestsPerConnectionMax = 1_000 }
        defer { server.stop() }
        let client = try TestClient(server.address, receiveBytes: 65_536)
        for turn in 0..<100 {
            try client.get("/big/\(100_000 + turn)")
            try client.get("/local/\(turn)")
        }
        try client.get("/ask")
        // The pipeline is held back by its own answers; another connection is served meanwhile.
        let other = try server.connect()
        try other.get("/local")
        #expect(try other.answer().status == 200)
        #expect(server.counters.readings().bytesSent < 100 * 100_000)
        for turn in 0..<100 {
            #expect(try client.answer().body.utf8.count == 100_000 + turn)
            #expect(try client.answer().body == "/local/\(turn)")
        }
        server.reply([(try server.nextID(), .readable)])
        #expect(try client.answer().body == "/ask")
    }

    @Test("A peer that takes nothing of its answers is reset")
    func writeStall() throws {
        let server = try TestServer { $0.writeStallMs = 50 }
        defer { server.stop() }
        let client = try TestClient(server.address, receiveBytes: 4_096)
        for _ in 0..<3 { try client.get("/big/9000000") }
        try client.expectReset()
        try server.waitUntil("no connection") { server.counters.readings().connectionsOpen == 0 }
    }

    @Test("A connection ends after its last allowed request, and says so in the answer")
    func requestsPerConnection() throws {
        let server = try TestServer { $0.requestsPerConnectionMax = 3 }
        defer { server.stop() }
        let client = try server.connect()
        for _ in 0..<5 { try client.get("/local") }
        for turn in 1...3 {
            #expect(
                try client.answer()
                    == TestAnswer(
                        status: 200, closes: turn == 3, body: "/local"))
        }
        try client.expectEnd()
    }

    @Test(
        "Beyond the limit a connection is told so and closed; when one leaves, the next is served")
    func connectionLimit() throws {
        let server = try TestServer { $0.connectionsMax = 2 }
        defer { server.stop() }
        let first = try server.connect()
        try first.get("/local")
        #expect(try first.answer().status == 200)
        do {
            let second = try server.connect()
            try second.get("/local")
            #expect(try second.answer().status == 200)
            let third = try server.connect()
            #expect(try third.answer() == TestAnswer(status: 503, closes: true, body: ""))
            try third.expectEnd()
        }
        try server.waitUntil("room") { server.counters.readings().connectionsOpen == 1 }
        let fourth = try server.connect()
        try fourth.get("/local")
        #expect(try fourth.answer().status == 200)
    }

    @Test("Draining ends idle connections, answers what is under way, and takes nothing new")
    func drain() throws {
        let server = try TestServer()
        let idle = try server.connect()
        try idle.get("/local")
        #expect(try idle.answer().closes == false)
        let waiting = try server.connect()
        try waiting.get("/wait")
        try waiting.get("/local")
        let id = try server.nextID()
        server.server.drain(withinMs: testWaitMs)
        try idle.expectEnd()
        #expect(throws: (any Error).self) { try server.connect() }
        server.reply([(id, .refused(.shuttingDown))])
        #expect(try waiting.answer() == TestAnswer(status: 503, closes: true, body: "/wait"))
        try waiting.expectEnd()
        waiting.shutdown()
        idle.shutdown()
        server.server.join()
    }

    @Test("What is not done when the time for draining is over is cut off, and cancelled")
    func cutOff() throws {
        let server = try TestServer()
        let waiting = try server.connect()
        try waiting.get("/wait")
        let id = try server.nextID()
        server.server.drain(withinMs: 20)
        server.server.join()
        guard case .cancel(let cancelled) = try server.nextRequest() else {
            throw TestFailure("no cancel")
        }
        #expect(cancelled == id)
        try waiting.expectEnd()
    }

    @Test("A port in use is refused at the start, although loops share theirs")
    func portInUse() throws {
        let server = try TestServer()
        defer { server.stop() }
        let error = #expect(throws: SystemError.self) {
            _ = try HTTPServer(
                addresses: [server.address], limits: ServerLimits(),
                inboxes: try LoopInboxes(loops: 1), sink: server.sink, board: server.board,
                counters: server.counters, makeHandler: { _ in ScriptedHandler() })
        }
        #expect(error?.code == .addressInUse)
    }

    @Test("Without descriptors accepting pauses, open connections are served, and it goes on after")
    func noDescriptors() async {
        // In a process of its own, since the limit is the process's.
        await #expect(processExitsWith: .success) {
            let server = try TestServer { $0.acceptPauseMs = 5 }
            let client = try server.connect()
            try client.get("/local")
            guard try client.answer().status == 200 else { throw TestFailure("not served") }
            // All descriptors but one are taken: it goes to a client, and none is left for us.
            try ProcessLimits.lowerDescriptors(
                to: try ProcessReadings.take().descriptorsOpen + 20)
            var fillers: [Filler] = []
            while let filler = try? Filler() { fillers.append(filler) }
            fillers.removeLast()
            let unlucky = try Socket.connecting(to: server.address)
            try server.waitUntil("a refusal") {
                server.counters.readings().connectionsRefused > 0
            }
            try client.get("/local/still")
            guard try client.answer().body == "/local/still" else {
                throw TestFailure("not served without descriptors")
            }
            fillers.removeAll()
            let later = try server.connect()
            try later.get("/local/later")
            guard try later.answer().body == "/local/later" else {
                throw TestFailure("accepting did not go on")
            }
            guard unlucky.number >= 0 else { throw TestFailure("no socket") }
            server.stop()
        }
    }
}

private final class Filler {
    private let descriptor: FileDescriptor
    init() throws { descriptor = try FileDescriptor.reserve() }
}
