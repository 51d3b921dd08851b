// The journal's bounds, with names and units. Formats are bound elsewhere; nothing here changes
// what an existing file means.

internal import Raft

package struct JournalLimits: Sendable {
    /// Disks promise no more than that one sector is written whole or not at all.
    package static let sectorBytes = 512
    /// A bound on what a damaged snapshot may make its reader keep.
    package static let snapshotBlockBytesMax = 256 << 10

    /// Zero-filled size of a new segment of the log. At least 4 KiB, whole sectors.
    package var segmentBytes: Int {
        didSet { segmentBytes = segmentBytes.sectorAligned }
    }
    /// At the end of each segment, for what must be promised when nothing more can be allocated:
    /// entries leave it alone. A change of term or vote takes one sector of it.
    /// A quarter of the segment at most.
    var reserveBytes: Int {
        min(reserveBytesMax, segmentBytes / 4) / Self.sectorBytes * Self.sectorBytes
    }
    private let reserveBytesMax: Int
    /// A group grows no further than this, unless a single entry is larger.
    package var groupBytesMax: Int
    /// A record's length is a 32-bit number; entries above this are a bug of the caller.
    package var entryBytesMax: Int
    /// Body bytes in one checksummed block of a snapshot, at most `snapshotBlockBytesMax`.
    package var snapshotBlockBytes: Int
    /// A snapshot being written is synced whenever this much is not.
    package var snapshotSyncBytes: Int

    package init(
        segmentBytes: Int = 16 << 20, groupBytesMax: Int = 8 << 20, entryBytesMax: Int = 64 << 20,
        snapshotBlockBytes: Int = snapshotBlockBytesMax, snapshotSyncBytes: Int = 8 << 20,
        reserveBytes: Int = 64 << 10
    ) {
        invariant(
            segmentBytes >= 4096 && segmentBytes % Self.sectorBytes == 0
                && segmentBytes <= 1 << 30, "segmentBytes \(segmentBytes)")
        invariant(
            snapshotBlockBytes >= 1 && snapshotBlockBytes <= Self.snapshotBlockBytesMax,
            "snapshotBlockBytes \(snapshotBlockBytes)")
        invariant(
            groupBytesMax >= 1 && groupBytesMax <= 1 << 30 && entryBytesMax <= 1 << 30,
            "groupBytesMax \(groupBytesMax), entryBytesMax \(entryBytesMax)")
        self.segmentBytes = segmentBytes
        reserveBytesMax = reserveBytes
        self.groupBytesMax = groupBytesMax
        self.entryBytesMax = entryBytesMax
        self.snapshotBlockBytes = snapshotBlockBytes
        self.snapshotSyncBytes = snapshotSyncBytes
    }
}
