// What must be durable before it is told to anyone. The core itself keeps such messages back until
// the completion comes, so that no mistake of the caller's can let them out early.

import DequeModule

/// A message that waits for a storage request. One to the member itself is its own vote.
struct HeldMessage {
    let token: StorageToken
    let message: Message
}

extension RaftNode {
    var hasUnstored: Bool {
        log.hasUnstored || term != ledger.handedTerm || vote != ledger.handedVote
    }

    /// The storage request and all before it are durable.
    package mutating func persisted(_ token: StorageToken) {
        ledger.complete(token)
        while let first = held.first, first.token <= token {
            held.removeFirst()
            release(first.message)
        }
        if standing == .leader { advanceOwnMatch() }
    }

    /// The disk is full, but term and vote of the request and of all before it are durable: votes
    /// need no more than that.
    package mutating func votesPersisted(_ token: StorageToken) {
        ledger.completeVotes(token)
        let waiting = held
        held.removeAll()
        for message in waiting {
            if message.token <= ledger.votesDurable, message.message.body.isVoteReply,
                message.message.to != id
            {
                release(message.message)
            } else {
                held.append(message)
            }
        }
    }

    /// Out at once when everything it could depend on is durable, else after the storage request
    /// that makes it so.
    mutating func sendWhenDurable(_ body: Message.Body, to member: MemberID) {
        let message = Message(from: id, to: member, term: term, body: body)
        let isDurableVote =
            body.isVoteReply && member != id && ledger.durableTerm == term
            && ledger.durableVote == vote
        // What waits for room must not hold up a vote that is kept already.
        if !hasRoom, isDurableVote {
            release(message)
        } else if hasUnstored {
            held.append(HeldMessage(token: ledger.nextToken, message: message))
        } else if !ledger.isIdle {
            held.append(HeldMessage(token: ledger.lastToken, message: message))
        } else {
            release(message)
        }
    }

    /// Answers an append: `matchIndex` and the term that it is said in must be durable, but need
    /// not wait for what came later.
    mutating func acknowledge(_ matchIndex: LogIndex, sentMs: UInt64, to member: MemberID) {
        let body = Message.Body.appendReply(matchIndex: matchIndex, sentMs: sentMs)
        if matchIndex <= ledger.durableIndex, ledger.durableTerm == term {
            send(body, to: member)
        } else {
            sendWhenDurable(body, to: member)
        }
    }

    /// Why messages of an older term are dropped: they promise nothing that is still wanted, and a
    /// lost message is always safe.
    private mutating func release(_ message: Message) {
        guard message.term == term else { return }
        if message.to == id {
            if standing == .candidate { recordVote(of: id, granted: true) }
        } else {
            outbox.append(message)
        }
    }

    /// Why a changed commit alone asks for nothing: it is a hint, and would cost a sync per commit.
    mutating func takeStorage(_ batch: inout EntryBatch, into ready: inout Ready) {
        guard hasUnstored else { return }
        invariant(ready.storage == nil, "a storage request was not taken")
        let hardState = HardState(term: term, vote: vote, commit: commit)
        let changed =
            term != ledger.handedTerm || vote != ledger.handedVote || commit != ledger.handedCommit
        let entries =
            log.hasUnstored
            ? batch.entries(of: log, from: log.nextToStore, bytesMax: .max) : []
        let token = ledger.issue(
            hardState: hardState, lastIndex: log.lastIndex,
            bytes: entries.reduce(0) { $0 + $1.weightBytes })
        log.markStored()
        ready.storage = Ready.Storage(
            token: token, hardState: changed ? hardState : nil, entries: entries)
    }
}

/// The last run of entries that was cut from the log, shared by the messages to all followers and
/// by the storage request of one `takeReady`.
struct EntryBatch {
    private var cut: [Entry] = []

    mutating func entries(of log: borrowing RaftLog, from index: LogIndex, bytesMax: Int) -> [Entry]
    {
        if let first = cut.first, first.index == index,
            bytesMax != .max || cut[cut.count - 1].index == log.lastIndex
        {
            return cut
        }
        cut = log.slice(from: index, through: log.lastIndex, bytesMax: bytesMax)
        return cut
    }
}
