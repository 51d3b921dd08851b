// Little-endian numbers in bytes and copies of spans, written apart from those of the product: what
// checks a codec must not share its mistakes.

extension [UInt8] {
    init(copying span: Span<UInt8>) {
        // Safe: the pointer does not leave the closure.
        self = unsafe span.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    /// 0 outside.
    func number(_ offset: Int, bytes count: Int) -> UInt64 {
        var value: UInt64 = 0
        for step in 0..<count where indices.contains(offset + step) {
            value |= UInt64(self[offset + step]) << UInt64(8 * step)
        }
        return value
    }

    /// Outside, nothing.
    mutating func put(_ value: UInt64, at offset: Int, bytes count: Int) {
        for step in 0..<count where indices.contains(offset + step) {
            self[offset + step] = UInt8(truncatingIfNeeded: value >> UInt64(8 * step))
        }
    }

    mutating func add(_ value: UInt64, bytes count: Int) {
        for step in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * step))) }
    }
}

/// Where they differ first, in words.
func difference(_ a: [UInt8], _ b: [UInt8]) -> String {
    let place = zip(a, b).prefix { $0 == $1 }.count
    let around = max(0, place - 8)
    return "\(a.count) and \(b.count) bytes differ from \(place) on: "
        + "\(a.dropFirst(around).prefix(24)) and \(b.dropFirst(around).prefix(24))"
}

/// A few places between 0 and `count`, ascending, drawn from the bytes themselves: the same input is
/// always cut the same way.
func cuts(of bytes: [UInt8], count: Int) -> [Int] {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    var places: [Int] = []
    for _ in 0..<count {
        hash = (hash ^ (hash >> 29)) &* 0xBF58_476D_1CE4_E5B9
        places.append(Int((hash >> 20) % UInt64(bytes.count + 1)))
    }
    return places.sorted()
}
