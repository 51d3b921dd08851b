// What the core wants done after a step, in the order in which it must be done. The caller keeps
// one and hands it in each time, so that its buffers are reused.

package enum Role: UInt8, Sendable { case follower, preCandidate, candidate, leader, learner }

/// Names a storage request; completions come back in the order of the requests.
package struct StorageToken: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Names a linearizable read of the caller's.
package struct ReadID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
}

package struct Ready: Sendable {
    /// To write and make durable; answer with `RaftNode.persisted(token)`. Messages that depend on
    /// it are not here yet: the core gives them out only after the answer.
    package struct Storage: Sendable {
        package var token: StorageToken
        /// Set when term, vote or commit changed.
        package var hardState: HardState?
        /// Replace everything at and after `entries.first!.index`; may be empty.
        package var entries: [Entry]
        package init(token: StorageToken, hardState: HardState?, entries: [Entry]) {
            self.token = token
            self.hardState = hardState
            self.entries = entries
        }
    }

    package var storage: Storage?
    /// May be sent at once.
    package var messages: [Message] = []
    /// Newly committed, in order, to be applied now.
    package var committed: [Entry] = []
    /// May be served once everything up to the index is applied.
    package var readsReady: [(read: ReadID, index: LogIndex)] = []
    /// No quorum confirmed them, and none will: the caller may ask again.
    package var readsFailed: [ReadID] = []
    /// Followers whose next entry is no longer in the log; send them a snapshot, then call
    /// `snapshotSent(to:index:)` or `snapshotFailed(to:)`.
    package var snapshotsWanted: [MemberID] = []

    package init() {}

    /// Empties it and keeps the buffers.
    package mutating func reset() {
        storage = nil
        messages.removeAll(keepingCapacity: true)
        committed.removeAll(keepingCapacity: true)
        readsReady.removeAll(keepingCapacity: true)
        readsFailed.removeAll(keepingCapacity: true)
        snapshotsWanted.removeAll(keepingCapacity: true)
    }
}
