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
