// Habits that a reader relies on, checked on the text of every source file.

import Foundation
import Testing

@Test("A source file opens with a comment that says what it is for")
func filesIntroduceThemselves() throws {
    for file in try Repository.files(below: "Sources") {
        #expect(file.lines.first?.hasPrefix("//") == true, "\(file.path)")
    }
}

@Test("Files stay under 450 lines; functions, initializers and computed properties under 70")
func filesAndFunctionsStaySmall() throws {
    var bodies = 0
    for file in try Repository.files(below: "Sources") {
        #expect(file.lines.count <= 450, "\(file.path) has \(file.lines.count) lines")
        for (name, length) in bodyLengths(file) {
            bodies += 1
            #expect(length <= 70, "\(file.path): \(name) has \(length) lines")
        }
    }
    #expect(bodies > 500)
}

/// A body ends at the first line that closes at the indentation of its head.
private func bodyLengths(_ file: SourceFile) -> [(name: String, length: Int)] {
    let head = /(?:[@a-z]\S* )*(?:func |init[?(<]|deinit |subscript[(<]|var .*\{$)/
    let lines = file.lines
    var found: [(String, Int)] = []
    for (start, line) in lines.enumerated() {
        let indent = line.prefix { $0 == " " }
        let text = line.dropFirst(indent.count)
        guard !line.hasSuffix("}"), !text.hasPrefix("//"), text.prefixMatch(of: head) != nil,
            let end = lines[start...].firstIndex(where: { $0 == indent + "}" })
        else { continue }
        found.append((String(text), end - start + 1))
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

@Test("What does not import System starts no thread and reads no clock, but for the test programs")
func threadsAndClocksAreOfSystem() throws {
    // Why simple: to Unicode, a full stop between letters is within a word.
    let words =
        /\b(?:(?:Posix)?Thread|Task|pthread_\w+|(?:Continuous|Suspending)?Clock|clock_\w+)\b/
        .wordBoundaryKind(.simple)
    var found: [String] = []
    for file in try Repository.files(below: "Sources") where file.target != "System" {
        let code = file.lines.filter { !$0.drop { $0 == " " }.hasPrefix("//") }
        if code.contains(where: { $0.hasSuffix("import System") }) { continue }
        if code.contains(where: { $0.firstMatch(of: words) != nil }) { found.append(file.path) }
    }
    #expect(
        found == ["Sources/aviary-fuzz/Fuzz.swift", "Sources/aviary-simulate/Simulate.swift"])
}

@Test("No test sleeps, but for the pause of `eventually` in Tests/system/ensemble.py, which polls")
func noTestSleeps() throws {
    let swift = try Repository.files(below: "Tests").filter { !$0.path.contains("TidyTests") }
    let python = try Repository.files(below: "Tests", suffix: ".py")
    #expect(!python.isEmpty)
    var found: [String] = []
    for file in swift + python {
        var function = ""
        for line in file.lines {
            if line.hasPrefix("def ") { function = String(line.dropFirst(4).prefix { $0 != "(" }) }
            // Also of usleep, nanosleep, Task and time.
            if line.contains("sleep(") { found.append("\(file.path) \(function)") }
        }
    }
    #expect(found == ["Tests/system/ensemble.py eventually"])
}

@Test("Names are the field's, not Manager, Helper, Util, Impl or Base")
func namesSayWhatTheyAre() throws {
    for file in try Repository.files(below: "Sources") {
        let found = file.text.firstMatch(
            of: /(?:struct|class|enum|protocol) [A-Za-z]*(?:Manager|Helper|Util|Impl|Base)\b/)
        #expect(found == nil, "\(file.path): \(found?.output ?? "")")
    }
}
