// The HTTP door of a member: event loops on threads of their own behind one or more addresses.
// Starts and joins them; what they do is theirs.

internal import Gateway
package import System

package final class HTTPServer {
    /// With the real ports.
    package let addresses: [SocketAddress]
    package let counters: ServerCounters
    private let inboxes: LoopInboxes
    private var threads: [LoopThread] = []

    /// A thread in an array: the array cannot hold what cannot be copied.
    private final class LoopThread {
        private var thread: PosixThread?
        init(_ thread: consuming PosixThread) { self.thread = consume thread }
        func join() {
            if let thread = thread.take() { thread.join() }
        }
    }

    /// Four at most by default: they share the machine with the replica's and the journal's thread.
    package static var loopsDefault: Int { min(ProcessLimits.processors, 4) }

    /// Listens, then starts a thread for each of `inboxes`. A handler is made on its loop's thread.
    /// A port in use is found here, although the loops share theirs.
    package init<Handler: RequestHandler & ~Copyable>(
        addresses wanted: [SocketAddress], limits: ServerLimits, inboxes: LoopInboxes,
        sink: any RequestSink, board: StatusBoard, counters: ServerCounters,
        makeHandler: @escaping @Sendable (Int) -> Handler
    ) throws(SystemError) {
        self.counters = counters
        self.inboxes = inboxes
        var addresses: [SocketAddress] = []
        for address in wanted { addresses.append(try ListeningSocket.checkFree(address)) }
        self.addresses = addresses
        // All of them listen before the first accepts.
        var waiting: [HandOver<Listeners>] = []
        for _ in 0..<inboxes.loops {
            let listeners = try Listeners(addresses: addresses, limits: limits)
            waiting.append(HandOver(listeners))
        }
        for (index, handed) in waiting.enumerated() {
            let thread = try PosixThread(name: "http-\(index)") {
                guard let listeners = handed.take() else { return }
                do {
                    var loop = try EventLoop(
                        index: index, limits: limits, listeners: listeners, inboxes: inboxes,
                        sink: sink, board: board, counters: counters, handler: makeHandler(index))
                    try loop.run()
                } catch {
                    // epoll itself failed: nothing can be served, the supervisor starts us anew.
                    fatalError("event loop \(index): \(error)")
                }
            }
            threads.append(LoopThread(thread))
        }
    }

    /// Stops accepting, answers what is under way, and cuts off what is left after the time.
    package func drain(withinMs: UInt64) {
        inboxes.drain(byMs: Clock.bootMs() + withinMs)
    }

    /// Waits for the loops, which end once they have drained.
    package func join() {
        for thread in threads { thread.join() }
    }
}
