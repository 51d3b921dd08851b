// Who may talk to this member, and what it does with what they say. A member number stands for one
// disk: on another disk it has forgotten its votes, so what it says is not counted, and it does not
// vote, until an entry has named its new disk.

import Journal
package import Raft
import Znodes

extension Replica {
    mutating func greet(_ hello: Hello, into effects: inout Effects) {
        if let reason = objection(to: hello) {
            return turnAway(hello, reason, into: &effects)
        }
        // Only a new process can have come back with less than it had.
        if peers[hello.member]?.hello?.incarnation != hello.incarnation {
            raft.restarted(hello.member)
            // What its last process was sent of a snapshot, this one never had.
            outgoing.removeAll { $0.member == hello.member }
            admission.heard(hello.member)
            noteNewProcess(of: hello.member)
        }
        peers.connect(hello, nowMs: nowMs)
        storeIdentity(into: &effects)
    }

    mutating func turnAway(
        _ hello: Hello, _ reason: HelloRefusal, into effects: inout Effects
    ) {
        if reason == .otherStorage { noteKnock(hello) }
        peers.disconnect(hello.member)
        effects.refusals.append((hello.member, reason))
    }

    func objection(to hello: Hello) -> HelloRefusal? {
        if hello.to != identity.member { return .wrongAddressee }
        if let ours = ensemble, let theirs = hello.ensemble, ours != theirs {
            return .otherEnsemble
        }
        if !raft.configuration.contains(hello.member) || hello.member == identity.member {
            return .unknownMember
        }
        // Why the leader alone: its log is the newest. To one whose log ends before the entry that
        // named the leader's own disk, the leader would look like a stranger. What the others hear
        // from a disk that their log does not name is sifted (`mayBelieve`).
        return raft.role == .leader && !letsIn(hello) ? .otherStorage : nil
    }

    /// Of the process whose hello was last heard; nil: it is not connected.
    package func incarnation(of member: MemberID) -> UInt64? {
        guard let peer = peers[member], peer.connected else { return nil }
        return peer.hello?.incarnation
    }

    mutating func turnedAway(by member: MemberID, _ reason: HelloRefusal) {
        peers.refused(by: member, reason)
        updateVotingRight()
    }

    /// Why this member is kept out. One that hears its leader, or leads, is in, whatever some process
    /// at another member's address says.
    var refusedBy: HelloRefusal? { hearsLeader ? nil : peers.refusals.first }

    /// A disk that was blank when this member first heard of an ensemble may be one that took another
    /// one's place: it votes only once it has applied an entry that names it, and with that all that
    /// was committed before; the identity file keeps that over restarts. Why not each disk that is
    /// named nowhere: those that elected the first leader are not named until it leads, and must be
    /// able to elect the next one if it falls before it has told all of them.
    mutating func updateVotingRight() {
        let ensembleExists = ensemble != nil || peers.hellos.contains { $0.ensemble != nil }
        if ensembleExists, isNewcomer == nil {
            isNewcomer =
                identity.ensemble == nil && raft.term == .zero && raft.lastIndex == .zero
        }
        let own = MemberStorage(member: identity.member, storage: identity.storage)
        // One that takes another one's place is asked for its vote only by those that have the entry.
        if identityTable.storage(of: own.member) == own.storage || namings.exchange(to: own) {
            isNewcomer = false
        }
        let known = namings.inForce.storage(of: own.member)
        let isAllowed = (known.map { $0 == own.storage } ?? true) && !(isNewcomer ?? false)
        // A disk that the log names needs nobody's leave.
        raft.mayVote = isAllowed && (known != nil || !peers.refusals.contains(.otherStorage))
    }

