import Foundation
import Gateway
import Testing

enum Document {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("openapi")

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    static func joined(_ parts: [StaticString]) -> String {
        parts.map { "\($0)" }.joined()
    }
}

@Test("The program carries openapi/aviary.yaml and aviary.json, byte by byte")
func documentsAreEmbedded() throws {
    #expect(Document.joined(OpenAPIDocument.yaml) == (try Document.text("aviary.yaml")))
    #expect(Document.joined(OpenAPIDocument.json) == (try Document.text("aviary.json")))
}

@Test("The documents are served as they are", arguments: ["aviary.yaml", "aviary.json"])
func documentsAreServed(_ name: String) throws {
    let target = name.replacingOccurrences(of: "aviary", with: "/openapi")
    let request = "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n"
    guard case .answer(let bytes) = OneMember().ask(Array(request.utf8)) else {
        Issue.record("no answer")
        return
    }
    let answer = String(decoding: bytes, as: UTF8.self)
    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(answer.hasSuffix("\r\n\r\n" + (try Document.text(name))))
}

@Test("openapi/aviary.json says what aviary.yaml says: run openapi/generate.py")
func jsonEqualsYAML() throws {
    let json = try JSONDecoder().decode(
        Tree.self, from: Data(try Document.text("aviary.json").utf8))
    let yaml = try PlainYAML.parse(try Document.text("aviary.yaml"))
    #expect(json.difference(from: yaml, at: "") == nil)
}

@Test("Every route that is served is described, and nothing else is")
func routesAreDescribed() throws {
    let document = try PlainYAML.parse(try Document.text("aviary.yaml"))
    let paths = try #require(document["paths"]?.map)
    let methods: Set = ["get", "head", "put", "post", "delete", "options", "patch"]
    var described: [String] = []
    for (path, item) in paths {
        for (method, _) in item.map ?? [:] where methods.contains(method) {
            described.append("\(method) \(path)")
        }
    }
    let served = Router.served.flatMap { route in route.methods.map { "\($0) \(route.template)" } }
    #expect(described.sorted() == served.sorted())
}

@Test("Every code of a problem is described, and nothing else is")
func codesAreDescribed() throws {
    let document = try PlainYAML.parse(try Document.text("aviary.yaml"))
    let codes = document["components"]?["schemas"]?["ProblemCode"]?["enum"]?.list ?? []
    #expect(codes == ProblemCode.allCases.map { .text("\($0.name)") })
}

@Test("Every reference of the document leads somewhere")
func referencesLeadSomewhere() throws {
    let document = try PlainYAML.parse(try Document.text("aviary.yaml"))
    var references: [String] = []
    document.visit { key, value in
        if key == "$ref", case .text(let target) = value { references.append(target) }
    }
    #expect(references.count > 50)
    for reference in references {
        var place: Tree? = document
        for part in reference.dropFirst(2).split(separator: "/") { place = place?[String(part)] }
        #expect(place != nil, "\(reference)")
    }
}

/// The names in backquotes at the start of the rows of a table, and the cells behind them.
private func rows(of document: String) throws -> [(name: String, rest: String)] {
    let url = Document.folder.deletingLastPathComponent().appendingPathComponent(document)
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    return lines.compactMap { line in
        line.firstMatch(of: /^\| `([a-z_]+)` \| (.*) \|$/).map { (String($0.1), String($0.2)) }
    }
}

@Test("docs/errors.md has a row for every code, in order, with its status first")
func codesAreExplained() throws {
    let rows = try rows(of: "docs/errors.md")
    #expect(rows.map(\.name) == ProblemCode.allCases.map { "\($0.name)" })
    for (row, code) in zip(rows, ProblemCode.allCases) {
        #expect(row.rest.hasPrefix("\(code.status)"), "\(row)")
    }
}

@Test("docs/operations.md has a row for every metric, in order, with its help")
func metricsAreExplained() throws {
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    guard case .answer(let bytes) = OneMember().ask(Array(request.utf8)) else {
        Issue.record("no answer")
        return
    }
    let told = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap
    { line in
        line.firstMatch(of: /^# HELP ([^ ]+) (.*)$/).map { "\($0.1): \($0.2)" }
    }
    let written = try rows(of: "docs/operations.md").filter { $0.name.contains("_") }
        .map { "\($0.name): \($0.rest)" }
    #expect(told == written)
}
