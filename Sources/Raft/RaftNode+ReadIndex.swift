// Linearizable reads without a log entry (thesis 6.4): a leader notes its commit and lets a quorum
// confirm that it still leads. It must never answer from belief alone, nor take an answer to an
// attempt for a read that came after that attempt began (etcd #20418).

/// A follower's request that waits at the leader.
struct RemoteRead {
    let member: MemberID
    let context: ReadContext
}

/// One round of confirmations, for all reads that had come when it began.
struct ReadRound {
    let context: ReadContext
    let index: LogIndex
    /// When members were last asked to confirm it.
    var askedTick: UInt64
    var confirmedBy: [MemberID] = []
    var reads: [ReadID]
    let remotes: [RemoteRead]
}

/// A follower's request under way. What answers it answers all earlier ones too: it was asked later
/// than their reads came.
struct ReadAttempt {
    let context: ReadContext
    let startTick: UInt64
    /// Those that came since the attempt before it.
    var reads: [ReadID]
}

struct PendingReads {
    /// In no round and no attempt yet.
    var waiting: [ReadID] = []
    var remotes: [RemoteRead] = []
    var rounds: [ReadRound] = []
    /// Oldest first.
    var attempts: [ReadAttempt] = []
    /// Starts from a drawn number, so that no two runs of a member share contexts.
    var nextContext: UInt64

    init(nextContext: UInt64) { self.nextContext = nextContext }

    mutating func freshContext() -> ReadContext {
        defer { nextContext += 1 }
        return ReadContext(rawValue: nextContext)
    }
}

extension RaftNode {
    /// Answered by `Ready.readsReady` or `Ready.readsFailed`, at the latest when the leader is
    /// lost or changes; kept until then, or `keepReads`. Fails at once without a leader.
    package mutating func requestRead(_ read: ReadID) {
        if leader == nil {
            readsFailed.append(read)
        } else {
            reads.waiting.append(read)
        }
    }

    /// Forgets those that nobody waits for any more: a leader that is heard may never answer.
    package mutating func keepReads(where isWanted: (ReadID) -> Bool) {
        reads.waiting.removeAll { !isWanted($0) }
        for slot in reads.rounds.indices {
            reads.rounds[slot].reads.removeAll { !isWanted($0) }
        }
        for slot in reads.attempts.indices {
            reads.attempts[slot].reads.removeAll { !isWanted($0) }
        }
        // A later attempt is for the reads of earlier ones too.
        reads.attempts.removeFirst(reads.attempts.prefix { $0.reads.isEmpty }.count)
    }

    /// Reads that are asked for and not answered.
    package var readsOpen: Int {
        reads.waiting.count + reads.rounds.reduce(0) { $0 + $1.reads.count }
            + reads.attempts.reduce(0) { $0 + $1.reads.count }
    }

    var canStartReads: Bool {
        if standing == .leader {
            return (!reads.waiting.isEmpty || !reads.remotes.isEmpty) && knowsAllCommitted
                && reads.rounds.count < options.limits.readRoundsMax
        }
        return !reads.waiting.isEmpty && reads.attempts.isEmpty && leader != nil
    }

    mutating func startReads() {
        guard canStartReads else { return }
        if standing == .leader {
            startRound()
        } else if let leader {
            startAttempt(at: leader)
        }
    }

    /// Takes in what waits. Earlier attempts are still waited for: the way may be longer than the
    /// patience. At the bound the newest one is given up, so that the others are not in vain.
    private mutating func startAttempt(at leader: MemberID) {
        var new = reads.waiting
        reads.waiting = []
        if reads.attempts.count >= options.limits.readAttemptsMax {
            new = reads.attempts.removeLast().reads + new
        }
        let context = reads.freshContext()
        reads.attempts.append(ReadAttempt(context: context, startTick: tickCount, reads: new))
        send(.readIndexRequest(context: context), to: leader)
    }

