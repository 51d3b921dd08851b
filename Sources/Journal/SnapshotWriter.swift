// Writes one snapshot, own or received, under a temporary name; the file gets its name when all of
// it is durable. It must never touch an older snapshot.

internal import Raft

struct SnapshotWriter {
    let mark: SnapshotMark
    private let name: String
    private let temporaryName: String
    private let blockBytes: Int
    private let syncBytes: Int
    private var offset: Int
    private var unsyncedBytes = 0
    private var blockCount: UInt64 = 0
    private var bodyBytes: UInt64 = 0
    private var bodyChecksum: UInt32 = 0
    /// Room for the frame, then the body bytes of the block that is not full yet.
    private var block: [UInt8]

    init<Storage: JournalStorage & ~Copyable>(
        _ mark: SnapshotMark, limits: JournalLimits, storage: inout Storage
    ) throws(StorageError) {
        self.mark = mark
        name = SnapshotName.name(mark.index, mark.term)
        temporaryName = name + SnapshotName.temporarySuffix
        blockBytes = limits.snapshotBlockBytes
        syncBytes = limits.snapshotSyncBytes
        block = [UInt8](repeating: 0, count: SnapshotBlock.frameBytes)
        block.reserveCapacity(SnapshotBlock.frameBytes + blockBytes)
        let header = SnapshotHeader.encode(mark, blockBytes: blockBytes)
        offset = header.count
        try storage.create(temporaryName, zeroFilledTo: 0)
        try storage.write(temporaryName, at: 0, header.span)
    }

    mutating func append<Storage: JournalStorage & ~Copyable>(
        _ bytes: [UInt8], storage: inout Storage
    ) throws(StorageError) {
        var position = 0
        while position < bytes.count {
            let room = blockBytes - (block.count - SnapshotBlock.frameBytes)
            let taken = min(room, bytes.count - position)
            block.append(contentsOf: bytes[position..<(position + taken)])
            position += taken
            if taken == room { try writeBlock(&storage) }
        }
    }

    private mutating func writeBlock<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage
    ) throws(StorageError) {
        let body = SnapshotBlock.frameBytes..<block.count
        block.putLittle(UInt32(body.count), at: 0)
        block.putLittle(SnapshotBlock.checksum(number: blockCount, block, body), at: 4)
        bodyChecksum = block.checksum(body, seed: bodyChecksum)
        try storage.write(temporaryName, at: offset, block.span)
        offset += block.count
        unsyncedBytes += block.count
        blockCount += 1
        bodyBytes += UInt64(body.count)
        block.removeSubrange(body)
        // Why: a long backlog of unwritten pages would hold up the log's fdatasync.
        if unsyncedBytes >= syncBytes {
            try storage.sync(temporaryName)
            unsyncedBytes = 0
        }
    }

    /// Durable under its name when it returns; gives the name.
    mutating func finish<Storage: JournalStorage & ~Copyable>(
        storage: inout Storage
    ) throws(StorageError) -> String {
        if block.count > SnapshotBlock.frameBytes { try writeBlock(&storage) }
        let footer = SnapshotFooter(
            bodyBytes: bodyBytes, blockCount: blockCount, index: mark.index, term: mark.term,
            bodyChecksum: bodyChecksum
        ).encoded()
        try storage.write(temporaryName, at: offset, footer.span)
        try storage.sync(temporaryName)
        try storage.rename(temporaryName, to: name)
        try storage.syncDirectory()
        return name
    }

    func abandon<Storage: JournalStorage & ~Copyable>(
        storage: inout Storage
    ) throws(StorageError) {
        try storage.remove(temporaryName)
    }
}
