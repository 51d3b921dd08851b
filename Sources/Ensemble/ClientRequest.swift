// The seam above the replica: what gateways may ask, and the answers. Gateways know only this and
// the published tree; the simulator and a gateway in front of another ensemble stand behind it too.

package import Znodes

/// Chosen by the shell, unique while the request is open.
package struct RequestID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What a read must have seen before it may look at the published tree.
package enum ReadDemand: Sendable, Equatable {
    /// All that was acknowledged anywhere before now (ReadIndex), and `atLeast` when given.
    case linearizable(atLeast: Zxid?)
    /// `atLeast` applied here; `Refusal.zxidAhead` when it is above the confirmed commit index.
    case atLeast(Zxid)
}

/// Answered as soon as `view` of `path` differs from what it was at `after`, level-triggered.
package struct Wait: Sendable, Equatable {
    package var path: ZnodePath
    package var view: View
    package var after: Zxid
    /// On the clock of `Input.tick`, in ms.
    package var deadlineMs: UInt64
    /// `consistency=local`: stays through a loss of the leader.
    package var local: Bool
    package init(path: ZnodePath, view: View, after: Zxid, deadlineMs: UInt64, local: Bool) {
        self.path = path
        self.view = view
        self.after = after
        self.deadlineMs = deadlineMs
        self.local = local
    }
}

/// Answered with every event after `query.after`, at once when there is one.
package struct Feed: Sendable, Equatable {
    package var query: EventQuery
    package var deadlineMs: UInt64
    package var local: Bool
    package init(query: EventQuery, deadlineMs: UInt64, local: Bool) {
        self.query = query
        self.deadlineMs = deadlineMs
        self.local = local
    }
}

package enum ClientRequest: Sendable, Equatable {
    case write(Command)
    case read(ReadDemand)
    case wait(Wait)
    case feed(Feed)
}

package enum ClientReply: Sendable, Equatable {
    /// A write was decided at `zxid`, and is applied here.
    case decided(Outcome, zxid: Zxid)
    /// Look at the published tree now.
    case readable
    /// A wait: the view has changed; look at the published tree now.
    case changed
    /// A wait is over, and the view was the same at `zxid`.
    case unchanged(zxid: Zxid)
    case events(EventPage)
    /// A feed or a wait asks for more than the history holds: list again, and go on from `zxid`.
    case historyCompacted(zxid: Zxid)
    case refused(Refusal)
}

/// Why a request was not served. Each gateway has one table from these to its failures.
package enum Refusal: Sendable, Equatable {
    /// No leader, or no quorum, in the time allowed; a write was appended nowhere and never will be.
    case noQuorum
    /// A write may have been appended and is not known to be applied.
    case outcomeUnknown
    /// A queue is full; nothing was appended.
    case overloaded
    /// This member's disk, or those of so many that no quorum is left, are full; nothing was
    /// appended.
    case diskFull
    /// `atLeast` or `after` lies above the confirmed commit index.
    case zxidAhead(confirmed: Zxid)
    /// This member is stopping; nothing was appended.
    case shuttingDown
    /// This member's state is not that of the others, or nobody can tell; nothing was appended.
    case stateDiffers
}
