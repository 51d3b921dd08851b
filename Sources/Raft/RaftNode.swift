// One member's consensus: a pure state machine. Ticks, messages and completions go in, `Ready`
// comes out; the same inputs give the same outputs. It must never look at a clock, do I/O, or
// give out a message before what it promises is durable.

import DequeModule

package struct RaftNode: ~Copyable {
    package let id: MemberID
    package let options: RaftOptions

    // What a member remembers.
    package internal(set) var term: Term
    var vote: MemberID?
    var log: RaftLog
    var configurations: ConfigurationHistory
    /// The newest durable snapshot, for followers that need it.
    var snapshot: SnapshotMark?
    package internal(set) var commit: LogIndex
    /// Committed entries up to here were given out.
    var handedOut: LogIndex
    package internal(set) var applied: LogIndex
    var ledger: StorageLedger

    // Where it stands. Never `learner`: that follows from the configuration.
    var standing: Role = .follower
    package internal(set) var leader: MemberID?
    var votes: [(member: MemberID, granted: Bool)] = []
    /// False: a member whose disk may have forgotten votes. It neither votes nor campaigns.
    package var mayVote = true
    /// False: its disk takes no entries. It takes none from a leader, proposes none and does not
    /// stand; its term and vote are kept all the same, so it votes.
    package var hasRoom = true
    /// Others of whom the same is known: a leader sends them no entries, and does not make one of
    /// them its successor.
    package var fullMembers: [MemberID] = []
    /// Those that this member, once it leads, sends a snapshot at or above that index before it
    /// begins to send them entries: they gave up another state than its own.
    var snapshotsOwed: [MemberID: LogIndex] = [:]
    /// Beyond this member's log: a place that it has acknowledged and lost since. See
    /// docs/decisions/0011.
    package internal(set) var claim: LogPosition?

    // Time, in ticks.
    package internal(set) var nowMs: UInt64
    var tickCount: UInt64 = 0
    var electionElapsed = 0
    var electionTimeout = 0
    var heartbeatElapsed = 0
    /// Ticks since a leader, of whatever term, was heard. Why it starts at 0: a member that was
    /// restarted may have answered a leader just before, and that leader relies on it.
    var leaderSilence = 0
    var random: RandomGenerator

    // As leader.
    var progresses: [Progress] = []
    var uncommittedBytes = 0
    var uncommitted = UncommittedAges()
    /// The end of the log that it came to lead with; its own entries follow.
    var inheritedThrough: LogIndex = .zero
    var transfer: Transfer?

    var reads: PendingReads

    // What the next `takeReady` gives out.
    var outbox: [Message] = []
    var held: Deque<HeldMessage> = []
    var readsReady: [(read: ReadID, index: LogIndex)] = []
    var readsFailed: [ReadID] = []
    var snapshotsWanted: [MemberID] = []

    /// `baseConfiguration` is in force when neither snapshot nor log holds one. `entries` follow
    /// the snapshot and are durable; `applied` is what the state machine holds already.
    package init(
        id: MemberID, options: RaftOptions, hardState: HardState, snapshot: SnapshotMark?,
        baseConfiguration: Configuration, entries: [Entry], claim: LogPosition? = nil,
        applied: LogIndex, nowMs: UInt64, random: RandomGenerator
    ) {
        options.check()
        let base = snapshot?.index ?? .zero
        self.id = id
        self.options = options
        self.snapshot = snapshot
        self.nowMs = nowMs
        self.random = random
        term = hardState.term
        vote = hardState.vote
        log = RaftLog(baseIndex: base, baseTerm: snapshot?.term ?? .zero, entries: entries)
        configurations = ConfigurationHistory(
            base: snapshot?.configuration ?? baseConfiguration, at: base)
        ledger = StorageLedger(hardState: hardState, lastIndex: log.lastIndex)
        commit = max(base, min(hardState.commit, log.lastIndex))
        handedOut = max(base, applied)
        self.applied = handedOut
        reads = PendingReads(nextContext: self.random.next() >> 1)
        self.claim = claim
        let latest = max(log.end, claim ?? .zero).term
        if term < latest {
            // A received snapshot became durable before the hard state did. No vote of a term left
            // this member before that term was durable, so none was given in this one.
            term = latest
            vote = nil
        }
        forgetMetClaim()
        invariant(handedOut <= log.lastIndex, "applied \(handedOut) above \(log.lastIndex)")
        commit = max(commit, handedOut)
        for entry in entries where entry.kind == .configuration {
            guard let configuration = try? Configuration(decoding: entry.payload) else {
                invariant(false, "configuration at \(entry.index) does not decode")
                continue
            }
            configurations.append(configuration, at: entry.index)
        }
        drawElectionTimeout()
    }
}

