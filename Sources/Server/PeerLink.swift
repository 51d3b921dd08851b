// This member's own connection to one other member: dials, greets, carries what is said to it, and
// dials again with backoff when it is lost. It decides nothing about who may talk to whom.

internal import Ensemble
internal import Raft
internal import System

final class PeerLink {
    enum Phase {
        /// Dials at `untilMs`.
        case pausing(untilMs: UInt64)
        case resolving
        case connecting(byMs: UInt64)
        /// Our hello is out.
        case greeting(byMs: UInt64)
        case open(Hello)
    }

    /// A socket in a reference: phases and sockets change apart.
    final class Connection {
        let socket: Socket
        /// Its place in epoll.
        let number: UInt32
        init(socket: consuming Socket, number: UInt32) {
            self.socket = socket
            self.number = number
        }
    }

    let member: MemberID
    let name: HostAndPort
    let limits: PeerLimits
    /// What it is greeted with.
    var ownHello: Hello
    var phase: Phase
    var connection: Connection?
    var input = FrameInput()
    var output = FrameOutput()
    /// The kernel took all that it was given.
    var isWritable = true
    /// Addresses of this dial that are still to be tried.
    var addresses: [SocketAddress] = []
    private var pauseMs: UInt64
    /// The last thing logged about it: the same is not said again every second.
    var lastWords = ""

    init(member: MemberID, name: HostAndPort, limits: PeerLimits, ownHello: Hello) {
        self.member = member
        self.name = name
        self.limits = limits
        self.ownHello = ownHello
        phase = .pausing(untilMs: 0)
        pauseMs = limits.dialPauseMsMin
    }

    var isOpen: Bool { hello != nil }

    /// What the other said when it let us in.
    var hello: Hello? {
        switch phase {
        case .pausing, .resolving, .connecting, .greeting: nil
        case .open(let hello): hello
        }
    }

    func isDue(nowMs: UInt64) -> Bool {
        switch phase {
        case .pausing(let untilMs): nowMs >= untilMs
        case .resolving, .connecting, .greeting, .open: false
        }
    }

    func isOverdue(nowMs: UInt64) -> Bool {
        switch phase {
        case .connecting(let byMs), .greeting(let byMs): nowMs >= byMs
        case .pausing, .resolving, .open: false
        }
    }

    /// Opened: the next loss is followed by a quick dial.
    func opened(_ hello: Hello) {
        phase = .open(hello)
        pauseMs = limits.dialPauseMsMin
    }

    /// Back to waiting, twice as long as before, with jitter so that members do not dial in step.
    /// Gives true when frames were lost by it.
    @discardableResult
    func pause(nowMs: UInt64, longest: Bool, random: inout RandomGenerator) -> Bool {
        let lost = isOpen || !output.isEmpty
        if longest { pauseMs = limits.dialPauseMsMax }
        let half = max(pauseMs / 2, 1)
        phase = .pausing(untilMs: nowMs + half + random.next(below: half + 1))
        pauseMs = min(pauseMs * 2, limits.dialPauseMsMax)
        connection = nil
        addresses = []
        input = FrameInput()
        output.clear()
        isWritable = true
        return lost
    }

    /// The other member is there: no reason to wait any longer.
    func hurry() {
        switch phase {
        case .pausing: phase = .pausing(untilMs: 0)
        case .resolving, .connecting, .greeting, .open: break
        }
    }
}
