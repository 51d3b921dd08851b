// What a request's head says, as a plain value: numbers, flags and places in the bytes it was read
// from. It owns no memory and copies no text; whoever asks for a value hands the same bytes in.

/// A place in the bytes of a head, counted from their start.
@usableFromInline
package struct ByteRange: Sendable, Equatable {
    @usableFromInline package var offset: UInt32
    @usableFromInline package var length: UInt32

    @inlinable
    package init(_ range: Range<Int>) {
        offset = UInt32(range.lowerBound)
        length = UInt32(range.count)
    }

    @inlinable
    init(offset: UInt32, length: UInt32) {
        self.offset = offset
        self.length = length
    }

    @inlinable package var range: Range<Int> { Int(offset)..<(Int(offset) + Int(length)) }
    @inlinable package var count: Int { Int(length) }
    @inlinable package var isEmpty: Bool { length == 0 }

    /// The octets of the place in `bytes`, those that the head was read from.
    @inlinable
    @_lifetime(copy bytes)
    package func of(_ bytes: Span<UInt8>) -> Span<UInt8> {
        bytes.extracting(range)
    }
}

/// How a request says where its body ends (RFC 9112 6.3).
@usableFromInline
package enum BodyFraming: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
}

/// The form of the request target (RFC 9112 3.2).
@usableFromInline
package enum TargetForm: Sendable {
    case origin, absolute, asterisk
}

@usableFromInline
package struct RequestHead: Sendable {
    @usableFromInline package internal(set) var method: Method
    /// 0 or 1.
    @usableFromInline package internal(set) var minorVersion: UInt8
    @usableFromInline package internal(set) var targetForm: TargetForm
    @usableFromInline package internal(set) var target: ByteRange
    /// Starts with `/`, still percent-encoded; `*` in the asterisk form.
    @usableFromInline package internal(set) var path: ByteRange
    /// What follows `?`, still percent-encoded; nil when there is no `?`.
    @usableFromInline package internal(set) var query: ByteRange?
    /// Whether the connection may carry another request after this one (RFC 9112 9.3).
    @usableFromInline package internal(set) var keepAlive: Bool
    /// The client holds a body back until it hears 100 (RFC 9110 10.1.1).
    @usableFromInline package internal(set) var expectsContinue: Bool
    @usableFromInline package internal(set) var framing: BodyFraming
    /// The head with its last empty line, and with an empty line before it: what to consume.
    @usableFromInline package internal(set) var length: Int
    @usableFromInline package internal(set) var fieldCount: Int
    /// From the first field line to the empty line.
    @usableFromInline package internal(set) var fieldLines: ByteRange
    // Invariant: table[f] is meaningful exactly when bit f of `present` is set. The offset of the
    // value is in the upper half, its length in the lower: a head is shorter than 64 KiB.
    @usableFromInline package internal(set) var present: UInt32
    @usableFromInline package internal(set) var repeated: UInt32
    @usableFromInline package internal(set) var table: InlineArray<29, UInt32>

    init() {
        method = .get
        minorVersion = 1
        targetForm = .origin
        target = ByteRange(0..<0)
        path = ByteRange(0..<0)
        query = nil
        keepAlive = false
        expectsContinue = false
        framing = .none
        length = 0
        fieldCount = 0
        fieldLines = ByteRange(0..<0)
        present = 0
        repeated = 0
        table = InlineArray(repeating: 0)
    }

    // Why always inline, here and below: a call copies the whole head, some 200 bytes.
    @inlinable @inline(__always)
    package func has(_ field: FieldName) -> Bool {
        (present &>> UInt32(field.rawValue)) & 1 == 1
    }

    /// A list-valued field came in more than one line: read it by `lines(of:)`.
    @inlinable @inline(__always)
    package func isRepeated(_ field: FieldName) -> Bool {
        (repeated &>> UInt32(field.rawValue)) & 1 == 1
    }

    /// The place of the value of the field's first line, without spaces around it.
    @inlinable @inline(__always)
    package func range(of field: FieldName) -> ByteRange? {
        has(field) ? place(of: field) : nil
    }

    /// The value of the field's first line.
    @inlinable @inline(__always)
    @_lifetime(copy bytes)
    package func value(of field: FieldName, in bytes: Span<UInt8>) -> Span<UInt8>? {
        has(field) ? place(of: field).of(bytes) : nil
    }

    @inlinable @inline(__always)
    func place(of field: FieldName) -> ByteRange {
        let packed = table[Int(field.rawValue)]
        return ByteRange(offset: packed &>> 16, length: packed & 0xFFFF)
    }

    /// The values of all lines of the field, in their order.
    @inlinable
    package func lines(of field: FieldName) -> FieldValues {
        FieldValues(head: self, field: field)
    }

    /// Every field line, in order.
    @inlinable
    package var allLines: FieldLines { FieldLines(fieldLines.range) }

    /// Forgets all that an earlier request may have left and this one may not set.
    mutating func restart() {
        query = nil
        expectsContinue = false
        framing = .none
        fieldCount = 0
        present = 0
        repeated = 0
    }

    /// Takes one more line of a known field in; false when the field may not come again.
    mutating func record(_ field: FieldName, _ value: Range<Int>) -> Bool {
        let bit = UInt32(1) &<< UInt32(field.rawValue)
        if present & bit != 0 {
            repeated |= bit
            return field.isList
        }
        present |= bit
        table[Int(field.rawValue)] =
            UInt32(truncatingIfNeeded: value.lowerBound) &<< 16
            | UInt32(truncatingIfNeeded: value.upperBound &- value.lowerBound)
        return true
    }
}

/// Walks the field lines of a head that was parsed before.
@usableFromInline
package struct FieldLines: Sendable {
    @usableFromInline package var next: Int
    @usableFromInline package let end: Int

    @inlinable
    package init(_ lines: Range<Int>) {
        next = lines.lowerBound
        end = lines.upperBound
    }

    /// The places of the next line's name and value; nil after the last.
    @inlinable
    package mutating func next(in bytes: Span<UInt8>) -> (name: ByteRange, value: ByteRange)? {
        if next >= end { return nil }
        let colon = Octets.first(0x3A, in: bytes, from: next, to: end)
        let lineEnd = Octets.first(Octets.carriageReturn, in: bytes, from: colon, to: end)
        let name = next..<colon
        next = lineEnd + 2
        let value = Octets.trimmed(bytes, (colon + 1)..<lineEnd)
        return (ByteRange(name), ByteRange(value))
    }
}

/// Walks the values of one field; the lines are read again only when there are several.
@usableFromInline
package struct FieldValues: Sendable {
    @usableFromInline package let field: FieldName
    @usableFromInline package var single: ByteRange?
    @usableFromInline package var lines: FieldLines

    @inlinable
    package init(head: borrowing RequestHead, field: FieldName) {
        self.field = field
        let walks = head.isRepeated(field)
        single = walks ? nil : head.range(of: field)
        lines = walks ? FieldLines(head.fieldLines.range) : FieldLines(0..<0)
    }

    @inlinable
    package mutating func next(in bytes: Span<UInt8>) -> ByteRange? {
        if let value = single {
            single = nil
            return value
        }
        while let line = lines.next(in: bytes) {
            if FieldName.find(bytes, line.name.range) == field { return line.value }
        }
        return nil
    }
}
