// A connection's reading side for tests: takes bytes in pieces, and writes down what comes out of
// the parser and the body decoder. What it writes must not depend on how the bytes were cut.

import HTTP

struct ReaderLimits {
    var http = HTTPLimits()
    var bodyBytesMax = 1 << 20
}

struct RequestReader {
    private enum Stage { case head, body(BodyDecoder), over }

    private let limits: ReaderLimits
    private var buffer: [UInt8] = []
    private var parser = RequestParser()
    private var body: [UInt8] = []
    private var stage = Stage.head
    private var keepAlive = true
    private(set) var events: [String] = []

    var bytesExamined: Int { parser.bytesExamined }

    init(limits: ReaderLimits) { self.limits = limits }

    static func events(_ input: [UInt8], cutAt cuts: [Int], limits: ReaderLimits) -> String {
        var reader = RequestReader(limits: limits)
        var start = 0
        for cut in cuts + [input.count] {
            reader.receive(input[start..<cut])
            start = cut
        }
        return reader.finish()
    }

    mutating func receive(_ piece: ArraySlice<UInt8>) {
        buffer += piece
        while advance() {}
    }

    mutating func finish() -> String {
        switch stage {
        case .head: events.append(buffer.isEmpty ? "end" : "head unfinished")
        case .body: events.append("body unfinished")
        case .over: break
        }
        return events.joined(separator: "\n")
    }

    private mutating func advance() -> Bool {
        switch stage {
        case .head: return readHead()
        case .body(var decoder):
            let held = buffer
            let step = decoder.decode(held.span, into: &body)
            stage = .body(decoder)
            return take(step)
        case .over: return false
        }
    }

    private mutating func readHead() -> Bool {
        if buffer.isEmpty { return false }
        let held = buffer
        switch parser.parseHead(held.span, limits: limits.http) {
        case .needMore: return false
        case .invalid(let violation):
            events.append("\(violation.status) \(violation.subject)")
            stage = .over
            return false
        case .head(let head, let length):
            describe(head)
            buffer.removeFirst(length)
            keepAlive = head.keepAlive
            body = []
            if head.framing == .none {
                nextMessage()
            } else {
                stage = .body(
                    BodyDecoder(
                        head: head, limits: limits.http, bodyBytesMax: limits.bodyBytesMax))
            }
            return true
        }
    }

    private mutating func take(_ step: BodyStep) -> Bool {
        switch step {
        case .needMore:
            buffer = []
            return false
        case .done(let consumed):
            buffer.removeFirst(consumed)
            events.append("  body " + (body.count > 80 ? "\(body.count) bytes" : shown(body.span)))
            nextMessage()
            return true
        case .invalid(let violation):
            events.append("\(violation.status) \(violation.subject)")
            stage = .over
            return false
        case .tooLarge:
            events.append("413")
            stage = .over
            return false
        }
    }

    private mutating func nextMessage() {
        stage = .head
        if keepAlive { return }
        events.append("close")
        stage = .over
    }

    private mutating func describe(_ head: RequestHead) {
        let held = buffer
        let bytes = held.span
        var line = "\(head.method.name) \(shown(head.target.of(bytes))) 1.\(head.minorVersion)"
        line += head.keepAlive ? " keep" : " close"
        switch head.framing {
        case .none: line += " none"
        case .length(let length): line += " length \(length)"
        case .chunked: line += " chunked"
        }
        if head.expectsContinue { line += " continue" }
        events.append(line)
        if head.targetForm == .absolute { events.append("  path \(shown(head.path.of(bytes)))") }
        if let query = head.query { events.append("  query \(shown(query.of(bytes)))") }
        let isTold: Set<FieldName> = [
            .host, .contentLength, .transferEncoding, .connection, .expect,
        ]
        for field in FieldName.allCases where !isTold.contains(field) {
            var values = head.lines(of: field)
            while let value = values.next(in: bytes) {
                events.append("  \(field.name): \(shown(value.of(bytes)))")
            }
        }
    }

    private func shown(_ bytes: Span<UInt8>) -> String {
        if bytes.count > 200 { return "(\(bytes.count) bytes)" }
        var out = ""
        for index in bytes.indices {
            let byte = bytes[index]
            let isPlain = byte >= 0x20 && byte < 0x7F && byte != 0x5C
            if isPlain {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                out += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return out
    }
}

/// SplitMix64: a stream of numbers that is the same for the same seed.
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
