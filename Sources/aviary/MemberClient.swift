// A small blocking HTTP/1.1 client: one GET, one connection, one deadline. Strict and bounded: it
// talks to members only, and takes nothing for an answer that is not a whole one.

internal import System

struct MemberClient {
    struct Answer: Equatable {
        let status: Int
        let body: [UInt8]
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let headBytesMax = 32 << 10
    static let bodyBytesMax = 16 << 20

    /// `http://HOST:PORT`, `HOST:PORT`; a slash at the end is let pass.
    static func server(_ text: String) throws(Failure) -> HostAndPort {
        var rest = Substring(text)
        if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        do throws(SystemError) {
            return try HostAndPort(parsing: String(rest))
        } catch {
            throw Failure(description: "not http://HOST:PORT: \(text)")
        }
    }

    static func get(
        _ server: HostAndPort, _ target: String, withinMs: UInt64
    ) throws(Failure) -> Answer {
        let deadlineMs = Clock.bootMs() + withinMs
        var last = Failure(description: "no address")
        do throws(SystemError) {
            for address in try server.resolve() {
                do throws(Failure) {
                    let socket = try connect(address, deadlineMs)
                    return try exchange(socket, server, target, deadlineMs)
                } catch {
                    last = error
                }
            }
        } catch {
            throw Failure(description: error.description)
        }
        throw last
    }

    private static func connect(
        _ address: SocketAddress, _ deadlineMs: UInt64
    ) throws(Failure) -> Socket {
        do throws(SystemError) {
            let socket = try Socket.connecting(to: address)
            try wait(for: socket, .writable, deadlineMs)
            if let code = socket.connectResult() {
                throw SystemError.call("connect to \(address)", errno: code.rawValue)
            }
            return socket
        } catch {
            throw Failure(description: error.description)
        }
    }

    private static func exchange(
        _ socket: borrowing Socket, _ server: HostAndPort, _ target: String, _ deadlineMs: UInt64
    ) throws(Failure) -> Answer {
        let request =
            "GET \(target) HTTP/1.1\r\nHost: \(server)\r\nAccept: application/json\r\n"
            + "Connection: close\r\n\r\n"
        let bytes = Array(request.utf8)
        var sent = 0
        do {
            while sent < bytes.count {
                switch socket.send(bytes.span.extracting(sent...)) {
                case .bytes(let count): sent += count
                case .wouldBlock: try wait(for: socket, .writable, deadlineMs)
                case .failed(let code): throw SystemError.call("send", errno: code.rawValue)
                }
            }
            return try answer(try receiveAll(socket, deadlineMs))
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    /// Everything up to the end, which `Connection: close` makes the end of the answer.
    private static func receiveAll(
        _ socket: borrowing Socket, _ deadlineMs: UInt64
    ) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= headBytesMax + bodyBytesMax {
            let received = unsafe piece.withUnsafeMutableBytes { buffer in
                unsafe socket.receive(into: buffer)
            }
            switch received {
            case .bytes(let count): bytes.append(contentsOf: piece[..<count])
            case .end: return bytes
            case .wouldBlock: try wait(for: socket, .readable, deadlineMs)
            case .failed(let code): throw .call("receive", errno: code.rawValue)
            }
        }
        return bytes
    }

    private static func wait(
        for socket: borrowing Socket, _ readiness: Readiness, _ deadlineMs: UInt64
    ) throws(SystemError) {
        let epoll = try Epoll(eventsMax: 1)
        try epoll.add(socket.number, readiness, Token(index: 0, generation: 0))
        let nowMs = Clock.bootMs()
        guard nowMs < deadlineMs,
            try epoll.wait(timeoutMs: Int32(clamping: deadlineMs - nowMs)) > 0
        else { throw .call("no answer in time", errno: 110) }
    }

    /// Status line, fields, and a body of exactly `Content-Length` bytes.
    static func answer(_ bytes: [UInt8]) throws(Failure) -> Answer {
        func bad(_ why: String) -> Failure { Failure(description: "not a member's answer: \(why)") }
        guard let headEnd = end(ofHeadIn: bytes) else { throw bad("no whole head") }
        let head = String(decoding: bytes[..<headEnd], as: UTF8.self)
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "),
            let status = Int(first.dropFirst(9).prefix(3)), (100...599).contains(status)
        else { throw bad("no HTTP/1.1 status line") }
        var length: Int?
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw bad("a field without a colon") }
            guard line[..<colon].lowercased() == "content-length" else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            guard length == nil, value.allSatisfy({ $0.isASCII && $0.isNumber }),
                let count = Int(value)
            else { throw bad("Content-Length") }
            length = count
        }
        let body = Array(bytes[(headEnd + 4)...])
        guard body.count <= bodyBytesMax, length == body.count else {
            throw bad(
                "a body of \(body.count) bytes, announced \(length.map(String.init) ?? "none")")
        }
        return Answer(status: status, body: body)
    }

    private static func end(ofHeadIn bytes: [UInt8]) -> Int? {
        let last = min(bytes.count, headBytesMax) - 4
        guard last >= 0 else { return nil }
        return (0...last).first { at in
            bytes[at] == 13 && bytes[at + 1] == 10 && bytes[at + 2] == 13 && bytes[at + 3] == 10
        }
    }
}