    mutating func receive(
        _ message: PeerMessage, from member: MemberID, into effects: inout Effects
    ) {
        guard let peer = peers[member], peer.connected, let hello = peer.hello else { return }
        peers.heard(member, nowMs: nowMs)
        if !admission.isIdle { admission.heard(member) }
        switch message {
        case .raft(let message):
            guard message.from == member, message.to == identity.member,
                mayBelieve(message, hello)
            else { return }
            let fromLeader = isFromLeader(message)
            raft.step(message)
            if fromLeader, raft.leader == member, message.term == raft.term {
                noteLeaderContact()
            }
        case .forward(let id, let term, let proposal):
            receiveForward(id, term: term, payload: proposal, from: member, into: &effects)
        case .forwardRefused(let id, let term, let reason):
            receiveForwardRefused(id, term: term, reason, into: &effects)
        case .snapshotChunk(let mark, let term, let offset, let bytes, let last):
            receiveChunk(
                mark, term: term, offset: offset, bytes: bytes, last: last, from: member,
                into: &effects)
        case .snapshotProgress(let index, let term, let offset, let done):
            receiveProgress(
                index, term: term, offset: offset, done: done, from: member, into: &effects)
        case .report(let role, let applied, let isFull):
            peers.reported(
                member,
                MemberReport(
                    role: role, applied: Zxid(applied.rawValue), atMs: nowMs, isFull: isFull))
            raft.noteState(of: member, at: applied)
            tickRoom(into: &effects)
        case .digests(let marks): receiveDigests(marks, from: member, into: &effects)
        }
    }

    private func isFromLeader(_ message: Message) -> Bool {
        switch message.body {
        case .append, .heartbeat, .timeoutNow: true
        case .preVoteRequest, .preVoteReply, .voteRequest, .voteReply, .appendReply,
            .appendRejection, .heartbeatReply, .readIndexRequest, .readIndexReply:
            false
        }
    }

    /// What would be counted counts only from the disk that the log names, if it names one. Whom to
    /// follow, and whom to vote for, is no matter of disks: who leads has been counted.
    private func mayBelieve(_ message: Message, _ hello: Hello) -> Bool {
        switch message.body {
        case .preVoteReply(true), .voteReply(true), .appendReply, .appendRejection,
            .heartbeatReply, .readIndexRequest:
            isNamedDisk(hello)
        case .preVoteReply, .voteReply, .preVoteRequest, .voteRequest, .append, .heartbeat,
            .readIndexReply, .timeoutNow:
            true
        }
    }

    /// As leader: the first entry fixes the ensemble, later ones the disks of members met since.
    mutating func tickIdentity() {
        guard raft.role == .leader, raft.hasCommittedInTerm, identityProposedIn != raft.term else {
            return
        }
        let met = peers.hellos.map { MemberStorage(member: $0.member, storage: $0.storage) }
        let own = MemberStorage(member: identity.member, storage: identity.storage)
        let missing = ([own] + met).filter { identityTable.storage(of: $0.member) == nil }
        guard identityTable.ensemble == nil || !missing.isEmpty else { return }
        let id = ensemble ?? EnsembleID(high: random.next(), low: random.next())
        identityProposedIn = propose(
            Proposal.encode(ensemble: id, storages: missing, origin: ownOrigin))
    }

    /// As leader: the limits that this member is configured with come into force.
    mutating func tickLimits() {
        guard raft.role == .leader, raft.hasCommittedInTerm, limitsProposedIn != raft.term,
            !tree.limits.decidesLike(options.znodes)
        else { return }
        limitsProposedIn = propose(Proposal.encode(options.znodes, origin: ownOrigin))
    }

    /// Of entries that no client waits for.
    var ownOrigin: ForwardID {
        ForwardID(member: identity.member, incarnation: incarnation, counter: 0)
    }

    /// The term in which it was appended: at most one of each kind is under way.
    private mutating func propose(_ payload: [UInt8]) -> Term? {
        guard case .appended(_, let term) = append(payload, isOwn: true) else { return nil }
        return term
    }

    mutating func applyNaming(
        _ body: Proposal.Body, at index: LogIndex, into effects: inout Effects
    ) {
        identityTable.apply(body)
        namings.applied(identityTable, through: index, lastIndex: raft.lastIndex)
        admission.named(at: index)
        identityProposedIn = nil
        storeIdentity(into: &effects)
        // A disk that came before the entry which names another one for its member.
        turnStrangersAway(into: &effects)
    }

    /// Has the identity file follow the table and the right to vote, after an entry, a snapshot, a
    /// hello or a start.
    mutating func storeIdentity(into effects: inout Effects) {
        updateVotingRight()
        let fixed = identityTable.ensemble ?? storedEnsemble
        let newcomer = isNewcomer ?? false
        guard fixed != storedEnsemble || newcomer != storedNewcomer else { return }
        if let fixed, fixed != storedEnsemble { effects.events.append(.ensembleFixed(fixed)) }
        storedEnsemble = fixed
        storedNewcomer = newcomer
        effects.storage.append(.identity(fixed, isNewcomer: newcomer))
    }
}
