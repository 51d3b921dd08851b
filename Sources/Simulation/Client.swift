// A client: it has at most one request open, remembers what it has seen, and goes on elsewhere when
// its member is down.

import Ensemble
import Raft
import Znodes

struct OpenRequest {
    /// In the replica. By HTTP it may be asked under several, one after the other.
    var id: UInt64
    let member: Int
    let run: Int
    var ask: ClientRequest
    /// Of a write; 0: it carries none.
    var tag: UInt64 = 0
    /// What the client looks at once it may.
    var path: ZnodePath?
    /// Of an operation on a register.
    var register: Registers.Handle?
    /// The greatest zxid that any client knew when this was asked.
    let known: Zxid
    var hasTicket = false
    /// The count of inputs with which it was asked.
    var askedAtEvent = 0
    /// A read of what is here and now.
    var isOfHere = false
}

final class Client {
    enum Kind { case worker, waiter, follower }
    enum Probe { case none, write, read, local, done }

    let number: Int
    let kind: Kind
    var member: Int
    var open: OpenRequest?
    var turnsScheduled = 0
    var requests: UInt64 = 0
    /// The greatest zxid seen.
    var seen = Zxid.zero
    var mzxids: [Zxid] = [Zxid(1)]
    /// Local reads at one run of one member never go back.
    var local = LocalReads()
    /// A feed goes on from here.
    var next = Zxid.zero
    let followed: EventQuery
    /// It speaks HTTP with a gateway; the others hand their requests to the replica.
    let isWeb: Bool
    var connection: WebConnection?
    var connections = 0
    /// The znode that it was shown last, by its tag.
    var known: (path: ZnodePath, tag: Zxid)?
    var probe = Probe.none

    init(number: Int, kind: Kind, member: Int, followed: EventQuery, isWeb: Bool) {
        self.number = number
        self.kind = kind
        self.member = member
        self.followed = followed
        self.isWeb = isWeb
    }

    var isIdle: Bool { open == nil && (probe == .none || probe == .done) }

    /// What of it the replica has.
    var asked: ClientRequest? { isWeb ? connection?.asked : open?.ask }

    var described: String { open.map { "\($0.ask) at \($0.member + 1)" } ?? "\(probe)" }

    func see(_ zxid: Zxid) { seen = max(seen, zxid) }
}
