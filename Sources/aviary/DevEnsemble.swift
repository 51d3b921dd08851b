// The members of `aviary dev` as child processes: started, listened to, told of, and stopped. One
// thread that waits in epoll for their output, for signals, and for the time of the next look.

internal import Server
internal import System

struct DevEnsemble: ~Copyable {
    static let membersMax = 7
    static let peerPortOffset = 1_000
    private static let probePauseMs: UInt64 = 50
    private static let probeMs: UInt64 = 300
    /// What a member may take to stop besides handing over and draining.
    private static let stopSlackMs: UInt64 = 5_000
    private static let restartPauseMsMin: UInt64 = 500
    private static let restartPauseMsMax: UInt64 = 10_000
    /// One that ran for so long is started again after the least pause.
    private static let steadyMs: UInt64 = 60_000
    private static let outputLineBytesMax = 64 << 10

    private final class Member {
        let number: Int
        let httpPort: UInt16
        let arguments: [String]
        var process: ChildProcess?
        /// Counts its starts, to tell late events of an earlier one.
        var starts: UInt32 = 0
        /// Output without its line's end yet.
        var output: [UInt8] = []
        var startedMs: UInt64 = 0
        var restartAtMs: UInt64?
        var restartPauseMs = DevEnsemble.restartPauseMsMin

        init(number: Int, httpPort: UInt16, arguments: [String]) {
            self.number = number
            self.httpPort = httpPort
            self.arguments = arguments
        }

        var url: String { "http://127.0.0.1:\(httpPort)" }
        var isRunning: Bool { process != nil }
    }

    private let program: String
    private let members: [Member]
    private let restarts: Bool
    private let stopMs: UInt64
    private let epoll: Epoll
    private var isReady = false
    private var nextProbeMs: UInt64 = 0
    private var wishes = StopWishes()
    /// Set while stopping; what runs then is killed.
    private var stopByMs: UInt64?

    init(
        count: Int, data: String, port: UInt16, restarts: Bool, options: [String],
        memberStopMs: UInt64
    ) throws(SystemError) {
        let program = try ThisProcess.executablePath()
        let epoll = try Epoll(eventsMax: 16)
        // Else another ensemble that is there already would be taken for this one.
        for index in 0..<UInt16(count) {
            _ = try ListeningSocket.checkFree(.loopback(port: port + index))
            let peerPort = port + UInt16(Self.peerPortOffset) + index
            if count > 1 { _ = try ListeningSocket.checkFree(.loopback(port: peerPort)) }
        }
        self.program = program
        self.epoll = epoll
        self.restarts = restarts
        stopMs = memberStopMs + Self.stopSlackMs
        let peers = (0..<count).map { index in
            "\(index + 1)=127.0.0.1:\(Int(port) + Self.peerPortOffset + index)"
        }
        members = (0..<count).map { index in
            let httpPort = port + UInt16(index)
            var arguments = [
                "serve", "--id", "\(index + 1)", "--data", "\(data)/member-\(index + 1)",
                "--http", "127.0.0.1:\(httpPort)",
            ]
            if count > 1 { arguments += ["--ensemble", peers.joined(separator: ",")] }
            return Member(
                number: index + 1, httpPort: httpPort, arguments: arguments + options)
        }
    }

    /// Until all members have ended; gives the exit code.
    mutating func run(_ signals: borrowing Signals) throws(SystemError) -> Int32 {
        try epoll.add(signals.number, .readable, Token(index: 0, generation: 0))
        for member in members { try start(member) }
        while true {
            let events = try epoll.wait(timeoutMs: waitMs)
            for at in 0..<events {
                let token = epoll.event(at).token
                guard token.generation > 0 else { continue }
                let member = members[Int(token.index)]
                if member.starts == token.generation { try readOutput(of: member) }
            }
            while try signals.next() != nil { stop() }
            try lookAround()
            if members.allSatisfy({ !$0.isRunning && $0.restartAtMs == nil }) {
                if stopByMs != nil { return Server.ExitCode.ok.rawValue }
                say("all members have ended")
                return Server.ExitCode.failure.rawValue
            }
        }
    }

    private func say(_ line: String) { StandardOutput.writeLine(line) }

    // MARK: Members

    private func start(_ member: Member) throws(SystemError) {
        member.restartAtMs = nil
        member.starts += 1
        member.startedMs = Clock.bootMs()
        let process = try ChildProcess(program: program, arguments: member.arguments)
        try epoll.add(
            process.outputNumber, .readable,
            Token(index: UInt32(member.number - 1), generation: member.starts))
        say("member \(member.number)  pid \(process.processID)  \(member.url)")
        member.process = consume process
    }

