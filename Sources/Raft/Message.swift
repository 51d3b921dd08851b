// What members say to each other about the log. Values only: the peer codec turns them into bytes.

/// Names one attempt of a ReadIndex round; never used twice by one member (a retry with an old
/// context can be confirmed by a late answer to the first attempt).
package struct ReadContext: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

package struct Message: Sendable, Equatable {
    package enum Body: Sendable, Equatable {
        /// Thesis 9.6: asks whether an election could be won; `Message.term` is the term it would have.
        case preVoteRequest(lastIndex: LogIndex, lastTerm: Term)
        case preVoteReply(granted: Bool)
        /// `transfer`: the leader asked for this election, so a member in touch with it answers too.
        case voteRequest(lastIndex: LogIndex, lastTerm: Term, transfer: Bool)
        case voteReply(granted: Bool)
        /// Entries follow `previousIndex` without a hole; `sentMs` is the leader's clock, echoed.
        case append(
            previousIndex: LogIndex, previousTerm: Term, entries: [Entry], commit: LogIndex,
            sentMs: UInt64)
        /// All up to `matchIndex` is durable here and equal to the leader's log.
        case appendReply(matchIndex: LogIndex, sentMs: UInt64)
        /// The entry at `rejectedIndex` (the request's `previousIndex`) is absent or of another term.
        case appendRejection(
            rejectedIndex: LogIndex, hintIndex: LogIndex, hintTerm: Term, sentMs: UInt64)
        /// `readContext` asks for the confirmation of a ReadIndex round (thesis 6.4).
        case heartbeat(commit: LogIndex, readContext: ReadContext?, sentMs: UInt64)
        case heartbeatReply(readContext: ReadContext?, sentMs: UInt64)
        /// A follower asks the leader for a read index, for all reads that wait in it.
        case readIndexRequest(context: ReadContext)
        /// `index` nil: refused (not the leader any more); ask again with a fresh context.
        case readIndexReply(context: ReadContext, index: LogIndex?)
        /// Thesis 3.10: start an election at once.
        case timeoutNow
    }

    package let from: MemberID
    package let to: MemberID
    package let term: Term
    package let body: Body

    package init(from: MemberID, to: MemberID, term: Term, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }
}
