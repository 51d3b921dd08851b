// Who leads: time-outs, pre-vote (thesis 9.6), votes (thesis 3.4), leadership transfer (thesis
// 3.10) and the leader's own doubt (check-quorum, thesis 6.2). It must never let a member vote
// twice in a term, or help to replace a leader that it has just heard.

/// A hand-over of leadership that is under way.
struct Transfer {
    let target: MemberID
    var elapsed = 0
    /// The target was told to campaign.
    var told = false
}

extension RaftNode {
    /// Thesis 4.2.3: a member that is in touch with a leader does not listen to candidates.
    /// Why `<=`: ticks count from within a tick, so so many full ticks have passed only then.
    var isInTouchWithLeader: Bool { leaderSilence <= options.electionTicksMin }

    /// Thesis 4.2.2: one that the newest configuration leaves out may still be needed until that
    /// is committed, as the only one whose log is long enough. It does not count itself.
    private var mayCampaign: Bool {
        mayVote && hasRoom && claim == nil && configurations.mayNeed(id, commit: commit)
    }

    /// Thesis 3.6.1: the log with the later last term, then the longer one, is more up to date.
    /// Why the claim counts as if this log still ended there: a leader may have counted on it.
    private func isUpToDate(lastIndex: LogIndex, lastTerm: Term) -> Bool {
        let asked = LogPosition(index: lastIndex, term: lastTerm)
        return asked >= max(promisedEnd, claim ?? .zero)
    }

    /// All that this member has acknowledged lies before it. Why what waits for room is left out: it
    /// was promised to nobody and may wait for ever, and a member without room does not stand; so it
    /// could keep the only candidate from leading. See docs/decisions/0012.
    private var promisedEnd: LogPosition {
        if hasRoom { return log.end }
        // One that lacks what is committed cannot win.
        let index = max(ledger.durableIndex, commit)
        return LogPosition(index: index, term: log.term(at: index) ?? lastTerm)
    }

    /// The log has grown.
    mutating func forgetMetClaim() {
        if let claim, log.end >= claim { self.claim = nil }
    }

    // Thesis 3.4: time-outs are random, and drawn anew for each election.
    mutating func drawElectionTimeout() {
        electionElapsed = 0
        // A sole voter has nobody to wait for.
        electionTimeout =
            isSoleVoter
            ? 1 : random.draw(in: options.electionTicksMin + 1...options.electionTicksMax)
    }

    mutating func tickElection() {
        leaderSilence += leaderSilence < Int.max ? 1 : 0
        // Why it waits: until its vote is durable a candidate has asked nobody. Another term would
        // only put off the one under way, for ever on a disk slower than the time-out.
        if standing == .candidate, ledger.durableTerm != term { return }
        electionElapsed += 1
        guard electionElapsed >= electionTimeout else { return }
        if mayCampaign { campaignForPreVote() } else { drawElectionTimeout() }
    }

    // MARK: Standing

    mutating func setLeader(_ member: MemberID?) {
        guard leader != member else { return }
        leader = member
        failReads()
    }

    mutating func becomeFollower(term newTerm: Term, leader newLeader: MemberID?) {
        invariant(newTerm >= term, "term \(newTerm) after \(term)")
        if standing == .leader {
            refuseRemoteReads()
            failReads()
            progresses.removeAll(keepingCapacity: true)
            transfer = nil
            uncommittedBytes = 0
            uncommitted = UncommittedAges()
            snapshotsWanted.removeAll(keepingCapacity: true)
            // The leader that it heard last was itself, and it claims nothing any more.
            leaderSilence = Int.max
        }
        if newTerm > term {
            term = newTerm
            vote = nil
        }
        standing = .follower
        votes.removeAll(keepingCapacity: true)
        setLeader(newLeader)
        drawElectionTimeout()
    }

    private mutating func campaignForPreVote() {
        standing = .preCandidate
        setLeader(nil)
        votes.removeAll(keepingCapacity: true)
        drawElectionTimeout()
        // Pitfall: a pre-vote never changes the term, here or at the voters.
        let request = Message.Body.preVoteRequest(lastIndex: lastIndex, lastTerm: lastTerm)
        for member in configuration.members where member != id && configuration.isVoter(member) {
            outbox.append(Message(from: id, to: member, term: term.next, body: request))
        }
        recordPreVote(of: id, granted: true)
    }

