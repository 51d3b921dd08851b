// Numbers in the journal's files are little-endian. Reads assume that the caller has checked the
// length; they trap, and never read outside, if it has not.

internal import Raft

extension Array where Element == UInt8 {
    mutating func appendLittle<Number: FixedWidthInteger>(_ number: Number) {
        var rest = number.littleEndian
        // Safe: the bytes of one integer, copied before the closure ends.
        unsafe Swift.withUnsafeBytes(of: &rest) { bytes in unsafe append(contentsOf: bytes) }
    }

    mutating func appendZeros(_ count: Int) {
        append(contentsOf: [UInt8](repeating: 0, count: count))
    }

    mutating func putLittle<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        var position = 0
        while position < Number.bitWidth / 8 {
            self[offset + position] = UInt8(truncatingIfNeeded: number >> Number(8 * position))
            position += 1
        }
    }

    func little<Number: FixedWidthInteger>(_: Number.Type, at offset: Int) -> Number {
        invariant(offset >= 0 && offset <= count - Number.bitWidth / 8, "\(offset) of \(count)")
        // Safe: the bounds have just been checked.
        let number = unsafe self.withUnsafeBytes { bytes in
            unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)
        }
        return Number(littleEndian: number)
    }

    func checksum(_ range: Range<Int>, seed: UInt32 = 0) -> UInt32 {
        let bytes = span
        return CRC32C.checksum(bytes.extracting(range), seed: seed)
    }

    func isZero(_ range: Range<Int>) -> Bool {
        let bytes = span
        return CRC32C.isZero(bytes.extracting(range))
    }
}

extension Int {
    /// The next whole sector.
    var sectorAligned: Int {
        let sector = JournalLimits.sectorBytes
        return (self + sector - 1) / sector * sector
    }
}
