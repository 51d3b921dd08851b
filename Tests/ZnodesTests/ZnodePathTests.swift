// The one path rule, by a table and against a plain second implementation.

import Testing
import Znodes

@Suite struct ZnodePathTests {
    static let good = [
        "/", "/a", "/a/b", "/...", "/.a", "/a.", "/..a", "/a b", "/%2F", "/~", "/\u{A0}",
        "/\u{D7FF}", "/\u{F900}", "/\u{FFEF}", "/caf\u{E9}", "/cafe\u{301}", "/a!b",
    ]

    @Test("Paths that are paths", arguments: good)
    func accepts(text: String) throws {
        #expect(try ZnodePath(validating: bytes(text)).bytes == bytes(text))
    }

    static let bad: [([UInt8], ZnodePathError)] = [
        ([], .notAbsolute), (bytes("a"), .notAbsolute), (bytes("a/b"), .notAbsolute),
        (bytes("/a/"), .trailingSlash), (bytes("//"), .emptySegment),
        (bytes("//a"), .emptySegment), (bytes("/a//b"), .emptySegment),
        (bytes("/."), .dotSegment), (bytes("/.."), .dotSegment), (bytes("/a/./b"), .dotSegment),
        (bytes("/a/../b"), .dotSegment), (bytes("/a/.."), .dotSegment),
        (bytes("/a\0"), .illegalCharacter), (bytes("/\u{1}"), .illegalCharacter),
        (bytes("/\u{1F}"), .illegalCharacter), (bytes("/\u{7F}"), .illegalCharacter),
        (bytes("/\u{80}"), .illegalCharacter), (bytes("/\u{9F}"), .illegalCharacter),
        (bytes("/\u{E000}"), .illegalCharacter), (bytes("/\u{F8FF}"), .illegalCharacter),
        (bytes("/\u{FFF0}"), .illegalCharacter), (bytes("/\u{FFFF}"), .illegalCharacter),
        (bytes("/\u{FFFD}"), .illegalCharacter), (bytes("/\u{10000}"), .illegalCharacter),
        (bytes("/\u{1F426}"), .illegalCharacter), (bytes("/\u{10FFFF}"), .illegalCharacter),
        // Lone and paired surrogates as CESU-8 has them.
        ([0x2F, 0xED, 0xA0, 0x80], .notUTF8), ([0x2F, 0xED, 0xBF, 0xBF], .notUTF8),
        // Overlong forms.
        ([0x2F, 0xC0, 0xAF], .notUTF8), ([0x2F, 0xC1, 0xBF], .notUTF8),
        ([0x2F, 0xE0, 0x80, 0xAF], .notUTF8), ([0x2F, 0xE0, 0x9F, 0xBF], .notUTF8),
        ([0x2F, 0xF0, 0x80, 0x80, 0xAF], .notUTF8), ([0x2F, 0xF0, 0x8F, 0xBF, 0xBF], .notUTF8),
        // Beyond Unicode, stray and missing continuation.
        ([0x2F, 0xF4, 0x90, 0x80, 0x80], .notUTF8), ([0x2F, 0xF5, 0x80, 0x80, 0x80], .notUTF8),
        ([0x2F, 0xFF], .notUTF8), ([0x2F, 0x80], .notUTF8), ([0x2F, 0xC3], .notUTF8),
        ([0x2F, 0xC3, 0x2F, 0x61], .notUTF8), ([0x2F, 0xE2, 0x82], .notUTF8),
        ([0x2F, 0xE2, 0x28, 0xA1], .notUTF8), ([0x2F, 0xF1, 0x80, 0x80], .notUTF8),
    ]

    @Test("Bytes that are no path, and why", arguments: bad)
    func refuses(row: ([UInt8], ZnodePathError)) {
        #expect(ZnodePath.check(row.0.span) == row.1, "\(row.0)")
        #expect(throws: row.1) { try ZnodePath(validating: row.0) }
    }

    @Test("Names, paths and depths end at their limits")
    func limits() {
        let name = [UInt8](repeating: 0x61, count: 255)
        #expect(ZnodePath.check((bytes("/") + name).span) == nil)
        #expect(ZnodePath.check((bytes("/") + name + bytes("a")).span) == .nameTooLong)
        #expect(ZnodePath.check((bytes("/a/") + name + bytes("a/b")).span) == .nameTooLong)
        let long = (0..<16).flatMap { _ in bytes("/") + name }
        #expect(long.count == 4_096)
        #expect(ZnodePath.check(long.span) == nil)
        #expect(ZnodePath.check((long + bytes("/")).span) == .pathTooLong)
        let deep = (0..<255).flatMap { _ in bytes("/a") }
        #expect(ZnodePath.check(deep.span) == nil)
        #expect(ZnodePath.check((deep + bytes("/a")).span) == .tooDeep)
    }

    @Test("Every scalar is judged as ZooKeeper judges its UTF-16 units")
    func everyScalar() {
        for value in UInt32(1)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), value != 0x2F, value != 0x2E else { continue }
            if value > 0x10100, value % 509 != 0 { continue }
            let units = Array(String(Character(scalar)).utf16)
            let legal = units.allSatisfy { unit in
                !((1...0x1F).contains(unit) || (0x7F...0x9F).contains(unit)
                    || (0xD800...0xF8FF).contains(unit) || unit >= 0xFFF0)
            }
            let verdict = ZnodePath.check((bytes("/x") + Array(scalar.utf8)).span)
            if verdict != (legal ? nil : .illegalCharacter) { Issue.record("\(value)") }
        }
    }

    @Test("Random bytes are paths only when the standard library finds them to be UTF-8")
    func randomBytes() {
        var random = SeededGenerator(5)
        let alphabet: [UInt8] = [0x2F, 0x2E, 0x61, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4]
        var accepted = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...8, using: &random)
            let path =
                bytes("/") + (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            let isUTF8 = String(validating: path, as: UTF8.self) != nil
            let verdict = ZnodePath.check(path.span)
            if verdict == nil { accepted += 1 }
            #expect(isUTF8 || verdict != nil, "\(path)")
            #expect(!isUTF8 || verdict != .notUTF8, "\(path)")
        }
        #expect(accepted > 100)
    }

    @Test("Parent, name and appending")
    func parts() throws {
        let path = try ZnodePath(validating: bytes("/a/bc"))
        #expect(path.parent == ZnodePath(trusted: bytes("/a")))
        #expect(path.parent?.parent == .root)
        #expect(ZnodePath.root.parent == nil)
        #expect(Array(path.name) == bytes("bc"))
        #expect(ZnodePath.root.name.isEmpty)
        #expect(ZnodePath.root.appending(bytes("x")).bytes == bytes("/x"))
        #expect(path.appending(bytes("x")).bytes == bytes("/a/bc/x"))
        #expect(ZnodePath(trusted: bytes("/a")).contains(path))
        #expect(path.contains(path) && ZnodePath.root.contains(path))
        #expect(!ZnodePath(trusted: bytes("/a/b")).contains(path))
    }

    @Test("Canonical order puts parents first and siblings by bytes")
    func order() {
        let ordered = ["/", "/a", "/a/b", "/a/b/c", "/a/b!", "/a/c", "/a!", "/a.b", "/ab", "/b"]
            .map { ZnodePath(trusted: bytes($0)) }
        for seed in UInt64(0)..<20 {
            var random = SeededGenerator(seed)
            #expect(ordered.shuffled(using: &random).sorted() == ordered)
        }
    }
}
