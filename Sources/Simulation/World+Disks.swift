// Exchanged disks: a member comes back with an empty one, and maybe later with the old one, or with
// the new one again. What is judged: when its vote is taken away and given back; and at the end each
// member must count, with the disk that the ensemble has named for it.

import Ensemble
import Journal
import Raft

extension World {
    private func storage(_ member: Member) -> StorageID? { member.storages[member.diskNumber] }

    /// The disk that the ensemble has named for it.
    private func named(_ member: Member) -> StorageID? {
        oracle.storages.first { $0.member == member.id }?.storage
    }

    /// The disk that is in it is another one than the named one.
    func isUnnamed(_ member: Member) -> Bool {
        member.shelf != nil && named(member) != storage(member)
    }

    /// A disk that another one has replaced may vote as long as it does not know: whoever asks it, and
    /// would count it, lacks the entry too, and does not win.
    func checkVoter(_ member: Member) throws(Violation) {
        guard isUnnamed(member) else { return }
        let end = storage(member).flatMap { storage in
            oracle.replacedAt.last { $0.disk == storage }?.index
        }
        try consensus.checkUnnamedVoter(member.position, replacedAt: end)
    }

    /// Its disk was exchanged, and it does not count again: not before the voters without it, of whom
    /// none can be spared, have gone as well.
    func isOut(_ member: Member) -> Bool {
        guard member.shelf != nil else { return false }
        if isUnnamed(member) { return true }
        guard let configuration = oracle.configuration else { return false }
        return configuration.isJoint || !configuration.voters.contains(member.id)
    }

    /// Some log says so, and it may be committed yet: those who hold it go by the voters that are left.
    func isBeingDemoted(_ member: Member) -> Bool {
        member.demotedAt > consensus.committedCount
    }

    /// The disk is exchanged for an empty one: of one member at a time, and only when every member
    /// knows the ensemble: before that nobody can tell an exchanged disk from a first one.
    func wipe(_ member: Member) {
        let isAgain = isOut(member)
        guard members.count >= 3, members.allSatisfy(isWhole), othersCanGive(member),
            members.allSatisfy({ $0 === member || !isOut($0) && !isBeingDemoted($0) }),
            oracle.storages.count == members.count,
            members.allSatisfy({
                $0.process?.journal.identity.ensembleID != nil || ($0 === member && isAgain)
            })
        else { return }
        marks.hit(isAgain ? .wipedAgain : .wiped)
        crash(member, .all, restartAfterNs: restartDelayNs())
        // Of several the one that is named could be needed again, and no other.
        if !isUnnamed(member) || member.shelf == nil {
            member.shelf = (member.disk, member.diskNumber)
        }
        let empty = SimulatedDisk()
        empty.liesAboutSync = member.disk.liesAboutSync
        empty.liesAboutDirectory = member.disk.liesAboutDirectory
        empty.remembersOlder = member.disk.remembersOlder
        empty.cacheHidesFailedSyncs = member.disk.cacheHidesFailedSyncs
        member.lastDiskNumber += 1
        put(empty, member.lastDiskNumber, into: member)
    }

    private func put(_ disk: SimulatedDisk, _ number: Int, into member: Member) {
        member.disk = disk
        member.diskNumber = number
        consensus.exchanged(member.position, to: number)
    }

    /// Of the member whose disk was exchanged: the old one is back, or the new one is again; or, while
    /// it does not count, that one is lost as well.
    func exchangeAgain() {
        guard let member = members.first(where: isOut) ?? members.first(where: { $0.shelf != nil })
        else { return }
        if isOut(member), faultRandom.coin() { wipe(member) } else { exchangeBack(member) }
    }

    private func exchangeBack(_ member: Member) {
        guard members.allSatisfy({ $0 === member || !isOut($0) && !isBeingDemoted($0) }),
            members.allSatisfy(isWhole)
        else { return }
        changePlaces(member)
    }

