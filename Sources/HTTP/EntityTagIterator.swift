// The entity tags of If-Match and If-None-Match (RFC 9110 13.1.1, 13.1.2), over all lines of the
// field. Strict: `*` stands alone, tags are quoted; what is malformed must be 400, not a mismatch.

package enum EntityTagStep: Sendable, Equatable {
    /// `*`: any state of what exists.
    case any
    /// A tag: `opaque` is its place in the head's bytes, quotes included.
    case tag(opaque: ByteRange, isWeak: Bool)
    case end
    case malformed
}

package struct EntityTagIterator: Sendable {
    private var values: FieldValues
    private var position = 0
    private var lineEnd = 0
    private var hasSeenTag = false
    private var hasSeenAny = false
    private var expectsComma = false

    /// Over `field` of `head`, which must be ifMatch or ifNoneMatch and must be there.
    package init(head: borrowing RequestHead, field: FieldName) {
        values = head.lines(of: field)
    }

    /// The next tag. After `.end` or `.malformed` there is no other; the list is good only when
    /// `.end` was reached.
    package mutating func next(in bytes: Span<UInt8>) -> EntityTagStep {
        while true {
            while position < lineEnd, isSeparator(bytes[position]) {
                if bytes[position] == 0x2C { expectsComma = false }
                position += 1
            }
            if position < lineEnd { return take(bytes) }
            guard let line = values.next(in: bytes)?.range else {
                return hasSeenTag || hasSeenAny ? .end : .malformed
            }
            position = line.lowerBound
            lineEnd = line.upperBound
            expectsComma = false
        }
    }

    private func isSeparator(_ byte: UInt8) -> Bool {
        byte == Octets.space || byte == Octets.tab || byte == 0x2C
    }

    private mutating func take(_ bytes: Span<UInt8>) -> EntityTagStep {
        if expectsComma || hasSeenAny { return .malformed }
        expectsComma = true
        if bytes[position] == 0x2A {
            if hasSeenTag { return .malformed }
            hasSeenAny = true
            position += 1
            return .any
        }
        hasSeenTag = true
        // W/ is case-sensitive (RFC 9110 8.8.3).
        let isWeak =
            position + 1 < lineEnd && bytes[position] == 0x57 && bytes[position + 1] == 0x2F
        if isWeak { position += 2 }
        let start = position
        guard position < lineEnd, bytes[position] == 0x22 else { return .malformed }
        position += 1
        while position < lineEnd, bytes[position] != 0x22 {
            if bytes[position] <= 0x20 || bytes[position] == 0x7F { return .malformed }
            position += 1
        }
        if position == lineEnd { return .malformed }
        position += 1
        return .tag(opaque: ByteRange(start..<position), isWeak: isWeak)
    }
}
