// All that a member is told before it starts. Made from flags and environment variables by
// `MemberSettings`, or directly by tests.

package import Ensemble
package import Gateway
package import Journal
package import Raft
package import System

/// A member as the configuration names it.
package struct EnsembleMember: Sendable, Equatable {
    package var id: MemberID
    /// Where the others reach it.
    package var address: HostAndPort
    package init(id: MemberID, address: HostAndPort) {
        self.id = id
        self.address = address
    }
}

package struct MemberConfiguration: Sendable {
    package var id: MemberID
    package var dataDirectory: String
    /// Port 0: any free one.
    package var http: HostAndPort
    /// What others are told of the HTTP door; nil: `http`, or the peer host if that is everywhere.
    package var advertisedHTTP: HostAndPort?
    /// Where the others' connections are taken; nil: this member's own address in `ensemble`.
    package var peer: HostAndPort?
    /// More would hold up every write, and tolerate no failure that anyone has.
    package static let membersMax = 15
    /// All members, this one included, sorted; one alone needs no links.
    package var ensemble: [EnsembleMember]

    package var loops = HTTPServer.loopsDefault
    package var replica = ReplicaOptions()
    package var journal = JournalLimits()
    package var scrub = ScrubLimits()
    package var server = ServerLimits()
    package var peers = PeerLimits()
    package var gateway = GatewayLimits()
    /// Origins whose pages may change the tree, such as `https://ops.example.com`.
    package var allowedOrigins: [String] = []
    /// Names that those pages may call this server by.
    package var hostNames: [String] = []
    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.text
    /// Requests that wait for the replica's thread; more are answered 503.
    package var queuedRequestsMax = 16_384
    /// After leadership was handed over, for requests under way.
    package var drainMs: UInt64 = 5_000

    package init(
        id: MemberID, dataDirectory: String, http: HostAndPort, peer: HostAndPort? = nil,
        ensemble: [EnsembleMember]
    ) {
        self.id = id
        self.dataDirectory = dataDirectory
        self.http = http
        self.peer = peer
        self.ensemble = ensemble
    }

    var others: [EnsembleMember] { ensemble.filter { $0.id != id } }
    var ownAddress: HostAndPort? { ensemble.first { $0.id == id }?.address }
}

/// The program's version, as `--version`, the hello and `/v1/members` show it.
package enum Version {
    package static let text = "0.1.0"
}
