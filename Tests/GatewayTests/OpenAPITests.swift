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
