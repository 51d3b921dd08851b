// What the fields of a complete head say about the message itself: who is asked (Host), where the
// body ends (RFC 9112 6.3), whether the connection stays (RFC 9112 9.3), and 100-continue.

extension RequestHead {
    mutating func settle(_ bytes: Span<UInt8>) -> HTTPViolation? {
        if let violation = checkHost(bytes) { return violation }
        if let violation = settleFraming(bytes) { return violation }
        if let violation = settleExpectation(bytes) { return violation }
        settleKeepAlive(bytes)
        return nil
    }

    /// RFC 9112 3.2: exactly one valid Host in HTTP/1.1. A second line was refused before.
    private func checkHost(_ bytes: Span<UInt8>) -> HTTPViolation? {
        guard let host = range(of: .host)?.range else {
            return minorVersion == 1 || targetForm == .absolute ? .missingHost : nil
        }
        if !RequestHead.isHost(bytes, host) { return .invalidHost }
        if targetForm != .absolute { return nil }
        guard let authority = RequestHead.authority(bytes, target: target.range),
            authority.count == host.count
        else { return .differentHost }
        for step in 0..<host.count {
            let one = Octets.lowercased(bytes[authority.lowerBound + step])
            if one != Octets.lowercased(bytes[host.lowerBound + step]) { return .differentHost }
        }
        return nil
    }

    /// uri-host [ ":" port ] of RFC 9110 7.2, not empty; an IP literal must be an IPv6 address's
    /// letters. Which hosts are served is the gateway's to say.
    static func isHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        if range.isEmpty { return false }
        if bytes[index] == 0x5B {
            index += 1
            let start = index
            while index < range.upperBound, bytes[index] != 0x5D {
                let byte = bytes[index]
                if Octets.hexValue(byte) == nil, byte != 0x3A, byte != 0x2E { return false }
                index += 1
            }
            if index == range.upperBound || index - start < 2 { return false }
            index += 1
        } else {
            index = Octets.first(
                outside: Octets.registeredName, lowest: 0x30, in: bytes, from: index,
                to: range.upperBound)
            if index == range.lowerBound { return false }
        }
        if index == range.upperBound { return true }
        if bytes[index] != 0x3A || range.upperBound - index > 6 { return false }
        var port = 0
        for place in (index + 1)..<range.upperBound {
            if !Octets.isDigit(bytes[place]) { return false }
            port = port * 10 + Int(bytes[place] - 0x30)
        }
        return port <= 65535
    }

    private mutating func settleFraming(_ bytes: Span<UInt8>) -> HTTPViolation? {
        if let coding = range(of: .transferEncoding)?.range {
            if minorVersion == 0 { return .transferEncodingIn10 }
            if has(.contentLength) { return .lengthAndCoding }
            if let violation = RequestHead.checkCoding(bytes, coding) { return violation }
            framing = .chunked
        } else if let value = range(of: .contentLength) {
            // Ten digits hold more than any body that is accepted, and never overflow.
            guard value.count <= 10, let length = DecimalParsing.parse(value.of(bytes)) else {
                return .contentLength
            }
            framing = .length(Int(length))
        }
        return nil
    }

    /// Nil for exactly one `chunked`. Another coding, alone, is 501; a list of them is refused like
    /// every form that two servers could read differently.
    private static func checkCoding(_ bytes: Span<UInt8>, _ value: Range<Int>) -> HTTPViolation? {
        if Octets.equal(bytes, value, ignoringCase: "chunked") { return nil }
        return Octets.isToken(bytes, value) ? .unknownCoding : .transferEncoding
    }

    private mutating func settleExpectation(_ bytes: Span<UInt8>) -> HTTPViolation? {
        guard let value = range(of: .expect)?.range else { return nil }
        guard Octets.equal(bytes, value, ignoringCase: "100-continue") else {
            return .unknownExpectation
        }
        // RFC 9110 10.1.1: ignored in HTTP/1.0; needless without a body.
        let hasBody = framing != .none && framing != .length(0)
        expectsContinue = minorVersion == 1 && hasBody
        return nil
    }

    private mutating func settleKeepAlive(_ bytes: Span<UInt8>) {
        keepAlive = minorVersion == 1
        guard has(.connection) else { return }
        var values = lines(of: .connection)
        while let value = values.next(in: bytes) {
            var options = ListElements(value.range)
            while let option = options.next(in: bytes) {
                if Octets.equal(bytes, option, ignoringCase: "close") {
                    keepAlive = false
                    return
                }
                if Octets.equal(bytes, option, ignoringCase: "keep-alive") { keepAlive = true }
            }
        }
    }
}

/// The elements of a comma-separated list (RFC 9110 5.6.1) whose elements hold no quoted commas.
/// Spaces around an element are left out; empty elements come as empty ranges.
package struct ListElements: Sendable {
    private var next: Int
    private let end: Int

    package init(_ value: Range<Int>) {
        next = value.lowerBound
        end = value.upperBound
    }

    package mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        if next > end { return nil }
        let comma = Octets.first(0x2C, in: bytes, from: next, to: end)
        let element = Octets.trimmed(bytes, next..<comma)
        next = comma + 1
        return element
    }
}
