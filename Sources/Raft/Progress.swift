// What a leader knows of one member, and how it sends to it. It owns its transitions: nobody else
// sets the state.

package struct Progress: Sendable {
    package enum State: Sendable, Equatable {
        /// Where the logs meet is not known: one message, then wait.
        case probe(waiting: Bool)
        /// Messages go out without waiting, within the window.
        case replicate
        /// A snapshot is on its way; no entries until it has arrived or failed.
        case snapshot
    }

    package let member: MemberID
    package private(set) var state: State
    /// Durable there and equal to the leader's log. It never says more than is so, but may say less.
    package private(set) var match: LogIndex
    package private(set) var next: LogIndex
    package private(set) var inflights = Inflights()
    /// The highest commit that a message to it has carried since it began to replicate.
    package private(set) var sentCommit: LogIndex = .zero
    /// An answer to a heartbeat showed that entries are missing: ask where it stands.
    package private(set) var needsPoke = false
    /// The leader's tick of the last answer; the start of the leadership counts as one.
    package private(set) var contactTick: UInt64
    /// Whether it has answered in this leadership, and since it started.
    package private(set) var hasAnswered = false
    /// The highest `sentMs` that it has echoed in this term.
    package private(set) var confirmedMs: UInt64?
    /// The leader's clock when it began to replicate.
    private var replicatingSinceMs: UInt64 = 0

    init(member: MemberID, next: LogIndex, tick: UInt64) {
        self.member = member
        state = .probe(waiting: false)
        match = .zero
        self.next = next
        contactTick = tick
    }

    mutating func heard(tick: UInt64, sentMs: UInt64?) {
        contactTick = tick
        hasAnswered = true
        guard let sentMs else { return }
        confirmedMs = max(confirmedMs ?? 0, sentMs)
    }

    /// The leader's own: durable entries.
    mutating func advanceOwn(match: LogIndex) {
        self.match = max(self.match, match)
        next = max(next, self.match.next)
    }

    mutating func sent(lastIndex: LogIndex, bytes: Int, commit: LogIndex) {
        needsPoke = false
        switch state {
        case .probe:
            state = .probe(waiting: true)
        case .replicate:
            if lastIndex >= next {
                inflights.add(lastIndex: lastIndex, bytes: bytes)
                next = lastIndex.next
            }
            sentCommit = max(sentCommit, min(commit, lastIndex))
        case .snapshot:
            invariant(false, "append to \(member) while it gets a snapshot")
        }
    }

    /// True when it told something new. `firstIndex` and `nowMs` are the leader's.
    mutating func accepted(match index: LogIndex, firstIndex: LogIndex, nowMs: UInt64) -> Bool {
        let advanced = index > match
        if advanced { match = index }
        next = max(next, match.next)
        switch state {
        case .probe:
            // An answer to an older message proves nothing about the probe, but the logs meet.
            becomeReplicate(nowMs: nowMs)
        case .replicate:
            inflights.free(through: index)
        case .snapshot:
            if match.next >= firstIndex { becomeReplicate(nowMs: nowMs) }
        }
        return advanced
    }

    /// `meeting` is the best guess of where the logs meet. An old answer changes nothing.
    mutating func rejected(at index: LogIndex, meeting: LogIndex, sentMs: UInt64) {
        switch state {
        case .probe:
            guard index == next.previous else { return }
            // It lacks what it has acknowledged: its disk lost that. Or the answer is an old one, and
            // then the claim is only lower than it need be.
            if index <= match { match = min(match, meeting) }
            next = max(min(index, meeting.next), match.next)
            state = .probe(waiting: false)
        case .replicate:
            // Why only of what was sent since: a window that comes out of order is rejected message
            // by message, and each rejection would start a window anew, whose rejections would too.
            // What is missing all the same is asked for at the next heartbeat's answer.
            if index > match, sentMs > replicatingSinceMs { becomeProbe() }
        case .snapshot:
            break
        }
    }

    /// It is alive: a probe that was lost may go again, and a gap be looked for.
    mutating func answeredHeartbeat(lastIndex: LogIndex) {
        switch state {
        case .probe: state = .probe(waiting: false)
        case .replicate: needsPoke = match < lastIndex
        case .snapshot: break
        }
    }

    /// The link broke, or messages were lost. A probe keeps its guess of where the logs meet.
    mutating func becomeProbe() {
        switch state {
        case .probe: break
        case .replicate, .snapshot: next = match.next
        }
        inflights.clear()
        needsPoke = false
        sentCommit = .zero
        state = .probe(waiting: false)
    }

    /// It has started anew: what it holds is asked again, and a snapshot waits for its first answer,
    /// since it takes one only from a leader that it knows.
    mutating func restarted() {
        becomeProbe()
        match = .zero
        hasAnswered = false
    }

    mutating func becomeSnapshot() {
        inflights.clear()
        needsPoke = false
        state = .snapshot
    }

    /// Sends nothing until it answers.
    mutating func pause() {
        becomeProbe()
        state = .probe(waiting: true)
    }

    /// The snapshot at `index` arrived; its own answer or the next heartbeat's lets it go on.
    mutating func snapshotSent(index: LogIndex) {
        guard state == .snapshot else { return }
        pause()
        next = max(next, index.next)
    }

    /// Tried again when it next answers.
    mutating func snapshotFailed() {
        guard state == .snapshot else { return }
        pause()
    }

    private mutating func becomeReplicate(nowMs: UInt64) {
        replicatingSinceMs = nowMs
        next = match.next
        inflights.clear()
        needsPoke = false
        sentCommit = .zero
        state = .replicate
    }
}

/// What a leader knows of one follower, for the traces of scenarios.
package struct FollowerStatus: Sendable, Equatable {
    package let member: MemberID
    package let match: LogIndex
    package let next: LogIndex
    package let state: Progress.State
    /// Ticks since its last answer; nil when it has not answered in this leadership.
    package let contactTicks: UInt64?
}
