// Sockets on loopback, epoll and wake-ups. Nothing sleeps: epoll waits, with a generous end.

import System
import Testing

private let waitMs: Int32 = 20_000

@Suite struct SocketAddressTests {
    @Test(
        "HOST:PORT and [IPV6]:PORT are taken apart",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:8080", "::1", 8080),
            ("node-1.example:65535", "node-1.example", 65535), (":0", "::", 0), ("*:1", "::", 1),
        ] as [(String, String, UInt16)])
    func parse(text: String, host: String, port: UInt16) throws {
        let parsed = try HostAndPort(parsing: text)
        #expect(parsed.host == host)
        #expect(parsed.port == port)
    }

    @Test(
        "What is not an address is refused",
        arguments: [
            "", "host", "host:", "host:65536", "host:+1", "host:1x", "::1:80", "[::1]", "[]:1",
            "[::1:80", "a b:1", "a/b:1", "h\u{e9}:1", "host:123456", "host: 1",
        ])
    func malformed(text: String) {
        #expect(throws: SystemError.malformedAddress(text)) { try HostAndPort(parsing: text) }
    }

    @Test("Numeric addresses resolve to themselves and print as they were written")
    func numeric() throws {
        for text in ["127.0.0.1:80", "[::1]:8080", "10.1.2.3:65535", "[2001:db8::ff00:42]:1"] {
            let addresses = try HostAndPort(parsing: text).resolve()
            #expect(addresses.map(\.description) == [text])
        }
        #expect(try HostAndPort(parsing: "[::1]:1").resolve() == [.loopback6(port: 1)])
        #expect(SocketAddress.loopback(port: 1).isLoopback)
        #expect(SocketAddress.loopback6(port: 1).isLoopback)
        #expect(!SocketAddress.any(port: 1).isLoopback)
        #expect(
            try HostAndPort(parsing: "[::ffff:127.0.0.1]:1").resolve().first?.isLoopback == true)
    }

    @Test("A name without an address says so")
    func unresolved() throws {
        let name = try HostAndPort(parsing: "nowhere.invalid:1")
        let error = #expect(throws: SystemError.self) { try name.resolve() }
        guard case .unresolved(let host, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(host == "nowhere.invalid")
        #expect(!reason.isEmpty)
    }
}

/// Waits for one event of interest.
private func ready(
    _ epoll: borrowing Epoll, _ wanted: Readiness, on token: Token
) throws -> Readiness {
    for _ in 0..<1_000 {
        for at in 0..<(try epoll.wait(timeoutMs: waitMs)) {
            let event = epoll.event(at)
            if event.token == token && !event.readiness.isDisjoint(with: wanted) {
                return event.readiness
            }
        }
    }
    return []
}

@Suite struct SocketTests {
    @Test("Bytes go over a connection both ways, the end is seen, and each side keeps its half")
    func roundTrip() throws {
        let listener = try ListeningSocket(.loopback(port: 0), backlog: 8, sharedPort: false)
        let epoll = try Epoll(eventsMax: 8)
        let listening = Token(index: 1, generation: 11)
        let onClient = Token(index: 2, generation: 22)
        let onServer = Token(index: 3, generation: 33)
        try epoll.add(listener.number, .readable, listening)
        let client = try Socket.connecting(to: listener.address)
        try epoll.add(client.number, [.writable, .readable, .peerShut, .edge], onClient)
        _ = try ready(epoll, .readable, on: listening)
        guard case .connection(let server, let from) = listener.accept() else {
            Issue.record("no connection")
            return
        }
        #expect(from == (try client.localAddress()))
        #expect(client.connectResult() == nil)
        server.setNoDelay()
        server.setKeepAlive(KeepAlive(idleSeconds: 10, intervalSeconds: 5, probes: 3))
        server.setUserTimeout(ms: 5_000)
        try epoll.add(server.number, [.readable, .writable, .peerShut, .edge], onServer)

        let hello: [UInt8] = Array("hello, ".utf8)
        let world: [UInt8] = Array("world".utf8)
        let first = hello.span
        let second = world.span
        #expect(client.send(first, then: second) == .bytes(12))
        client.shutdownWrite()
        _ = try ready(epoll, .peerShut, on: onServer)
        var buffer = [UInt8](repeating: 0, count: 64)
        #expect(
            unsafe buffer.withUnsafeMutableBytes { unsafe server.receive(into: $0) } == .bytes(12))
        #expect(Array(buffer[..<12]) == hello + world)
        #expect(unsafe buffer.withUnsafeMutableBytes { unsafe server.receive(into: $0) } == .end)

