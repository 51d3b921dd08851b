// Plays in text: each file of Scenarios is a run of commands, each with the trace that it must
// leave. Set AVIARY_REWRITE=1 to write the traces anew, then read the difference.

import Foundation
import Testing

@Suite("Scenarios")
struct ScenarioTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Scenarios")

    static var names: [String] {
        let all = try? FileManager.default.contentsOfDirectory(atPath: folder.path())
        return (all ?? []).filter { $0.hasSuffix(".txt") }.sorted()
    }

    @Test("There are scripts for all that the core does")
    func complete() { #expect(Self.names.count >= 14) }

    @Test("Each script leaves the trace that stands in it", arguments: names)
    func script(name: String) throws {
        let file = Self.folder.appending(path: name)
        let text = try String(contentsOf: file, encoding: .utf8)
        let played = try play(text)
        if ProcessInfo.processInfo.environment["AVIARY_REWRITE"] == "1" {
            try played.write(to: file, atomically: true, encoding: .utf8)
        } else if played != text {
            let pairs = zip(
                played.split(separator: "\n", omittingEmptySubsequences: false),
                text.split(separator: "\n", omittingEmptySubsequences: false))
            let number = pairs.enumerated().first { $0.element.0 != $0.element.1 }
            Issue.record(
                """
                \(name) differs at line \((number?.offset ?? 0) + 1):
                expected \(number?.element.1 ?? "another end")
                seen     \(number?.element.0 ?? "another end")
                """)
        }
    }

    /// Blocks are separated by empty lines: comments, a command, `----`, the trace.
    private func play(_ text: String) throws -> String {
        let runner = ScenarioRunner()
        var blocks: [String] = []
        for block in text.components(separatedBy: "\n\n") {
            var head: [String] = []
            for line in block.split(separator: "\n").map(String.init) {
                if line == "----" { break }
                head.append(line)
            }
            let commands = head.filter { !$0.hasPrefix("#") }
            if commands.isEmpty {
                if !head.isEmpty { blocks.append(head.joined(separator: "\n")) }
                continue
            }
            var trace: [String] = []
            for command in commands { trace += try runner.run(command) }
            blocks.append((head + ["----"] + trace).joined(separator: "\n"))
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }
}
