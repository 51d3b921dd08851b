// How old a member's local reads may be, by its own word: all that had been acknowledged to anybody
// before that time must be applied there.

import Ensemble
import Znodes

extension World {
    /// Also when a client has been told something.
    func noteWitnessed() {
        let newest = history.witnessed
        if newest > witnessedAt.last?.zxid ?? .zero { witnessedAt.append((nowNs, newest)) }
    }

    /// After each step of a member.
    func checkFreshness(_ member: Member, _ process: Process) throws(Violation) {
        guard options.comparesRealTime else { return }
        noteWitnessed()
        let freshMs = process.replica.provenFreshMs
        guard freshMs != process.freshMs else { return }
        process.freshMs = freshMs
        let freshNs = member.clock.trueNs(bootMs: freshMs)
        guard let owed = witnessedAt.last(where: { $0.timeNs < freshNs }) else { return }
        try expect(
            process.replica.applied >= owed.zxid, .staleRead,
            "member \(member.id) is fresh as of \(freshMs) ms at \(process.replica.applied), and "
                + "\(owed.zxid) was known before")
    }
}
