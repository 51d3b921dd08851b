// The status in plain numbers and words, for those above the replica who must not know its
// consensus core: gateways name members and terms, and decide nothing with them.

import Raft

extension ReplicaStatus {
    package var number: UInt64 { id.rawValue }
    package var leaderNumber: UInt64? { leader?.rawValue }
    package var termNumber: UInt64 { term.rawValue }
    package var isLeader: Bool { role == .leader }
    package var logFirstNumber: UInt64 { logFirst.rawValue }
    package var logLastNumber: UInt64 { logLast.rawValue }
    package var repairingThroughNumber: UInt64? { repairingThrough?.rawValue }
    package var snapshotNumber: UInt64 { snapshotIndex.rawValue }

    /// Where this member's state differs from another's; nil: nowhere that is known.
    package var differsAtNumber: UInt64? {
        switch stateVerdict {
        case .agreed: nil
        case .disputed(let index), .wrong(let index), .corrupted(let index): index.rawValue
        }
    }
    /// A majority agrees on another state, so that this member starts anew.
    package var stateIsWrong: Bool { if case .wrong = stateVerdict { true } else { false } }
    /// Memory does not hold what was applied, so that this member starts anew.
    package var stateIsCorrupted: Bool { if case .corrupted = stateVerdict { true } else { false } }

    /// What is known of the leader; nil without one.
    package var leaderStatus: MemberStatus? {
        guard let leader else { return nil }
        return members.first { $0.id == leader }
    }
}

extension MemberStatus {
    package var number: UInt64 { id.rawValue }

    package var roleName: StaticString? {
        switch role {
        case nil: nil
        case .follower: "follower"
        case .preCandidate, .candidate: "candidate"
        case .leader: "leader"
        case .learner: "learner"
        }
    }
}
