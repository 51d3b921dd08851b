// Bit rot in the files of a running member, and the scrub that its shell does, by the product's own
// logic. Only files that lie at rest change, and only what a later header says is durable, as with rot
// of a stopped member (`World+Rot`): it may stop before it is healed.

import Ensemble
import Journal
import Raft

extension World {
    /// Files at rest are read, some at a tick.
    func scrub(_ member: Member) throws(Violation) {
        guard weather[.rotInUse] > 0, let process = member.process, !process.snapshotsAreBusy,
            isSettling || scrubRandom.chance(perMille: 300)
        else { return }
        let bytesMax = isSettling ? Scrub.stepBytes : scrubRandom.pick([1_024, 8_192, 262_144])
        var outcomes: [SnapshotOutcome] = []
        _ = process.snapshots.scrub(bytesMax: bytesMax, into: &outcomes)
        if options.bug == .scrubUnheard { return }
        for outcome in outcomes where member.process === process {
            try take(outcome, member, process)
        }
    }

    func noteScrubbed(_ damage: ScrubDamage, _ member: Member) throws(Violation) {
        trace("\(member.id) scrubs: \(damage.finding)")
        try ScrubCheck(member.disk, blockBytes: tuning.journal.snapshotBlockBytes)
            .judge(damage, of: member.position)
        switch damage {
        case .snapshot: marks.hit(.scrubFoundSnapshot)
        case .segment: marks.hit(.scrubFoundLog)
        }
    }

    /// What changed while this process ran is gone. After a start that is its recovery's business.
    func isScrubbed(_ member: Member) -> Bool {
        guard let spoiled = member.spoiled, spoiled.run == member.run else { return true }
        return !member.disk.isSpoiled(spoiled.file)
    }

    func rotInUse(_ member: Member) {
        guard scrubRandom.chance(perMille: weather[.rotInUse]), let process = member.process,
            !member.disk.isSpoiled, mayHarm(member)
        else { return }
        let snapshot = process.snapshots.newestName
        guard let file = scrubRandom.coin() ? snapshot ?? sealed(member) : sealed(member) else {
            return
        }
        let bytes = member.disk.contents(file)
        guard !bytes.isEmpty else { return }
        let sectorBytes = JournalLimits.sectorBytes
        let place = Int(scrubRandom.next(below: UInt64(bytes.count)))
        // Zeros that a large group made a segment longer by are missed by nobody.
        let isCut = scrubRandom.chance(perMille: 100)
        if isCut, file == snapshot || place < tuning.journal.segmentBytes {
            member.disk.spoil(file, at: place, nil)
        } else {
            let start = place / sectorBytes * sectorBytes
            var sector = Array(bytes[start..<min(start + sectorBytes, bytes.count)])
            // A segment's header goes as a whole: it counts as intact as long as its beginning is.
            if start > 0, scrubRandom.coin() {
                sector[place - start] ^= 1 << UInt8(scrubRandom.next(below: 8))
            } else {
                sector = sector.map { ~$0 }
            }
            member.disk.spoil(file, at: start, sector)
        }
        trace("\(file) of \(member.id) rots at \(place)")
        member.spoiled = (file, member.run)
        noteHarm(member, .rottedInUse)
    }

    /// A segment that is not written any more, and whose groups a later header calls durable.
    private func sealed(_ member: Member) -> String? {
        let files = FilesOnDisk(member.disk)
        guard files.logs.count > 2 else { return nil }
        let file = scrubRandom.pick(Array(files.logs.dropLast(2)))
        guard let last = files.last,
            files.groups.allSatisfy({ $0.file != file || $0.sequence <= last.mark })
        else { return nil }
        return file
    }
}
