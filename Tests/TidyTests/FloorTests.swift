// The floors of docs/architecture.md as a test: what each target's files import, and that the map
// names what exists.

import Foundation
import Testing

/// Target -> what its files may import, as the table of docs/architecture.md says it.
private func floors() throws -> [String: Set<String>] {
    var floors: [String: Set<String>] = [:]
    for line in try Repository.text("docs/architecture.md").split(separator: "\n") {
        let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        guard cells.count == 4, cells[0] == "beside" || Int(cells[0]) != nil else { continue }
        floors[names(in: cells[1]).joined()] = Set(names(in: cells[3]))
    }
    return floors
}

/// Those between backticks.
private func names(in cell: String) -> [String] {
    cell.matches(of: /`([A-Za-z-]+)`/).map { String($0.output.1) }
}

private func imports(of file: SourceFile) -> [String] {
    file.lines.compactMap { line in
        let words = line.split(separator: " ")
        guard let at = words.firstIndex(of: "import"), at < words.count - 1,
            words[..<at].allSatisfy({
                ["package", "internal", "public", "private"].contains($0) || $0.hasPrefix("@")
            })
        else { return nil }
        return String(words[at + 1])
    }
}

@Test("A file imports only what its floor may, and a floor may no more than its files import")
func importsStayOnTheirFloors() throws {
    let floors = try floors()
    #expect(floors.count == 13)
    var unused = floors
    for file in try Repository.files(below: "Sources") {
        let allowed = try #require(floors[file.target], "\(file.target) has no floor")
        for name in imports(of: file) {
            #expect(allowed.contains(name), "\(file.path) imports \(name)")
            unused[file.target]?.remove(name)
        }
    }
    for (target, names) in unused { #expect(names.isEmpty, "\(target) imports no \(names)") }
}

@Test("Only the published tree touches atomics on the pure floors")
func atomicsStayInThePublishedTree() throws {
    for file in try Repository.files(below: "Sources/Znodes")
    where !file.path.contains("/Published/") {
        #expect(!imports(of: file).contains("Synchronization"), "\(file.path)")
    }
}

@Test("Of what runs in a member only the snapshot thread asks the file system for its room")
func theRoomIsAskedForOnOneThread() throws {
    let askers = try Repository.files(below: "Sources").filter { file in
        file.target != "System" && file.lines.contains { $0.contains("FileSystemSpace") }
    }
    #expect(askers.map(\.path) == ["Sources/Server/SnapshotThread.swift"])
}

@Test("Every target of the package is on the map, and every file that the map names exists")
func theMapIsTrue() throws {
    let map = try Repository.text("docs/architecture.md")
    for target in try Repository.names(in: "Sources") {
        #expect(map.contains("`\(target)`"), "docs/architecture.md does not name \(target)")
    }
    for target in try floors().keys {
        #expect(Repository.exists("Sources/\(target)"), "Sources/\(target)")
    }
    let named = map.matches(of: /`((?:Sources|Tests|docs|openapi|deploy)\/[A-Za-z0-9_+.\/-]+)`/).map
    { String($0.output.1) }
    #expect(named.count > 10)
    for path in named { #expect(Repository.exists(path), "docs/architecture.md names \(path)") }
}
