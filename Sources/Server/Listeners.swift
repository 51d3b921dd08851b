// The listening sockets of one event loop. When the system has no descriptor left, they leave epoll
// for a moment: an accept that cannot succeed must never keep a processor busy.

internal import System

struct Listeners: ~Copyable {
    private final class Entry {
        let socket: ListeningSocket
        init(_ socket: consuming ListeningSocket) { self.socket = socket }
    }

    private var entries: [Entry] = []
    /// Given up to take one connection, and close it, when there is no descriptor left: its client
    /// learns at once what it would wait for.
    private var reserve: FileDescriptor?
    /// Set while accepting is paused.
    private(set) var resumeMs: UInt64?

    init(addresses: [SocketAddress], limits: ServerLimits) throws(SystemError) {
        reserve = try FileDescriptor.reserve()
        for address in addresses {
            let socket = try ListeningSocket(
                address, backlog: limits.listenBacklog, sharedPort: true)
            let idle = limits.keepAliveIdleSeconds
            socket.setInheritedOptions(
                keepAlive: KeepAlive(
                    idleSeconds: idle, intervalSeconds: max(idle / 3, 1), probes: 3),
                userTimeoutMs: limits.unacknowledgedMs)
            entries.append(Entry(socket))
        }
    }

    var count: Int { entries.count }

    func register(_ epoll: borrowing Epoll) throws(SystemError) {
        for index in entries.indices {
            // Level-triggered: what one turn leaves in the backlog comes again in the next.
            try epoll.add(entries[index].socket.number, .readable, .listener(index))
        }
    }

    func accept(_ index: Int) -> Accepted {
        index < entries.count ? entries[index].socket.accept() : .wouldBlock
    }

    /// No descriptor is left. Turns one client away by the reserve, and pauses.
    mutating func pause(_ epoll: borrowing Epoll, index: Int, untilMs: UInt64) {
        reserve = nil
        _ = entries[index].socket.accept()
        reserve = try? FileDescriptor.reserve()
        if resumeMs == nil {
            for entry in entries { epoll.remove(entry.socket.number) }
        }
        resumeMs = untilMs
    }

    mutating func resume(_ epoll: borrowing Epoll) throws(SystemError) {
        resumeMs = nil
        if reserve == nil { reserve = try? FileDescriptor.reserve() }
        try register(epoll)
    }

    /// Closes all: whoever connects from now on is refused by the kernel.
    mutating func close() {
        entries.removeAll()
        resumeMs = nil
    }
}

extension Token {
    // Slots are small and live generations odd; these have generation 0.
    static let replies = Token(index: .max, generation: 0)
    static let commands = Token(index: .max - 1, generation: 0)
    static func listener(_ index: Int) -> Token { Token(index: UInt32(index), generation: 0) }
}
