// Numbers in the journal's files are little-endian. Reads assume that the caller has checked the
// length; they trap, and never read outside, if it has not.

extension Array where Element == UInt8 {
    mutating func appendLittle<Number: FixedWidthInteger>(_ number: Number) {
        for position in 0..<(Number.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: number >> Number(8 * position)))
        }
    }

    mutating func putLittle<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        for position in 0..<(Number.bitWidth / 8) {
            self[offset + position] = UInt8(truncatingIfNeeded: number >> Number(8 * position))
        }
    }

    func little<Number: FixedWidthInteger>(_: Number.Type, at offset: Int) -> Number {
        var number: Number = 0
        for position in 0..<(Number.bitWidth / 8) {
            number |= Number(truncatingIfNeeded: self[offset + position]) << Number(8 * position)
        }
        return number
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
