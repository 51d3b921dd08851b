// A member as a process: signals set up before any thread, then the member, then the wait for the
// signal that stops it.

internal import Server
internal import System

enum ServeProcess {
    private enum News: Sendable {
        case stopped
    }

    static func run(_ configuration: MemberConfiguration) -> Never {
        do {
            // First of all: threads inherit the mask.
            let signals = try Signals()
            let log = try Log(
                level: configuration.logLevel, format: configuration.logFormat,
                member: configuration.number)
            let code = serve(configuration, signals, log)
            log.close()
            ThisProcess.exit(code.rawValue)
        } catch {
            StandardError.writeLine("aviary: \(error)")
            ThisProcess.exit(ExitCode.failure.rawValue)
        }
    }

    private static func serve(
        _ configuration: MemberConfiguration, _ signals: borrowing Signals, _ log: Log
    ) -> ExitCode {
        do {
            let member = try Member(serving: configuration, log: log)
            try awaitStop(of: member, signals, log)
            return .ok
        } catch let failure as MemberFailure {
            log.end(failure)
        } catch {
            log.end(MemberFailure(.failure, "\(error)"))
        }
    }

    /// Until a signal has come and the member has stopped; a later one does not wait for that.
    private static func awaitStop(
        of member: Member, _ signals: borrowing Signals, _ log: Log
    ) throws(SystemError) {
        let epoll = try Epoll(eventsMax: 4)
        let news = try Mailbox<News>(itemsMax: 4)
        try epoll.add(signals.number, .readable, Token(index: 0, generation: 0))
        try epoll.add(news.number, .readable, Token(index: 1, generation: 0))
        var stopper: PosixThread?
        var wishes = StopWishes()
        while true {
            while let signal = try signals.next() {
                // Nothing is read again on SIGHUP; ending by it would surprise.
                if signal == .hangUp { continue }
                switch wishes.take(atMs: Clock.bootMs()) {
                case .stop:
                    stopper = try PosixThread(name: "stop") {
                        member.stop()
                        _ = news.post(.stopped)
                    }
                case .sameAgain: break
                case .endAtOnce:
                    log.warning("a second signal: ending at once")
                    log.flush()
                    ThisProcess.exit(ExitCode.failure.rawValue)
                }
            }
            var taken: [News] = []
            news.take(into: &taken)
            if !taken.isEmpty { break }
            if news.prepareToSleep() { _ = try epoll.wait(timeoutMs: nil) }
            news.awake(byWakeup: false)
        }
        if let stopper = stopper.take() { stopper.join() }
    }
}
