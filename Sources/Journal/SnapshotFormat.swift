// The bytes around a snapshot's body: header with the mark, frames of blocks, footer. What the
// body means is the state machine's business. Every byte of a file is under one checksum or
// compared with what it must be.

internal import Raft

/// `snapshot-`, index and term in sixteen hexadecimal digits each: names sort by age.
enum SnapshotName {
    static let temporarySuffix = ".tmp"
    private static let prefix = "snapshot-"

    static func name(_ index: LogIndex, _ term: Term) -> String {
        prefix + hexadecimal(index.rawValue, digits: 16) + "-"
            + hexadecimal(term.rawValue, digits: 16)
    }

    static func isFinal(_ name: String) -> Bool { position(name) != nil }

    /// The place that it stands for, whatever became of its bytes; nil: no name of ours.
    static func position(_ name: String) -> LogPosition? {
        guard name.utf8.count == prefix.utf8.count + 33, name.hasPrefix(prefix),
            let index = UInt64(name.dropFirst(prefix.utf8.count).prefix(16), radix: 16),
            let term = UInt64(name.suffix(16), radix: 16),
            index <= LogIndex.max.rawValue, term <= Term.max.rawValue,
            Self.name(LogIndex(index), Term(term)) == name
        else { return nil }
        return LogPosition(index: LogIndex(index), term: Term(term))
    }

    static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(prefix) && name.hasSuffix(temporarySuffix)
    }
}

struct SnapshotHeader: Equatable {
    static let version: UInt32 = 1
    /// "AVIARYSN"
    static let magic: UInt64 = 0x4e53_5952_4149_5641
    /// Before the configuration.
    static let fixedBytes = 40
    static let configurationBytesMax = 64 << 10
    static let bytesMax = fixedBytes + configurationBytesMax + 4

    let mark: SnapshotMark
    let blockBytes: Int
    /// All of it, as it stands in the file.
    let bytes: Int

    static func encode(_ mark: SnapshotMark, blockBytes: Int) -> [UInt8] {
        let configuration = mark.configuration.encoded()
        invariant(
            configuration.count <= configurationBytesMax,
            "a configuration of \(configuration.count) bytes")
        var bytes: [UInt8] = []
        bytes.appendLittle(magic)
        bytes.appendLittle(version)
        bytes.appendLittle(UInt32(fixedBytes + configuration.count + 4))
        bytes.appendLittle(mark.index.rawValue)
        bytes.appendLittle(mark.term.rawValue)
        bytes.appendLittle(UInt32(blockBytes))
        bytes.appendLittle(UInt32(configuration.count))
        bytes += configuration
        bytes.appendLittle(bytes.checksum(0..<bytes.count))
        return bytes
    }

    /// nil: damaged. `bytes` is the file's beginning, `bytesMax` of it or all.
    static func decode(_ bytes: [UInt8], file: String) throws(JournalError) -> SnapshotHeader? {
        guard bytes.count >= fixedBytes, bytes.little(UInt64.self, at: 0) == magic else {
            return nil
        }
        let length = Int(bytes.little(UInt32.self, at: 12))
        guard length >= fixedBytes + 4, length <= bytes.count, length <= bytesMax,
            bytes.little(UInt32.self, at: length - 4) == bytes.checksum(0..<(length - 4))
        else { return nil }
        let version = bytes.little(UInt32.self, at: 8)
        guard version == Self.version else {
            throw .unsupportedVersion(file: file, version: version)
        }
        let blockBytes = Int(bytes.little(UInt32.self, at: 32))
        guard blockBytes >= 1, blockBytes <= JournalLimits.snapshotBlockBytesMax,
            Int(bytes.little(UInt32.self, at: 36)) == length - fixedBytes - 4
        else {
            throw .malformed(file: file, offset: 0, found: "a header of \(length) bytes")
        }
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try Configuration(decoding: Array(bytes[fixedBytes..<(length - 4)]))
        } catch {
            throw .malformed(
                file: file, offset: fixedBytes, found: "a configuration that is \(error)")
        }
        let mark = SnapshotMark(
            index: LogIndex(bytes.little(UInt64.self, at: 16)),
            term: Term(bytes.little(UInt64.self, at: 24)), configuration: configuration)
        guard mark.index <= .max, mark.term <= .max else {
            throw .malformed(file: file, offset: 16, found: "index \(mark.index)")
        }
        return SnapshotHeader(mark: mark, blockBytes: blockBytes, bytes: length)
    }
}

struct SnapshotFooter: Equatable {
    static let bytes = 48
    /// "AVIARYSE"
    static let magic: UInt64 = 0x4553_5952_4149_5641

    let bodyBytes: UInt64
    let blockCount: UInt64
    let index: LogIndex
    let term: Term
    let bodyChecksum: UInt32

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittle(Self.magic)
        bytes.appendLittle(bodyBytes)
        bytes.appendLittle(blockCount)
        bytes.appendLittle(index.rawValue)
        bytes.appendLittle(term.rawValue)
        bytes.appendLittle(bodyChecksum)
        bytes.appendLittle(bytes.checksum(0..<44))
        return bytes
    }

    static func decode(_ bytes: [UInt8]) -> SnapshotFooter? {
        guard bytes.count == Self.bytes, bytes.little(UInt64.self, at: 0) == magic,
            bytes.little(UInt32.self, at: 44) == bytes.checksum(0..<44)
        else { return nil }
        return SnapshotFooter(
            bodyBytes: bytes.little(UInt64.self, at: 8),
            blockCount: bytes.little(UInt64.self, at: 16),
            index: LogIndex(bytes.little(UInt64.self, at: 24)),
            term: Term(bytes.little(UInt64.self, at: 32)),
            bodyChecksum: bytes.little(UInt32.self, at: 40))
    }
}

enum SnapshotBlock {
    /// Count and checksum before the block's bytes.
    static let frameBytes = 8

    /// Over the block's number, its count and its bytes: a block never passes for another.
    static func checksum(number: UInt64, _ bytes: [UInt8], _ body: Range<Int>) -> UInt32 {
        var head: [UInt8] = []
        head.appendLittle(number)
        head.appendLittle(UInt32(body.count))
        return bytes.checksum(body, seed: head.checksum(0..<head.count))
    }
}
