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

    @Test("There are such patches") func some() {
        #expect(!Self.names.isEmpty)
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

    /// Of the table of docs/simulation.md that begins so, without its head.
    private static func rows(_ head: String) throws -> ArraySlice<Substring> {
        let page = try String(
            contentsOf: root.appending(path: "docs/simulation.md"), encoding: .utf8)
        return page.components(separatedBy: head)[1]
            .components(separatedBy: "\n\n")[0].split(separator: "\n").dropFirst(2)
    }

    @Test("The table of first seeds in docs/simulation.md names every bug, and no other")
    func firstSeeds() throws {
        let named = try Self.rows("| bug | what is wrong").map {
            $0.split(separator: "|")[0].trimmingCharacters(in: .whitespaces)
        }
        let patches = Self.names.map { String($0.dropLast(".patch".count)) }
        #expect(named.sorted() == (PlantedBug.allCases.map(\.rawValue) + patches).sorted())
    }

    @Test("docs/simulation.md names each bug once, patches by the target that they change")
    func kinds() throws {
        var switches: [String] = []
        var patches: [String: String] = [:]
        for row in try Self.rows("| kind | hunted by") {
            let cells = row.split(separator: "|")
            let words = cells[1].matches(of: /[A-Za-z]+/).map { String($0.output) }
            switches += words.filter { PlantedBug(rawValue: $0) != nil }
            for number in cells[2].matches(of: /[0-9]+/) {
                let before = patches.updateValue(String(cells[0]), forKey: String(number.output))
                #expect(before == nil, "\(number.output)")
            }
        }
        #expect(switches.sorted() == PlantedBug.allCases.map(\.rawValue).sorted())
        #expect(patches.keys.sorted() == Self.names.map { String($0.prefix(2)) })
        for name in Self.names {
            let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
            let kind = patches[String(name.prefix(2))] ?? ""
            for file in text.matches(of: /--- a\/Sources\/([A-Za-z]+)\//) {
                #expect(kind.contains("`\(file.output.1)`"), "\(name)")
            }
        }
    }
}
