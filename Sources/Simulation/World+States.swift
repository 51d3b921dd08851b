// States that differ: a member's tree changes by itself, and the members must find it, give it up and
// fetch it anew, and nothing else ever. What clients may see of it before is not asked, so what
// changes is a znode that none of them reads.

import Ensemble
import Raft
import Znodes

extension World {
    func flip(_ member: Member) {
        guard let process = member.process, !member.isPaused, !member.isFlipped, !isOut(member),
            process.applied > .zero, !process.memoryIsCorrupted, isWhole(member), othersCanGive(member),
            process.replica.harmState()
        else { return }
        trace("\(member.id) has another state")
        marks.hit(.stateFlipped)
        member.isFlipped = true
    }

    /// A bit flips that no digest knows of: no snapshot may be made of it, and the files are right.
    func flipQuietly(_ member: Member) {
        guard let process = member.process, !member.isPaused, !member.isFlipped, !isOut(member),
            process.applied > .zero, !process.memoryIsCorrupted,
            process.replica.harmState(quietly: true)
        else { return }
        trace("a bit flips in the memory of \(member.id)")
        process.memoryIsCorrupted = true
    }

    func checkCorruption(_ member: Member, at index: LogIndex) {
        checking { () throws(Violation) in
            try expect(
                member.process?.memoryIsCorrupted == true, .digest,
                "member \(member.id) finds its memory corrupted at \(index), and it is not")
        }
    }

    func checkDigest(
        _ member: Member, _ process: Process, atStart: Bool = false
    ) throws(Violation) {
        let (applied, digest) = (process.replica.applied, process.replica.digest)
        let isRight = applied == .zero || oracle.record(applied)?.digest == digest
        if member.isFlipped {
            // Its state came anew, from the log or from another member.
            if isRight { member.isFlipped = false }
            return
        }
        let cameInSnapshot = effects.events.contains {
            if case .snapshotInstalled = $0 { true } else { false }
        }
        // One that was received may be durable, and not installed before the start.
        if !isRight, cameInSnapshot || atStart, members.contains(where: \.isFlipped) {
            trace("\(member.id) has taken in a state that is wrong")
            marks.hit(.stateSpread)
            wrongStateSpread = true
            return
        }
        try oracle.check(digest, at: applied, member: member.position)
    }

    func checkVerdict(_ verdict: StateVerdict, _ member: Member) {
        checking { () throws(Violation) in
            switch verdict {
            case .agreed: break
            case .disputed:
                try expect(
                    marks[.stateFlipped] > 0, .digest,
                    "member \(member.id) sees states that differ, and none does")
            case .wrong:
                try expect(
                    member.isFlipped, .digest,
                    "member \(member.id) takes its state for wrong, and it is right")
            }
        }
    }

    /// From here on its disk counts for what it promised, and for no more.
    func givesUp(_ member: Member) {
        member.damagedAt = consensus.committedCount
        consensus.damaged(member.position)
    }
}
