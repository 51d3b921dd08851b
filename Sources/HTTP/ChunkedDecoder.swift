// The chunked transfer coding (RFC 9112 7.1), one state machine for all cuts of its bytes. Chunk
// extensions are checked and ignored, trailers are checked and dropped, never merged into the head.
// Spaces around extensions, which the RFC calls bad whitespace, are refused.

struct ChunkedDecoder: Sendable {
    enum Event {
        case needMore
        /// A piece of a chunk's data, at this place of the bytes given.
        case data(Range<Int>)
        case end
        case invalid(HTTPViolation)
        case tooLarge
    }

    private enum State: Sendable {
        case sizeStart, size
        case extensionNameStart, extensionName, extensionValueStart, extensionToken
        case extensionQuoted, extensionPair, extensionQuotedEnd
        case sizeLineFeed
        case data, dataCarriageReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
        case end
    }

    private enum Verdict { case fine, invalid(HTTPViolation), tooLarge }

    private let limits: HTTPLimits
    private var state = State.sizeStart
    /// The chunk's size while it is read, then what is left of its data.
    private var remaining = 0
    private var sizeDigits = 0
    private var extensionBytes = 0
    private var bodyExtensionBytes = 0
    private var trailerLineBytes = 0
    /// Head and trailers together are under the head's limits.
    private var headBytes: Int
    private var fields: Int

    init(limits: HTTPLimits, headBytesUsed: Int, fieldsUsed: Int) {
        self.limits = limits
        headBytes = headBytesUsed
        fields = fieldsUsed
    }

    /// Goes on at `index` until there is data, an end or a violation. A chunk that announces more
    /// than `roomBytes` is too large at once.
    mutating func next(_ bytes: Span<UInt8>, _ index: inout Int, roomBytes: Int) -> Event {
        while state != .end {
            if index == bytes.count { return .needMore }
            if state == .data {
                let taken = min(remaining, bytes.count - index)
                let piece = index..<(index + taken)
                index += taken
                remaining -= taken
                if remaining == 0 { state = .dataCarriageReturn }
                return .data(piece)
            }
            switch take(bytes[index], roomBytes) {
            case .fine: index += 1
            case .invalid(let violation): return .invalid(violation)
            case .tooLarge: return .tooLarge
            }
        }
        return .end
    }

    private mutating func take(_ byte: UInt8, _ roomBytes: Int) -> Verdict {
        switch state {
        case .sizeStart, .size:
            return takeSize(byte)
        case .extensionNameStart, .extensionName, .extensionValueStart, .extensionToken,
            .extensionQuoted, .extensionPair, .extensionQuotedEnd:
            return takeExtension(byte)
        case .sizeLineFeed:
            if byte != Octets.lineFeed { return .invalid(.chunkLineEnd) }
            if remaining > roomBytes { return .tooLarge }
            state = remaining == 0 ? .trailerStart : .data
        case .dataCarriageReturn:
            if byte != Octets.carriageReturn { return .invalid(.chunkDataEnd) }
            state = .dataLineFeed
        case .dataLineFeed:
            if byte != Octets.lineFeed { return .invalid(.chunkDataEnd) }
            state = .sizeStart
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            return takeTrailer(byte)
        case .data, .end:
            fatalError("a byte of chunk data or behind the body came as a control byte")
        }
        return .fine
    }

    private mutating func takeSize(_ byte: UInt8) -> Verdict {
        if state == .sizeStart {
            remaining = 0
            sizeDigits = 0
            extensionBytes = 0
        }
        if let digit = Octets.hexValue(byte) {
            sizeDigits += 1
            // Eight digits hold more than any body that is accepted, and never overflow.
            if sizeDigits > 8 { return .invalid(.chunkSize) }
            remaining = remaining &<< 4 | Int(digit)
            state = .size
            return .fine
        }
        if state == .sizeStart { return .invalid(.chunkSize) }
        return endExtension(byte, otherwise: .chunkSize)
    }

    /// After a size, a name or a value: the line ends, or another extension follows.
    private mutating func endExtension(
        _ byte: UInt8, otherwise violation: HTTPViolation
    ) -> Verdict {
        switch byte {
        case Octets.carriageReturn: state = .sizeLineFeed
        case 0x3B: return countExtension(.extensionNameStart)
        default: return .invalid(violation)
        }
        return .fine
    }

    private mutating func countExtension(_ next: State) -> Verdict {
        extensionBytes += 1
        bodyExtensionBytes += 1
        if extensionBytes > limits.chunkExtensionBytesMax
            || bodyExtensionBytes > limits.bodyExtensionBytesMax
        {
            return .invalid(.chunkExtensionTooLong)
        }
        state = next
        return .fine
    }

    private mutating func takeExtension(_ byte: UInt8) -> Verdict {
        switch state {
        case .extensionNameStart where Octets.token.contains(byte),
            .extensionName where Octets.token.contains(byte):
            return countExtension(.extensionName)
        case .extensionName where byte == 0x3D:
            return countExtension(.extensionValueStart)
        case .extensionValueStart where byte == 0x22:
            return countExtension(.extensionQuoted)
        case .extensionValueStart where Octets.token.contains(byte),
            .extensionToken where Octets.token.contains(byte):
            return countExtension(.extensionToken)
        case .extensionQuoted where byte == 0x22:
            return countExtension(.extensionQuotedEnd)
        case .extensionQuoted where byte == 0x5C:
            return countExtension(.extensionPair)
        case .extensionQuoted where ChunkedDecoder.isText(byte),
            .extensionPair where ChunkedDecoder.isText(byte):
            return countExtension(.extensionQuoted)
        case .extensionName, .extensionToken, .extensionQuotedEnd:
            return endExtension(byte, otherwise: .chunkExtension)
        default:
            return .invalid(.chunkExtension)
        }
    }

    private static func isText(_ byte: UInt8) -> Bool {
        (byte >= 0x20 && byte != 0x7F) || byte == Octets.tab
    }

    private mutating func takeTrailer(_ byte: UInt8) -> Verdict {
        headBytes += 1
        if headBytes > limits.headBytesMax { return .invalid(.trailersTooLarge) }
        switch state {
        case .trailerStart where byte == Octets.carriageReturn:
            state = .lastLineFeed
        case .trailerStart where Octets.token.contains(byte):
            fields += 1
            if fields > limits.fieldsMax { return .invalid(.trailersTooLarge) }
            trailerLineBytes = 1
            state = .trailerName
        case .trailerName where Octets.token.contains(byte):
            return countTrailerLine()
        case .trailerName where byte == 0x3A:
            state = .trailerValue
            return countTrailerLine()
        case .trailerValue where ChunkedDecoder.isText(byte):
            return countTrailerLine()
        case .trailerValue where byte == Octets.carriageReturn:
            state = .trailerLineFeed
        case .trailerLineFeed where byte == Octets.lineFeed:
            state = .trailerStart
        case .lastLineFeed where byte == Octets.lineFeed:
            state = .end
        default:
            return .invalid(.trailer)
        }
        return .fine
    }

    private mutating func countTrailerLine() -> Verdict {
        trailerLineBytes += 1
        return trailerLineBytes > limits.fieldLineBytesMax ? .invalid(.trailersTooLarge) : .fine
    }
}
