// One entry of the replicated log, what a member must remember besides the log, and what stands
// for a discarded prefix of it. Plain values: the journal lays them out, the peer codec sends them.

/// What the bytes of an entry mean to the core; commands are opaque to it.
package enum EntryKind: UInt8, Sendable {
    /// Opaque bytes for the state machine.
    case command = 0
    /// The leader's first entry of its term (thesis 6.4): commits what went before.
    case noOp = 1
    /// An encoded `Configuration`: in force from the moment that it is appended (thesis 4.1).
    case configuration = 2
}

package struct Entry: Sendable, Equatable {
    package let index: LogIndex
    package let term: Term
    package let kind: EntryKind
    package let payload: [UInt8]

    package init(index: LogIndex, term: Term, kind: EntryKind, payload: [UInt8]) {
        self.index = index
        self.term = term
        self.kind = kind
        self.payload = payload
    }
}

/// Must be durable before any message that depends on it leaves (thesis 3.4, "persistent state").
package struct HardState: Sendable, Equatable {
    package var term: Term
    package var vote: MemberID?
    /// Only a hint for a quick restart: losing it is harmless.
    package var commit: LogIndex

    package init(term: Term, vote: MemberID?, commit: LogIndex) {
        self.term = term
        self.vote = vote
        self.commit = commit
    }
    package static var initial: Self { Self(term: .zero, vote: nil, commit: .zero) }
}

/// Stands for the log up to and with `index`: what a snapshot replaces.
package struct SnapshotMark: Sendable, Equatable {
    package let index: LogIndex
    package let term: Term
    /// The configuration in force at `index`.
    package let configuration: Configuration

    package init(index: LogIndex, term: Term, configuration: Configuration) {
        self.index = index
        self.term = term
        self.configuration = configuration
    }
}
