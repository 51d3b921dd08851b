// Whether a finding of the scrub is just: the disk has harmed the very bytes that it is about, or has
// failed the very read. Where zeros hide what was there, the finding is at what comes next.

package import Journal

package struct ScrubCheck {
    private let disk: SimulatedDisk
    private let blockBytes: Int

    /// `blockBytes`: of the bodies of snapshots.
    package init(_ disk: SimulatedDisk, blockBytes: Int) {
        self.disk = disk
        self.blockBytes = blockBytes
    }

    package func judge(_ damage: ScrubDamage, of member: Int) throws(Violation) {
        let isJust =
            switch damage {
            case .snapshot(_, let error): isJust(error) { isSnapshotHarmed($0, at: $1) }
            case .segment(let error): isJust(error) { isSegmentHarmed($0, at: $1) }
            }
        try expect(
            isJust, .recovery,
            "member \(member + 1) finds damage that nobody has done: \(damage.finding)")
    }

    private func isJust(_ error: JournalError, _ isHarmed: (String, Int) -> Bool) -> Bool {
        switch error {
        case .storage(let error): error.operation == .read && error == disk.failure
        case .rot(let file, let offset, _), .malformed(let file, let offset, _):
            isHarmed(file, offset)
        case .foreign(let file, _), .unsupportedVersion(let file, _): isHarmed(file, 0)
        case .missing, .gap, .contradiction, .identityMismatch, .ensembleMismatch,
            .identityMissing, .distrusted, .snapshotAbsent:
            false
        }
    }

    /// A block, with length and checksum before it. The header names no bytes of its own, and the end
    /// is found by the size.
    private func isSnapshotHarmed(_ file: String, at offset: Int) -> Bool {
        let end = offset + 8 + blockBytes
        let isOpen = offset == 0 || end >= disk.contents(file).count
        return disk.isHarmed(file, offset..<(isOpen ? Int.max : end))
    }

    private func isSegmentHarmed(_ file: String, at offset: Int) -> Bool {
        let files = FilesOnDisk(disk)
        let group = files.groups.first { $0.file == file && $0.offset == offset }
        let end = offset + max(group?.bytes ?? 0, JournalLimits.sectorBytes)
        let start = startOfZeros(file, before: offset)
        if disk.isHarmed(file, start..<end) { return true }
        // What was last in the segment before is hidden as well.
        guard start <= JournalLimits.sectorBytes,
            let place = files.logs.firstIndex(of: file), place > 0
        else { return false }
        let before = files.logs[place - 1]
        let hidden = startOfZeros(before, before: disk.contents(before).count)
        return disk.isHarmed(before, hidden..<Int.max)
    }

    /// Of the sectors in front of there that hold nothing.
    private func startOfZeros(_ file: String, before offset: Int) -> Int {
        let bytes = disk.contents(file)
        var start = min(offset, bytes.count)
        while start > JournalLimits.sectorBytes,
            bytes[(start - JournalLimits.sectorBytes)..<start].allSatisfy({ $0 == 0 })
        {
            start -= JournalLimits.sectorBytes
        }
        return start
    }
}
