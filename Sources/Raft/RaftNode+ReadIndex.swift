// Linearizable reads without a log entry (thesis 6.4): a leader notes its commit and lets a quorum
// confirm that it still leads. It must never answer from belief alone, nor accept an answer to an
// earlier attempt for a later one (etcd #20418).

/// A follower's request that waits at the leader.
struct RemoteRead {
    let member: MemberID
    let context: ReadContext
}

/// One round of confirmations, for all reads that had come when it began.
struct ReadRound {
    let context: ReadContext
    let index: LogIndex
    let startTick: UInt64
    var confirmedBy: [MemberID] = []
    let reads: [ReadID]
    let remotes: [RemoteRead]
}

/// A follower's one request under way.
struct ReadRequest {
    let context: ReadContext
    let startTick: UInt64
    let reads: [ReadID]
}

struct PendingReads {
    /// In no round and no request yet.
    var waiting: [ReadID] = []
    var remotes: [RemoteRead] = []
    var rounds: [ReadRound] = []
    var request: ReadRequest?
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
    /// lost or changes. Fails at once without a leader.
    package mutating func requestRead(_ read: ReadID) {
        if leader == nil {
            readsFailed.append(read)
        } else {
            reads.waiting.append(read)
        }
    }

    var canStartReads: Bool {
        if standing == .leader {
            return (!reads.waiting.isEmpty || !reads.remotes.isEmpty) && hasCommittedInTerm
                && reads.rounds.count < options.limits.readRoundsMax
        }
        return !reads.waiting.isEmpty && reads.request == nil && leader != nil
    }

    mutating func startReads() {
        guard canStartReads else { return }
        if standing == .leader {
            startRound()
        } else if let leader {
            let context = reads.freshContext()
            reads.request = ReadRequest(
                context: context, startTick: tickCount, reads: reads.waiting)
            reads.waiting = []
            send(.readIndexRequest(context: context), to: leader)
        }
    }

    private mutating func startRound() {
        let round = ReadRound(
            context: reads.freshContext(), index: commit, startTick: tickCount,
            reads: reads.waiting, remotes: reads.remotes)
        reads.waiting = []
        reads.remotes = []
        if isSoleVoter {
            answer(round)
            return
        }
        reads.rounds.append(round)
        for progress in progresses
        where progress.member != id && configuration.isVoter(progress.member) {
            sendHeartbeat(to: progress.member, match: progress.match, context: round.context)
        }
    }

    /// A confirmation of a round confirms those before it: it was given later.
    mutating func confirmRounds(_ context: ReadContext, by member: MemberID) {
        guard let newest = reads.rounds.firstIndex(where: { $0.context == context }) else { return }
        for slot in 0...newest where !reads.rounds[slot].confirmedBy.contains(member) {
            reads.rounds[slot].confirmedBy.append(member)
        }
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
        // It has one request under way: a newer one stands for the older.
        reads.remotes.removeAll { $0.member == member }
        reads.remotes.append(RemoteRead(member: member, context: context))
    }

    mutating func stepReadIndexReply(_ member: MemberID, context: ReadContext, index: LogIndex?) {
        guard let request = reads.request, request.context == context, member == leader else {
            return
        }
        reads.request = nil
        if let index {
            for read in request.reads { readsReady.append((read, index)) }
        } else {
            readsFailed.append(contentsOf: request.reads)
        }
    }

    /// What no answer came for is tried again, each attempt with a context of its own.
    mutating func tickReads() {
        let patience = UInt64(options.readRetryTicks)
        if let request = reads.request, tickCount - request.startTick >= patience {
            reads.request = nil
            reads.waiting = request.reads + reads.waiting
        }
        if let first = reads.rounds.first, tickCount - first.startTick >= patience {
            reads.waiting = reads.rounds.flatMap(\.reads) + reads.waiting
            // Of one member only the newest request is still waited for.
            for round in reads.rounds.reversed() {
                for remote in round.remotes
                where !reads.remotes.contains(where: { $0.member == remote.member }) {
                    reads.remotes.append(remote)
                }
            }
            reads.rounds.removeAll()
        }
    }

    mutating func failReads() {
        for round in reads.rounds { readsFailed.append(contentsOf: round.reads) }
        reads.rounds.removeAll()
        if let request = reads.request { readsFailed.append(contentsOf: request.reads) }
        reads.request = nil
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
