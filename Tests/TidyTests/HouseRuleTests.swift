// Habits that a reader relies on, checked on the text of every source file.

import Foundation
import Testing

@Test("A source file opens with a comment that says what it is for")
func filesIntroduceThemselves() throws {
    for file in try Repository.files(below: "Sources") {
        #expect(file.lines.first?.hasPrefix("//") == true, "\(file.path)")
    }
}

@Test("Files stay under 450 lines and functions under 70")
func filesAndFunctionsStaySmall() throws {
    for file in try Repository.files(below: "Sources") {
        #expect(file.lines.count <= 450, "\(file.path) has \(file.lines.count) lines")
        for (name, length) in functionLengths(file) {
            #expect(length <= 70, "\(file.path): \(name) has \(length) lines")
        }
    }
}

/// A function's body ends at the first line that closes at the indentation of its `func`.
private func functionLengths(_ file: SourceFile) -> [(name: String, length: Int)] {
    let lines = file.lines
    var found: [(String, Int)] = []
    for (start, line) in lines.enumerated() {
        let indent = line.prefix { $0 == " " }
        guard line.contains("func "), !line.hasSuffix("}"),
            !line.trimmingCharacters(in: .whitespaces).hasPrefix("//"),
            let end = lines[start...].firstIndex(where: { $0 == indent + "}" })
        else { continue }
        found.append((line.trimmingCharacters(in: .whitespaces), end - start + 1))
    }
    return found
}

@Test("Nothing is public, forced, or left for later")
func noWordsOfHaste() throws {
    let forbidden: [(pattern: Regex<Substring>, why: String)] = [
        (/\bpublic (?:func|struct|class|enum|var|let|init|protocol|extension)/, "public"),
        (/\btry!/, "try!"),
        (/TODO|FIXME|XXX/, "an unfinished note"),
        (/@testable/, "@testable"),
        (/\bactor [A-Z]/, "an actor"),
    ]
    for file in try Repository.files(below: "Sources") {
        for (pattern, why) in forbidden {
            #expect(file.text.firstMatch(of: pattern) == nil, "\(file.path): \(why)")
        }
    }
}

@Test("No test sleeps, in Swift or in Python")
func noTestSleeps() throws {
    let swift = try Repository.files(below: "Tests").filter { !$0.path.contains("TidyTests") }
    for file in swift {
        #expect(
            file.text.firstMatch(of: /\b(usleep|nanosleep|sleep\(|Task\.sleep)/) == nil,
            "\(file.path)")
    }
}

@Test("Names are the field's, not Manager, Helper, Util, Impl or Base")
func namesSayWhatTheyAre() throws {
    for file in try Repository.files(below: "Sources") {
        let found = file.text.firstMatch(
            of: /(?:struct|class|enum|protocol) [A-Za-z]*(?:Manager|Helper|Util|Impl|Base)\b/)
        #expect(found == nil, "\(file.path): \(found?.output ?? "")")
    }
}
