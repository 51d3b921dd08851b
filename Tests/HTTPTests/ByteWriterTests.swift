// The output buffer: growth, consumption, taking back, numbers left open, and the encodings.

import HTTP
import Testing

struct ByteWriterTests {
    static func text(_ writer: borrowing ByteWriter) -> String {
        unsafe writer.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    @Test("What is appended and consumed in random pieces is what a plain array holds")
    func againstArray() {
        var numbers = SeededNumbers(seed: 1)
        var writer = ByteWriter(retainedBytesMax: 2048)
        var model: [UInt8] = []
        for _ in 0..<20_000 {
            switch numbers.below(6) {
            case 0:
                let count = numbers.below(model.count + 1)
                writer.consume(count)
                model.removeFirst(count)
            case 1 where numbers.below(8) == 0:
                let count = numbers.below(model.count + 1)
                writer.truncate(to: count)
                model.removeLast(model.count - count)
            case 2:
                let byte = UInt8(truncatingIfNeeded: numbers.next())
                writer.append(byte)
                model.append(byte)
            case 3:
                writer.append("static text")
                model += "static text".utf8
            default:
                let piece = (0..<numbers.below(200)).map { UInt8(truncatingIfNeeded: $0) }
                writer.append(piece)
                model += piece
            }
            #expect(writer.count == model.count)
            let isSame = Array(writer: writer) == model
            if !isSame {
                Issue.record("the writer differs from the array")
                return
            }
        }
    }

    @Test("A new writer has no memory, and a large answer's memory is given back")
    func memory() {
        var writer = ByteWriter(retainedBytesMax: 4096)
        #expect(writer.capacityBytes == 0)
        let isEmpty = writer.isEmpty
        #expect(isEmpty)
        writer.append([UInt8](repeating: 1, count: 100_000))
        #expect(writer.capacityBytes >= 100_000)
        writer.consume(99_999)
        #expect(writer.capacityBytes >= 100_000)
        writer.consume(1)
        #expect(writer.capacityBytes == 0)
        writer.append("small")
        writer.consume(5)
        #expect(writer.capacityBytes > 0 && writer.capacityBytes <= 4096)
    }

    @Test("Room is found again in front of what waits, without growth")
    func slides() {
        var writer = ByteWriter()
        writer.append([UInt8](repeating: 1, count: 512))
        let capacity = writer.capacityBytes
        for _ in 0..<100 {
            writer.consume(400)
            writer.append([UInt8](repeating: 2, count: 400))
        }
        #expect(writer.capacityBytes == capacity)
    }

    @Test("A number left open is written where it was left, and the gap closes")
    func openNumber() {
        for value in [0, 7, 10, 99, 100, 12_345, 9_999_999_999] {
            var writer = ByteWriter()
            writer.append("before ")
            let open = writer.openNumber()
            writer.append(" behind")
            writer.patch(open, value)
            #expect(ByteWriterTests.text(writer) == "before \(value) behind")
        }
    }

    @Test("Before a long tail the gap stays, as spaces in front of the digits")
    func openNumberBeforeMuch() {
        var writer = ByteWriter()
        let open = writer.openNumber()
        writer.append([UInt8](repeating: 0x78, count: 16 * 1024 + 1))
        writer.patch(open, 421)
        #expect(ByteWriterTests.text(writer).hasPrefix("       421xxx"))
        #expect(writer.count == 10 + 16 * 1024 + 1)
    }

    @Test("Numbers are written in decimal as Swift writes them")
    func decimal() {
        var values: [UInt64] = [0, 9, 10, 99, 100, 101, 999, 1000, UInt64.max]
        var power: UInt64 = 1
        for _ in 0..<19 {
            power *= 10
            values += [power - 1, power, power + 1]
        }
        for value in values {
            var writer = ByteWriter()
            writer.append(decimal: value)
            #expect(ByteWriterTests.text(writer) == String(value))
        }
        for value in [Int64.min, -100, -1, 0, 1, Int64.max] {
            var writer = ByteWriter()
            writer.append(decimal: value)
            #expect(ByteWriterTests.text(writer) == String(value))
        }
    }

    @Test("Numbers are written in hexadecimal as Swift writes them")
    func hexadecimal() {
        for value: UInt64 in [0, 1, 15, 16, 255, 256, 0xDEAD_BEEF, UInt64.max] {
            var writer = ByteWriter()
            writer.append(hexadecimal: value)
            #expect(ByteWriterTests.text(writer) == String(value, radix: 16))
        }
        var writer = ByteWriter()
        writer.append(hexadecimal: 0x1F, digits: 4)
        #expect(ByteWriterTests.text(writer) == "001f")
    }

    @Test("Base64 matches the vectors of RFC 4648 10, and all bytes")
    func base64() {
        let table = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("\u{3E}\u{3F}~\u{7F}", "Pj9+fw=="),
        ]
        for (plain, encoded) in table {
            var writer = ByteWriter()
            writer.appendBase64(Array(plain.utf8).span)
            #expect(ByteWriterTests.text(writer) == encoded)
        }
        var writer = ByteWriter()
        writer.appendBase64([0xFB, 0xFF, 0xFE].span)
        #expect(ByteWriterTests.text(writer) == "+//+")
    }

    @Test("JSON escapes quote, backslash and controls at every place of a word, and nothing else")
    func jsonEscapes() {
        let table: [(UInt8, String)] = [
            (0x22, "\\\""), (0x5C, "\\\\"), (0x08, "\\b"), (0x09, "\\t"), (0x0A, "\\n"),
            (0x0C, "\\f"), (0x0D, "\\r"), (0x00, "\\u0000"), (0x1F, "\\u001f"), (0x7F, "\u{7F}"),
            (0x20, " "), (0x21, "!"), (0x23, "#"), (0x5B, "["), (0x5D, "]"),
        ]
        for (byte, escaped) in table {
            for place in 0..<17 {
                var bytes = [UInt8](repeating: 0x61, count: 17)
                bytes[place] = byte
                var writer = ByteWriter()
                writer.appendJSONEscaped(bytes.span)
                let before = String(repeating: "a", count: place)
                let behind = String(repeating: "a", count: 16 - place)
                #expect(ByteWriterTests.text(writer) == before + escaped + behind)
            }
        }
        let text = "caf\u{E9} \u{2028} \u{1F426} \"\\\""
        var writer = ByteWriter()
        writer.appendJSONEscaped(Array(text.utf8).span)
        #expect(ByteWriterTests.text(writer) == "caf\u{E9} \u{2028} \u{1F426} \\\"\\\\\\\"")
    }

    @Test("A path is percent-encoded but for unreserved characters and slashes")
    func percentEncoded() {
        var writer = ByteWriter()
        writer.appendPercentEncoded(path: Array("/a b/%\u{E9}?#-._~+".utf8).span)
        #expect(ByteWriterTests.text(writer) == "/a%20b/%25%C3%A9%3F%23-._~%2B")
    }
}

extension Array where Element == UInt8 {
    init(writer: borrowing ByteWriter) {
        self = unsafe writer.withBytes { unsafe Array($0) }
    }
}
