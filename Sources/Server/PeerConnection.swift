// The two halves of a connection between members: frames in and frames out, and a connection that
// another member opened. A connection carries frames one way, from whoever opened it; the other way
// goes only the answer to the hello. What is dropped here is lost, which the core lives with.

internal import Ensemble
internal import System

/// Bytes that have come, cut into frames.
struct FrameInput {
    private var kept: [UInt8] = []
    private var start = 0

    var count: Int { kept.count - start }

    mutating func append(_ bytes: Span<UInt8>) {
        if start > 0 {
            kept.removeFirst(start)
            start = 0
        }
        unsafe bytes.withUnsafeBufferPointer { unsafe kept.append(contentsOf: $0) }
    }

    /// The next whole frame. A frame's length is judged before more of it is waited for.
    mutating func next() throws(CodecError) -> PeerFrame? {
        guard let (frame, length) = try PeerCodec.decode(kept.span.extracting(start...)) else {
            return nil
        }
        start += length
        if start == kept.count {
            // A large frame's memory is not held on to.
            kept.removeAll(keepingCapacity: kept.count <= 1 << 20)
            start = 0
        }
        return frame
    }
}

/// Frames on their way out, sent together.
struct FrameOutput {
    private var bytes: [UInt8] = []
    private var start = 0

    enum Flush: Equatable {
        case drained
        case blocked
        case failed(ErrorCode)
    }

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ frame: PeerFrame) {
        if start > 1 << 20 {
            bytes.removeFirst(start)
            start = 0
        }
        PeerCodec.encode(frame, into: &bytes)
    }

    mutating func clear() {
        bytes = []
        start = 0
    }

    /// Sends as far as the kernel takes it; almost always one call.
    mutating func flush(_ socket: borrowing Socket, sent: inout Int) -> Flush {
        while start < bytes.count {
            let result = socket.send(bytes.span.extracting(start...))
            switch result {
            case .bytes(let count):
                start += count
                sent += count
            case .wouldBlock: return .blocked
            case .failed(let code): return .failed(code)
            }
        }
        bytes.removeAll(keepingCapacity: bytes.count <= 1 << 20)
        start = 0
        return .drained
    }
}

/// A connection that another member opened: it speaks, we listen.
final class InboundPeer {
    enum State {
        /// Nothing but a hello is taken from it.
        case greeting(byMs: UInt64)
        /// The replica has been asked whether it may speak.
        case judged(Hello)
        case open(Hello)
    }

    let socket: Socket
    /// Its place in epoll.
    let number: UInt32
    var state: State
    var input = FrameInput()
    var heardMs: UInt64

    init(socket: consuming Socket, number: UInt32, nowMs: UInt64, limits: PeerLimits) {
        self.socket = socket
        self.number = number
        state = .greeting(byMs: nowMs + limits.greetingMs)
        heardMs = nowMs
    }

    /// Whose messages these are, once it may speak.
    var hello: Hello? {
        switch state {
        case .greeting, .judged: nil
        case .open(let hello): hello
        }
    }

    var isGreeted: Bool {
        switch state {
        case .greeting, .judged: false
        case .open: true
        }
    }

    func isOverdue(nowMs: UInt64, limits: PeerLimits) -> Bool {
        switch state {
        case .greeting(let byMs): nowMs >= byMs
        case .judged, .open: nowMs >= heardMs + limits.silenceMs
        }
    }

    /// A short frame to a fresh connection, whose buffer is empty: sent whole or not at all.
    func answer(_ frame: PeerFrame) -> Bool {
        var output = FrameOutput()
        output.append(frame)
        var sent = 0
        return output.flush(socket, sent: &sent) == .drained
    }
}
