// Where a member listens, and what it tells others of it. Found out before anything else is started,
// so that a port in use ends the start with nothing to take back.

internal import System

struct MemberDoors {
    /// With real ports; the event loops open them.
    let http: [SocketAddress]
    /// HOST:PORT for redirects and lists.
    let advertisedHTTP: String
    /// Listening already, so that the others' dials wait in the backlog.
    let peers: [PeerLinks.Door]
    let advertisedPeer: String

    init(_ configuration: MemberConfiguration, log: Log) throws(SystemError) {
        var http: [SocketAddress] = []
        for address in try configuration.http.resolve() {
            // A name with several addresses gets one port for all of them.
            let port = http.first?.port ?? address.port
            http.append(try ListeningSocket.checkFree(address.with(port: port)))
        }
        self.http = http
        var peers: [PeerLinks.Door] = []
        let own = configuration.ownAddress
        if configuration.ensemble.count > 1 || configuration.peer != nil,
            let wanted = configuration.peer ?? own
        {
            for address in try wanted.resolve() {
                let port = peers.first?.socket.address.port ?? address.port
                let socket = try ListeningSocket(
                    address.with(port: port), backlog: configuration.peers.listenBacklog,
                    sharedPort: false)
                peers.append(PeerLinks.Door(socket))
            }
        }
        self.peers = peers
        advertisedHTTP = Self.advertised(configuration, http)
        if configuration.ensemble.count > 1, let own {
            advertisedPeer = own.description
        } else {
            advertisedPeer = peers.first?.socket.address.description ?? ""
        }
        Self.warn(http, peers, log)
    }

    /// As given; else the bound address; else, when that is every address, the host by which the
    /// other members reach this one.
    private static func advertised(
        _ configuration: MemberConfiguration, _ bound: [SocketAddress]
    ) -> String {
        if let given = configuration.advertisedHTTP { return given.description }
        guard let first = bound.first else { return "" }
        if !first.isUnspecified {
            return first.port == configuration.http.port
                ? configuration.http.description : first.description
        }
        let own = configuration.ownAddress
        let host = own.flatMap { $0.isEverywhere ? nil : $0.host } ?? "localhost"
        return host.utf8.contains(0x3a) ? "[\(host)]:\(first.port)" : "\(host):\(first.port)"
    }

    private static func warn(_ http: [SocketAddress], _ peers: [PeerLinks.Door], _ log: Log) {
        for address in http where !address.isLoopback {
            log.warning(
                "the HTTP door is open to the network without TLS and authentication: put a proxy "
                    + "that has both in front of it, or listen on loopback (--http 127.0.0.1:8080)",
                ("address", address.description))
        }
        for door in peers where !door.socket.address.isLoopback {
            log.warning(
                "the door for other members is open to the network without TLS: keep it on a "
                    + "private network that only members reach",
                ("address", door.socket.address.description))
        }
    }
}
