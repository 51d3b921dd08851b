// Reads the repository as text, so that rules of the house can be tests.

import Foundation

struct SourceFile {
    /// Relative to the repository's root.
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// `Sources/Raft/Ready.swift` is of target `Raft`.
    var target: String { String(path.split(separator: "/")[1]) }
}

enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            atPath: root.appendingPathComponent(folder).path
        ).sorted()
    }

    /// All files below `folder` whose name ends so, sorted.
    static func files(below folder: String, suffix: String = ".swift") throws -> [SourceFile] {
        let base = root.appendingPathComponent(folder)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String }
        return try (names ?? []).filter { $0.hasSuffix(suffix) && !$0.contains("/.") }.sorted()
            .map { SourceFile(path: "\(folder)/\($0)", text: try text("\(folder)/\($0)")) }
    }
}
