// From the bytes of a request's path to the resource that it names. Znodes never collide with names
// of the interface: they live below `/v1/znodes`. Nothing is decoded here, and nothing allocated.

import HTTP

package struct MethodSet: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    init(_ method: Method) { rawValue = 1 &<< method.rawValue }

    static let read: MethodSet = [MethodSet(.get), MethodSet(.head), MethodSet(.options)]
    static let znode: MethodSet = [
        .read, MethodSet(.put), MethodSet(.post), MethodSet(.delete),
    ]

    /// The value of `Allow`.
    func write(into out: inout ByteWriter) {
        var isFirst = true
        for raw in UInt8(0)..<8 where rawValue &>> raw & 1 == 1 {
            guard let method = Method(rawValue: raw) else { continue }
            if !isFirst { out.append(", ") }
            isFirst = false
            out.append(method.name)
        }
    }
}

enum Probe {
    case ready, readable, live, leader
}

enum Document {
    case members, metrics, openAPIYAML, openAPIJSON, index
}

enum Route {
    /// Where the znode's encoded path begins; the end means the root.
    case znode(Int)
    case watch(Int)
    case probe(Probe)
    case document(Document)
    /// `OPTIONS *`.
    case server

    var methods: MethodSet {
        switch self {
        case .znode, .server: .znode
        case .watch, .probe, .document: .read
        }
    }
}

package enum Router {
    /// Throws 404, and 501 for what is to come.
    static func route(_ path: Span<UInt8>) throws(Problem) -> Route {
        if let start = below("/v1/znodes", path) { return .znode(start) }
        if let start = below("/v1/watch", path) { return .watch(start) }
        switch path.count {
        case 1: return path[0] == 0x2A ? .server : .document(.index)
        case 7:
            if Octets.equal(path, "/health") { return .probe(.ready) }
            if Octets.equal(path, "/leader") { return .probe(.leader) }
        case 8:
            if Octets.equal(path, "/metrics") { return .document(.metrics) }
        case 11:
            if Octets.equal(path, "/v1/members") { return .document(.members) }
        case 12:
            if Octets.equal(path, "/health/read") { return .probe(.readable) }
            if Octets.equal(path, "/health/live") { return .probe(.live) }
        case 13:
            if Octets.equal(path, "/health/ready") { return .probe(.ready) }
            if Octets.equal(path, "/openapi.yaml") { return .document(.openAPIYAML) }
            if Octets.equal(path, "/openapi.json") { return .document(.openAPIJSON) }
        default: break
        }
        if let later = LaterResource.named(path) { throw Problem(.notImplemented, later.detail) }
        throw Problem(.notFound, "There is no such resource: GET / names those that there are.")
    }

    /// Where the rest begins when `path` is `prefix` or below it.
    @inline(__always)
    private static func below(_ prefix: StaticString, _ path: Span<UInt8>) -> Int? {
        let count = prefix.utf8CodeUnitCount
        guard path.count >= count, path.count == count || path[count] == 0x2F,
            Octets.equal(path.extracting(0..<count), prefix)
        else { return nil }
        return count
    }

    /// What is served, as `openapi/` describes it: the template of a path and its methods.
    package static let served: [(template: String, methods: [String])] = [
        ("/", ["get"]),
        ("/health", ["get"]),
        ("/health/live", ["get"]),
        ("/health/read", ["get"]),
        ("/health/ready", ["get"]),
        ("/leader", ["get"]),
        ("/metrics", ["get"]),
        ("/openapi.json", ["get"]),
        ("/openapi.yaml", ["get"]),
        ("/v1/members", ["get"]),
        ("/v1/watch/{path}", ["get"]),
        ("/v1/znodes/{path}", ["delete", "get", "head", "post", "put"]),
    ]
}
