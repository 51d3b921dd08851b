// The floors of docs/architecture.md as a test: what each target's files import, and that the map
// names what exists.

import Foundation
import Testing

/// Target -> what its files may import. The same table as in docs/architecture.md.
private let floors: [String: Set<String>] = [
    "Raft": ["DequeModule"],
    "Znodes": ["DequeModule", "HeapModule", "Synchronization"],
    "HTTP": [],
    "Journal": ["Raft", "CChecksum"],
    "Ensemble": ["Raft", "Znodes", "Journal", "DequeModule", "HeapModule"],
    "Gateway": ["Ensemble", "Znodes", "HTTP"],
    "System": ["Journal", "CLinux", "Glibc", "Synchronization"],
    "Server": [
        "Raft", "Znodes", "HTTP", "Journal", "Ensemble", "Gateway", "System", "DequeModule",
        "Synchronization",
    ],
    "aviary": [
        "Server", "System", "Gateway", "Ensemble", "ArgumentParser", "FoundationEssentials",
    ],
    "Simulation": [
        "Raft", "Znodes", "Journal", "Ensemble", "Gateway", "HTTP", "HeapModule", "DequeModule",
    ],
    "aviary-simulate": ["Simulation", "ArgumentParser", "Glibc"],
]

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

@Test("A file imports only what its floor may")
func importsStayOnTheirFloors() throws {
    for file in try Repository.files(below: "Sources") {
        let allowed = try #require(floors[file.target], "\(file.target) has no floor")
        for name in imports(of: file) {
            #expect(allowed.contains(name), "\(file.path) imports \(name)")
        }
    }
}

@Test("Only the published tree touches atomics on the pure floors")
func atomicsStayInThePublishedTree() throws {
    for file in try Repository.files(below: "Sources/Znodes")
    where !file.path.contains("/Published/") {
        #expect(!imports(of: file).contains("Synchronization"), "\(file.path)")
    }
}

@Test("Every target of the package is on the map, and every file that the map names exists")
func theMapIsTrue() throws {
    let map = try Repository.text("docs/architecture.md")
    for target in floors.keys {
        #expect(map.contains("`\(target)`"), "docs/architecture.md does not name \(target)")
        #expect(Repository.exists("Sources/\(target)"), "Sources/\(target)")
    }
    let named = map.matches(of: /`((?:Sources|Tests|docs|openapi|deploy)\/[A-Za-z0-9_+.\/-]+)`/).map
    { String($0.output.1) }
    #expect(named.count > 10)
    for path in named { #expect(Repository.exists(path), "docs/architecture.md names \(path)") }
}
