// Misdirected writes: what was to go to one place of a disk went to another, so the old bytes are
// still in the first and the second holds what belongs elsewhere, with its checksum intact. Only over
// what a later header says is durable, as with rot (`World+Rot`); the last group may itself be one that
// went astray, within the log.

import Journal
import Raft

/// A part of a file.
private struct Place {
    let file: String
    let offset: Int
    let bytes: Int

    func overlaps(_ other: Place) -> Bool {
        file == other.file && offset < other.offset + other.bytes
            && other.offset < offset + bytes
    }
}

extension World {
    /// Before a start.
    func misdirectAtRest(_ member: Member) {
        guard weather[.misdirectedWrite] > 0, !isSettling,
            lateRandom.chance(perMille: weather[.misdirectedWrite]), mayHarm(member),
            misdirect(member)
        else { return }
        noteHarm(member, .misdirected)
    }

    /// False: nothing there that may be damaged.
    private func misdirect(_ member: Member) -> Bool {
        let disk = member.disk
        let sector = JournalLimits.sectorBytes
        let files = FilesOnDisk(disk)
        let (logs, groups, snapshots) = (files.logs, files.groups, files.snapshots)
        guard let last = files.last else { return false }
        func place(_ group: GroupOnDisk) -> Place {
            Place(
                file: group.file, offset: group.offset,
                bytes: (group.bytes + sector - 1) / sector * sector)
        }
        let sources = groups.filter { $0.sequence <= last.mark }.map(place)
        let untouchable = groups.filter { $0.sequence > last.mark }.map(place)
        guard !sources.isEmpty else { return false }
        // Where other bytes are damaged as well, nothing proves that it was the last.
        let isLast = lateRandom.chance(perMille: 200) && member.damagedAt == nil
        let source = isLast ? place(last) : lateRandom.pick(sources)
        var targets: [Place] = []
        for file in isLast ? logs : logs + snapshots {
            let count = disk.contents(file).count
            // No header of a segment: one must go on telling which log it is.
            var offset = logs.contains(file) ? sector : 0
            while offset + source.bytes <= count {
                let target = Place(file: file, offset: offset, bytes: source.bytes)
                if !target.overlaps(source), !untouchable.contains(where: target.overlaps) {
                    targets.append(target)
                }
                offset += sector
            }
        }
        guard !targets.isEmpty else { return false }
        let used = targets.filter { target in sources.contains(where: target.overlaps) }
        let choice =
            !used.isEmpty && lateRandom.coin()
            ? used[Int(lateRandom.next(below: UInt64(used.count)))]
            : targets[Int(lateRandom.next(below: UInt64(targets.count)))]
        let contents = disk.contents(source.file)
        let end = min(source.offset + source.bytes, contents.count)
        let written = Array(contents[source.offset..<end])
        trace(
            "\(written.count) bytes for \(source.file) at \(source.offset) went to \(choice.file) at \(choice.offset)"
        )
        disk.alter(choice.file, at: choice.offset, written)
        disk.alter(
            source.file, at: source.offset, [UInt8](repeating: 0, count: written.count))
        if isLast { member.lastIsAstray = true }
        return true
    }
}
