// The cost of slow senders, counted in bytes looked at, not in time.

import HTTP
import Testing

struct ParserWorkTests {
    private func examined(fieldCount: Int, byteByByte: Bool) -> (work: Int, length: Int) {
        var text = "GET /v1/znodes/a HTTP/1.1\r\nHost: a\r\n"
        for index in 0..<fieldCount { text += "X-Field-\(index): \t a value of some length\r\n" }
        let bytes = Array((text + "\r\n").utf8)
        var limits = ReaderLimits()
        limits.http.fieldsMax = fieldCount + 1
        limits.http.headBytesMax = bytes.count
        var reader = RequestReader(limits: limits)
        if byteByByte {
            for index in bytes.indices { reader.receive(bytes[index...index]) }
        } else {
            reader.receive(bytes[...])
        }
        #expect(reader.finish().hasSuffix("end"))
        return (reader.bytesExamined, bytes.count)
    }

    @Test("Byte by byte, the work grows with the head's length, not with its square")
    func linear() {
        let small = examined(fieldCount: 50, byteByByte: true)
        let large = examined(fieldCount: 400, byteByByte: true)
        #expect(small.work <= 3 * small.length)
        #expect(large.work <= 3 * large.length)
    }

    @Test("In one piece, each byte is examined about once")
    func whole() {
        let one = examined(fieldCount: 100, byteByByte: false)
        #expect(one.work <= one.length + one.length / 5)
    }
}