    private mutating func campaign(transfer: Bool) {
        term = term.next
        vote = id
        standing = .candidate
        setLeader(nil)
        votes.removeAll(keepingCapacity: true)
        drawElectionTimeout()
        // Why the requests wait for the disk, too: a candidate that forgot this candidacy could
        // stand again in the same term, with a shorter log, and count votes for the longer one.
        let request = Message.Body.voteRequest(
            lastIndex: lastIndex, lastTerm: lastTerm, transfer: transfer)
        for member in configuration.members where member != id && configuration.isVoter(member) {
            sendWhenDurable(request, to: member)
        }
        sendWhenDurable(.voteReply(granted: true), to: id)
    }

    private mutating func becomeLeader() {
        invariant(standing == .candidate, "leader from \(standing) in term \(term)")
        standing = .leader
        votes.removeAll(keepingCapacity: true)
        setLeader(id)
        leaderSilence = 0
        heartbeatElapsed = 0
        uncommittedBytes = log.weightBytes(after: commit, through: lastIndex)
        progresses.removeAll(keepingCapacity: true)
        followConfiguration()
        inheritedThrough = lastIndex
        // Thesis 6.4, 3.6.2: a leader learns what is committed by an entry of its own term.
        appendOwn(.noOp, [])
        advanceOwnMatch()
    }

    // MARK: Votes

    private func decision() -> Quorum.Decision {
        Quorum.decide(in: configuration) { member in
            votes.first { $0.member == member }?.granted
        }
    }

    private mutating func note(_ member: MemberID, _ granted: Bool) {
        if !votes.contains(where: { $0.member == member }) { votes.append((member, granted)) }
    }

    private mutating func recordPreVote(of member: MemberID, granted: Bool) {
        note(member, granted)
        switch decision() {
        case .won: campaign(transfer: false)
        case .lost: becomeFollower(term: term, leader: nil)
        case .pending: break
        }
    }

    mutating func recordVote(of member: MemberID, granted: Bool) {
        note(member, granted)
        switch decision() {
        case .won: becomeLeader()
        case .lost: becomeFollower(term: term, leader: nil)
        case .pending: break
        }
    }

    mutating func stepPreVoteReply(_ message: Message, granted: Bool) {
        guard standing == .preCandidate else { return }
        // A grant names the term of the election to come.
        guard granted == (message.term == term.next) else { return }
        recordPreVote(of: message.from, granted: granted)
    }

    mutating func answerPreVote(_ message: Message, lastIndex: LogIndex, lastTerm: Term) {
        let grant =
            mayVote && message.term > term && !isInTouchWithLeader
            && isUpToDate(lastIndex: lastIndex, lastTerm: lastTerm)
        // A grant echoes the term asked for; a refusal tells the own one.
        outbox.append(
            Message(
                from: id, to: message.from, term: grant ? message.term : term,
                body: .preVoteReply(granted: grant)))
    }

    mutating func answerVote(
        _ message: Message, lastIndex: LogIndex, lastTerm: Term, transfer: Bool
    ) {
        let free = vote == message.from || (vote == nil && leader == nil)
        let grant =
            mayVote && free && (transfer || !isInTouchWithLeader)
            && isUpToDate(lastIndex: lastIndex, lastTerm: lastTerm)
        if grant {
            // Another election is further on than this member's pre-vote.
            if standing == .preCandidate { becomeFollower(term: term, leader: nil) }
            vote = message.from
            electionElapsed = 0
        }
        sendWhenDurable(.voteReply(granted: grant), to: message.from)
    }

    // MARK: Terms

