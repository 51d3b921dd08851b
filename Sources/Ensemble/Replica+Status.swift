// The small picture of a replica that probes, lists and metrics are answered from; and when storage
// that was damaged is whole again.

import Raft
import Znodes

extension Replica {
    package func status() -> ReplicaStatus {
        var status = ReplicaStatus.initial(id: identity.member)
        status.ensemble = ensemble
        status.role = raft.role
        status.term = raft.term
        status.leader = raft.leader
        status.applied = applied
        status.commit = Zxid(raft.commit.rawValue)
        status.leaderConfirmedUntilMs = leaderConfirmedUntilMs
        status.lastLeaderContactMs = lastLeaderContactMs
        status.freshAsOfMs = freshAsOfMs
        status.leaderlessSinceMs = leaderlessSinceMs
        status.caughtUp = caughtUp
        status.refusedBy = refusedBy
        status.admission = admissionState
        status.stopping = stopping
        status.repairingThrough = isDamaged ? raft.claim?.index ?? raft.commit : nil
        status.repairs = repairs
        status.diskIsFull = !raft.hasRoom
        status.disksAdmitted = admission.admitted
        status.stateVerdict = stateVerdict
        status.stateComparisons = comparison.comparisons
        status.stateDifferences = stateDifferences
        status.members = memberStatuses()
        status.failureTolerance = failureTolerance(of: status.members)
        status.minElectionTimeoutMs = options.raft.leaseMs
        status.znodes = tree.znodeCount
        status.storeBytes = tree.storeBytes
        status.digest = tree.digest
        status.waits = waits.count
        status.pendingWrites = writes.count
        status.logFirst = raft.firstIndex
        status.logLast = raft.lastIndex
        status.snapshotIndex = ownSnapshot.durable?.index ?? .zero
        status.elections = elections
        status.leaderChanges = leaderChanges
        status.proposals = proposals
        return status
    }

    private func memberStatuses() -> [MemberStatus] {
        let configuration = raft.configuration
        return configuration.members.map { member in
            let voter = !configuration.isLearner(member)
            if member == identity.member {
                return MemberStatus(
                    id: member, voter: voter, role: raft.role, httpAddress: identity.httpAddress,
                    peerAddress: identity.peerAddress, version: identity.version,
                    report: MemberReport(
                        role: raft.role, applied: applied, atMs: nowMs, isFull: !raft.hasRoom),
                    lastContactMs: nowMs)
            }
            let peer = peers[member]
            // Who leads is known at once; a report may be as old as `reportMs`.
            let said = isThere(member) ? peer?.report?.role : nil
            let role = member == raft.leader ? .leader : said == .leader ? .follower : said
            return MemberStatus(
                id: member, voter: voter, role: role,
                httpAddress: peer?.hello?.httpAddress ?? [],
                peerAddress: peer?.peerAddress ?? [], version: peer?.hello?.version ?? [],
                report: peer?.report, lastContactMs: peer?.lastContactMs)
        }
    }

    /// Connected, and with the disk that counts.
    func isThere(_ member: MemberID) -> Bool {
        guard let peer = peers[member], peer.connected, let hello = peer.hello else { return false }
        return isNamedDisk(hello)
    }

    /// How many more voters may fail before no majority is in touch.
    private func failureTolerance(of members: [MemberStatus]) -> Int {
        let voters = members.filter(\.voter)
        let silentMs = 2 * electionTimeoutMaxMs + options.reportMs
        let reachable = voters.filter { member in
            member.id == identity.member
                || (isThere(member.id)
                    && (member.lastContactMs.map { nowMs <= $0 + silentMs } ?? false))
        }
        return max(0, reachable.count - Quorum.majority(of: voters.count))
    }

    /// Damaged storage is whole again once all that this member had acknowledged and all that is
    /// committed is back.
    mutating func tickRepair(into effects: inout Effects) {
        guard isDamaged, raft.claim == nil, caughtUp else { return }
        isDamaged = false
        repairs += 1
        effects.events.append(.repaired(LogIndex(applied.rawValue)))
    }
}
