// What a replica does about its own state and those of the others: tells its digests, judges what it
// hears, and serves nobody from a state that is disputed. One that is wrong it has thrown away; the
// process ends with that, and the next one fetches the state anew (docs/decisions/0014).

import Raft
import Znodes

extension Replica {
    /// Only then may anybody be told what the tree says.
    var stateIsTrusted: Bool { stateVerdict == .agreed }

    private var currentDigest: DigestMark {
        DigestMark(index: LogIndex(applied.rawValue), digest: tree.digest)
    }

    /// After each entry.
    mutating func noteDigest() {
        if applied.rawValue % options.digestEntries == 0 { comparison.note(currentDigest) }
    }

    /// With each report.
    mutating func tellDigests(to member: MemberID, into effects: inout Effects) {
        send(.digests(comparison.with(currentDigest)), to: member, into: &effects)
    }

    mutating func receiveDigests(
        _ marks: [DigestMark], from member: MemberID, into effects: inout Effects
    ) {
        // Its state is about to become this member's. Were this member found wrong by its word, and then
        // the right one by what both hold, what only these two logs hold would be gone.
        if outgoing.contains(where: { $0.member == member }) { return }
        comparison.heard(marks, from: member, current: currentDigest)
        judgeState(into: &effects)
    }

    /// Another process of the member: what the one before said is over. If that was of another state, it
    /// has given it up, or will.
    mutating func noteNewProcess(of member: MemberID) {
        // After one has failed, nobody waits for a snapshot before the next is tried.
        if membersThatDiffer.contains(member), stateIsTrusted, nowMs >= ownSnapshot.retryMs {
            raft.oweSnapshot(to: member)
        }
        comparison.forget(member)
        membersThatDiffer.removeAll { $0 == member }
    }

    mutating func tickComparison(into effects: inout Effects) {
        if stateVerdict.isFinal {
            giveStateUp(into: &effects)
        } else if disputedSinceMs != nil {
            judgeState(into: &effects)
        }
    }

    private mutating func judgeState(into effects: inout Effects) {
        // A change of the voters is over before anybody is judged by a majority.
        guard !raft.configuration.isJoint else { return }
        if stateVerdict.isFinal { return }
        let voters = raft.configuration.voters
        // A voter is a member with the disk that is named for it, and no other disk.
        let (found, differing) = comparison.judge(
            voters: voters.filter { isNamedDisk(of: $0) },
            majority: Quorum.majority(of: voters.count), self: identity.member,
            current: currentDigest)
        for member in differing where !membersThatDiffer.contains(member) {
            membersThatDiffer.append(member)
            effects.events.append(.otherStateDiffers(member, currentDigest.index))
        }
        var verdict = found
        if case .disputed = found {
            // A third member may just not have said what settles it.
            let sinceMs = disputedSinceMs ?? nowMs
            disputedSinceMs = sinceMs
            if nowMs < sinceMs + options.disputeMs { verdict = .agreed }
        } else {
            disputedSinceMs = nil
        }
        takeVerdict(verdict, into: &effects)
        if case .wrong = verdict {
            beginToGiveUp(by: .distrust, through: raft.lastIndex, into: &effects)
            // So that the others can say whose it was; the state goes at a tick, after that.
            for member in peers.connected { tellDigests(to: member, into: &effects) }
        }
    }

    /// A snapshot's walk met znodes that are not what was applied. No majority is needed to tell: the
    /// files were written before, under checksums, and are right.
    mutating func memoryFailed(at index: LogIndex, into effects: inout Effects) {
        if stateVerdict.isFinal { return }
        takeVerdict(.corrupted(index), into: &effects)
        beginToGiveUp(by: .startAnew, into: &effects)
    }

    private mutating func takeVerdict(_ verdict: StateVerdict, into effects: inout Effects) {
        if verdict != stateVerdict { effects.events.append(.stateJudged(verdict)) }
        let wasTrusted = stateIsTrusted
        stateVerdict = verdict
        guard wasTrusted, !stateIsTrusted else { return }
        raft.forgetSnapshotsOwed()
        stateDifferences += 1
        for request in waits.requests {
            endWait(request, with: .refused(.stateDiffers), into: &effects)
        }
    }

    private mutating func beginToGiveUp(
        by request: StorageRequest, through index: LogIndex? = nil, into effects: inout Effects
    ) {
        givingUp = GivingUp(
            request: request, lastIndex: index, retryMs: nowMs + electionTimeoutMaxMs)
        handOver(into: &effects)
    }

    private func isNamedDisk(of member: MemberID) -> Bool {
        if member != identity.member {
            guard let hello = peers[member]?.hello else { return false }
            return isNamedDisk(hello)
        }
        return namings.inForce.storage(of: member).map { $0 == identity.storage } ?? true
    }

    /// A leader hands over first, if somebody takes it. One whose log goes keeps it until the others
    /// have applied what it holds: that may be committed, and not all who outvoted it may have it yet.
    private mutating func giveStateUp(into effects: inout Effects) {
        guard var wanted = givingUp else { return }
        let isLeader = raft.role == .leader
        // What a leader appends, nobody else may have been sent yet.
        if isLeader, wanted.lastIndex != nil { wanted.lastIndex = raft.lastIndex }
        let isNeeded = wanted.lastIndex.map { !othersHaveApplied(min($0, raft.lastIndex)) } ?? false
        if isLeader, nowMs >= wanted.retryMs, isNeeded {
            wanted.retryMs = nowMs + electionTimeoutMaxMs
            handOver(into: &effects)
        }
        givingUp = wanted
        if isNeeded || (isLeader && nowMs < wanted.retryMs) { return }
        givingUp = nil
        effects.storage.append(wanted.request)
    }

    /// A quorum has, without this member.
    private func othersHaveApplied(_ index: LogIndex) -> Bool {
        isQuorum { member in
            guard isThere(member), let report = peers[member]?.report else { return false }
            return report.applied.rawValue >= index.rawValue
        }
    }
}

/// What a member does whose state is not to be believed.
struct GivingUp {
    let request: StorageRequest
    /// The end of the log that goes with the state; nil: it stays.
    var lastIndex: LogIndex?
    /// So long a leader waits for another to take over.
    var retryMs: UInt64
}
