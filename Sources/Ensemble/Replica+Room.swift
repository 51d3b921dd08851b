// A full disk, this member's or another one's. A member without room takes no entries and refuses
// changes; it keeps its votes, and what it has it serves. A leader without room makes way for one
// that others with room can follow; where they are too few for a quorum it refuses changes itself,
// before they are in any log. docs/decisions/0012 has the reasons.

import Raft
import Znodes

/// Why a leader has not appended a write that was forwarded to it, and never will.
package enum ForwardRefusal: UInt8, Sendable {
    case notLeader = 0
    case overloaded = 1
    /// Too few members have room on their disks.
    case diskFull = 2
}

extension Replica {
    /// This member's disk has no room for what was asked of it, or has some again. Why not take entries
    /// at once then: they would take the room that the snapshot needs which lets the log shrink.
    mutating func diskIsFull(_ isFull: Bool, into effects: inout Effects) {
        guard journalIsFull != isFull else { return }
        journalIsFull = isFull
        retrySnapshotSoon()
        if isFull {
            clearForRoom(into: &effects)
            snapshotGoesFirst = false
        } else if clearing.through != nil, isSnapshotWorthwhile {
            snapshotGoesFirst = true
        } else if !clearing.heals {
            clearing = LogClearing()
        }
        noteRoom(into: &effects)
    }

    /// As the journal says, and what it has is not wanted for a snapshot first.
    private mutating func noteRoom(into effects: inout Effects) {
        snapshotGoesFirst = snapshotGoesFirst && clearing.through != nil && isSnapshotImminent
        let hasRoom = !journalIsFull && !snapshotGoesFirst
        guard raft.hasRoom != hasRoom else { return }
        raft.hasRoom = hasRoom
        effects.events.append(hasRoom ? .diskHasRoom : .diskFull)
        sendReports(into: &effects)
        makeWay(into: &effects)
    }

    func sendReports(into effects: inout Effects) {
        let report = PeerMessage.report(
            role: raft.role, applied: LogIndex(applied.rawValue), isFull: !raft.hasRoom)
        for member in peers.connected { send(report, to: member, into: &effects) }
    }

    mutating func tickRoom(into effects: inout Effects) {
        if journalIsFull { tickRoomClearing() }
        noteRoom(into: &effects)
        makeWay(into: &effects)
    }

    /// What others say of their disks reaches the core; a leader without room hands over.
    private mutating func makeWay(into effects: inout Effects) {
        raft.fullMembers = peers.full
        guard raft.role == .leader, !raft.hasRoom, !raft.isHandingOver, quorumHasRoom else {
            return
        }
        handOver(into: &effects)
    }

    /// Members in touch that have room are a quorum.
    private var quorumHasRoom: Bool {
        isQuorum { member in
            member == identity.member
                ? raft.hasRoom
                : peers.isConnected(member) && !raft.fullMembers.contains(member)
        }
    }

    private var quorumIsInTouch: Bool {
        isQuorum { $0 == identity.member || peers.isConnected($0) }
    }

    func isQuorum(_ counts: (MemberID) -> Bool) -> Bool {
        Quorum.decide(in: raft.configuration) { counts($0) } == .won
    }

    /// As leader: what is appended now is not committed before some disk has room.
    var lacksRoomAsLeader: Bool {
        guard raft.role == .leader, !raft.isHandingOver else { return false }
        if !raft.hasRoom { return true }
        if raft.fullMembers.isEmpty { return false }
        return quorumIsInTouch && !quorumHasRoom
    }
}
