// The plain part of YAML that openapi/aviary.yaml keeps to: maps and lists by indentation, flow
// lists of scalars, flow maps of one scalar, quoted and plain scalars, folded text (>-). Enough to
// compare it with its JSON.

indirect enum Tree: Equatable {
    case null
    case flag(Bool)
    case number(Int)
    case text(String)
    case list([Tree])
    case map([String: Tree])

    var map: [String: Tree]? { if case .map(let map) = self { map } else { nil } }
    var list: [Tree]? { if case .list(let list) = self { list } else { nil } }
    subscript(_ key: String) -> Tree? { map?[key] }

    func visit(_ body: (String, Tree) -> Void) {
        for (key, value) in map ?? [:] {
            body(key, value)
            value.visit(body)
        }
        for value in list ?? [] { value.visit(body) }
    }

    /// The first place where the two differ.
    func difference(from other: Tree, at place: String) -> String? {
        if let mine = map, let others = other.map {
            for key in Set(mine.keys).union(others.keys).sorted() {
                guard let one = mine[key], let two = others[key] else { return "\(place)/\(key)" }
                if let found = one.difference(from: two, at: "\(place)/\(key)") { return found }
            }
            return nil
        }
        if let mine = list, let others = other.list, mine.count == others.count {
            for (index, pair) in zip(mine, others).enumerated() {
                if let found = pair.0.difference(from: pair.1, at: "\(place)/\(index)") {
                    return found
                }
            }
            return nil
        }
        return self == other ? nil : "\(place): \(self) and \(other)"
    }
}

extension Tree: Decodable {
    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let flag = try? single.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? single.decode(Int.self) {
            self = .number(number)
        } else if let text = try? single.decode(String.self) {
            self = .text(text)
        } else if let list = try? single.decode([Tree].self) {
            self = .list(list)
        } else {
            self = .map(try single.decode([String: Tree].self))
        }
    }
}

struct PlainYAML {
    struct Unexpected: Error { let line: String }

    private struct Line {
        var indent: Int
        var text: String
    }

    private var lines: [Line] = []
    private var at = 0

    static func parse(_ text: String) throws -> Tree {
        var reader = PlainYAML()
        reader.lines = text.split(separator: "\n").map { line in
            let indent = line.prefix { $0 == " " }.count
            return Line(indent: indent, text: String(line.dropFirst(indent)))
        }
        let tree = try reader.block(indent: 0)
        if reader.at < reader.lines.count { throw Unexpected(line: reader.lines[reader.at].text) }
        return tree
    }

    private mutating func block(indent: Int) throws -> Tree {
        lines[at].text.hasPrefix("- ") ? try list(indent) : try map(indent)
    }

    private mutating func list(_ indent: Int) throws -> Tree {
        var items: [Tree] = []
        while at < lines.count, lines[at].indent == indent, lines[at].text.hasPrefix("- ") {
            let rest = String(lines[at].text.dropFirst(2))
            if Self.key(rest) != nil {
                // A map whose first key stands behind the dash.
                lines[at] = Line(indent: indent + 2, text: rest)
                items.append(try map(indent + 2))
            } else {
                at += 1
                items.append(try scalar(rest))
            }
        }
        return .list(items)
    }

    private mutating func map(_ indent: Int) throws -> Tree {
        var entries: [String: Tree] = [:]
        while at < lines.count, lines[at].indent == indent, !lines[at].text.hasPrefix("- ") {
            guard let (key, rest) = Self.key(lines[at].text), entries[key] == nil else {
                throw Unexpected(line: lines[at].text)
            }
            at += 1
            if rest == ">-" {
                entries[key] = .text(folded(above: indent))
            } else if !rest.isEmpty {
                entries[key] = try scalar(rest)
            } else if at < lines.count, lines[at].indent > indent {
                entries[key] = try block(indent: lines[at].indent)
            } else {
                entries[key] = .null
            }
        }
        return .map(entries)
    }

    private mutating func folded(above indent: Int) -> String {
        var words: [String] = []
        while at < lines.count, lines[at].indent > indent {
            words.append(lines[at].text)
            at += 1
        }
        return words.joined(separator: " ")
    }

    /// `key: rest` or `key:`.
    private static func key(_ text: String) -> (String, String)? {
        if text.hasPrefix("\"") {
            guard let end = text.dropFirst().firstIndex(of: "\"") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.hasPrefix(":") else { return nil }
            let key = String(text[text.index(after: text.startIndex)..<end])
            return (key, String(rest.dropFirst(2)))
        }
        if text.hasSuffix(":"), !text.contains(": ") { return (String(text.dropLast()), "") }
        guard let colon = text.firstRange(of: ": ") else { return nil }
        return (String(text[..<colon.lowerBound]), String(text[colon.upperBound...]))
    }

    private func scalar(_ text: String) throws -> Tree {
        if text.hasPrefix("[") {
            let inside = text.dropFirst().dropLast()
            if inside.isEmpty { return .list([]) }
            return .list(
                try inside.split(separator: ",").map { item in
                    try scalar(String(item.drop { $0 == " " }))
                })
        }
        if text.hasPrefix("{ "), text.hasSuffix(" }") {
            guard let (key, rest) = Self.key(String(text.dropFirst(2).dropLast(2))) else {
                throw Unexpected(line: text)
            }
            return .map([key: try scalar(rest)])
        }
        if text.hasPrefix("\"") {
            guard text.hasSuffix("\""), text.count >= 2 else { throw Unexpected(line: text) }
            return .text(String(text.dropFirst().dropLast()))
        }
        switch text {
        case "null": return .null
        case "true": return .flag(true)
        case "false": return .flag(false)
        default: return Int(text).map { .number($0) } ?? .text(text)
        }
    }
}
