// Committed entries become state, in order, the same on each member.

import Raft
import Znodes

extension Replica {
    mutating func apply(_ entries: [Entry], into effects: inout Effects) {
        let before = applied
        for entry in entries {
            invariant(
                entry.index.rawValue > applied.rawValue,
                "entry \(entry.index) is applied after \(applied)")
            if entry.term > lastAppliedTerm {
                lastAppliedTerm = entry.term
                requeueWrites(before: entry.term, into: &effects)
            }
            apply(entry, into: &effects)
            noteDigest()
        }
        raft.applied(through: LogIndex(applied.rawValue))
        wakeWaits(quietThrough: before, into: &effects)
    }

    private mutating func apply(_ entry: Entry, into effects: inout Effects) {
        let zxid = Zxid(entry.index.rawValue)
        bytesSinceSnapshot += entry.payload.count
        guard entry.kind == .command, let proposal = try? Proposal(decoding: entry.payload) else {
            return tree.skip(to: zxid)
        }
        switch proposal.body {
        case .command(let command):
            let outcome = tree.apply(command, zxid: zxid, timeMs: proposal.wallMs)
            decided(proposal.origin, outcome, zxid: zxid, into: &effects)
        case .identity, .disk:
            applyNaming(proposal.body, at: entry.index, into: &effects)
            tree.skip(to: zxid)
        case .limits(let limits):
            tree.setLimits(limits)
            limitsProposedIn = nil
            tree.skip(to: zxid)
        case .unknown:
            tree.skip(to: zxid)
            decided(proposal.origin, .failed(.unknownCommand), zxid: zxid, into: &effects)
        }
    }
}
