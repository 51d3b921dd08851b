// How connections come into an event loop and leave it: accepting under limits, time-outs, and the
// drain before the end.

internal import Ensemble
internal import Gateway
internal import HTTP
internal import System

extension EventLoop where Handler: ~Copyable {
    // MARK: Coming

    mutating func accept(from listener: Int) {
        for _ in 0..<limits.acceptsPerTurnMax {
            switch listeners.accept(listener) {
            case .connection(let socket, from: _):
                admit(socket)
            case .wouldBlock:
                return
            case .gone:
                continue
            case .failed:
                counts.refused += 1
                listeners.pause(
                    epoll, index: listener, untilMs: context.nowMs + limits.acceptPauseMs)
                return
            }
        }
    }

    private mutating func admit(_ socket: consuming Socket) {
        counts.accepted += 1
        let open = shared.opened()
        let slotsLeft = connections.count < RequestID.slotsMax
        if open > limits.connectionsMax + limits.refusalsMax || !slotsLeft {
            shared.closed()
            counts.refused += 1
            return
        }
        let number = socket.number
        let token = connections.insert(
            Connection(socket: socket, sequence: 0, nowMs: context.nowMs))
        while sequences.count <= Int(token.index) { sequences.append(0) }
        let connection = unsafe connections.address(of: token.index)
        unsafe connection.pointee.sequence = sequences[Int(token.index)]
        do {
            try epoll.add(number, [.readable, .peerShut, .edge], token)
        } catch {
            counts.refused += 1
            drop(token.index)
            return
        }
        if open > limits.connectionsMax {
            // Told so, and not served: 503, then the close that lets it be read.
            counts.refused += 1
            handler.refuse(.connectionLimit, context: context, into: &out)
            unsafe connection.pointee.closing = .lingering
            if unsafe !progress(&connection.pointee, token) { drop(token.index) }
            return
        }
        unsafe updateTimer(&connection.pointee, token.index)
    }

    // MARK: Leaving

    /// Closes, and frees the slot. The replica hears of a request that nobody waits for any more.
    mutating func drop(_ slot: UInt32) {
        let connection = unsafe connections.address(of: slot)
        unsafe cancelPending(&connection.pointee, slot)
        sequences[Int(slot)] = unsafe connection.pointee.sequence
        timers.disarm(slot)
        unsafe _ = shared.unsentGrew(by: -connection.pointee.unsentBytes)
        connections.remove(slot)
        shared.closed()
    }

    private mutating func cancelPending(_ connection: inout Connection, _ slot: UInt32) {
        guard connection.pending != nil else { return }
        connection.pending = nil
        counts.inFlight -= 1
        outbox.append(
            .cancel(RequestID(loop: index, slot: slot, sequence: connection.sequence)))
    }

    // MARK: Time

    /// Makes the slot's timer fire no later than its deadline. A later deadline leaves it armed:
    /// it fires in vain now and then, and a request costs no work on the wheel.
    mutating func updateTimer(_ connection: inout Connection, _ slot: UInt32) {
        let deadlineMs = connection.deadlineMs(limits)
        if deadlineMs < connection.armedMs {
            connection.armedMs = deadlineMs
            timers.arm(slot, atMs: deadlineMs)
        }
    }

    mutating func timerFired(_ slot: UInt32) {
        guard let token = connections.token(at: slot) else { return }
        let connection = unsafe connections.address(of: slot)
        unsafe connection.pointee.armedMs = .max
        let deadlineMs = unsafe connection.pointee.deadlineMs(limits)
        if deadlineMs > context.nowMs {
            if deadlineMs != .max { unsafe updateTimer(&connection.pointee, slot) }
            return
        }
        if unsafe !timedOut(&connection.pointee, token) { drop(slot) }
    }

    /// False: close.
    private mutating func timedOut(_ connection: inout Connection, _ token: Token) -> Bool {
        if !connection.output.isEmpty {
            // Its answers are of no use to a peer that does not read: nothing is kept for it.
            counts.timeouts += 1
            connection.socket.setResetOnClose()
            return false
        }
        switch connection.phase {
        case .idle, .lingering:
            return false
        case .waiting:
            return true
        case .head:
            handler.refuse(.headTimeout, context: context, into: &out)
        case .body:
            handler.refuse(.bodyTimeout, context: context, into: &out)
        }
        counts.timeouts += 1
        connection.closing = .lingering
        return progress(&connection, token)
    }

    // MARK: The end

    /// Takes what waits in the backlogs, then no more; idle connections go, the others are answered
    /// with `Connection: close`.
    mutating func drain(byMs deadlineMs: UInt64) {
        if drainedByMs == nil {
            for listener in 0..<listeners.count { accept(from: listener) }
            listeners.close()
        }
        drainedByMs = min(drainedByMs ?? .max, deadlineMs)
        context.draining = true
        for slot in 0..<connections.slots {
            guard let token = connections.token(at: slot) else { continue }
            let connection = unsafe connections.address(of: slot)
            // Its next request may be in the socket already: looked for, and answered.
            unsafe connection.pointee.readable = true
            if unsafe !progress(&connection.pointee, token) { drop(slot) }
        }
    }

    /// The time for draining is over.
    mutating func cutOff() {
        for slot in 0..<connections.slots {
            guard connections.token(at: slot) != nil else { continue }
            unsafe connections.address(of: slot).pointee.socket.setResetOnClose()
            drop(slot)
        }
    }
}
