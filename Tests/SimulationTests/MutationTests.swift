// The planted bugs of Tests/Mutations apply to the tree as it is, each where it was meant to, so that
// the hunt for them (`make simulate-bugs`) never has to be repaired first. `patch` needs no git.

import Foundation
import Simulation
import Testing

@Suite("Planted bugs as patches")
struct MutationTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let folder = root.appending(path: "Tests/Mutations")

    static var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [])
            .filter { $0.hasSuffix(".patch") }.sorted()
    }

    @Test("There are at least 25 bugs, of both kinds") func some() {
        #expect(Self.names.count + PlantedBug.allCases.count >= 25)
    }

    @Test("Each patch says what is wrong, and applies", arguments: names)
    func applies(name: String) throws {
        let file = Self.folder.appending(path: name)
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(!text.hasPrefix("---") && text.contains("\n--- a/Sources/"))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "patch", "--dry-run", "--batch", "--forward", "--fuzz=0", "-p1", "-d",
            Self.root.path(), "-i", file.path(),
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }

    @Test("Each patch fits one place only, wherever its lines have moved to", arguments: names)
    func fitsOnce(name: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        var file: [Substring] = []
        var hunks: [(file: [Substring], before: [Substring])] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("--- a/") {
                let old = Self.root.appending(path: String(line.dropFirst("--- a/".count)))
                file = try String(contentsOf: old, encoding: .utf8)
                    .split(separator: "\n", omittingEmptySubsequences: false)
            } else if line.hasPrefix("@@") {
                hunks.append((file, []))
            } else if let last = hunks.indices.last, line.hasPrefix(" ") || line.hasPrefix("-") {
                hunks[last].before.append(line.dropFirst())
            }
        }
        #expect(!hunks.isEmpty)
        for hunk in hunks {
            let places = hunk.file.indices.filter { hunk.file[$0...].starts(with: hunk.before) }
            #expect(places.count == 1, "\(hunk.before.joined(separator: "\n"))")
        }
    }
}
