// Takes a request's body out of the bytes behind its head (RFC 9112 6), incrementally and exactly:
// not one byte of the next request is taken, and no more than `bodyBytesMax` is ever kept.

package enum BodyStep: Sendable {
    /// All bytes given were taken; the body goes on.
    case needMore
    /// The body is complete; the next request starts `consumed` bytes into those given.
    case done(consumed: Int)
    /// Answer and close.
    case invalid(HTTPViolation)
    /// The body is larger than allowed: answer 413 and close.
    case tooLarge
}

package struct BodyDecoder: Sendable {
    private enum Framing: Sendable {
        case length(remaining: Int)
        case chunked(ChunkedDecoder)
    }

    private var framing: Framing
    private var verdict: BodyStep?
    private let bodyBytesMax: Int
    /// How many bytes of the body came so far, coding taken off.
    package private(set) var decodedBytes = 0

    package init(head: borrowing RequestHead, limits: HTTPLimits, bodyBytesMax: Int) {
        self.bodyBytesMax = bodyBytesMax
        switch head.framing {
        case .none:
            framing = .length(remaining: 0)
        case .length(let length):
            framing = .length(remaining: length)
            if length > bodyBytesMax { verdict = .tooLarge }
        case .chunked:
            framing = .chunked(
                ChunkedDecoder(
                    limits: limits, headBytesUsed: head.length, fieldsUsed: head.fieldCount))
        }
    }

    /// Appends what `bytes` hold of the body.
    package mutating func decode(_ bytes: Span<UInt8>, into body: inout [UInt8]) -> BodyStep {
        if let verdict { return verdict }
        let step: BodyStep
        switch framing {
        case .length(let remaining):
            let taken = min(remaining, bytes.count)
            keep(bytes.extracting(0..<taken), in: &body)
            framing = .length(remaining: remaining - taken)
            step = taken == remaining ? .done(consumed: taken) : .needMore
        case .chunked(var decoder):
            step = decode(&decoder, bytes, into: &body)
            framing = .chunked(decoder)
        }
        switch step {
        case .needMore: break
        case .done: verdict = .done(consumed: 0)
        case .invalid, .tooLarge: verdict = step
        }
        return step
    }

    private mutating func keep(_ piece: Span<UInt8>, in body: inout [UInt8]) {
        unsafe piece.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
        decodedBytes += piece.count
    }

    private mutating func decode(
        _ decoder: inout ChunkedDecoder, _ bytes: Span<UInt8>, into body: inout [UInt8]
    ) -> BodyStep {
        var index = 0
        while true {
            switch decoder.next(bytes, &index, roomBytes: bodyBytesMax - decodedBytes) {
            case .needMore: return .needMore
            case .data(let range): keep(bytes.extracting(range), in: &body)
            case .end: return .done(consumed: index)
            case .invalid(let violation): return .invalid(violation)
            case .tooLarge: return .tooLarge
            }
        }
    }
}
