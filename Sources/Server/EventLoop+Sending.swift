// The way out: what was gathered goes to the socket in one call, what the socket does not take is
// kept and holds the pipeline back; and the end of a connection after its last answer.

internal import Gateway
internal import HTTP
internal import System

extension EventLoop where Handler: ~Copyable {
    /// Sends what was gathered, in one call if the socket takes it; keeps the rest. False: the peer
    /// is gone.
    mutating func flush(_ connection: inout Connection, _ token: Token) -> Bool {
        if out.isEmpty && connection.output.isEmpty { return true }
        if connection.output.isEmpty {
            let sent = unsafe out.withBytes { unsafe connection.socket.send($0) }
            switch sent {
            case .bytes(let count):
                counts.bytesSent += count
                out.consume(count)
            case .wouldBlock: break
            case .failed:
                out.removeAll()
                return false
            }
            if out.isEmpty { return true }
            connection.progressMs = context.nowMs
            connection.output.append(out.bytes)
            out.removeAll()
            return countUnsent(&connection) && watchWritable(&connection, token)
        }
        if !out.isEmpty {
            connection.output.append(out.bytes)
            out.removeAll()
        }
        switch unsafe connection.output.withBytes({ unsafe connection.socket.send($0) }) {
        case .bytes(let count):
            counts.bytesSent += count
            connection.output.consume(count)
            connection.progressMs = context.nowMs
            return countUnsent(&connection)
        case .wouldBlock:
            return countUnsent(&connection)
        case .failed:
            return false
        }
    }

    /// False: this one made what all slow readers together have not taken more than may be kept.
    private mutating func countUnsent(_ connection: inout Connection) -> Bool {
        let unsent = connection.output.count
        let grown = unsent - connection.unsentBytes
        let all = shared.unsentGrew(by: grown)
        connection.unsentBytes = unsent
        // One that drains is none of it, whatever another loop holds until it resets its own.
        if grown <= 0 || all <= limits.unsentBytesMax { return true }
        connection.socket.setResetOnClose()
        return false
    }

    /// Most connections never need it: it is asked for when a socket is first full.
    private mutating func watchWritable(_ connection: inout Connection, _ token: Token) -> Bool {
        if connection.watchesWritable { return true }
        connection.watchesWritable = true
        do {
            try epoll.modify(
                connection.socket.number, [.readable, .writable, .peerShut, .edge], token)
            return true
        } catch {
            return false
        }
    }

    // MARK: Closing

    /// All answers are with the kernel. False: close at once.
    mutating func close(_ connection: inout Connection, _ token: Token) -> Bool {
        if connection.ended { return false }
        if case .atOnce = connection.closing, connection.input.isEmpty, !connection.readable {
            return false
        }
        connection.socket.shutdownWrite()
        connection.input.removeAll()
        connection.enter(.lingering, nowMs: context.nowMs)
        connection.readable = true
        return linger(&connection, token)
    }

    /// Drops what comes until the peer closes, within bounds of bytes and time.
    mutating func linger(_ connection: inout Connection, _ token: Token) -> Bool {
        for _ in 0..<limits.roundsPerTurnMax where connection.readable {
            switch unsafe connection.socket.receive(into: receiveBuffer) {
            case .bytes(let count):
                connection.lingeredBytes += count
                if connection.lingeredBytes > limits.lingerBytesMax { return false }
            case .wouldBlock:
                connection.readable = false
            case .end, .failed:
                return false
            }
        }
        if connection.readable { resumeLater(&connection, token) }
        updateTimer(&connection, token.index)
        return true
    }
}
