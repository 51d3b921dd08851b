// What a replica makes of the core's view of leadership: who leads, since when nobody does, and for
// how long it may claim itself that nobody else can.

import Raft
import Znodes

extension Replica {
    /// To whoever is furthest, if there is one and no hand-over is under way.
    mutating func handOver(into effects: inout Effects) {
        if raft.transferLeadership(to: nil) { effects.events.append(.handingOver) }
    }

    /// After each turn of the core.
    mutating func noteLeadership(into effects: inout Effects) {
        guard raft.role != role || raft.term != lastTerm || raft.leader != leaderSeen else {
            return
        }
        if raft.role == .candidate && (role != .candidate || raft.term != lastTerm) {
            elections += 1
        }
        let newReign = raft.leader != nil && (raft.leader != leaderSeen || raft.term != lastTerm)
        if newReign { leaderChanges += 1 }
        if raft.role == .leader, role != .leader || raft.term != lastTerm {
            forwardsSeen.begin(raft.term)
            identityProposedIn = nil
            limitsProposedIn = nil
            admission.begin(at: raft.lastIndex)
            turnStrangersAway(into: &effects)
        }
        if raft.role != .leader, role == .leader { abandonOutgoingSnapshots() }
        role = raft.role
        lastTerm = raft.term
        leaderSeen = raft.leader
        effects.events.append(.roleChanged(role, lastTerm, leader: leaderSeen))
        if newReign {
            lastLeaderContactMs = nowMs
            flushQueuedWrites(into: &effects)
        }
    }

    /// A message from the leader of this term arrived.
    mutating func noteLeaderContact() {
        lastLeaderContactMs = nowMs
        everHadLeader = true
    }

    var electionTimeoutMaxMs: UInt64 {
        UInt64(options.raft.electionTicksMax) * options.tickMs
    }

    /// Whether a leader that has a quorum was heard of within an election time-out.
    var hearsLeader: Bool {
        raft.leader != nil && nowMs <= lastLeaderContactMs + electionTimeoutMaxMs
    }

    /// As leader, until when nobody else can lead: followers that answered a heartbeat sent at t
    /// refuse their votes for a minimum election time-out after t. Their ticks may run ahead of ours
    /// by one period each way, and clocks by a few per cent, so a margin is taken off.
    var leaderConfirmedUntilMs: UInt64 {
        guard raft.role == .leader, !stopping, raft.hasCommittedInTerm,
            let confirmedMs = raft.quorumConfirmedMs
        else { return 0 }
        return confirmedMs + options.leadershipProofMs
    }

    mutating func tickLeadership(into effects: inout Effects) {
        noteOwnFreshness()
        if raft.role == .leader, let confirmedMs = raft.quorumConfirmedMs {
            lastLeaderContactMs = max(lastLeaderContactMs, confirmedMs)
            everHadLeader = true
        }
        if hearsLeader && everHadLeader {
            leaderlessSinceMs = nil
            waits.stopLeaving()
        } else if leaderlessSinceMs == nil {
            leaderlessSinceMs = max(lastLeaderContactMs, 1)
        }
        if let since = leaderlessSinceMs, !waits.isLeaving,
            nowMs >= since + options.leaderlessWaitMs
        {
            waits.startLeaving(nowMs: nowMs, spreadMs: options.waitSpreadMs)
        }
    }
}
