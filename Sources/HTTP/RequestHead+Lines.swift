// The syntax of the lines of a head: the request line (RFC 9112 3) and field lines (RFC 9112 5).
// What a field means is decided when the head is complete, not here.

extension RequestHead {
    /// method SP request-target SP HTTP-version, with exactly those spaces.
    mutating func parseRequestLine(_ bytes: Span<UInt8>, _ line: Range<Int>) -> HTTPViolation? {
        let index = Octets.first(
            outside: Octets.token, in: bytes, from: line.lowerBound, to: line.upperBound)
        let methodRange = line.lowerBound..<index
        guard !methodRange.isEmpty, index < line.upperBound, bytes[index] == Octets.space else {
            return .requestLineForm
        }
        // The version has eight bytes and a space before it; the rest is the target.
        let targetStart = index + 1
        let targetEnd = line.upperBound - 9
        guard targetEnd > targetStart, bytes[targetEnd] == Octets.space,
            bytes[targetStart] != Octets.space
        else { return .requestLineForm }
        if let violation = parseVersion(bytes, at: targetEnd + 1) { return violation }
        guard let method = Method.find(bytes, methodRange) else { return .unknownMethod }
        self.method = method
        return parseTarget(bytes, targetStart..<targetEnd)
    }

    private mutating func parseVersion(_ bytes: Span<UInt8>, at offset: Int) -> HTTPViolation? {
        let word = Octets.load8(bytes, offset)
        // "HTTP/1.1" and "HTTP/1.0", the first letter in the lowest byte.
        if word == 0x312E_312F_5054_5448 {
            minorVersion = 1
            return nil
        }
        if word == 0x302E_312F_5054_5448 {
            minorVersion = 0
            return nil
        }
        // Another major version is told so; a minor one that HTTP/1 does not have is malformed.
        let isOtherMajor =
            word & 0x00FF_00FF_FFFF_FFFF == 0x002E_002F_5054_5448 && bytes[offset + 5] != 0x31
            && Octets.isDigit(bytes[offset + 5]) && Octets.isDigit(bytes[offset + 7])
        return isOtherMajor ? .unsupportedVersion : .requestLineForm
    }

    private mutating func parseTarget(_ bytes: Span<UInt8>, _ range: Range<Int>) -> HTTPViolation? {
        target = ByteRange(range)
        if bytes[range.lowerBound] == 0x2F {
            targetForm = .origin
            return parsePath(bytes, range)
        }
        if range.count == 1, bytes[range.lowerBound] == 0x2A {
            targetForm = .asterisk
            path = target
            return method == .options ? nil : .asteriskTarget
        }
        return parseAbsolute(bytes, range)
    }

    private mutating func parsePath(_ bytes: Span<UInt8>, _ range: Range<Int>) -> HTTPViolation? {
        let end = Octets.first(
            outside: Octets.path, lowest: 0x2D, in: bytes, from: range.lowerBound,
            to: range.upperBound)
        path = ByteRange(range.lowerBound..<end)
        if end == range.upperBound { return nil }
        if bytes[end] == 0x3F { return parseQuery(bytes, (end + 1)..<range.upperBound) }
        return RequestHead.whyNoTarget(bytes[end])
    }

    private mutating func parseQuery(_ bytes: Span<UInt8>, _ range: Range<Int>) -> HTTPViolation? {
        query = ByteRange(range)
        let end = Octets.first(
            outside: Octets.query, lowest: 0x2D, in: bytes, from: range.lowerBound,
            to: range.upperBound)
        return end == range.upperBound ? nil : RequestHead.whyNoTarget(bytes[end])
    }

    private static func whyNoTarget(_ byte: UInt8) -> HTTPViolation {
        byte == Octets.space || byte == Octets.tab ? .requestLineForm : .targetCharacter
    }

    /// scheme "://" authority path [ "?" query ]; the authority is compared when Host is known.
    private mutating func parseAbsolute(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) -> HTTPViolation? {
        guard let authority = RequestHead.authority(bytes, target: range) else {
            return .targetForm
        }
        targetForm = .absolute
        let rest = authority.upperBound..<range.upperBound
        if rest.isEmpty || bytes[rest.lowerBound] != 0x2F {
            // RFC 9110 4.2.3: an empty path is "/". There is one in "://", so the path lies there.
            path = ByteRange((authority.lowerBound - 1)..<authority.lowerBound)
            if rest.isEmpty { return nil }
            return parseQuery(bytes, (rest.lowerBound + 1)..<rest.upperBound)
        }
        return parsePath(bytes, rest)
    }

    /// The authority of a target in absolute form, of scheme http or https.
    static func authority(_ bytes: Span<UInt8>, target: Range<Int>) -> Range<Int>? {
        let lower = target.lowerBound
        let start: Int
        if target.count > 7, Octets.equal(bytes, lower..<(lower + 7), ignoringCase: "http://") {
            start = lower + 7
        } else if target.count > 8,
            Octets.equal(bytes, lower..<(lower + 8), ignoringCase: "https://")
        {
            start = lower + 8
        } else {
            return nil
        }
        var end = start
        while end < target.upperBound, bytes[end] != 0x2F, bytes[end] != 0x3F { end += 1 }
        return end == start ? nil : start..<end
    }

    /// field-name ":" OWS field-value OWS, on one line.
    mutating func parseFieldLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>, fieldsMax: Int
    ) -> HTTPViolation? {
        fieldCount += 1
        if fieldCount > fieldsMax { return .tooManyFields }
        let colon = Octets.first(0x3A, in: bytes, from: line.lowerBound, to: line.upperBound)
        let name = line.lowerBound..<colon
        guard colon < line.upperBound, let field = FieldName.find(bytes, name) else {
            // Only the names that are not known must be looked at, byte by byte.
            let end = Octets.first(
                outside: Octets.token, in: bytes, from: line.lowerBound, to: line.upperBound)
            if end == colon, colon < line.upperBound, !name.isEmpty { return nil }
            return RequestHead.whyNoField(bytes, line, stoppedAt: end)
        }
        let value = Octets.trimmed(bytes, (colon + 1)..<line.upperBound)
        return record(field, value) ? nil : .repeatedField(field)
    }

    private static func whyNoField(
        _ bytes: Span<UInt8>, _ line: Range<Int>, stoppedAt index: Int
    ) -> HTTPViolation {
        let isBlank =
            index < line.upperBound
            && (bytes[index] == Octets.space || bytes[index] == Octets.tab)
        if isBlank { return index == line.lowerBound ? .foldedLine : .spaceBeforeColon }
        return .fieldLineForm
    }
}
