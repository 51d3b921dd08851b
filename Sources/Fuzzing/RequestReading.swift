// A connection's reading side: takes bytes in pieces and notes what the parser and the body decoder
// make of them. It also watches what they may cost: bytes held back, bytes kept, bytes looked at.

import HTTP

/// A head by what its bytes say, so that two can be compared.
struct HeadFacts: Equatable {
    struct Field: Equatable {
        let name: [UInt8]
        let value: [UInt8]
    }

    let method: Method
    let minorVersion: UInt8
    let form: TargetForm
    let target: [UInt8]
    let path: [UInt8]
    let query: [UInt8]?
    let keepAlive: Bool
    let expectsContinue: Bool
    let framing: BodyFraming
    var fields: [Field] = []

    init(_ head: RequestHead, in bytes: Span<UInt8>) {
        method = head.method
        minorVersion = head.minorVersion
        form = head.targetForm
        target = [UInt8](copying: head.target.of(bytes))
        path = [UInt8](copying: head.path.of(bytes))
        query = head.query.map { [UInt8](copying: $0.of(bytes)) }
        keepAlive = head.keepAlive
        expectsContinue = head.expectsContinue
        framing = head.framing
        var lines = head.allLines
        while let line = lines.next(in: bytes) {
            fields.append(
                Field(
                    name: [UInt8](copying: line.name.of(bytes)),
                    value: [UInt8](copying: line.value.of(bytes))))
        }
    }

    /// The same head, written as short as can be.
    var rewritten: [UInt8] {
        var bytes = Array("\(method.name) ".utf8) + target
        bytes += Array(" HTTP/1.\(minorVersion)\r\n".utf8)
        for field in fields { bytes += field.name + [0x3A] + field.value + [0x0D, 0x0A] }
        return bytes + [0x0D, 0x0A]
    }
}

enum RequestEvent: Equatable {
    case head(HeadFacts)
    case body([UInt8])
    case refused(HTTPViolation)
    case tooLarge
    case unfinished(body: Bool)
}

struct RequestReading {
    private enum Stage { case head, body(BodyDecoder), over }

    private let limits: HTTPLimits
    private let bodyBytesMax: Int
    private var buffer: [UInt8] = []
    private var parser = RequestParser()
    private var stage = Stage.head
    private var body: [UInt8] = []
    private var keepAlive = true
    private var given = 0
    private var calls = 0
    private(set) var events: [RequestEvent] = []

    static func events(
        _ bytes: [UInt8], cutAt cuts: [Int], _ limits: HTTPLimits, bodyBytesMax: Int
    ) throws(BrokenProperty) -> [RequestEvent] {
        var reading = RequestReading(limits: limits, bodyBytesMax: bodyBytesMax)
        var start = 0
        for cut in cuts + [bytes.count] {
            try reading.receive(bytes[start..<cut])
            start = cut
        }
        switch reading.stage {
        case .head: reading.events.append(.unfinished(body: false))
        case .body: reading.events.append(.unfinished(body: true))
        case .over: break
        }
        return reading.events
    }

    private init(limits: HTTPLimits, bodyBytesMax: Int) {
        self.limits = limits
        self.bodyBytesMax = bodyBytesMax
    }

    private mutating func receive(_ piece: ArraySlice<UInt8>) throws(BrokenProperty) {
        if case .over = stage { return }
        given += piece.count
        buffer += piece
        while try advance() {}
        if case .over = stage { return }
        try hold(buffer.count <= limits.headBytesMax, "\(buffer.count) bytes wait for a head's end")
        try hold(body.count <= bodyBytesMax, "a body of \(body.count) bytes is kept")
        try hold(
            parser.bytesExamined <= given + 4 * calls,
            "\(parser.bytesExamined) bytes examined of \(given) in \(calls) calls")
    }

    private mutating func advance() throws(BrokenProperty) -> Bool {
        switch stage {
        case .head:
            return buffer.isEmpty ? false : try readHead()
        case .body(var decoder):
            let held = buffer
            let step = decoder.decode(held.span, into: &body)
            stage = .body(decoder)
            try hold(
                decoder.decodedBytes == body.count,
                "\(decoder.decodedBytes) bytes decoded, \(body.count) given out")
            return try take(step)
        case .over: return false
        }
    }

    private mutating func readHead() throws(BrokenProperty) -> Bool {
        let held = buffer
        calls += 1
        switch parser.parseHead(held.span, limits: limits) {
        case .needMore: return false
        case .invalid(let violation):
            // What was refused stays refused, whatever follows.
            guard case .invalid(violation) = parser.parseHead(held.span, limits: limits) else {
                throw BrokenProperty(description: "\(violation) was taken back")
            }
            return end(with: .refused(violation))
        case .head(let head, let length):
            try hold(length > 0 && length <= held.count, "a head of \(length) of \(held.count)")
            try hold(head.length == length, "a head of \(head.length) and of \(length) bytes")
            try HTTPProperties.check(head, in: held.span)
            events.append(.head(HeadFacts(head, in: held.span)))
            buffer.removeFirst(length)
            keepAlive = head.keepAlive
            body = []
            stage = .body(BodyDecoder(head: head, limits: limits, bodyBytesMax: bodyBytesMax))
            return true
        }
    }

    private mutating func take(_ step: BodyStep) throws(BrokenProperty) -> Bool {
        switch step {
        case .needMore:
            buffer = []
            return false
        case .done(let consumed):
            try hold(
                consumed >= 0 && consumed <= buffer.count, "\(consumed) of \(buffer.count) taken")
            buffer.removeFirst(consumed)
            events.append(.body(body))
            stage = keepAlive ? .head : .over
            return keepAlive
        case .invalid(let violation): return end(with: .refused(violation))
        case .tooLarge: return end(with: .tooLarge)
        }
    }

    private mutating func end(with event: RequestEvent) -> Bool {
        events.append(event)
        stage = .over
        return false
    }
}
