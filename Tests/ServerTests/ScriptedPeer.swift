// The other end of the links between members, played by a test: says what it is told to, on
// connections that it opens or takes.

import Ensemble
import Journal
import Raft
import Server
import System

final class ScriptedPeer {
    private let socket: Socket
    private let epoll: Epoll
    private var received: [UInt8] = []
    private(set) var isEnded = false

    /// Dials a member.
    init(dialling address: SocketAddress) throws {
        socket = try Socket.connecting(to: address)
        epoll = try Epoll(eventsMax: 1)
        try epoll.add(socket.number, [.readable, .writable], Token(index: 0, generation: 0))
        _ = try epoll.wait(timeoutMs: 10_000)
        if let code = socket.connectResult() { throw TestFailure("connect: \(code)") }
        try epoll.modify(socket.number, .readable, Token(index: 0, generation: 0))
    }

    /// Takes a member's dial.
    init(taking listener: borrowing ListeningSocket) throws {
        let waiting = try Epoll(eventsMax: 1)
        try waiting.add(listener.number, .readable, Token(index: 0, generation: 0))
        guard try waiting.wait(timeoutMs: Int32(testWaitMs)) > 0 else {
            throw TestFailure("nobody dials")
        }
        switch listener.accept() {
        case .connection(let socket, from: _): self.socket = socket
        case .wouldBlock: throw TestFailure("nobody waits")
        case .gone: throw TestFailure("the dial is gone")
        case .failed: throw TestFailure("accept")
        }
        epoll = try Epoll(eventsMax: 1)
        try epoll.add(socket.number, .readable, Token(index: 0, generation: 0))
    }

    static func hello(
        _ member: UInt64, to: UInt64 = 1, ensemble: EnsembleID? = nil,
        storage: StorageID = StorageID(high: 7, low: 7)
    ) -> Hello {
        Hello(
            ensemble: ensemble, member: MemberID(member), storage: storage, to: MemberID(to),
            incarnation: 1, httpAddress: Array("127.0.0.1:1".utf8),
            peerAddress: Array("127.0.0.1:2".utf8), version: Array("0.1.0".utf8))
    }

    static func bytes(_ frame: PeerFrame) -> [UInt8] {
        var bytes: [UInt8] = []
        PeerCodec.encode(frame, into: &bytes)
        return bytes
    }

    func send(_ frame: PeerFrame) throws { try send(Self.bytes(frame)) }

    /// Few bytes: a fresh connection takes them whole.
    func send(_ bytes: [UInt8]) throws {
        let span = bytes.span
        guard socket.send(span) == .bytes(bytes.count) else { throw TestFailure("send") }
    }

    /// The next frame; nil: the connection has ended.
    func next() throws -> PeerFrame? {
        while true {
            if let (frame, length) = try Self.first(received) {
                received.removeFirst(length)
                return frame
            }
            if isEnded { return nil }
            try receive()
        }
    }

    private static func first(_ bytes: [UInt8]) throws -> (PeerFrame, Int)? {
        let span = bytes.span
        guard let found = try PeerCodec.decode(span) else { return nil }
        return (found.frame, found.length)
    }

    func awaitEnd() throws {
        while !isEnded { try receive() }
    }

    private func receive() throws {
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
            case .end, .failed:
                isEnded = true
                return
            case .wouldBlock:
                if Clock.bootMs() > deadline { throw TestFailure("the member says nothing") }
                _ = try epoll.wait(timeoutMs: 100)
            }
        }
    }
}
