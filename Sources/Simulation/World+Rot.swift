// Bit rot at rest: bytes of a stopped member that were durable have changed or vanished when it
// starts again. It must never touch the last groups, which no later one says are durable: nobody
// can tell their damage from a crash (docs/storage-format.md, "What window remains").

import Ensemble
import Journal
import Raft
import Znodes

extension World {
    /// Before a start. Fewer than half of the members lack something at a time, so all that is
    /// committed is whole on one at least.
    func rotAtRest(_ member: Member) {
        guard weather[.rot] > 0, !isSettling, faultRandom.chance(perMille: weather[.rot]),
            mayHarm(member)
        else { return }
        var done = 0
        for _ in 0..<faultRandom.draw(1...3) where harm(member) { done += 1 }
        if done > 0 { noteHarm(member, .rotted) }
    }

    /// Bytes of it that were durable may change without anybody's losing what was acknowledged.
    func mayHarm(_ member: Member) -> Bool {
        guard !isOut(member), !member.disk.hasUnsynced else { return false }
        if member.lastIsAstray, !isWhole(member) { return false }
        return othersCanGive(member)
    }

    func noteHarm(_ member: Member, _ mark: Mark) {
        work.damages += 1
        marks.hit(mark)
        trace("\(member.id) is harmed: \(mark)")
        countsForPromises(member)
    }

    /// From here on its disk counts for what it promised, and for no more.
    func countsForPromises(_ member: Member) {
        member.damagedAt = consensus.committedCount
        consensus.damaged(member.position)
    }

    /// So many of the others are whole that one more may lose what it has.
    func othersCanGive(_ member: Member) -> Bool {
        // Before that, fewer than it seems can elect a leader.
        guard areTakenIn() else { return false }
        let lacking = members.filter {
            $0 !== member && (isOut($0) || isBeingDemoted($0) || !isWhole($0))
        }
        return lacking.count < (members.count - 1) / 2
    }

    /// All members know that they belong to the ensemble. Notes those that do.
    func areTakenIn() -> Bool {
        for member in members {
            guard let identity = member.process?.journal.identity else { continue }
            if identity.ensembleID != nil && !identity.isNewcomer { member.isTakenIn = true }
        }
        return members.allSatisfy(\.isTakenIn)
    }

    /// It has again all that was committed when its disk was damaged, on that disk: what it applied
    /// may not be durable there yet (docs/decisions/0005). Notes it.
    func isWhole(_ member: Member) -> Bool {
        if !flipped.prevails(in: member.position) { return false }
        // What it has taken in since it was found wrong, it gives up all the same.
        if flipped.areAny, case .wrong? = member.process?.replica.status().stateVerdict {
            return false
        }
        // What was spoiled may be needed when its member starts again.
        if member.disk.isSpoiled { return false }
        guard let needed = member.damagedAt else { return true }
        guard let process = member.process, process.replica.observation.claim == nil,
            process.applied.rawValue >= UInt64(needed),
            process.replica.observation.durableIndex.rawValue >= UInt64(needed)
        else { return false }
        member.damagedAt = nil
        member.lastIsAstray = false
        consensus.mended(member.position)
        return true
    }

    /// False: nothing there that may be damaged.
    private func harm(_ member: Member) -> Bool {
        let disk = member.disk
        let files = FilesOnDisk(disk)
        let (logs, groups, snapshots) = (files.logs, files.groups, files.snapshots)
        guard let last = files.last else { return false }
        // One header must go on telling which log it is.
        let intact = logs.filter { file in
            let bytes = disk.contents(file)
            return bytes.count > JournalLimits.sectorBytes
                && bytes.starts(with: [UInt8]("AVIARYLG".utf8))
        }
        let spare = logs.filter { file in intact.contains { $0 != file } }
        switch faultRandom.next(below: 10) {
        case 0..<5:
            let durable = groups.filter { $0.sequence <= last.mark }
            guard !durable.isEmpty else { return false }
            let group = durable[Int(faultRandom.next(below: UInt64(durable.count)))]
            let sectors = (group.bytes + JournalLimits.sectorBytes - 1) / JournalLimits.sectorBytes
            let sector = Int(faultRandom.next(below: UInt64(sectors)))
            return rot(
                disk, group.file, at: group.offset + sector * JournalLimits.sectorBytes)
        case 5:
            let used = spare.filter { file in groups.contains { $0.file == file } }
            guard !used.isEmpty else { return false }
            return rot(disk, faultRandom.pick(used), at: 0, isWhole: true)
        case 6:
            let older = spare.filter { $0 < last.file }
            guard !older.isEmpty else { return false }
            disk.vanish(faultRandom.pick(older))
        case 7:
            let older = spare.filter { $0 < last.file }
            guard !older.isEmpty else { return false }
            let file = faultRandom.pick(older)
            let count = UInt64(disk.contents(file).count)
            guard count > 0 else { return false }
            disk.cut(file, to: Int(faultRandom.next(below: count)))
        default:
            guard !snapshots.isEmpty else { return false }
            let file = faultRandom.pick(snapshots)
            let count = UInt64(disk.contents(file).count)
            guard count > 0 else { return false }
            let place = Int(faultRandom.next(below: count))
            if faultRandom.chance(perMille: 200) {
                disk.cut(file, to: place)
            } else {
                let sectorBytes = JournalLimits.sectorBytes
                return rot(disk, file, at: place / sectorBytes * sectorBytes)
            }
        }
        return true
    }

    /// Flips a bit, zeroes or garbles one sector. `isWhole`: so that nothing of it can be read.
    private func rot(
        _ disk: SimulatedDisk, _ file: String, at offset: Int, isWhole: Bool = false
    ) -> Bool {
        let count = min(JournalLimits.sectorBytes, disk.contents(file).count - offset)
        guard count > 0 else { return false }
        let kind = isWhole ? 2 : faultRandom.next(below: 3)
        let place = Int(faultRandom.next(below: UInt64(count)))
        let bit = UInt8(1) << UInt8(faultRandom.next(below: 8))
        var garbage = (0..<count).map { _ in UInt8(truncatingIfNeeded: faultRandom.next()) }
        var sector = Array(disk.contents(file)[offset..<(offset + count)])
        if kind == 1 { garbage = [UInt8](repeating: 0, count: count) }
        if kind == 0 || garbage == sector { sector[place] ^= bit } else { sector = garbage }
        disk.alter(file, at: offset, sector)
        return true
    }
}
