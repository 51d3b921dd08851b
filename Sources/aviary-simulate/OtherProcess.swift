// The same program once more, as another process: hash seeds and addresses differ there, and one that
// traps leaves this one standing.

import Glibc
import Simulation
import System

enum OtherProcess {
    struct Output {
        let text: String
        let isTrapped: Bool
    }

    static func run(_ arguments: [String]) throws -> Output {
        let child = try ChildProcess(program: "/proc/self/exe", arguments: arguments)
        var bytes: [UInt8] = []
        while try child.readOutput(into: &bytes) {
            var output = pollfd(fd: child.outputNumber, events: Int16(POLLIN), revents: 0)
            unsafe _ = poll(&output, 1, -1)
        }
        let end = try child.awaitEnd()
        var isTrapped = false
        if case .signaled = end { isTrapped = true }
        return Output(text: String(decoding: bytes, as: UTF8.self), isTrapped: isTrapped)
    }

    static func firstLine(of seed: UInt64, _ conditions: Conditions) throws -> String {
        let options = conditions.options(seed)
        let output = try run(World.arguments(seed: seed, options))
        return output.text.split(separator: "\n").first.map(String.init) ?? ""
    }
}