// MARK: What it tells

extension RaftNode {
    package var role: Role {
        standing == .follower && configuration.isLearner(id) ? .learner : standing
    }
    package var lastIndex: LogIndex { log.lastIndex }
    /// The first index that is still in the log; above `lastIndex` when it holds none.
    package var firstIndex: LogIndex { log.firstIndex }
    package var lastTerm: Term { log.lastTerm }
    /// The one in force: of the newest configuration entry, committed or not.
    package var configuration: Configuration { configurations.inForce }
    /// Only then may a leader change the configuration (Ongaro's correction of 4.1 on raft-dev, 2015).
    package var hasCommittedInTerm: Bool { standing == .leader && log.term(at: commit) == term }

    /// Only then may a leader answer reads (thesis 6.4): all that earlier leaders committed, or may be
    /// seen to have committed, is in the log that it came with (leader completeness). It need not
    /// have committed anything itself, which it cannot while too few disks have room. Why not where
    /// nothing is committed: an ensemble begins with its first leader's first entry.
    var knowsAllCommitted: Bool {
        standing == .leader && commit >= inheritedThrough && commit > .zero
    }

    /// The configuration in force at `index`, for a snapshot's mark; nil before the log's base.
    package func configuration(at index: LogIndex) -> Configuration? {
        configurations.configuration(at: index)
    }

    /// Nil outside the log and its base.
    package func term(at index: LogIndex) -> Term? { log.term(at: index) }

    /// What a leader knows of another member; nil when not leader or not in the configuration.
    package func followerStatus(of member: MemberID) -> FollowerStatus? {
        guard member != id, let slot = slot(of: member) else { return nil }
        let progress = progresses[slot]
        return FollowerStatus(
            member: member, match: progress.match, next: progress.next, state: progress.state,
            contactTicks: progress.hasAnswered ? tickCount - progress.contactTick : nil)
    }

    /// As leader that hands nothing over: a stamp t of this clock such that a quorum, this member
    /// included, has answered something sent at or after t in this term. No other member can lead
    /// before t plus `RaftOptions.leaseMs` (see `leaderSilence`, which no restart shortens). For
    /// claims about leadership, not for reads.
    package var quorumConfirmedMs: UInt64? {
        guard standing == .leader, transfer == nil else { return nil }
        // Why plus one: 0 stands for never, and sorts below every stamp.
        let reached = Quorum.reached(in: configuration) { member -> UInt64 in
            if member == id { return nowMs + 1 }
            guard let slot = slot(of: member) else { return 0 }
            return progresses[slot].confirmedMs.map { $0 + 1 } ?? 0
        }
        guard let reached, reached > 0 else { return nil }
        return reached - 1
    }

    var isSoleVoter: Bool { configuration.voters == [id] && !configuration.isJoint }

    func slot(of member: MemberID) -> Int? { progresses.firstIndex { $0.member == member } }
}

// MARK: What goes in

extension RaftNode {
    /// One tick of `RaftOptions.tickMs`. `nowMs` only stamps messages.
    package mutating func tick(nowMs: UInt64) {
        self.nowMs = max(self.nowMs, nowMs)
        tickCount += 1
        if standing == .leader {
            tickLeader()
        } else {
            tickElection()
        }
        tickReads()
    }

