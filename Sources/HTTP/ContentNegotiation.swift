// What a client would like to get: Accept (RFC 9110 12.5.1) for the few types that are served, and
// the wait of Prefer (RFC 7240). Wishes, not orders: an element that is malformed is passed over.

@usableFromInline
package enum MediaType: Int, Sendable, CaseIterable {
    case json, octetStream, eventStream

    @inlinable
    package var name: StaticString {
        switch self {
        case .json: "application/json"
        case .octetStream: "application/octet-stream"
        case .eventStream: "text/event-stream"
        }
    }

    var range: StaticString {
        switch self {
        case .json, .octetStream: "application/*"
        case .eventStream: "text/*"
        }
    }
}

/// How much each served type is wanted, in thousandths (RFC 9110 12.4.2).
@usableFromInline
package struct AcceptedTypes: Sendable {
    private var weights = InlineArray<3, Int>(repeating: 0)
    // 0 not met, 1 by */*, 2 by type/*, 3 by its name: the most specific range counts.
    private var specificities = InlineArray<3, Int>(repeating: 0)

    /// Without an Accept field every type is as good as another.
    package init(head: borrowing RequestHead, bytes: Span<UInt8>) {
        guard head.has(.accept) else {
            weights = InlineArray(repeating: 1000)
            return
        }
        var values = head.lines(of: .accept)
        while let value = values.next(in: bytes) {
            var parts = ParameterizedElements(value.range)
            while let element = parts.next(in: bytes) { consider(bytes, element) }
        }
    }

    package func weight(of type: MediaType) -> Int { weights[type.rawValue] }

    /// The type is listed by its own name, and not with a weight of 0.
    package func names(_ type: MediaType) -> Bool {
        specificities[type.rawValue] == 3 && weights[type.rawValue] > 0
    }

    /// The type is named, and no less wanted than `other`.
    package func prefers(_ type: MediaType, over other: MediaType) -> Bool {
        names(type) && weight(of: type) >= (names(other) ? weight(of: other) + 1 : 0)
    }

    private mutating func consider(_ bytes: Span<UInt8>, _ element: Range<Int>) {
        let semicolon = Octets.first(
            0x3B, in: bytes, from: element.lowerBound, to: element.upperBound)
        let range = Octets.trimmed(bytes, element.lowerBound..<semicolon)
        guard let weight = AcceptedTypes.weight(bytes, semicolon..<element.upperBound) else {
            return
        }
        for type in MediaType.allCases {
            let specificity =
                Octets.equal(bytes, range, ignoringCase: type.name)
                ? 3
                : Octets.equal(bytes, range, ignoringCase: type.range)
                    ? 2 : Octets.equal(bytes, range, ignoringCase: "*/*") ? 1 : 0
            if specificity > 0, specificity >= specificities[type.rawValue] {
                specificities[type.rawValue] = specificity
                weights[type.rawValue] = weight
            }
        }
    }

    /// The `q` among parameters, each after a semicolon; 1000 without one, nil when malformed.
    private static func weight(_ bytes: Span<UInt8>, _ parameters: Range<Int>) -> Int? {
        var start = parameters.lowerBound
        while start < parameters.upperBound {
            let end = Octets.first(0x3B, in: bytes, from: start + 1, to: parameters.upperBound)
            let parameter = Octets.trimmed(bytes, (start + 1)..<end)
            if parameter.count >= 2, bytes[parameter.lowerBound] | 0x20 == 0x71,
                bytes[parameter.lowerBound + 1] == 0x3D
            {
                return thousandths(bytes, (parameter.lowerBound + 2)..<parameter.upperBound)
            }
            start = end
        }
        return 1000
    }

    /// qvalue: 0 or 1, a point, and at most three digits.
    private static func thousandths(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty, range.count <= 5, bytes[range.lowerBound] &- 0x30 <= 1 else {
            return nil
        }
        var value = Int(bytes[range.lowerBound] - 0x30) * 1000
        if range.count > 1, bytes[range.lowerBound + 1] != 0x2E { return nil }
        var scale = 100
        for index in range.dropFirst(2) {
            if !Octets.isDigit(bytes[index]) { return nil }
            value += Int(bytes[index] - 0x30) * scale
            scale /= 10
        }
        return value <= 1000 ? value : nil
    }
}

/// Elements of a list between commas, where a comma inside a quoted string does not count.
struct ParameterizedElements {
    private var next: Int
    private let end: Int

    init(_ value: Range<Int>) {
        next = value.lowerBound
        end = value.upperBound
    }

    mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        if next > end { return nil }
        var index = next
        var isQuoted = false
        while index < end, isQuoted || bytes[index] != 0x2C {
            if bytes[index] == 0x22 { isQuoted.toggle() }
            if isQuoted, bytes[index] == 0x5C { index += 1 }
            index += 1
        }
        let element = Octets.trimmed(bytes, next..<min(index, end))
        next = index + 1
        return element
    }
}

@usableFromInline
package enum PreferParsing {
    /// The seconds of the first `wait=N` of Prefer; nil without one or when it is malformed.
    /// A number too large to hold counts as the largest.
    package static func waitSeconds(head: borrowing RequestHead, bytes: Span<UInt8>) -> UInt64? {
        var values = head.lines(of: .prefer)
        while let value = values.next(in: bytes) {
            var elements = ParameterizedElements(value.range)
            while let element = elements.next(in: bytes) {
                let end = Octets.first(
                    0x3B, in: bytes, from: element.lowerBound, to: element.upperBound)
                let equals = Octets.first(0x3D, in: bytes, from: element.lowerBound, to: end)
                let name = Octets.trimmed(bytes, element.lowerBound..<equals)
                guard Octets.equal(bytes, name, ignoringCase: "wait") else { continue }
                if equals == end { return nil }
                return seconds(bytes, Octets.trimmed(bytes, (equals + 1)..<end))
            }
        }
        return nil
    }

    /// delta-seconds (RFC 9111 1.2.2): digits only, and leading zeros mean nothing.
    private static func seconds(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        if range.isEmpty { return nil }
        var start = range.lowerBound
        for index in range where !Octets.isDigit(bytes[index]) { return nil }
        while start + 1 < range.upperBound, bytes[start] == 0x30 { start += 1 }
        let digits = bytes.extracting(start..<range.upperBound)
        return DecimalParsing.parse(digits) ?? UInt64.max
    }
}
