// Tables of the small parsers: numbers, durations, percent-decoding, queries, entity tags, Accept
// and Prefer.

import HTTP
import Testing

struct ValueParsingTests {
    private func head(_ fields: String) -> (head: RequestHead, bytes: [UInt8])? {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var parser = RequestParser()
        guard case .head(let head, _) = parser.parseHead(bytes.span, limits: HTTPLimits()) else {
            return nil
        }
        return (head, bytes)
    }

    @Test("Numbers are digits, without sign, leading zero or overflow")
    func decimal() {
        let table: [(String, UInt64?)] = [
            ("0", 0), ("7", 7), ("10", 10), ("18446744073709551615", UInt64.max),
            ("18446744073709551616", nil), ("99999999999999999999", nil), ("", nil), ("00", nil),
            ("01", nil), ("+1", nil), ("-1", nil), (" 1", nil), ("1 ", nil), ("1a", nil),
            ("1_0", nil), ("\u{665}", nil),
        ]
        for (text, value) in table {
            #expect(DecimalParsing.parse(Array(text.utf8).span) == value, "\(text)")
        }
        let signed: [(String, Int64?)] = [
            ("0", 0), ("-1", -1), ("9223372036854775807", Int64.max),
            ("9223372036854775808", nil), ("-9223372036854775808", Int64.min),
            ("-9223372036854775809", nil), ("-0", nil), ("-", nil), ("--1", nil), ("+1", nil),
            ("-01", nil), ("", nil),
        ]
        for (text, value) in signed {
            #expect(DecimalParsing.parseSigned(Array(text.utf8).span) == value, "\(text)")
        }
    }

