// Holds the statuses that the pages show against the OpenAPI document: what a client may meet on a
// route must stand there.

import Foundation
import Testing

@Test("Every status that a page shows is described for its path and method")
func statusesAreDescribed() throws {
    let document = try PlainYAML.parse(try Document.text("aviary.yaml"))
    let paths = try #require(document["paths"]?.map)
    var seen: Set<String> = []
    for page in try Page.all() {
        var request: (method: String, template: String)?
        for line in page.lines {
            if let match = line.firstMatch(of: /^> ([A-Z]+) +([^ ?]+)/) {
                let (method, target) = (String(match.1).lowercased(), String(match.2))
                request = template(target, paths.keys).map { (method, $0) }
            } else if line.hasPrefix("!") {
                request = nil
            }
            guard let match = line.firstMatch(of: /^< ([0-9]{3})\s/), let (method, path) = request
            else { continue }
            request = nil
            // OPTIONS is described in words, HEAD as GET where it has no lines of its own.
            if method == "options" { continue }
            let item = try #require(paths[path]?.map)
            let operations = item[method].map { [$0] } ?? item["get"].map { [$0] } ?? []
            for operation in operations {
                seen.insert("\(method) \(path) \(match.1)")
                #expect(
                    operation["responses"]?[String(match.1)] != nil,
                    "\(page.name): \(method) \(path) gives \(match.1)")
            }
        }
    }
    #expect(seen.count > 60)
}

/// The path of the document that `target` falls under; nil when it is not described.
private func template(_ target: String, _ paths: some Sequence<String>) -> String? {
    for below in ["/v1/znodes", "/v1/watch"]
    where target == below || target.hasPrefix(below + "/") { return below + "/{path}" }
    return paths.first { $0 == target }
}
