// The syntax of the lines of a head: the request line (RFC 9112 3) and field lines (RFC 9112 5).
// What a field means is decided when the head is complete, not here.

extension RequestHead {
    /// method SP request-target SP HTTP-version, with exactly those spaces.
    mutating func parseRequestLine(_ bytes: Span<UInt8>, _ line: Range<Int>) -> HTTPViolation? {
        var index = line.lowerBound
        while index < line.upperBound, Octets.isToken(bytes[index]) { index += 1 }
        let methodRange = line.lowerBound..<index
        guard !methodRange.isEmpty, index < line.upperBound, bytes[index] == Octets.space else {
            return .requestLineForm
        }
        let targetStart = index + 1
        let targetEnd = Octets.first(
            Octets.space, in: bytes, from: targetStart, to: line.upperBound)
        guard targetEnd > targetStart, line.upperBound - targetEnd == 9 else {
            return .requestLineForm
        }
        if let violation = parseVersion(bytes, at: targetEnd + 1) { return violation }
        guard let method = Method.find(bytes.extracting(methodRange)) else {
            return .unknownMethod
        }
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
        let isVersion =
            word & 0x00FF_00FF_FFFF_FFFF == 0x002E_002F_5054_5448
            && Octets.isDigit(bytes[offset + 5]) && Octets.isDigit(bytes[offset + 7])
        return isVersion ? .unsupportedVersion : .requestLineForm
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
        var index = range.lowerBound
        while index < range.upperBound, bytes[index] != 0x3F {
            if !Octets.isTarget(bytes[index]) { return .targetCharacter }
            index += 1
        }
        path = ByteRange(range.lowerBound..<index)
        if index == range.upperBound { return nil }
        index += 1
        query = ByteRange(index..<range.upperBound)
        while index < range.upperBound {
            if !Octets.isTarget(bytes[index]) { return .targetCharacter }
            index += 1
        }
        return nil
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
            query = ByteRange((rest.lowerBound + 1)..<rest.upperBound)
            for index in rest where !Octets.isTarget(bytes[index]) { return .targetCharacter }
            return nil
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
        _ bytes: Span<UInt8>, _ line: Range<Int>, _ limits: HTTPLimits
    ) -> HTTPViolation? {
        fieldCount += 1
        if fieldCount > limits.fieldsMax { return .tooManyFields }
        var index = line.lowerBound
        while index < line.upperBound, Octets.isToken(bytes[index]) { index += 1 }
        let name = line.lowerBound..<index
        guard index < line.upperBound, bytes[index] == 0x3A, !name.isEmpty else {
            return .fieldLine(bytes, line, stoppedAt: index)
        }
        guard let field = FieldName.find(bytes, name) else { return nil }
        let value = Octets.trimmed(bytes, (index + 1)..<line.upperBound)
        return record(field, value) ? nil : .repeated(field)
    }
}

extension HTTPViolation {
    static let requestLineTooLong = HTTPViolation(
        414, "request line", "The request line is too long: shorten the path or the query.")
    static let fieldLineTooLong = HTTPViolation(
        431, "field line", "A field line of the head is too long: send a shorter value.")
    static let headTooLarge = HTTPViolation(
        431, "head", "The head is too large: send fewer or shorter fields.")
    static let tooManyFields = HTTPViolation(
        431, "head", "The head has too many fields: send fewer.")
    static let bareCarriageReturn = malformed(
        "line end", "A CR stands without its LF: end each line of the head with CR LF.")
    static let bareLineFeed = malformed(
        "line end", "An LF stands without its CR: end each line of the head with CR LF.")
    static let controlCharacter = malformed(
        "head", "The head holds a control character: remove it.")
    static let requestLineForm = malformed(
        "request line", "Write the request line as: method, space, target, space, HTTP/1.1.")
    static let targetForm = malformed(
        "request target", "Write the request target as a path that starts with /.")
    static let targetCharacter = malformed(
        "request target", "The request target holds a character that must be percent-encoded.")
    static let asteriskTarget = malformed(
        "request target", "The target * goes with OPTIONS only.")
    static let unsupportedVersion = HTTPViolation(
        505, "HTTP version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    static let unknownMethod = HTTPViolation(
        501, "method", "Use GET, HEAD, PUT, POST, DELETE or OPTIONS.")

    static func fieldLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>, stoppedAt index: Int
    ) -> HTTPViolation {
        let isBlank =
            index < line.upperBound
            && (bytes[index] == Octets.space || bytes[index] == Octets.tab)
        if isBlank, index == line.lowerBound {
            return malformed("field line", "A field line starts with a space: fold no lines.")
        }
        if isBlank {
            return malformed("field name", "Put no space between a field's name and its colon.")
        }
        return malformed("field name", "Write each field line as: name, colon, value.")
    }

    static func repeated(_ field: FieldName) -> HTTPViolation {
        malformed(field.name, "This field may come only once.")
    }
}
