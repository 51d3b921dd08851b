// One client's connection as its event loop sees it: a value in the loop's slab, without memory of
// its own while it is idle or waits. It knows its state and when that ends, and does no I/O.

internal import HTTP
internal import System

/// What an HTTP connection is doing.
enum ConnectionPhase {
    /// Between requests: nothing of the next one is here.
    case idle
    /// A part of a head is here.
    case head
    /// The head is whole, a part of the body is missing.
    case body
    /// The replica has been asked; later requests of the pipeline wait behind this one.
    case waiting
    /// The last answer is out and our half closed. What the peer still sends is dropped until it
    /// closes: a close with unread bytes would reset the connection under the answer.
    case lingering
}

/// What follows when all answers are written.
enum Closing {
    case no
    /// The peer asked for it, or has closed its half.
    case atOnce
    /// Ours is the wish: the peer may still be sending.
    case lingering
}

/// A request that did not come in one piece. Most never need one.
final class PartialRequest {
    var parser: RequestParser
    /// Set when the head is whole.
    var body: PartialBody?
    /// What of the body is counted in `counters`.
    private var countedBytes = 0
    private let counters: ServerCounters

    init(parser: RequestParser, counters: ServerCounters) {
        self.parser = parser
        self.counters = counters
        body = nil
    }

    init(body: PartialBody, counters: ServerCounters) {
        parser = RequestParser()
        self.counters = counters
        self.body = body
    }

    deinit { counters.bodyEnded(bytes: countedBytes) }

    /// Counts what the body has grown to; gives what those of all connections hold.
    func countBody(bytes: Int) -> Int {
        defer { countedBytes = bytes }
        return counters.bodyGrew(by: bytes - countedBytes)
    }
}

struct PartialBody {
    let head: RequestHead
    let headBytes: [UInt8]
    let bytesMax: Int
    var decoder: BodyDecoder
    var pace: BodyPace
    var bytes: [UInt8] = []
}

struct HTTPConnection<Pending>: ~Copyable {
    let socket: Socket
    var phase = ConnectionPhase.idle
    var closing = Closing.no

    /// The socket may have more to read (epoll tells only of changes).
    var readable = false
    /// The peer has closed its half, though unread bytes may be there.
    var peerShut = false
    /// Its end was read.
    var ended = false
    /// epoll tells when the socket takes bytes again.
    var watchesWritable = false
    /// In the loop's list of those to go on with in the next turn.
    var resumes = false

    /// Received and not yet taken. Invariant: empty while a body is being received.
    var input = ByteWriter(retainedBytesMax: 0)
    /// `input` holds no whole request: more must be received first.
    var wantsMore = false
    var partial: PartialRequest?
    /// Answers that the socket did not take. Nothing is parsed or received meanwhile.
    var output = ByteWriter(retainedBytesMax: 0)
    /// What of `output` is counted in `ServerCounters`.
    var unsentBytes = 0

    /// Invariant: not nil exactly in phase `waiting`.
    var pending: Pending?
    var waitsForChange = false
    /// The client's wish, of the request that waits.
    var pendingKeepAlive = false
    /// Of the request that waits; goes on in the slot's next connection.
    var sequence: UInt64
    var requests = 0

    /// When the phase began.
    var sinceMs: UInt64
    /// When the peer last took bytes of `output`.
    var progressMs: UInt64
    var lingeredBytes = 0
    /// When the loop's timer for this slot fires; .max: not armed. It may be too early, never too
    /// late: most deadlines are pushed on long before they are due.
    var armedMs = UInt64.max

    init(socket: consuming Socket, sequence: UInt64, nowMs: UInt64) {
        self.socket = socket
        self.sequence = sequence
        sinceMs = nowMs
        progressMs = nowMs
    }

    /// Received bytes are kept that may hold a whole request.
    var holdsRequests: Bool { !input.isEmpty && !wantsMore }

    /// Nothing stands in the way of the next request.
    var takesRequests: Bool {
        guard output.isEmpty else { return false }
        switch closing {
        case .atOnce, .lingering: return false
        case .no: break
        }
        switch phase {
        case .idle, .head, .body: return true
        case .waiting, .lingering: return false
        }
    }

    var isClosing: Bool {
        switch closing {
        case .no: false
        case .atOnce, .lingering: true
        }
    }

    mutating func enter(_ next: ConnectionPhase, nowMs: UInt64) {
        phase = next
        sinceMs = nowMs
    }

    /// A total for the head, a pace for the body, progress for answers. A wait has no end here: the
    /// replica gives it one.
    func deadlineMs(_ limits: borrowing ServerLimits) -> UInt64 {
        if !output.isEmpty { return progressMs + limits.writeStallMs }
        switch phase {
        case .idle: return sinceMs + limits.idleMs
        case .head: return sinceMs + limits.headMs
        case .body:
            if let body = partial?.body { return body.pace.dueMs }
            return sinceMs + limits.bodyMs
        case .waiting: return .max
        case .lingering: return sinceMs + limits.lingerMs
        }
    }
}
