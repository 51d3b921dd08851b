// What was given to storage and what of it is durable. Completions name requests, and a request
// whose entries were truncated meanwhile must never make their successors durable.

import DequeModule

struct StorageLedger {
    private struct Request {
        let token: StorageToken
        /// The end of the log that becomes durable; lowered when entries below it are truncated.
        var lastIndex: LogIndex
        let term: Term
        let vote: MemberID?
        let bytes: Int
    }

    private(set) var lastToken = StorageToken(rawValue: 0)
    private var inFlight: Deque<Request> = []
    /// The weight of the entries that are not durable yet, replaced ones among them.
    private(set) var bytesInFlight = 0
    private(set) var durableIndex: LogIndex
    private(set) var durableTerm: Term
    private(set) var durableVote: MemberID?
    /// Term and vote of the requests up to here are durable, their entries may not be.
    private(set) var votesDurable = StorageToken(rawValue: 0)
    /// Of the last request, or of the start.
    private(set) var handedTerm: Term
    private(set) var handedVote: MemberID?
    private(set) var handedCommit: LogIndex

    init(hardState: HardState, lastIndex: LogIndex) {
        durableIndex = lastIndex
        durableTerm = hardState.term
        durableVote = hardState.vote
        handedTerm = hardState.term
        handedVote = hardState.vote
        handedCommit = hardState.commit
    }

    var isIdle: Bool { inFlight.isEmpty }
    var nextToken: StorageToken { StorageToken(rawValue: lastToken.rawValue + 1) }

    /// `bytes`: the weight of the request's entries.
    mutating func issue(hardState: HardState, lastIndex: LogIndex, bytes: Int) -> StorageToken {
        lastToken = nextToken
        handedTerm = hardState.term
        handedVote = hardState.vote
        handedCommit = hardState.commit
        inFlight.append(
            Request(
                token: lastToken, lastIndex: lastIndex, term: hardState.term, vote: hardState.vote,
                bytes: bytes))
        bytesInFlight += bytes
        return lastToken
    }

    /// The request and all before it are durable.
    mutating func complete(_ token: StorageToken) {
        invariant(token <= lastToken, "completion \(token.rawValue) of \(lastToken.rawValue)")
        while let first = inFlight.first, first.token <= token {
            inFlight.removeFirst()
            bytesInFlight -= first.bytes
            durableIndex = max(durableIndex, first.lastIndex)
            // A later term may be ahead of its entries.
            guard first.token > votesDurable else { continue }
            durableTerm = first.term
            durableVote = first.vote
        }
    }

    /// Of the request and of all before it the term and the vote are durable.
    mutating func completeVotes(_ token: StorageToken) {
        invariant(token <= lastToken, "votes of \(token.rawValue) of \(lastToken.rawValue)")
        for request in inFlight where request.token > votesDurable {
            // Those that follow and change neither have the same.
            let isSame = request.term == durableTerm && request.vote == durableVote
            guard request.token <= token || isSame else { return }
            votesDurable = request.token
            durableTerm = request.term
            durableVote = request.vote
        }
    }

    /// Entries at and after `index` are gone. Why every request is lowered: one that wrote them may
    /// complete later, when the same place, even of the same term, is filled by a later request
    /// (etcd/raft, async_storage_writes_append_aba_race).
    mutating func truncated(from index: LogIndex) {
        durableIndex = min(durableIndex, index.previous)
        for slot in inFlight.indices {
            inFlight[slot].lastIndex = min(inFlight[slot].lastIndex, index.previous)
        }
    }

    /// A durable snapshot covers everything up to `index`.
    mutating func covered(through index: LogIndex) { durableIndex = max(durableIndex, index) }
}
