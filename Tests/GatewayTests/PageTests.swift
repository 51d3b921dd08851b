import Foundation
import Testing

@Test("Every page of requests gives exactly its answers", arguments: try Page.all().map(\.name))
func pagesAreTrue(_ name: String) throws {
    let page = try #require(try Page.all().first { $0.name == name })
    let text = page.lines.joined(separator: "\n")
    let played = page.played()
    if ProcessInfo.processInfo.environment["AVIARY_REWRITE_PAGES"] == "1" {
        try played.write(to: page.url, atomically: true, encoding: .utf8)
    }
    let wanted = text.components(separatedBy: "\n")
    let got = played.components(separatedBy: "\n")
    for (line, pair) in zip(wanted, got).enumerated() where pair.0 != pair.1 {
        Issue.record("\(name):\(line + 1): wanted “\(pair.0)”, got “\(pair.1)”")
        return
    }
    #expect(wanted.count == got.count, "\(name): the lengths differ")
}

@Test("The pages hold at least 150 requests")
func pagesAreManyEnough() throws {
    let count = try Page.all().reduce(0) { $0 + $1.requestCount }
    #expect(count >= 150)
}

@Test("Every body that looks like JSON is JSON, and problems say their status and what to do")
func bodiesAreJSON() throws {
    var problems = 0
    for page in try Page.all() {
        var status = ""
        for line in page.lines {
            if line.firstMatch(of: /^< [0-9]{3}\s/) != nil {
                status = String(line.dropFirst(2).prefix(3))
            }
            guard line.hasPrefix("< {") else { continue }
            let text = line.dropFirst(2).replacing(/\\x[0-9a-f]{2}/, with: "?")
            let body = try JSONDecoder().decode(Tree.self, from: Data(text.utf8))
            guard body["code"] != nil else { continue }
            problems += 1
            #expect(body["status"] == Int(status).map { .number($0) }, "\(page.name): \(line)")
            guard case .text(let detail) = body["detail"] else {
                Issue.record("\(page.name): no detail in \(line)")
                continue
            }
            #expect(detail.hasSuffix("."), "\(page.name): \(line)")
        }
    }
    #expect(problems > 100)
}