    private mutating func startRound() {
        let round = ReadRound(
            context: reads.freshContext(), index: commit, askedTick: tickCount,
            reads: reads.waiting, remotes: reads.remotes)
        reads.waiting = []
        reads.remotes = []
        if isSoleVoter {
            answer(round)
            return
        }
        reads.rounds.append(round)
        askToConfirm(round.context)
    }

    private mutating func askToConfirm(_ context: ReadContext) {
        for progress in progresses
        where progress.member != id && configuration.isVoter(progress.member) {
            sendHeartbeat(to: progress.member, match: progress.match, context: context)
        }
    }

    /// A confirmation of a round confirms those before it: it was given later.
    mutating func confirmRounds(_ context: ReadContext, by member: MemberID) {
        guard let newest = reads.rounds.firstIndex(where: { $0.context == context }) else { return }
        for slot in 0...newest where !reads.rounds[slot].confirmedBy.contains(member) {
            reads.rounds[slot].confirmedBy.append(member)
        }
        answerConfirmed()
    }

    private mutating func answerConfirmed() {
        while let first = reads.rounds.first, isConfirmed(first) {
            reads.rounds.removeFirst()
            answer(first)
        }
    }

    private func isConfirmed(_ round: ReadRound) -> Bool {
        let decision = Quorum.decide(in: configuration) { member in
            member == id || round.confirmedBy.contains(member) ? true : nil
        }
        return decision == .won
    }

    private mutating func answer(_ round: ReadRound) {
        for read in round.reads { readsReady.append((read, round.index)) }
        for remote in round.remotes {
            send(.readIndexReply(context: remote.context, index: round.index), to: remote.member)
        }
    }

    mutating func stepReadIndexRequest(_ member: MemberID, context: ReadContext) {
        guard standing == .leader else {
            send(.readIndexReply(context: context, index: nil), to: member)
            return
        }
        guard configuration.contains(member) else { return }
        // A newer request stands for the older.
        reads.remotes.removeAll { $0.member == member }
        reads.remotes.append(RemoteRead(member: member, context: context))
    }

    mutating func stepReadIndexReply(_ member: MemberID, context: ReadContext, index: LogIndex?) {
        guard member == leader,
            let newest = reads.attempts.firstIndex(where: { $0.context == context })
        else { return }
        let answered = reads.attempts[...newest].flatMap(\.reads)
        reads.attempts.removeFirst(newest + 1)
        if let index {
            for read in answered { readsReady.append((read, index)) }
        } else {
            readsFailed.append(contentsOf: answered)
        }
    }

    /// What no answer came for is tried again: it may be lost, or only slow. A follower's attempt has
    /// a context of its own, since it takes in more reads. A round never does, so its own context
    /// serves, and that of the newest confirms all.
    mutating func tickReads() {
        let patience = UInt64(options.readRetryTicks)
        // Why ever longer: of a member's requests the leader keeps the newest, and when that is
        // answered it must not be one that was given up here.
        let attempts = reads.attempts.count
        if let leader, let newest = reads.attempts.last,
            tickCount - newest.startTick >= patience << UInt64(attempts - 1)
        {
            startAttempt(at: leader)
        }
        if let newest = reads.rounds.last, tickCount - newest.askedTick >= patience {
            reads.rounds[reads.rounds.count - 1].askedTick = tickCount
            // In a smaller configuration those that have answered may be enough.
            answerConfirmed()
            if !reads.rounds.isEmpty { askToConfirm(newest.context) }
        }
    }

    mutating func failReads() {
        for round in reads.rounds { readsFailed.append(contentsOf: round.reads) }
        reads.rounds.removeAll()
        for attempt in reads.attempts { readsFailed.append(contentsOf: attempt.reads) }
        reads.attempts.removeAll()
        readsFailed.append(contentsOf: reads.waiting)
        reads.waiting.removeAll(keepingCapacity: true)
    }

    /// A leader that steps down answers those that asked it.
    mutating func refuseRemoteReads() {
        let all = reads.rounds.flatMap(\.remotes) + reads.remotes
        for remote in all {
            send(.readIndexReply(context: remote.context, index: nil), to: remote.member)
        }
        reads.remotes.removeAll(keepingCapacity: true)
    }
}
