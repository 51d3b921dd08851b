// JSON read in the plainest way, so that what the gateway writes is judged by something that shares
// no line with it. Whole numbers only, as the interface has no others.

indirect enum NaiveJSON: Equatable {
    case null
    case bool(Bool)
    /// As it is written.
    case number([UInt8])
    case text([UInt8])
    case list([NaiveJSON])
    case object([(name: [UInt8], value: NaiveJSON)])

    static func == (a: NaiveJSON, b: NaiveJSON) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)), (.text(let a), .text(let b)): a == b
        case (.list(let a), .list(let b)): a == b
        case (.object(let a), .object(let b)):
            a.count == b.count
                && zip(a, b).allSatisfy { $0.name == $1.name && $0.value == $1.value }
        case (.null, _), (.bool, _), (.number, _), (.text, _), (.list, _), (.object, _): false
        }
    }

    /// Nil: it is not one JSON text, or a name comes twice in an object.
    init?(_ bytes: [UInt8]) {
        var reading = Reading(bytes: bytes)
        guard let value = reading.value(), reading.skipSpace(), reading.at == bytes.count else {
            return nil
        }
        self = value
    }

    subscript(name: String) -> NaiveJSON? {
        guard case .object(let fields) = self else { return nil }
        return fields.first { $0.name == Array(name.utf8) }?.value
    }

    var unsigned: UInt64? {
        guard case .number(let digits) = self else { return nil }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }

    var signed: Int64? {
        guard case .number(let digits) = self else { return nil }
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    var bytes: [UInt8]? {
        guard case .text(let bytes) = self else { return nil }
        return bytes
    }

    var list: [NaiveJSON]? {
        guard case .list(let values) = self else { return nil }
        return values
    }
}

private struct Reading {
    let bytes: [UInt8]
    var at = 0

    private func isNext(_ byte: UInt8) -> Bool { at < bytes.count && bytes[at] == byte }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard isNext(byte) else { return false }
        at += 1
        return true
    }

    mutating func skipSpace() -> Bool {
        while isNext(0x20) || isNext(0x0A) || isNext(0x0D) || isNext(0x09) { at += 1 }
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        let wanted = Array(word.utf8)
        guard bytes[at...].starts(with: wanted) else { return false }
        at += wanted.count
        return true
    }

    mutating func value() -> NaiveJSON? {
        guard skipSpace(), at < bytes.count else { return nil }
        switch bytes[at] {
        case 0x7B: return object()
        case 0x5B: return list()
        case 0x22: return text().map { .text($0) }
        case 0x6E: return take("null") ? .null : nil
        case 0x74: return take("true") ? .bool(true) : nil
        case 0x66: return take("false") ? .bool(false) : nil
        default: return number()
        }
    }

    private mutating func number() -> NaiveJSON? {
        let start = at
        _ = take(0x2D)
        while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
        return at > start ? .number(Array(bytes[start..<at])) : nil
    }

    private mutating func list() -> NaiveJSON? {
        at += 1
        var values: [NaiveJSON] = []
        if skipSpace(), take(0x5D) { return .list(values) }
        while let value = value() {
            values.append(value)
            if skipSpace(), take(0x2C) { continue }
            return take(0x5D) ? .list(values) : nil
        }
        return nil
    }

    private mutating func object() -> NaiveJSON? {
        at += 1
        var fields: [(name: [UInt8], value: NaiveJSON)] = []
        if skipSpace(), take(0x7D) { return .object(fields) }
        while skipSpace(), isNext(0x22), let name = text(), skipSpace(), take(0x3A),
            let value = value()
        {
            if fields.contains(where: { $0.name == name }) { return nil }
            fields.append((name, value))
            if skipSpace(), take(0x2C) { continue }
            return take(0x7D) ? .object(fields) : nil
        }
        return nil
    }

    private mutating func text() -> [UInt8]? {
        at += 1
        var found: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case 0x22: return found
            case 0x5C:
                guard let escaped = escape() else { return nil }
                found += escaped
            case 0..<0x20: return nil
            default: found.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> [UInt8]? {
        guard at < bytes.count else { return nil }
        at += 1
        switch bytes[at - 1] {
        case 0x22: return [0x22]
        case 0x5C: return [0x5C]
        case 0x2F: return [0x2F]
        case 0x62: return [0x08]
        case 0x66: return [0x0C]
        case 0x6E: return [0x0A]
        case 0x72: return [0x0D]
        case 0x74: return [0x09]
        case 0x75:
            guard at + 4 <= bytes.count,
                let number = UInt32(
                    String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(number)
            else { return nil }
            at += 4
            return Array(String(Character(scalar)).utf8)
        default: return nil
        }
    }
}

enum NaiveBase64 {
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.reversed().prefix { $0 == 0x3D }.count
        guard padding <= 2 else { return nil }
        var bits: UInt32 = 0
        var count = 0
        var bytes: [UInt8] = []
        for character in text.dropLast(padding) {
            let value: UInt8
            switch character {
            case 0x41...0x5A: value = character - 0x41
            case 0x61...0x7A: value = character - 0x61 + 26
            case 0x30...0x39: value = character - 0x30 + 52
            case 0x2B: value = 62
            case 0x2F: value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
