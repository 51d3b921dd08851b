// Reads a snapshot's body by offset, and verifies a whole file step by step. No byte leaves before
// its block's checksum has been compared; no length is used before it fits the file.

internal import Raft

struct SnapshotReader {
    let name: String
    let mark: SnapshotMark
    let footer: SnapshotFooter
    let blockBytes: Int
    private let headerBytes: Int
    /// The block read last, with its frame: consecutive reads hit it.
    private var block: [UInt8] = []
    private var blockNumber: UInt64?

    var bodyBytes: UInt64 { footer.bodyBytes }
    /// Of what is around the blocks.
    var frameBytes: Int { headerBytes + SnapshotFooter.bytes }

    init<Storage: JournalStorage & ~Copyable>(
        _ name: String, storage: inout Storage
    ) throws(JournalError) {
        var head: [UInt8] = []
        var foot: [UInt8] = []
        let size: Int
        do throws(StorageError) {
            size = try storage.size(name)
            try storage.read(
                name, at: 0, count: min(size, SnapshotHeader.bytesMax), into: &head)
            let footOffset = max(0, size - SnapshotFooter.bytes)
            try storage.read(name, at: footOffset, count: size - footOffset, into: &foot)
        } catch {
            throw .storage(error)
        }
        guard let header = try SnapshotHeader.decode(head, file: name) else {
            throw .rot(file: name, offset: 0, found: "the snapshot's header is damaged")
        }
        let footOffset = size - SnapshotFooter.bytes
        guard let footer = SnapshotFooter.decode(foot), footOffset >= header.bytes else {
            throw .rot(
                file: name, offset: max(0, footOffset), found: "the snapshot's footer is damaged")
        }
        let room = UInt64(footOffset - header.bytes)
        let blocks = footer.bodyBytes / UInt64(header.blockBytes)
        let isWhole = footer.bodyBytes % UInt64(header.blockBytes) == 0
        guard footer.bodyBytes <= room, footer.blockCount == blocks + (isWhole ? 0 : 1),
            footer.bodyBytes + 8 * footer.blockCount == room, footer.index == header.mark.index,
            footer.term == header.mark.term
        else {
            throw .rot(
                file: name, offset: footOffset, found: "the snapshot's length is not \(size)")
        }
        guard name == SnapshotName.name(header.mark.index, header.mark.term) else {
            throw .foreign(
                file: name,
                found: "it is the snapshot at \(header.mark.index) of term \(header.mark.term)")
        }
        self.name = name
        self.mark = header.mark
        self.footer = footer
        blockBytes = header.blockBytes
        headerBytes = header.bytes
    }

    /// Appends at most `count` body bytes from `offset` on; fewer only at the end. True at the end.
    mutating func read<Storage: JournalStorage & ~Copyable>(
        at offset: UInt64, count: Int, into out: inout [UInt8], storage: inout Storage
    ) throws(JournalError) -> Bool {
        guard offset < bodyBytes else { return true }
        var position = offset
        let end = offset + min(UInt64(count), bodyBytes - offset)
        while position < end {
            let number = position / UInt64(blockBytes)
            try load(number, &storage)
            let start = Int(position - number * UInt64(blockBytes)) + SnapshotBlock.frameBytes
            let taken = min(Int(end - position), block.count - start)
            out.append(contentsOf: block[start..<(start + taken)])
            position += UInt64(taken)
        }
        return end == bodyBytes
    }

    private mutating func load<Storage: JournalStorage & ~Copyable>(
        _ number: UInt64, _ storage: inout Storage
    ) throws(JournalError) {
        if blockNumber == number { return }
        let start = number * UInt64(blockBytes)
        let count = Int(min(UInt64(blockBytes), bodyBytes - start))
        let offset = headerBytes + Int(start) + SnapshotBlock.frameBytes * Int(number)
        blockNumber = nil
        block.removeAll(keepingCapacity: true)
        do throws(StorageError) {
            try storage.read(
                name, at: offset, count: SnapshotBlock.frameBytes + count, into: &block)
        } catch {
            throw .storage(error)
        }
        let body = SnapshotBlock.frameBytes..<(SnapshotBlock.frameBytes + count)
        guard block.count == body.upperBound, block.little(UInt32.self, at: 0) == UInt32(count),
            block.little(UInt32.self, at: 4)
                == SnapshotBlock.checksum(number: number, block, body)
        else {
            throw .rot(
                file: name, offset: offset, found: "block \(number) of the snapshot is damaged")
        }
        blockNumber = number
    }

    /// The block's body, checked.
    mutating func checksum<Storage: JournalStorage & ~Copyable>(
        block number: UInt64, seed: UInt32, storage: inout Storage
    ) throws(JournalError) -> UInt32 {
        try load(number, &storage)
        return block.checksum(SnapshotBlock.frameBytes..<block.count, seed: seed)
    }
}

/// Reads a whole snapshot again, some blocks a step.
struct SnapshotVerification {
    private var reader: SnapshotReader
    private var nextBlock: UInt64 = 0
    private var checksum: UInt32 = 0

    init(_ reader: SnapshotReader) { self.reader = reader }

    var name: String { reader.name }
    var blockBytes: Int { reader.blockBytes }
    /// Of the body.
    var bytesLeft: Int { Int(clamping: reader.bodyBytes) - Int(clamping: nextBlock) * blockBytes }

    /// True when all of it has been found intact.
    mutating func step<Storage: JournalStorage & ~Copyable>(
        blocksMax: Int, storage: inout Storage
    ) throws(JournalError) -> Bool {
        var left = blocksMax
        while nextBlock < reader.footer.blockCount {
            if left == 0 { return false }
            checksum = try reader.checksum(block: nextBlock, seed: checksum, storage: &storage)
            nextBlock += 1
            left -= 1
        }
        guard checksum == reader.footer.bodyChecksum else {
            throw .rot(file: name, offset: 0, found: "the checksum over the whole body is wrong")
        }
        return true
    }
}