    private func readOutput(of member: Member) throws(SystemError) {
        var bytes: [UInt8] = []
        let goesOn = try member.process?.readOutput(into: &bytes) ?? false
        member.output += bytes
        while let end = member.output.firstIndex(of: 0x0a) {
            pass(member, Array(member.output[..<end]))
            member.output.removeSubrange(...end)
        }
        if member.output.count > Self.outputLineBytesMax || (!goesOn && !member.output.isEmpty) {
            pass(member, member.output)
            member.output = []
        }
        if !goesOn { try ended(member) }
    }

    private func pass(_ member: Member, _ line: [UInt8]) {
        StandardError.writeLine("[\(member.number)] " + String(decoding: line, as: UTF8.self))
    }

    private func ended(_ member: Member) throws(SystemError) {
        guard let process = member.process.take() else { return }
        let end = try process.awaitEnd()
        if stopByMs != nil { return }
        var words = "member \(member.number) ended: \(end)"
        // With that code a member asks to be started again.
        if restarts || end == .exited(Server.ExitCode.stateDiffers.rawValue) {
            let nowMs = Clock.bootMs()
            if nowMs - member.startedMs > Self.steadyMs {
                member.restartPauseMs = Self.restartPauseMsMin
            }
            member.restartAtMs = nowMs + member.restartPauseMs
            words += ", starting it again in \(member.restartPauseMs) ms"
            member.restartPauseMs = min(member.restartPauseMs * 2, Self.restartPauseMsMax)
        }
        say(words)
    }

    // MARK: Time

    private var waitMs: Int32? {
        var times = members.compactMap(\.restartAtMs)
        if !isReady && stopByMs == nil { times.append(nextProbeMs) }
        if let stopByMs { times.append(stopByMs) }
        guard let next = times.min() else { return nil }
        let nowMs = Clock.bootMs()
        return next > nowMs ? Int32(clamping: next - nowMs) : 0
    }

    private mutating func lookAround() throws(SystemError) {
        let nowMs = Clock.bootMs()
        if let stopByMs {
            if nowMs >= stopByMs {
                for member in members { member.process?.signal(9) }
                self.stopByMs = nowMs + stopMs
            }
            return
        }
        for member in members {
            if let atMs = member.restartAtMs, nowMs >= atMs { try start(member) }
        }
        if !isReady && nowMs >= nextProbeMs {
            if serves() {
                isReady = true
                say("ready")
                say(Self.tour(members.map(\.url)))
            }
            nextProbeMs = Clock.bootMs() + Self.probePauseMs
        }
    }

    /// What to try next, in another terminal.
    private static func tour(_ urls: [String]) -> String {
        let (first, other) = (urls[0], urls[urls.count - 1])
        return """

            Try in another terminal:
              curl -i -X PUT '\(first)/v1/znodes/app' -d hello
              curl '\(other)/v1/znodes/app'
              curl '\(other)/v1/znodes/app?raw'
              curl -i -X POST '\(first)/v1/znodes/app?name=job-' -d 'the first'
              curl '\(first)/v1/znodes/app?children'
              curl '\(other)/v1/watch/app?recursive&after=0&wait=30s'
              curl -i '\(first)/leader'
              curl '\(first)/v1/members'
              curl -i -X DELETE '\(first)/v1/znodes/app?recursive'
            Control-C stops all members; their data stays.

            """
    }

    /// Each running member is ready, and one of them leads.
    private func serves() -> Bool {
        let running = members.filter(\.isRunning)
        func answers(_ member: Member, _ target: String) -> Bool {
            guard let server = try? MemberClient.server(member.url),
                let answer = try? MemberClient.get(server, target, withinMs: Self.probeMs)
            else { return false }
            return answer.status == 200
        }
        return running.contains { answers($0, "/leader") }
            && running.allSatisfy { answers($0, "/health/ready") }
    }

    /// By any signal: a terminal that goes away sends SIGHUP, and nobody would see to the members.
    private mutating func stop() {
        let nowMs = Clock.bootMs()
        switch wishes.take(atMs: nowMs) {
        case .stop:
            say("stopping")
            for member in members {
                member.restartAtMs = nil
                member.process?.signal(Signal.terminate.rawValue)
            }
        case .sameAgain: return
        case .endAtOnce:
            for member in members { member.process?.signal(9) }
        }
        stopByMs = nowMs + stopMs
    }
}
