// Reads the pages of Requests/*.md. A case is a heading that is a sentence, perhaps a line
// `Limits: name=number ...`, a block `http` with the bytes and a block `events` with what must
// come.
//
// In an `http` block each line ends with CR LF, unless it ends with a backslash. Escapes are \r,
// \n, \t, \0, \\ and \xHH; {{a*9000}} is 9,000 times "a".

import Foundation
import HTTP

struct RequestCase: Sendable, CustomStringConvertible {
    let page: String
    let title: String
    let limits: ReaderLimits
    let input: [UInt8]
    let events: String

    var description: String { "\(page): \(title)" }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Requests")

    static let pages: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".md") }.sorted()
    }()

    static let all: [RequestCase] = pages.flatMap(load)

    static func load(page: String) -> [RequestCase] {
        let file = folder.appendingPathComponent(page)
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        var cases: [RequestCase] = []
        var title = ""
        var limits = ReaderLimits()
        var input: [String] = []
        var block: (kind: String, lines: [String])?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```") {
                if let done = block {
                    if done.kind == "http" { input = done.lines }
                    if done.kind == "events" {
                        cases.append(
                            RequestCase(
                                page: page, title: title, limits: limits, input: bytes(of: input),
                                events: done.lines.joined(separator: "\n")))
                    }
                    block = nil
                } else {
                    block = (String(line.dropFirst(3)), [])
                }
            } else if block != nil {
                block?.lines.append(line)
            } else if line.hasPrefix("## ") {
                title = String(line.dropFirst(3))
                limits = ReaderLimits()
            } else if line.hasPrefix("Limits: ") {
                limits = parseLimits(line.dropFirst(8))
            }
        }
        return cases
    }

    private static func parseLimits(_ text: Substring) -> ReaderLimits {
        var limits = ReaderLimits()
        for pair in text.split(separator: " ") {
            let parts = pair.split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]) else { fatalError("limit \(pair)") }
            switch parts[0] {
            case "requestLineBytesMax": limits.http.requestLineBytesMax = value
            case "fieldLineBytesMax": limits.http.fieldLineBytesMax = value
            case "fieldsMax": limits.http.fieldsMax = value
            case "headBytesMax": limits.http.headBytesMax = value
            case "chunkExtensionBytesMax": limits.http.chunkExtensionBytesMax = value
            case "bodyExtensionBytesMax": limits.http.bodyExtensionBytesMax = value
            case "bodyBytesMax": limits.bodyBytesMax = value
            default: fatalError("no limit \(parts[0])")
            }
        }
        return limits
    }

    static func bytes(of lines: [String]) -> [UInt8] {
        var out: [UInt8] = []
        for line in lines {
            let source = Array(line.utf8)
            var index = 0
            var continues = false
            while index < source.count {
                if source[index...].starts(with: "{{".utf8) {
                    index = appendRepeated(source, index, &out)
                } else if source[index] != 0x5C {
                    out.append(source[index])
                    index += 1
                } else if index + 1 == source.count {
                    continues = true
                    index += 1
                } else {
                    index = appendEscape(source, index + 1, &out)
                }
            }
            if !continues { out += [13, 10] }
        }
        return out
    }

    private static func appendEscape(_ source: [UInt8], _ index: Int, _ out: inout [UInt8]) -> Int {
        switch source[index] {
        case UInt8(ascii: "r"): out.append(13)
        case UInt8(ascii: "n"): out.append(10)
        case UInt8(ascii: "t"): out.append(9)
        case UInt8(ascii: "0"): out.append(0)
        case UInt8(ascii: "\\"): out.append(0x5C)
        case UInt8(ascii: "x"):
            let digits = String(decoding: source[(index + 1)..<(index + 3)], as: UTF8.self)
            guard let value = UInt8(digits, radix: 16) else { fatalError("escape \(digits)") }
            out.append(value)
            return index + 3
        default: fatalError("escape \(source[index])")
        }
        return index + 1
    }

    /// `{{text*count}}`
    private static func appendRepeated(
        _ source: [UInt8], _ index: Int, _ out: inout [UInt8]
    ) -> Int {
        var end = index
        while !source[end...].starts(with: "}}".utf8) { end += 1 }
        let inside = String(decoding: source[(index + 2)..<end], as: UTF8.self)
        guard let star = inside.lastIndex(of: "*"),
            let count = Int(inside[inside.index(after: star)...])
        else { fatalError("repetition \(inside)") }
        let piece = bytes(of: [String(inside[..<star]) + "\\"])
        for _ in 0..<count { out += piece }
        return end + 2
    }
}
