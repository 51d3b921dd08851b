// Reads the head of an HTTP/1.1 request (RFC 9112) from bytes that come in any pieces. It is
// strict: what two readers could take differently is refused, never repaired. The same bytes give
// the same verdict however they are cut, and each byte is examined a bounded number of times.

package enum HeadResult: Sendable {
    /// The head has no end yet: call again with the same bytes and more behind them.
    case needMore
    /// `length` bytes make the head.
    case head(RequestHead, length: Int)
    /// Answer and close.
    case invalid(HTTPViolation)
}

package struct RequestParser: Sendable {
    private enum Phase: Sendable { case start, requestLine, fieldLines, failed(HTTPViolation) }

    private var phase = Phase.start
    private var lineStart = 0
    // Invariant: no byte of lineStart..<position is a control byte other than a tab.
    private var position = 0
    private var fieldsStart = 0
    private var head = RequestHead()
    /// The work done so far: how often a byte was looked at for a line's end.
    package private(set) var bytesExamined = 0

    package init() {}

    /// Goes on with the head at the start of `bytes`. After `.needMore` the caller gives the same
    /// bytes again, with more behind them; after `.head` the next call starts a new head.
    package mutating func parseHead(
        _ bytes: Span<UInt8>, limits: borrowing HTTPLimits
    ) -> HeadResult {
        switch advance(bytes, limits) {
        case .needMore:
            return .needMore
        case .invalid(let violation):
            phase = .failed(violation)
            return .invalid(violation)
        case .at(let length):
            phase = .start
            return .head(head, length: length)
        }
    }

    /// `.at` the end of the head.
    private mutating func advance(_ bytes: Span<UInt8>, _ limits: borrowing HTTPLimits) -> Found {
        let headBytesMax = min(limits.headBytesMax, HTTPLimits.headBytesMost)
        while true {
            switch phase {
            case .start:
                let found = findStart(bytes)
                guard case .at(let offset) = found else { return found }
                lineStart = offset
                position = offset
                head.restart()
                phase = .requestLine
            case .requestLine:
                let found = findLine(
                    bytes, limits.requestLineBytesMax, headBytesMax, .requestLineTooLong)
                guard case .at(let end) = found else { return found }
                let violation = head.parseRequestLine(bytes, takeLine(endingAt: end))
                if let violation { return .invalid(violation) }
                fieldsStart = lineStart
                phase = .fieldLines
            case .fieldLines:
                let found = findLine(
                    bytes, limits.fieldLineBytesMax, headBytesMax, .fieldLineTooLong)
                guard case .at(let end) = found else { return found }
                let line = takeLine(endingAt: end)
                if line.isEmpty { return settle(bytes, emptyLine: end) }
                let violation = head.parseFieldLine(bytes, line, fieldsMax: limits.fieldsMax)
                if let violation { return .invalid(violation) }
            case .failed(let violation):
                return .invalid(violation)
            }
        }
    }

    private mutating func settle(_ bytes: Span<UInt8>, emptyLine: Int) -> Found {
        head.length = lineStart
        head.fieldLines = ByteRange(fieldsStart..<emptyLine)
        if let violation = head.settle(bytes) { return .invalid(violation) }
        return .at(lineStart)
    }

    private enum Found { case needMore, invalid(HTTPViolation), at(Int) }

    /// One empty line before the request line is skipped (RFC 9112 2.2).
    private func findStart(_ bytes: Span<UInt8>) -> Found {
        if bytes.isEmpty { return .needMore }
        var start = 0
        if bytes[0] == Octets.carriageReturn {
            if bytes.count < 2 { return .needMore }
            if bytes[1] != Octets.lineFeed { return .invalid(.bareCarriageReturn) }
            if bytes.count < 3 { return .needMore }
            start = 2
        }
        return Octets.token.contains(bytes[start]) ? .at(start) : .invalid(.requestLineForm)
    }

    /// Where the CR of the line that starts at `lineStart` is.
    @inline(__always)
    private mutating func findLine(
        _ bytes: Span<UInt8>, _ lineBytesMax: Int, _ headBytesMax: Int, _ tooLong: HTTPViolation
    ) -> Found {
        let lineLimit = lineStart &+ lineBytesMax &+ 1
        let end = min(bytes.count, lineLimit, headBytesMax)
        if position < end {
            let found = Octets.firstControl(bytes, from: position, to: end)
            bytesExamined &+= found &- position
            position = found
            if end &- found >= 2, bytes[found] == Octets.carriageReturn,
                bytes[found &+ 1] == Octets.lineFeed
            {
                return .at(found)
            }
        }
        return findUnusualLine(bytes, end, lineLimit, headBytesMax, tooLong)
    }

    /// Goes on where a line has no end yet, holds tabs or meets a limit.
    @inline(never)
    private mutating func findUnusualLine(
        _ bytes: Span<UInt8>, _ end: Int, _ lineLimit: Int, _ headBytesMax: Int,
        _ tooLong: HTTPViolation
    ) -> Found {
        while true {
            let found = position < end ? Octets.firstControl(bytes, from: position, to: end) : end
            bytesExamined += found - position + 1
            position = found
            if found >= end {
                if end == lineLimit { return .invalid(tooLong) }
                return end == headBytesMax ? .invalid(.headTooLarge) : .needMore
            }
            switch bytes[found] {
            case Octets.tab:
                position = found + 1
            case Octets.carriageReturn:
                if found + 1 == bytes.count { return .needMore }
                if bytes[found + 1] != Octets.lineFeed { return .invalid(.bareCarriageReturn) }
                return found + 2 > headBytesMax ? .invalid(.headTooLarge) : .at(found)
            case Octets.lineFeed:
                return .invalid(.bareLineFeed)
            default:
                return .invalid(.controlCharacter)
            }
        }
    }

    private mutating func takeLine(endingAt end: Int) -> Range<Int> {
        let line = lineStart..<end
        lineStart = end + 2
        position = end + 2
        return line
    }
}
