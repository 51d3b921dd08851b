// A file of a simulated disk: its bytes, what was not synced of them, what has changed by itself.

import Journal

/// As an inode: a name is a separate thing from its bytes.
final class SimulatedFile {
    struct Overwrite {
        let offset: Int
        let count: Int
        /// What was there before; shorter than `count` where the file grew.
        let old: [UInt8]

        var sectors: ClosedRange<Int> {
            let first = offset / JournalLimits.sectorBytes
            return first...((offset + max(count, 1) - 1) / JournalLimits.sectorBytes)
        }

        /// Undoes it in one sector.
        func takeBack(_ bytes: inout [UInt8], of sector: Int) {
            let whole = OlderSectors.range(sector)
            for place in whole.clamped(to: offset..<(offset + count)) {
                let known = place - offset
                bytes[place - whole.lowerBound] = known < old.count ? old[known] : 0
            }
        }
    }

    var bytes: [UInt8] = []
    /// The size at the last sync.
    var durableCount = 0
    /// Since the last sync.
    var overwrites: [Overwrite] = []
    /// Sectors that the page cache shows and calls clean, and the disk never got: what is there
    /// in truth. By number.
    var unwritten: [Int: [UInt8]] = [:]
    /// Only on a disk that remembers them.
    var older = OlderSectors()
    /// It changed by itself while its member ran.
    var isSpoiled = false
    /// Bytes that have changed by themselves, and were not written since.
    var harmed: [Range<Int>] = []

    /// What is written is as it should be.
    func mend(_ range: Range<Int>) {
        harmed = harmed.flatMap { old in
            [
                old.lowerBound..<max(old.lowerBound, min(old.upperBound, range.lowerBound)),
                min(old.upperBound, max(old.lowerBound, range.upperBound))..<old.upperBound,
            ].filter { !$0.isEmpty }
        }
    }

    /// As a sync is over: what held other bytes at the one before.
    func rememberOlder() {
        var before: [Int: [UInt8]] = [:]
        for overwrite in overwrites.reversed() {
            for sector in overwrite.sectors {
                overwrite.takeBack(
                    &before[sector, default: OlderSectors.sector(sector, of: bytes)], of: sector)
            }
        }
        older.synced(bytes, before: before)
    }
}
