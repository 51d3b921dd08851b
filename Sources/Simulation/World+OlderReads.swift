// Reads that show what a sector held before its last durable write, once. Never the last groups of a
// log, as with rot (`World+Rot`): the end of the log would be gone without a trace.

import Ensemble
import Journal
import Raft

extension World {
    /// One read of the recovery to come.
    func readOlderAtStart(_ member: Member) {
        member.disk.forgetOlder()
        guard !isSettling, lateRandom.chance(perMille: weather[.olderRead]), mayHarm(member) else {
            return
        }
        let files = FilesOnDisk(member.disk)
        guard let last = files.last else { return }
        let groups = lateRandom.coin() ? files.groups.filter { $0.sequence <= last.mark } : []
        if groups.isEmpty, let snapshot = files.snapshots.last {
            return showOlder(member, snapshot) { _ in true }
        }
        guard !groups.isEmpty else { return }
        let group = lateRandom.pick(groups)
        showOlder(member, group.file) { sector in
            OlderSectors.range(sector).overlaps(group.offset..<(group.offset + group.bytes))
        }
    }

    private func showOlder(_ member: Member, _ file: String, _ isMeant: (Int) -> Bool) {
        let sectors = member.disk.olderSectors(file).filter(isMeant)
        guard !sectors.isEmpty else { return }
        member.disk.showOlder(
            file, lateRandom.pick(sectors), afterReads: Int(lateRandom.next(below: 3)))
    }

    /// What a recovery has been shown. Where it found nothing wrong, it must have lost nothing.
    func noteOlderRead(_ member: Member, foundDamage: Bool) {
        defer { member.disk.forgetOlder() }
        guard let shown = member.disk.shownOlder.first else { return }
        let found = foundDamage ? "damage" : "none"
        trace("\(member.id) saw sector \(shown.sector) of \(shown.name) as it was: \(found)")
        if foundDamage {
            noteHarm(member, .olderReadFound)
        } else {
            marks.hit(.olderReadHarmless)
        }
    }

    /// True: the recovery ended because of it. It is tried again.
    func endsByOlderRead(_ member: Member) -> Bool {
        guard !member.disk.shownOlder.isEmpty else { return false }
        noteOlderRead(member, foundDamage: true)
        if member.disk.isWithoutPower || member.disk.hasFailed { return false }
        marks.hit(.olderReadEndsStart)
        crash(member, .none, restartAfterNs: restartDelayNs())
        return true
    }
}
