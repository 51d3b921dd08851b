// A member as a process: signals set up before any thread, then the member, on a thread of its own
// since recovery may take minutes, and all the while the wait for the signal that stops it.

internal import Server
internal import System

enum ServeProcess {
    private enum News: Sendable {
        case started(Member)
        case failed(MemberFailure)
        case stopped
    }

    static func run(_ configuration: MemberConfiguration) -> Never {
        do {
            // First of all: threads inherit the mask.
            let signals = try Signals()
            let log = try Log(of: configuration)
            let code = serve(configuration, signals, log)
            log.exit(code)
        } catch {
            StandardError.writeLine("aviary: \(error)")
            ThisProcess.exit(ExitCode.failure.rawValue)
        }
    }

    private static func serve(
        _ configuration: MemberConfiguration, _ signals: borrowing Signals, _ log: Log
    ) -> ExitCode {
        do {
            try run(configuration, signals, log)
            return .ok
        } catch {
            log.end(MemberFailure(.failure, "\(error)"))
        }
    }

    private static func start(
        _ configuration: MemberConfiguration, _ log: Log, _ news: Mailbox<News>
    ) throws(SystemError) -> PosixThread {
        try PosixThread(name: "start") {
            do throws(MemberFailure) {
                _ = news.post(.started(try Member(serving: configuration, log: log)))
            } catch {
                _ = news.post(.failed(error))
            }
        }
    }

    /// Until a signal has come and the member has stopped; a later one does not wait for that.
    private static func run(
        _ configuration: MemberConfiguration, _ signals: borrowing Signals, _ log: Log
    ) throws(SystemError) {
        let epoll = try Epoll(eventsMax: 4)
        let news = try Mailbox<News>(itemsMax: 4)
        try epoll.add(signals.number, .readable, Token(index: 0, generation: 0))
        try epoll.add(news.number, .readable, Token(index: 1, generation: 0))
        var starter: PosixThread? = try start(configuration, log, news)
        var stopper: PosixThread?
        var member: Member?
        var wishes = StopWishes()
        while true {
            // Before the signals: a member that is up is stopped in order.
            var taken: [News] = []
            news.take(into: &taken)
            for item in taken {
                switch item {
                case .started(let started):
                    member = started
                    if let starter = starter.take() { starter.join() }
                case .failed(let failure): log.end(failure)
                case .stopped:
                    if let stopper = stopper.take() { stopper.join() }
                    return
                }
            }
            while let signal = try signals.next() {
                // Nothing is read again on SIGHUP; ending by it would surprise.
                if signal == .hangUp { continue }
                switch wishes.take(atMs: Clock.bootMs()) {
                case .stop:
                    guard let member else {
                        // It has promised nothing yet, and its files bear an end at any moment.
                        log.info("stopped before it was up")
                        log.exit(.ok)
                    }
                    stopper = try PosixThread(name: "stop") {
                        member.stop()
                        _ = news.post(.stopped)
                    }
                case .sameAgain: break
                case .endAtOnce:
                    log.warning("told again to stop: ending at once")
                    log.exit(.failure)
                }
            }
            var woken = false
            if news.prepareToSleep() {
                for at in 0..<(try epoll.wait(timeoutMs: nil)) {
                    woken = woken || epoll.event(at).token.index == 1
                }
            }
            news.awake(byWakeup: woken)
        }
    }
}