    @Test("Durations are a number and a unit")
    func durations() {
        let table: [(String, UInt64?)] = [
            ("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("0s", 0),
            ("18446744073709551615ms", UInt64.max), ("18446744073709551615s", nil),
            ("5124095576030h", 18_446_744_073_708_000_000), ("5124095576031h", nil),
            ("30", nil), ("s", nil), ("", nil), ("30 s", nil), ("30S", nil), ("30sec", nil),
            ("1m30s", nil), ("1.5s", nil), ("-1s", nil), ("+1s", nil), ("05s", nil), ("1d", nil),
        ]
        for (text, value) in table {
            #expect(DurationParsing.milliseconds(Array(text.utf8).span) == value, "\(text)")
        }
    }

    @Test("Path segments are decoded once, strictly")
    func percentPath() {
        let table: [(String, String?)] = [
            ("", ""), ("a", "a"), ("a+b", "a+b"), ("a%20b", "a b"), ("%41%6a%4A", "AjJ"),
            ("%252F", "%2F"), ("caf%C3%A9", "caf\u{E9}"), ("%2F", nil), ("a%2fb", nil),
            ("%00", nil), ("%", nil), ("%4", nil), ("%4g", nil), ("%g4", nil), ("a%", nil),
            ("%%41", nil), ("%+1", nil), ("% 1", nil), ("/a/b", "/a/b"),
        ]
        for (text, decoded) in table {
            var out: [UInt8] = []
            let error = PercentDecoding.decodePath(Array(text.utf8).span, into: &out)
            #expect((error == nil) == (decoded != nil), "\(text)")
            if let decoded { #expect(out == Array(decoded.utf8), "\(text)") }
        }
        var out: [UInt8] = []
        #expect(PercentDecoding.decodePath(Array("%2F".utf8).span, into: &out) == .encodedSlash)
        #expect(PercentDecoding.decodePath(Array("%00".utf8).span, into: &out) == .encodedNUL)
        #expect(PercentDecoding.decodePath(Array("%0".utf8).span, into: &out) == .badEscape)
        for (text, isPlain) in [("/a/long/path/without", true), ("/a/long/path/with%41", false)] {
            let found = PercentDecoding.isPlain(Array(text.utf8).span)
            #expect(found == isPlain)
        }
    }

    @Test("Queries decode slashes and NULs, and a plus stays a plus")
    func percentQuery() {
        var out: [UInt8] = []
        #expect(PercentDecoding.decodeQuery(Array("a+b%2F%00".utf8).span, into: &out) == nil)
        #expect(out == Array("a+b/\0".utf8))
        #expect(PercentDecoding.decodeQuery(Array("%x".utf8).span, into: &out) == .badEscape)
    }

    @Test("A query is pairs between ampersands")
    func queries() {
        let table: [(String, [String])] = [
            ("", []), ("a", ["a"]), ("a=", ["a="]), ("a=b", ["a=b"]), ("a=b&c", ["a=b", "c"]),
            ("a=b=c", ["a=b=c"]), ("&", ["", ""]), ("a&&b", ["a", "", "b"]), ("=", ["="]),
            ("a;b", ["a;b"]), ("a=1&a=2", ["a=1", "a=2"]), ("recursive&", ["recursive", ""]),
        ]
        for (text, pairs) in table {
            let bytes = Array(text.utf8)
            var query = QueryIterator(bytes.span)
            var found: [String] = []
            while let pair = query.nextPair() {
                var shown = String(decoding: bytes[pair.name.range], as: UTF8.self)
                if let value = pair.value {
                    shown += "=" + String(decoding: bytes[value.range], as: UTF8.self)
                }
                found.append(shown)
            }
            #expect(found == pairs, "\(text)")
        }
    }

    @Test("Entity tags are read strictly, over all lines")
    func entityTags() {
        let table: [(String, String)] = [
            ("If-Match: *\r\n", "* end"),
            ("If-Match: \"1\"\r\n", "\"1\" end"),
            ("If-Match: W/\"1\"\r\n", "W\"1\" end"),
            ("If-Match: \"\"\r\n", "\"\" end"),
            ("If-Match: \"c1-2-3\" , W/\"b\",\"a,b\"\r\n", "\"c1-2-3\" W\"b\" \"a,b\" end"),
            ("If-Match: ,, \"1\",\r\n", "\"1\" end"),
            ("If-Match: \"1\"\r\nIf-Match: \"2\"\r\n", "\"1\" \"2\" end"),
            ("If-Match: \"\\\"\r\n", "\"\\\" end"),
            ("If-Match: \"\u{E9}\"\r\n", "\"\u{E9}\" end"),
            ("If-Match:\r\n", "malformed"), ("If-Match: ,\r\n", "malformed"),
            ("If-Match: 1\r\n", "malformed"), ("If-Match: \"1\r\n", "malformed"),
            ("If-Match: w/\"1\"\r\n", "malformed"), ("If-Match: W/\r\n", "malformed"),
            ("If-Match: W/*\r\n", "malformed"), ("If-Match: \"a b\"\r\n", "malformed"),
            ("If-Match: \"a\tb\"\r\n", "malformed"),
            ("If-Match: \"1\" \"2\"\r\n", "\"1\" malformed"),
            ("If-Match: \"1\"\"2\"\r\n", "\"1\" malformed"),
            ("If-Match: \"1\"x\r\n", "\"1\" malformed"),
            ("If-Match: \"1\", *\r\n", "\"1\" malformed"),
            ("If-Match: *, \"1\"\r\n", "* malformed"), ("If-Match: **\r\n", "* malformed"),
            ("If-Match: *\r\nIf-Match: *\r\n", "* malformed"),
            ("If-Match: \"1\"\r\nIf-Match: *\r\n", "\"1\" malformed"),
        ]
        for (fields, steps) in table {
            guard let (head, bytes) = head(fields) else {
                Issue.record("\(fields) was refused")
                continue
            }
            #expect(walk(head, bytes) == steps, "\(fields)")
        }
    }

    private func walk(_ head: RequestHead, _ bytes: [UInt8]) -> String {
        var tags = EntityTagIterator(head: head, field: .ifMatch)
        var words: [String] = []
        while true {
            switch tags.next(in: bytes.span) {
            case .any: words.append("*")
            case .tag(let opaque, let isWeak):
                let text = String(decoding: bytes[opaque.range], as: UTF8.self)
                words.append((isWeak ? "W" : "") + text)
            case .end: return (words + ["end"]).joined(separator: " ")
            case .malformed: return (words + ["malformed"]).joined(separator: " ")
            }
        }
    }

    @Test("Accept picks the bytes only when they are asked for by name")
    func accept() {
        let table: [(String, bytes: Int, json: Int, prefersBytes: Bool)] = [
            ("", 1000, 1000, false),
            ("Accept: */*\r\n", 1000, 1000, false),
            ("Accept:\r\n", 0, 0, false),
            ("Accept: application/octet-stream\r\n", 1000, 0, true),
            ("Accept: Application/Octet-Stream;q=1.000\r\n", 1000, 0, true),
            ("Accept: application/octet-stream;q=0\r\n", 0, 0, false),
            ("Accept: application/octet-stream;q=0, */*\r\n", 0, 1000, false),
            ("Accept: */*, application/octet-stream;q=0.5\r\n", 500, 1000, true),
            ("Accept: application/json, application/octet-stream\r\n", 1000, 1000, false),
            ("Accept: application/json;q=0.8,application/octet-stream\r\n", 1000, 800, true),
            ("Accept: application/json\r\nAccept: application/*;q=0.25\r\n", 250, 1000, false),
            ("Accept: text/html;a=\"x,application/octet-stream\"\r\n", 0, 0, false),
            ("Accept: application/octet-stream;q=2\r\n", 0, 0, false),
            ("Accept: application/octet-stream;q=0.5555\r\n", 0, 0, false),
            ("Accept: application/octet-stream; x=y ; Q=0.125\r\n", 125, 0, true),
        ]
        for (fields, octets, json, prefersBytes) in table {
            guard let (head, bytes) = head(fields) else {
                Issue.record("\(fields) was refused")
                continue
            }
            let types = AcceptedTypes(head: head, bytes: bytes.span)
            #expect(types.weight(of: .octetStream) == octets, "\(fields)")
            #expect(types.weight(of: .json) == json, "\(fields)")
            #expect(types.prefers(.octetStream, over: .json) == prefersBytes, "\(fields)")
            #expect(!types.names(.eventStream), "\(fields)")
        }
        guard let (head, bytes) = head("Accept: text/event-stream\r\n") else { return }
        #expect(AcceptedTypes(head: head, bytes: bytes.span).names(.eventStream))
    }

    @Test("Prefer gives the seconds of its first wait")
    func prefer() {
        let table: [(String, UInt64?)] = [
            ("", nil), ("Prefer: wait=30\r\n", 30), ("Prefer: respond-async, WAIT = 5\r\n", 5),
            ("Prefer: wait=5; foo=bar\r\n", 5), ("Prefer: a=\"wait=9,\", wait=2\r\n", 2),
            ("Prefer: a\r\nPrefer: wait=007\r\n", 7), ("Prefer: wait=1, wait=2\r\n", 1),
            ("Prefer: wait\r\n", nil), ("Prefer: wait=\r\n", nil), ("Prefer: wait=-1\r\n", nil),
            ("Prefer: wait=30s\r\n", nil), ("Prefer: waits=3\r\n", nil), ("Prefer: wait=0\r\n", 0),
            ("Prefer: wait=99999999999999999999999\r\n", UInt64.max),
        ]
        for (fields, seconds) in table {
            guard let (head, bytes) = head(fields) else {
                Issue.record("\(fields) was refused")
                continue
            }
            #expect(
                PreferParsing.waitSeconds(head: head, bytes: bytes.span) == seconds, "\(fields)")
        }
    }

    @Test("Each known field is found by its name in any case, and by no other")
    func fieldNames() {
        for field in FieldName.allCases where field != .host {
            let name = String(describing: field.name)
            let value = values[field] ?? "v"
            for spelled in [
                name, name.uppercased(), name.prefix(2).uppercased() + name.dropFirst(2),
            ] {
                guard let (head, bytes) = head("\(spelled): \(value)\r\n") else {
                    Issue.record("\(spelled) was refused")
                    continue
                }
                #expect(head.has(field), "\(spelled)")
                let found = head.range(of: field).map { Array(bytes[$0.range]) }
                #expect(found == Array(value.utf8))
            }
            for other in [name + "x", "x" + name, String(name.dropLast()) + "!"] {
                guard let (head, _) = head("\(other): \(value)\r\n") else {
                    Issue.record("\(other) was refused")
                    continue
                }
                #expect(!head.has(field), "\(other)")
            }
        }
    }

    private let values: [FieldName: String] = [
        .contentLength: "5", .transferEncoding: "chunked", .expect: "100-continue",
    ]
}