    /// The disk on the shelf and the one in the member.
    private func changePlaces(_ member: Member) {
        guard let shelf = member.shelf else { return }
        marks.hit(shelf.number < member.diskNumber ? .oldDiskBack : .newDiskBack)
        crash(member, .all, restartAfterNs: restartDelayNs())
        member.shelf = (member.disk, member.diskNumber)
        put(shelf.disk, shelf.number, into: member)
    }

    /// At the end of a run: a disk whose place another one has taken is turned away for good. Its
    /// operator brings the named one back, or a later one; a blank one is let in by itself. Whatever the
    /// others have: the disk that is taken away counts for nothing.
    func returnNamedDisks() {
        for member in membersThere {
            guard let shelf = member.shelf, let named = named(member), named != storage(member)
            else { continue }
            let isForGood = member.process?.journal.identity.ensembleID != nil
            let isLater = shelf.number > member.diskNumber
            let isNamed = named == member.storages[shelf.number]
            if isNamed ? isLater || isForGood : isLater && isForGood { changePlaces(member) }
        }
    }

    // MARK: what is judged

    /// A leader begins a change of the voters.
    func checkAdmissions(in entries: [Entry], by process: Process) throws(Violation) {
        let now = process.replica.observation
        guard now.role == .leader else { return }
        for entry in entries where entry.kind == .configuration && entry.term == now.term {
            guard let next = try? Configuration(decoding: entry.payload), next.isJoint else {
                continue
            }
            for member in members {
                switch (next.outgoingVoters.contains(member.id), next.voters.contains(member.id)) {
                case (true, false):
                    member.demotedAt = Int(entry.index.rawValue)
                    try checkSilence(of: member, to: now.id)
                case (false, true): try checkCaughtUp(member, commit: now.commit, by: now.id)
                case (true, true), (false, false): break
                }
            }
        }
    }

    /// The leader can have heard nothing of the disk that is named for as long as the options say.
    private func checkSilence(of member: Member, to leader: MemberID) throws(Violation) {
        guard let number = member.storages.first(where: { $0.value == named(member) })?.key else {
            return
        }
        let other = Int(leader.rawValue) - 1
        let isLinked = member.diskNumber == number && links.isUp(member.position, other)
        let link = DiskLink(disk: number, other: other)
        let lastNs = isLinked ? nowNs : member.lastLinkedNs[link] ?? 0
        // Ticks may run ahead, by the drift of clocks.
        let leastNs = UInt64(tuning.exchangedTicks) * tuning.replica.tickMs * 900_000
        try expect(
            nowNs >= lastNs + leastNs, .diskAdmission,
            "\(member.id) loses its vote \((nowNs - lastNs) / 1_000) us after its disk was heard")
    }

    private func checkCaughtUp(
        _ member: Member, commit: LogIndex, by leader: MemberID
    ) throws(Violation) {
        if isUnnamed(member) {
            // Exchanged just now, which the leader may not have heard.
            let number = member.storages.first { $0.value == named(member) }?.key
            let link = number.map { DiskLink(disk: $0, other: Int(leader.rawValue) - 1) }
            return try expect(
                link.map { member.lastLinkedNs[$0] != nil } ?? false, .diskAdmission,
                "\(member.id) gets a vote with a disk that nobody has named")
        }
        let held = UInt64(consensus.durableLast(member.position))
        try expect(
            held + tuning.replica.admittedEntriesBehindMax >= commit.rawValue, .diskAdmission,
            "\(member.id) gets its vote back, holds \(held) of \(commit)")
    }

    /// Committed for the first time, and known to the oracle.
    func noteNaming(in entry: Entry) {
        guard oracle.replacedAt.last?.index == entry.index.rawValue else { return }
        for member in members {
            guard let number = member.storages.first(where: { $0.value == named(member) })?.key
            else { continue }
            consensus.named(member.position, disk: number)
        }
    }
}
