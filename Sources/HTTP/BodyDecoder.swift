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

    /// `bodyBytesMax` may be smaller than that of `limits` where a route allows less.
    package init(head: borrowing RequestHead, limits: HTTPLimits, bodyBytesMax: Int? = nil) {
        self.bodyBytesMax = bodyBytesMax ?? limits.bodyBytesMax
        switch head.framing {
        case .none:
            framing = .length(remaining: 0)
        case .length(let length):
            framing = .length(remaining: length)
            if length > self.bodyBytesMax { verdict = .tooLarge }
        case .chunked:
            framing = .chunked(
                ChunkedDecoder(
                    limits: limits, headBytesUsed: head.length, fieldsUsed: head.fieldCount))
        }
    }

    /// True when the head alone shows that the body is too large: answer before reading it.
    package var isTooLarge: Bool {
        if case .tooLarge = verdict { return true }
        return false
    }

    /// Appends what `bytes` hold of the body.
    package mutating func decode(_ bytes: Span<UInt8>, into body: inout [UInt8]) -> BodyStep {
        advance(bytes) { piece in
            unsafe piece.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
        }
    }

    /// Drops what `bytes` hold of the body, under the same limits.
    package mutating func skip(_ bytes: Span<UInt8>) -> BodyStep {
        advance(bytes) { _ in }
    }

    @inline(__always)
    private mutating func advance(
        _ bytes: Span<UInt8>, _ keep: (Span<UInt8>) -> Void
    ) -> BodyStep {
        if let verdict { return verdict }
        let step: BodyStep
        switch framing {
        case .length(let remaining):
            let taken = min(remaining, bytes.count)
            if taken > 0 { keep(bytes.extracting(0..<taken)) }
            decodedBytes += taken
            framing = .length(remaining: remaining - taken)
            step = taken == remaining ? .done(consumed: taken) : .needMore
        case .chunked(var decoder):
            step = advance(&decoder, bytes, keep)
            framing = .chunked(decoder)
        }
        switch step {
        case .needMore: break
        case .done: verdict = .done(consumed: 0)
        case .invalid, .tooLarge: verdict = step
        }
        return step
    }

    @inline(__always)
    private mutating func advance(
        _ decoder: inout ChunkedDecoder, _ bytes: Span<UInt8>, _ keep: (Span<UInt8>) -> Void
    ) -> BodyStep {
        var index = 0
        while true {
            switch decoder.next(bytes, &index, roomBytes: bodyBytesMax - decodedBytes) {
            case .needMore: return .needMore
            case .data(let range):
                keep(bytes.extracting(range))
                decodedBytes += range.count
            case .end: return .done(consumed: index)
            case .invalid(let violation): return .invalid(violation)
            case .tooLarge: return .tooLarge
            }
        }
    }
}