    package mutating func step(_ message: Message) {
        guard message.to == id, message.from != id else { return }
        if message.term > term {
            guard admitHigherTerm(message) else { return }
        } else if message.term < term {
            answerLowerTerm(message)
            return
        }
        switch message.body {
        case .preVoteRequest(let lastIndex, let lastTerm):
            answerPreVote(message, lastIndex: lastIndex, lastTerm: lastTerm)
        case .preVoteReply(let granted):
            stepPreVoteReply(message, granted: granted)
        case .voteRequest(let lastIndex, let lastTerm, let transfer):
            answerVote(message, lastIndex: lastIndex, lastTerm: lastTerm, transfer: transfer)
        case .voteReply(let granted):
            if standing == .candidate { recordVote(of: message.from, granted: granted) }
        case .append(let previousIndex, let previousTerm, let entries, let commit, let sentMs):
            guard hearLeader(message.from) else { return }
            stepAppend(
                AppendRequest(
                    leader: message.from, previousIndex: previousIndex, previousTerm: previousTerm,
                    commit: commit, sentMs: sentMs),
                entries)
        case .heartbeat(let commit, let context, let sentMs):
            guard hearLeader(message.from) else { return }
            stepHeartbeat(message.from, commit: commit, context: context, sentMs: sentMs)
        case .appendReply(let matchIndex, let sentMs):
            stepAppendReply(message.from, matchIndex: matchIndex, sentMs: sentMs)
        case .appendRejection(let rejected, let hintIndex, let hintTerm, let sentMs):
            stepAppendRejection(
                message.from, rejected: rejected, hintIndex: hintIndex, hintTerm: hintTerm,
                sentMs: sentMs)
        case .heartbeatReply(let context, let sentMs):
            stepHeartbeatReply(message.from, context: context, sentMs: sentMs)
        case .readIndexRequest(let context):
            stepReadIndexRequest(message.from, context: context)
        case .readIndexReply(let context, let index):
            stepReadIndexReply(message.from, context: context, index: index)
        case .timeoutNow:
            stepTimeoutNow(message.from)
        }
    }

    package mutating func applied(through index: LogIndex) {
        invariant(index <= handedOut, "applied \(index) of \(handedOut)")
        applied = max(applied, index)
    }

    /// The link to `member` is lost: a leader asks it again where it stands. Why a follower that
    /// lost its link to the leader does not stand at once: the link may be all that is wrong, and
    /// the leader relies on `quorumConfirmedMs`.
    package mutating func unreachable(_ member: MemberID) {
        guard standing == .leader, member != id, let slot = slot(of: member) else { return }
        progresses[slot].becomeProbe()
    }

    /// `member` has started anew, maybe with less than it had acknowledged (`claim`): a leader that
    /// went on from there would never meet it. What was committed by its word stays so.
    package mutating func restarted(_ member: MemberID) {
        guard standing == .leader, member != id, let slot = slot(of: member) else { return }
        progresses[slot].restarted()
    }
}

// MARK: What comes out

extension RaftNode {
    /// Whether `takeReady` would give anything out.
    package var hasReady: Bool {
        hasUnstored || commit > handedOut || !outbox.isEmpty || !readsReady.isEmpty
            || !readsFailed.isEmpty || !snapshotsWanted.isEmpty || canStartReads || hasToReplicate
    }

    /// Appends what is to be done. Entries that were proposed one by one since the last call go
    /// out in one message and one storage request.
    package mutating func takeReady(into ready: inout Ready) {
        var batch = EntryBatch()
        startReads()
        replicate(&batch)
        takeStorage(&batch, into: &ready)
        if ready.messages.isEmpty {
            swap(&ready.messages, &outbox)
        } else {
            ready.messages.append(contentsOf: outbox)
            outbox.removeAll(keepingCapacity: true)
        }
        takeCommitted(into: &ready)
        ready.readsReady.append(contentsOf: readsReady)
        readsReady.removeAll(keepingCapacity: true)
        ready.readsFailed.append(contentsOf: readsFailed)
        readsFailed.removeAll(keepingCapacity: true)
        ready.snapshotsWanted.append(contentsOf: snapshotsWanted)
        snapshotsWanted.removeAll(keepingCapacity: true)
    }

    private mutating func takeCommitted(into ready: inout Ready) {
        guard handedOut < commit else { return }
        let entries = log.slice(
            from: handedOut.next, through: commit, bytesMax: options.limits.committedBytesMax)
        handedOut = handedOut + entries.count
        if ready.committed.isEmpty {
            ready.committed = entries
        } else {
            ready.committed.append(contentsOf: entries)
        }
    }

    mutating func send(_ body: Message.Body, to member: MemberID) {
        outbox.append(Message(from: id, to: member, term: term, body: body))
    }
}