    /// False: the message ends here.
    mutating func admitHigherTerm(_ message: Message) -> Bool {
        switch message.body {
        case .preVoteRequest:
            return !isInTouchWithLeader
        case .voteRequest(_, _, let transfer):
            // Thesis 4.2.3: neither vote nor take the term, or a removed member could disrupt.
            guard transfer || !isInTouchWithLeader else { return false }
            becomeFollower(term: message.term, leader: nil)
        case .preVoteReply(let granted):
            if !granted { becomeFollower(term: message.term, leader: nil) }
        case .append, .heartbeat:
            becomeFollower(term: message.term, leader: message.from)
        case .voteReply, .appendReply, .appendRejection, .heartbeatReply, .readIndexRequest,
            .readIndexReply, .timeoutNow:
            becomeFollower(term: message.term, leader: nil)
        }
        return true
    }

    mutating func answerLowerTerm(_ message: Message) {
        switch message.body {
        case .append, .heartbeat:
            // With pre-vote and check-quorum a member with a higher term could never come back if
            // the leader did not learn of that term (etcd/raft, Step).
            send(
                .appendRejection(
                    rejectedIndex: .zero, hintIndex: .zero, hintTerm: .zero, sentMs: 0),
                to: message.from)
        case .preVoteRequest:
            send(.preVoteReply(granted: false), to: message.from)
        case .voteRequest:
            send(.voteReply(granted: false), to: message.from)
        case .readIndexRequest(let context):
            send(.readIndexReply(context: context, index: nil), to: message.from)
        case .preVoteReply, .voteReply, .appendReply, .appendRejection, .heartbeatReply,
            .readIndexReply, .timeoutNow:
            break
        }
    }

    // MARK: The leader's end

    mutating func tickLeader() {
        let configuration = self.configuration
        let contact = Quorum.reached(in: configuration) { member -> UInt64 in
            if member == id { return tickCount }
            guard let slot = slot(of: member) else { return 0 }
            return progresses[slot].contactTick
        }
        // Check-quorum, in ticks and never by the clock.
        if let contact, tickCount - contact >= UInt64(options.electionTicksMax) {
            becomeFollower(term: term, leader: nil)
            return
        }
        if transfer != nil {
            transfer?.elapsed += 1
            if let transfer, transfer.elapsed >= options.electionTicksMax {
                // Why it does not just go on: the target may campaign late, and whoever believes
                // `quorumConfirmedMs` again would then be wrong.
                becomeFollower(term: term, leader: nil)
                return
            }
        }
        heartbeatElapsed += 1
        if heartbeatElapsed >= options.heartbeatTicks {
            heartbeatElapsed = 0
            for progress in progresses where progress.member != id {
                sendHeartbeat(to: progress.member, match: progress.match, context: nil)
            }
        }
    }

    /// Hands leadership to a voter that is caught up, or will be (nil: the best). False: not
    /// leader, no such voter, or another hand-over is under way. Until it ends no proposal is
    /// taken and `quorumConfirmedMs` is nil; if it fails, this member steps down.
    package mutating func transferLeadership(to member: MemberID?) -> Bool {
        guard standing == .leader, transfer == nil else { return false }
        guard let target = member ?? bestSuccessor() else { return false }
        guard target != id, configuration.voters.contains(target) else { return false }
        transfer = Transfer(target: target)
        urgeTransfer()
        return true
    }

    /// A hand-over is under way.
    package var isHandingOver: Bool { transfer != nil }

    /// The voter that holds most of the log among those that answered lately and have room.
    func bestSuccessor() -> MemberID? {
        var best: Progress?
        for progress in progresses where progress.member != id {
            guard configuration.voters.contains(progress.member), progress.hasAnswered,
                !fullMembers.contains(progress.member),
                tickCount - progress.contactTick <= UInt64(options.electionTicksMin)
            else { continue }
            if let best, best.match >= progress.match { continue }
            best = progress
        }
        return best?.member
    }

    /// Tells the target to campaign as soon as it holds the whole log.
    mutating func urgeTransfer() {
        guard let current = transfer, !current.told, let slot = slot(of: current.target),
            progresses[slot].match == lastIndex
        else { return }
        transfer?.told = true
        send(.timeoutNow, to: current.target)
    }

    mutating func stepTimeoutNow(_ sender: MemberID) {
        guard standing == .follower, mayCampaign, leader == sender || leader == nil else { return }
        campaign(transfer: true)
    }
}
