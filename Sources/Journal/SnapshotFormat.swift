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

    static func isFinal(_ name: String) -> Bool {
        name.utf8.count == prefix.utf8.count + 33 && name.hasPrefix(prefix)
    }

    static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(prefix) && name.hasSuffix(temporarySuffix)
    }
}

struct SnapshotHeader: Equatable {
    static let version: UInt32 = 1
    /// "AVIARYSN"
    static let magic: UInt64 = 0x4e53_5952_4149_5641
    static let fixedBytes = 48
    static let membersMax = 4096
    static let bytesMax = fixedBytes + 8 * membersMax + 4

    let mark: SnapshotMark
    let blockBytes: Int

    var memberCount: Int {
        let configuration = mark.configuration
        return configuration.voters.count + configuration.outgoingVoters.count
            + configuration.learners.count
    }
    var bytes: Int { Self.fixedBytes + 8 * memberCount + 4 }

    func encoded() -> [UInt8] {
        invariant(memberCount <= Self.membersMax, "\(memberCount) members")
        let configuration = mark.configuration
        var bytes: [UInt8] = []
        bytes.appendLittle(Self.magic)
        bytes.appendLittle(Self.version)
        bytes.appendLittle(UInt32(self.bytes))
        bytes.appendLittle(mark.index.rawValue)
        bytes.appendLittle(mark.term.rawValue)
        bytes.appendLittle(UInt32(blockBytes))
        bytes.appendLittle(UInt32(configuration.voters.count))
        bytes.appendLittle(UInt32(configuration.outgoingVoters.count))
        bytes.appendLittle(UInt32(configuration.learners.count))
        for list in [configuration.voters, configuration.outgoingVoters, configuration.learners] {
            for member in list { bytes.appendLittle(member.rawValue) }
        }
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
        let counts = [36, 40, 44].map { Int(bytes.little(UInt32.self, at: $0)) }
        guard blockBytes >= 1, blockBytes <= 256 << 10, counts.allSatisfy({ $0 <= membersMax }),
            length == fixedBytes + 8 * counts.reduce(0, +) + 4
        else {
            throw .malformed(file: file, offset: 0, found: "a header of \(length) bytes")
        }
        var offset = fixedBytes
        let lists = counts.map { count in
            let list = (0..<count).map { position in
                MemberID(bytes.little(UInt64.self, at: offset + 8 * position))
            }
            offset += 8 * count
            return list
        }
        let mark = SnapshotMark(
            index: LogIndex(bytes.little(UInt64.self, at: 16)),
            term: Term(bytes.little(UInt64.self, at: 24)),
            configuration: Configuration(
                voters: lists[0], outgoingVoters: lists[1], learners: lists[2]))
        return SnapshotHeader(mark: mark, blockBytes: blockBytes)
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
