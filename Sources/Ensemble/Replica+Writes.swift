// Writes, from the client's request to its answer. A write is in one of two states: appended
// nowhere, so that it may go to any leader or be refused for good; or bound to one term, in whose
// log it may be. It is decided when it is applied here, and only then is the client told.

import Raft
import Znodes

extension Replica {
    mutating func takeWrite(_ command: Command, _ request: RequestID, into effects: inout Effects) {
        guard writes.count < options.pendingWritesMax,
            writes.payloadBytes < options.pendingWriteBytesMax
        else { return answer(request, .refused(.overloaded), into: &effects) }
        proposals += 1
        let counter = writes.nextCounter
        let payload = Proposal.encode(command, origin: forwardID(counter))
        writes.add(
            PendingWrite(
                request: request, payload: payload,
                state: .queued(deadlineMs: nowMs + options.leaderlessRequestMs),
                unknownMs: nowMs + options.writeTimeoutMs))
        dispatch(counter, into: &effects)
    }

    private func forwardID(_ counter: UInt64) -> ForwardID {
        ForwardID(member: identity.member, incarnation: incarnation, counter: counter)
    }

    /// Appends a queued write here, or forwards it to the leader; else it stays queued.
    private mutating func dispatch(_ counter: UInt64, into effects: inout Effects) {
        guard let write = writes[counter], case .queued = write.state else { return }
        func refuse(_ refusal: Refusal) {
            writes.remove(counter)
            answer(write, .refused(refusal), into: &effects)
        }
        // Who has no room may never learn what becomes of it.
        if !raft.hasRoom { return refuse(.diskFull) }
        if raft.role == .leader {
            switch append(write.payload) {
            case .appended(_, let term):
                writes.setState(counter, .inTerm(term, sentMs: nowMs, forwarded: false))
            case .overloaded: refuse(.overloaded)
            case .noRoom: refuse(.diskFull)
            case .notLeader: break
            }
        } else if let leader = raft.leader, leader != identity.member, peers.isConnected(leader) {
            writes.setState(counter, .inTerm(raft.term, sentMs: nowMs, forwarded: true))
            forward(counter, write.payload, to: leader, into: &effects)
        }
    }

    private func forward(
        _ counter: UInt64, _ payload: [UInt8], to leader: MemberID, into effects: inout Effects
    ) {
        let message = PeerMessage.forward(forwardID(counter), term: raft.term, proposal: payload)
        send(message, to: leader, into: &effects)
    }

    /// As leader, with the time of this moment.
    mutating func append(_ payload: [UInt8], isOwn: Bool = false) -> ProposeResult {
        if lacksRoomAsLeader { return .noRoom }
        var stamped = payload
        Proposal.stamp(&stamped, wallMs: wallMs)
        return raft.propose(stamped, isOwn: isOwn)
    }

    mutating func flushQueuedWrites(into effects: inout Effects) {
        guard writes.queuedCount > 0 else { return }
        for counter in writes.counters { dispatch(counter, into: &effects) }
    }

    /// As leader: a member asks for an append. At most once for each id in this term, and what is
    /// refused once is never appended later.
    mutating func receiveForward(
        _ id: ForwardID, term: Term, payload: [UInt8], from member: MemberID,
        into effects: inout Effects
    ) {
        guard term == raft.term, raft.role == .leader else {
            // Invariant: who led `term` in this run of the process, and does no more, never will
            // again. Of any other term it may have forgotten what it appended, and says nothing.
            guard term == forwardsSeen.term, forwardsSeen.insert(id) else { return }
            let refusal = PeerMessage.forwardRefused(id, term: term, .notLeader)
            return send(refusal, to: member, into: &effects)
        }
        forwardsSeen.begin(term)
        guard id.member == member, Proposal.isForwardable(payload), forwardsSeen.insert(id) else {
            return
        }
        let reason: ForwardRefusal
        switch append(payload) {
        case .appended: return
        case .overloaded: reason = .overloaded
        case .noRoom: reason = .diskFull
        case .notLeader: reason = .notLeader
        }
        send(.forwardRefused(id, term: term, reason), to: member, into: &effects)
    }

