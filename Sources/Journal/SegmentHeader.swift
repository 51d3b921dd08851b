// The first sector of a segment of the log, and its file name. Written once, before the file gets
// its name, and never again: a named segment without an intact header is rot.

/// `log-` and ten hexadecimal digits: short enough to live in a String without allocation.
enum SegmentName {
    static let temporarySuffix = ".tmp"
    private static let prefix = "log-"
    private static let digits = 10

    static func name(_ number: UInt64) -> String {
        prefix + hexadecimal(number, digits: digits)
    }

    static func number(_ name: String) -> UInt64? {
        guard name.utf8.count == prefix.utf8.count + digits, name.hasPrefix(prefix),
            let number = UInt64(name.dropFirst(prefix.utf8.count), radix: 16),
            number > 0, Self.name(number) == name
        else { return nil }
        return number
    }

    static func isTemporary(_ name: String) -> Bool {
        name.hasSuffix(temporarySuffix)
            && number(String(name.dropLast(temporarySuffix.utf8.count))) != nil
    }
}

struct SegmentHeader: Equatable {
    static let bytes = JournalLimits.sectorBytes
    static let version: UInt32 = 2
    /// "AVIARYLG"
    static let magic: UInt64 = 0x474c_5952_4149_5641

    let logID: LogID
    let number: UInt64
    /// Zero-filled size when the file got its name; a shorter file has lost bytes.
    let segmentBytes: UInt64

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.bytes)
        bytes.appendLittle(Self.magic)
        bytes.appendLittle(Self.version)
        bytes.appendLittle(UInt32(0))
        bytes.appendLittle(logID.high)
        bytes.appendLittle(logID.low)
        bytes.appendLittle(number)
        bytes.appendLittle(segmentBytes)
        bytes.appendZeros(Self.bytes - 4 - bytes.count)
        bytes.appendLittle(bytes.checksum(0..<(Self.bytes - 4)))
        return bytes
    }

    /// nil: damaged. The version counts only where the checksum is right.
    static func decode(_ bytes: [UInt8], file: String) throws(JournalError) -> SegmentHeader? {
        guard bytes.count >= Self.bytes, bytes.little(UInt64.self, at: 0) == magic,
            bytes.little(UInt32.self, at: Self.bytes - 4) == bytes.checksum(0..<(Self.bytes - 4))
        else { return nil }
        let version = bytes.little(UInt32.self, at: 8)
        guard version == Self.version else {
            throw .unsupportedVersion(file: file, version: version)
        }
        return SegmentHeader(
            logID: LogID(
                high: bytes.little(UInt64.self, at: 16), low: bytes.little(UInt64.self, at: 24)),
            number: bytes.little(UInt64.self, at: 32),
            segmentBytes: bytes.little(UInt64.self, at: 40))
    }
}
