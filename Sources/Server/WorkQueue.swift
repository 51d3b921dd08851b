// The receiving end of a mailbox for a thread that does nothing else but its work: looks a little
// while before it sleeps, since the wake-up of a sleeping thread is what a lone writer pays most for.

internal import System

struct WorkQueue<Element: Sendable>: ~Copyable {
    private let mailbox: Mailbox<Element>
    private let epoll: Epoll
    private var spins: SpinBudget

    init(_ mailbox: Mailbox<Element>, spinsMax: Int) throws(SystemError) {
        let epoll = try Epoll(eventsMax: 4)
        try epoll.add(mailbox.number, .readable, Token(index: 0, generation: 0))
        self.epoll = epoll
        self.mailbox = mailbox
        spins = SpinBudget(spinsMax: spinsMax)
    }

    /// Takes all that waits, or sleeps until there is something; may come back with nothing, at
    /// the latest after `timeoutMs`. nil: sleeps as long as it takes.
    mutating func take(
        into list: inout [Element], timeoutMs: Int32?, spinning: Bool
    ) throws(SystemError) {
        if mailbox.isEmpty && spinning { try spin() }
        if mailbox.isEmpty && mailbox.prepareToSleep() {
            let events = try epoll.wait(timeoutMs: timeoutMs)
            mailbox.awake(byWakeup: events > 0)
        }
        mailbox.take(into: &list)
    }

    private mutating func spin() throws(SystemError) {
        var left = spins.take()
        while left > 0 {
            // A system call, so that another thread may have the processor; also a short pause.
            _ = try epoll.wait(timeoutMs: 0)
            if !mailbox.isEmpty { return spins.paid() }
            left -= 1
        }
        spins.wasted()
    }
}