        // The half that is open still carries the answer.
        #expect(server.send(first) == .bytes(7))
        _ = try ready(epoll, .readable, on: onClient)
        #expect(
            unsafe buffer.withUnsafeMutableBytes { unsafe client.receive(into: $0) } == .bytes(7))
        #expect(
            unsafe buffer.withUnsafeMutableBytes { unsafe client.receive(into: $0) } == .wouldBlock)
    }

    @Test("Sending to a peer that is gone is an error value, not a signal")
    func brokenPipe() throws {
        let listener = try ListeningSocket(.loopback(port: 0), backlog: 8, sharedPort: false)
        let epoll = try Epoll(eventsMax: 8)
        try epoll.add(listener.number, .readable, Token(index: 0, generation: 0))
        let client = try Socket.connecting(to: listener.address)
        _ = try ready(epoll, .readable, on: Token(index: 0, generation: 0))
        do {
            guard case .connection(let server, _) = listener.accept() else {
                Issue.record("no connection")
                return
            }
            server.setResetOnClose()
        }
        let token = Token(index: 9, generation: 0)
        try epoll.add(client.number, [.readable, .edge], token)
        _ = try ready(epoll, [.error, .hangUp], on: token)
        let bytes: [UInt8] = [1, 2, 3]
        let span = bytes.span
        guard case .failed = client.send(span) else {
            // The first send takes the pending reset; the second finds the pipe broken.
            guard case .failed(let code) = client.send(span) else {
                Issue.record("the send succeeded")
                return
            }
            #expect(code == .brokenPipe)
            return
        }
    }

    @Test("A port that nobody listens on refuses, and one that is taken says so")
    func refusals() throws {
        let taken = try ListeningSocket(.loopback(port: 0), backlog: 1, sharedPort: true)
        let error = #expect(throws: SystemError.self) {
            _ = try ListeningSocket.checkFree(taken.address)
        }
        #expect(error?.code == .addressInUse)
        // Two on one port, when both agree.
        _ = try ListeningSocket(taken.address, backlog: 1, sharedPort: true)

        let free = try ListeningSocket.checkFree(.loopback(port: 0))
        let epoll = try Epoll(eventsMax: 4)
        do {
            let client = try Socket.connecting(to: free)
            try epoll.add(client.number, [.writable], Token(index: 0, generation: 0))
            _ = try epoll.wait(timeoutMs: waitMs)
            #expect(client.connectResult() == .connectionRefused)
        } catch {
            #expect(error.code == .connectionRefused)
        }
    }

    @Test("`::` takes IPv4 connections too")
    func dualStack() throws {
        let listener = try ListeningSocket(.any(port: 0), backlog: 8, sharedPort: false)
        let epoll = try Epoll(eventsMax: 4)
        try epoll.add(listener.number, .readable, Token(index: 0, generation: 0))
        let client = try Socket.connecting(to: .loopback(port: listener.address.port))
        _ = try ready(epoll, .readable, on: Token(index: 0, generation: 0))
        guard case .connection(_, let from) = listener.accept() else {
            Issue.record("no connection")
            return
        }
        #expect(from.isLoopback)
        #expect(client.number >= 0)
        guard case .wouldBlock = listener.accept() else {
            Issue.record("one connection, two accepts")
            return
        }
    }
}

@Suite struct ThreadTests {
    @Test("A thread that sleeps in epoll is woken by a post, and gets all in order")
    func mailbox() throws {
        let mailbox = try Mailbox<Int>(itemsMax: 1_000_000)
        let total = 20_000
        let producer = try PosixThread(name: "producer") {
            var next = 0
            while next < total {
                var batch = Array(next..<min(next + 7, total))
                next += batch.count
                if !mailbox.post(&batch) { Issue.record("the mailbox was full") }
            }
        }
        let epoll = try Epoll(eventsMax: 4)
        try epoll.add(mailbox.number, .readable, Token(index: 0, generation: 0))
        var taken: [Int] = []
        var list: [Int] = []
        while taken.count < total {
            if mailbox.prepareToSleep() {
                let woken = try epoll.wait(timeoutMs: waitMs)
                mailbox.awake(byWakeup: woken > 0)
                if woken == 0 { break }
            }
            list.removeAll(keepingCapacity: true)
            mailbox.take(into: &list)
            taken.append(contentsOf: list)
        }
        producer.join()
        #expect(taken == Array(0..<total))
    }

    @Test("A mailbox takes what it has room for, and leaves the rest with the sender")
    func mailboxIsBounded() throws {
        let mailbox = try Mailbox<Int>(itemsMax: 3)
        var batch = [1, 2]
        #expect(mailbox.post(&batch))
        #expect(batch.isEmpty)
        batch = [3, 4]
        #expect(!mailbox.post(&batch))
        #expect(batch == [4])
        #expect(!mailbox.post(5))
        #expect(!mailbox.prepareToSleep())
        var list = [0]
        mailbox.take(into: &list)
        #expect(list == [0, 1, 2, 3])
        #expect(mailbox.isEmpty)
        #expect(mailbox.prepareToSleep())
    }

    @Test("A mutex keeps increments of several threads apart, and its condition wakes a waiter")
    func mutex() throws {
        final class Shared: Sendable {
            let count = PosixMutex(0)
        }
        let shared = Shared()
        func worker() throws -> PosixThread {
            try PosixThread(name: "worker") {
                for _ in 0..<10_000 { shared.count.withLock { $0 += 1 } }
                shared.count.signal()
            }
        }
        let first = try worker()
        let second = try worker()
        let seen = shared.count.withLock(when: { $0 == 20_000 }) { $0 }
        #expect(seen == 20_000)
        first.join()
        second.join()
    }

    @Test("Random bytes differ, clocks advance, and the process can be read")
    func readings() throws {
        #expect(try RandomBytes.take(32) != RandomBytes.take(32))
        #expect(try RandomBytes.take(0).isEmpty)
        let before = Clock.monotonicNs()
        #expect(Clock.monotonicNs() >= before)
        #expect(Clock.bootMs() > 0)
        #expect(Clock.wallMs() > 1_600_000_000_000)
        let readings = try ProcessReadings.take()
        #expect(readings.residentBytes > 1 << 20)
        #expect(readings.threads >= 1)
        #expect(readings.descriptorsOpen >= 3)
        #expect(try ProcessLimits.raiseDescriptors(to: 64) >= 64)
        #expect(ProcessLimits.processors >= 1)
    }
}
