// Chunked bodies, valid and damaged, against a second, naive decoder that sees all bytes at once:
// both must accept the same bytes, and then agree on the body and on where it ends.

import HTTP
import Testing

struct ChunkedDifferentialTests {
    @Test("The decoder and a naive one accept the same bodies and decode them alike")
    func againstNaive() {
        var numbers = SeededNumbers(seed: 99)
        var accepted = 0
        for _ in 0..<6000 {
            let bytes = makeBody(&numbers)
            let naive = NaiveChunked.decode(bytes)
            let real = decode(bytes, &numbers)
            #expect(naive == real, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            if naive != nil { accepted += 1 }
        }
        // Both kinds must have been there, or the comparison says nothing.
        #expect(accepted > 1500 && accepted < 4500)
    }

    private func decode(_ bytes: [UInt8], _ numbers: inout SeededNumbers) -> NaiveChunked? {
        let request = Array("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        var parser = RequestParser()
        guard case .head(let head, _) = parser.parseHead(request.span, limits: HTTPLimits()) else {
            return nil
        }
        var decoder = BodyDecoder(head: head, limits: HTTPLimits(), bodyBytesMax: 1 << 20)
        var body: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + 1 + numbers.below(9))
            let step = decoder.decode(Array(bytes[start..<end]).span, into: &body)
            switch step {
            case .needMore: start = end
            case .done(let consumed): return NaiveChunked(body: body, length: start + consumed)
            case .invalid, .tooLarge: return nil
            }
        }
        return nil
    }

    private func makeBody(_ numbers: inout SeededNumbers) -> [UInt8] {
        var text = ""
        let extensions = [
            "", "", "", ";a", ";a=b", ";a=\"b;\\\"\"", ";a;b=1", "; a", ";=", ";a=\"",
        ]
        for _ in 0..<numbers.below(4) {
            let size = 1 + numbers.below(20)
            var digits = String(size, radix: 16, uppercase: numbers.below(2) == 0)
            if numbers.below(4) == 0 { digits = "00" + digits }
            text += digits + extensions[numbers.below(numbers.below(3) == 0 ? 10 : 7)] + "\r\n"
            text += String(repeating: numbers.below(8) == 0 ? "\r" : "x", count: size) + "\r\n"
        }
        text += "0" + extensions[numbers.below(7)] + "\r\n"
        let trailers = [
            "", "", "A: b\r\n", "A:\r\nB: \tc\r\n", "A : b\r\n", ": b\r\n", " a: b\r\n",
        ]
        text += trailers[numbers.below(numbers.below(4) == 0 ? 7 : 4)] + "\r\nGET"
        var bytes = Array(text.utf8)
        if numbers.below(3) == 0 {
            let place = numbers.below(bytes.count)
            let replacement = Array("0aG\r\n; \t\"=\0".utf8)
            bytes[place] = replacement[numbers.below(replacement.count)]
        }
        if numbers.below(6) == 0 { bytes.remove(at: numbers.below(bytes.count)) }
        return bytes
    }
}

/// The whole body at once, line by line, on text.
struct NaiveChunked: Equatable {
    var body: [UInt8]
    var length: Int

    static func decode(_ bytes: [UInt8]) -> NaiveChunked? {
        var rest = bytes[...]
        var body: [UInt8] = []
        while true {
            guard let line = takeLine(&rest), let size = size(of: line) else { return nil }
            if size == 0 { break }
            guard rest.count >= size + 2 else { return nil }
            body += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard rest.starts(with: [13, 10]) else { return nil }
            rest = rest.dropFirst(2)
        }
        while let line = takeLine(&rest) {
            if line.isEmpty { return NaiveChunked(body: body, length: rest.startIndex) }
            guard let colon = line.firstIndex(of: 0x3A), isToken(line[..<colon]),
                line[colon...].allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) })
            else { return nil }
        }
        return nil
    }

    private static func takeLine(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(of: 13), end + 1 < rest.endIndex, rest[end + 1] == 10 else {
            return nil
        }
        defer { rest = rest[(end + 2)...] }
        return rest[..<end]
    }

    private static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        let marks = Set("!#$%&'*+-.^_`|~".utf8)
        return !bytes.isEmpty
            && bytes.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || marks.contains(byte)
            }
    }

    private static func size(of line: ArraySlice<UInt8>) -> Int? {
        let digits = line.prefix { byte in
            (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte)
                || (0x61...0x66).contains(byte)
        }
        guard (1...8).contains(digits.count) else { return nil }
        var extensions = line.dropFirst(digits.count)
        while !extensions.isEmpty {
            guard extensions.popFirst() == 0x3B else { return nil }
            let name = extensions.prefix { $0 != 0x3B && $0 != 0x3D }
            guard isToken(name) else { return nil }
            extensions = extensions.dropFirst(name.count)
            if extensions.first != 0x3D { continue }
            extensions = extensions.dropFirst()
            if extensions.first == 0x22 {
                guard let after = quotedEnd(extensions) else { return nil }
                extensions = extensions[after...]
            } else {
                let value = extensions.prefix { $0 != 0x3B }
                guard isToken(value) else { return nil }
                extensions = extensions.dropFirst(value.count)
            }
        }
        return Int(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private static func quotedEnd(_ text: ArraySlice<UInt8>) -> Int? {
        var index = text.startIndex + 1
        while index < text.endIndex {
            let byte = text[index]
            if byte == 0x22 { return index + 1 }
            if byte == 0x5C { index += 1 }
            guard index < text.endIndex else { return nil }
            let content = text[index]
            if content != 9, content < 32 || content == 127 { return nil }
            index += 1
        }
        return nil
    }
}
