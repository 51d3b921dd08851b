// States that differ: a member's tree changes by itself, and the members must find it, give it up and
// fetch it anew, and nothing else ever. What clients may see of it before is not asked, so what
// changes is a znode that none of them reads. All else is asked of such a member as of any other, also
// once its state has spread in a snapshot: a majority may be wrong then, and prevails.

import Ensemble
import Raft
import Znodes

extension World {
    func flip(_ member: Member) {
        guard let process = unflipped(member), isWhole(member), othersCanGive(member) else {
            return
        }
        let before = process.replica.digest
        guard process.replica.harmState() else { return }
        trace("\(member.id) has another state")
        marks.hit(.stateFlipped)
        flipped.flip(
            member.position, from: before, to: process.replica.digest,
            at: process.replica.applied.rawValue)
    }

    /// A bit flips that no digest knows of: no snapshot may be made of it, and the files are right.
    func flipQuietly(_ member: Member) {
        guard let process = unflipped(member), process.replica.harmState(quietly: true) else {
            return
        }
        trace("a bit flips in the memory of \(member.id)")
        process.memoryIsCorrupted = true
    }

    /// Its process between turns, if its state and its memory are as they should be.
    private func unflipped(_ member: Member) -> Process? {
        guard let process = member.process, !member.isPaused, !process.turnIsOpen,
            !flipped.isFlipped(member.position), !isOut(member), process.applied > .zero,
            !process.memoryIsCorrupted
        else { return nil }
        return process
    }

    /// `newFrom`: the state of that zxid has come from a disk or from another member.
    func checkDigest(
        _ member: Member, _ process: Process, newFrom: UInt64? = nil
    ) throws(Violation) {
        let digest = process.replica.digest
        let applied = process.replica.applied
        // A tree without entries is blank.
        let hasSpread = try flipped.check(
            digest,
            byReplay: applied == .zero
                ? digest : oracle.digest(at: applied, member: member.position),
            member: member.position, at: applied.rawValue, newFrom: newFrom)
        if hasSpread {
            trace("\(member.id) has taken in a state that is wrong")
            marks.hit(.stateSpread)
        }
    }

    func checkVerdict(_ verdict: StateVerdict, _ member: Member) {
        checking { () throws(Violation) in
            switch verdict {
            case .agreed: break
            case .disputed(let index):
                try flipped.checkDisputed(member.position, at: index.rawValue)
            case .wrong(let index): try flipped.checkWrong(member.position, at: index.rawValue)
            case .corrupted:
                try expect(
                    member.process?.memoryIsCorrupted == true, .digest,
                    "member \(member.id) finds its memory corrupted, and it is not")
            }
        }
    }
}
