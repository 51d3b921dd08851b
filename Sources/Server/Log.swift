// Lines for people and collectors, on standard error. Whoever logs never waits for the reader: lines
// go into a bounded ring, a thread writes them, and what does not fit is dropped and counted.

internal import Raft
internal import Synchronization
package import System

package enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, warning, error

    package init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    package var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

package enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}

package final class Log: Sendable {
    private static let linesMax = 4_096

    private struct State {
        var lines: [String] = []
        var dropped = 0
        var writing = false
        var ended = false
    }

    private let level: LogLevel
    private let format: LogFormat
    /// In every line.
    private let member: UInt64
    private let write: @Sendable (String) -> Void
    private let state = PosixMutex(State())
    private let thread = PosixMutex<PosixThread?>(nil)
    private let droppedSum = Atomic<Int>(0)

    package init(
        level: LogLevel, format: LogFormat, member: UInt64,
        write: @escaping @Sendable (String) -> Void = StandardError.writeLine
    ) throws(SystemError) {
        self.level = level
        self.format = format
        self.member = member
        self.write = write
        // The thread is joined by `close`, so it may hold on to this.
        try thread.withLock { thread throws(SystemError) in
            thread = try PosixThread(name: "log", stackBytes: 1 << 20) { self.run() }
        }
    }

    package convenience init(of configuration: MemberConfiguration) throws(SystemError) {
        try self.init(
            level: configuration.logLevel, format: configuration.logFormat,
            member: configuration.id.rawValue)
    }

    package var linesDropped: Int { droppedSum.load(ordering: .relaxed) }

    package func debug(_ message: String, _ fields: (String, any LogValue)...) {
        add(.debug, message, fields)
    }
    package func info(_ message: String, _ fields: (String, any LogValue)...) {
        add(.info, message, fields)
    }
    package func warning(_ message: String, _ fields: (String, any LogValue)...) {
        add(.warning, message, fields)
    }
    package func error(_ message: String, _ fields: (String, any LogValue)...) {
        add(.error, message, fields)
    }

    private func add(_ level: LogLevel, _ message: String, _ fields: [(String, any LogValue)]) {
        guard level >= self.level else { return }
        let line = LogLine.format(
            format, wallMs: Clock.wallMs(), level: level, member: member, message: message,
            fields: fields)
        let dropped = state.withLock { state -> Bool in
            if state.lines.count >= Self.linesMax || state.ended {
                state.dropped += 1
                return true
            }
            state.lines.append(line)
            return false
        }
        if dropped {
            droppedSum.wrappingAdd(1, ordering: .relaxed)
        } else {
            state.signal()
        }
    }

    private func run() {
        while true {
            var lines: [String] = []
            let (dropped, ended) = state.withLock(when: { !$0.lines.isEmpty || $0.ended }) {
                state -> (Int, Bool) in
                swap(&lines, &state.lines)
                state.writing = true
                defer { state.dropped = 0 }
                return (state.dropped, state.ended)
            }
            for line in lines { write(line) }
            if dropped > 0 {
                write(
                    LogLine.format(
                        format, wallMs: Clock.wallMs(), level: .warning, member: member,
                        message: "log lines dropped", fields: [("count", dropped)]))
            }
            state.withLock { $0.writing = false }
            state.signal()
            if ended { return }
        }
    }

    /// Waits until everything logged so far is written.
    package func flush() {
        state.withLock(when: { ($0.lines.isEmpty && !$0.writing) || $0.ended }) { _ in }
    }

    /// Writes what is left and ends the thread; later lines are dropped.
    package func close() {
        state.withLock { $0.ended = true }
        state.signal()
        if let thread = thread.withLock({ $0.take() }) { thread.join() }
    }

    /// Says why, and ends the process.
    package func end(_ failure: MemberFailure) -> Never {
        error(failure.description, ("exit", failure.code.rawValue))
        exit(failure.code)
    }

    /// Writes what is left and ends the process: no other thread does anything more after this.
    package func exit(_ code: ExitCode) -> Never {
        // Why: a full pipe on standard error must not keep a process that is to end.
        ThisProcess.exitWithin(seconds: 5)
        flush()
        ThisProcess.exit(code.rawValue)
    }
}