    mutating func receiveForwardRefused(
        _ id: ForwardID, term: Term, _ reason: ForwardRefusal, into effects: inout Effects
    ) {
        guard id.member == identity.member, id.incarnation == incarnation,
            let write = writes[id.counter],
            case .inTerm(let sentIn, _, let forwarded) = write.state, forwarded, sentIn == term
        else { return }
        switch reason {
        case .overloaded, .diskFull:
            writes.remove(id.counter)
            answer(
                write, .refused(reason == .diskFull ? .diskFull : .overloaded), into: &effects)
        case .notLeader:
            // Sent again at the next tick or the next leader, not at once: no ping-pong.
            writes.setState(id.counter, .queued(deadlineMs: nowMs + options.leaderlessRequestMs))
        }
    }

    mutating func tickWrites(into effects: inout Effects) {
        guard writes.count > 0 else { return }
        for counter in writes.counters {
            guard let write = writes[counter] else { continue }
            switch write.state {
            case .queued(let deadlineMs):
                if stopping || nowMs >= min(deadlineMs, write.unknownMs) {
                    writes.remove(counter)
                    let refusal: Refusal = stopping ? .shuttingDown : .noQuorum
                    answer(write, .refused(refusal), into: &effects)
                } else {
                    dispatch(counter, into: &effects)
                }
            case .inTerm(let term, let sentMs, let forwarded):
                if nowMs >= write.unknownMs {
                    writes.remove(counter)
                    answer(write, .refused(.outcomeUnknown), into: &effects)
                } else if forwarded, term == raft.term, nowMs >= sentMs + options.forwardAgainMs,
                    let leader = raft.leader, peers.isConnected(leader)
                {
                    writes.setState(counter, .inTerm(term, sentMs: nowMs, forwarded: true))
                    forward(counter, write.payload, to: leader, into: &effects)
                }
            }
        }
    }

    /// An entry of `term` is applied: terms in a log never go down, so whatever was bound to an
    /// earlier term and is not applied by now never will be. It is appended nowhere that counts, and
    /// may be sent again.
    mutating func requeueWrites(before term: Term, into effects: inout Effects) {
        for counter in writes.counters {
            guard case .inTerm(let bound, _, _) = writes[counter]?.state, bound < term else {
                continue
            }
            writes.setState(counter, .queued(deadlineMs: nowMs + options.leaderlessRequestMs))
            dispatch(counter, into: &effects)
        }
    }

    /// A snapshot jumped over entries: what was bound to a term may have been applied in the jump.
    mutating func failWritesAfterJump(into effects: inout Effects) {
        for counter in writes.counters {
            guard let write = writes[counter], case .inTerm = write.state else { continue }
            writes.remove(counter)
            answer(write, .refused(.outcomeUnknown), into: &effects)
        }
    }

    private func answer(_ write: PendingWrite, _ reply: ClientReply, into effects: inout Effects) {
        if !write.abandoned { answer(write.request, reply, into: &effects) }
    }

    /// The entry of a write of this member's client was applied.
    mutating func decided(
        _ id: ForwardID, _ outcome: Outcome, zxid: Zxid, into effects: inout Effects
    ) {
        guard id.member == identity.member, id.incarnation == incarnation,
            let write = writes.remove(id.counter)
        else { return }
        // What a state that is disputed makes of a write is nothing to tell.
        let reply: ClientReply =
            stateIsTrusted ? .decided(outcome, zxid: zxid) : .refused(.outcomeUnknown)
        answer(write, reply, into: &effects)
    }

    func answer(_ request: RequestID, _ reply: ClientReply, into effects: inout Effects) {
        effects.replies.append((request, reply))
    }
}
