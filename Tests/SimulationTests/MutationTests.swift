// The planted bugs of Tests/Mutations apply to the tree as it is, so that the hunt for them
// (`make simulate-bugs`) never has to be repaired first. `patch` needs no git.

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
            "patch", "--dry-run", "--batch", "--forward", "-p1", "-d", Self.root.path(), "-i",
            file.path(),
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }
}
