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

enum Route: Equatable {
    /// `pathStart`: where the znode's encoded path begins; the end means the root.
    case znode(pathStart: Int)
    case watch(pathStart: Int)
    case ready, readable, live, leader
    case members, metrics, openAPIYAML, openAPIJSON, index
    /// `OPTIONS *`.
    case server
    /// A resource that is to come: its place in `LaterResource.all`.
    case later(Int)
    case unknown

    var methods: MethodSet {
        switch self {
        case .znode: .znode
        case .watch, .ready, .readable, .live, .leader, .members, .metrics, .openAPIYAML,
            .openAPIJSON, .index:
            .read
        case .server: .znode
        case .later, .unknown: []
        }
    }

    /// Load balancers ask by OPTIONS as well, and look at the status.
    var isProbe: Bool {
        switch self {
        case .ready, .readable, .live, .leader: true
        case .znode, .watch, .members, .metrics, .openAPIYAML, .openAPIJSON, .index, .server,
            .later, .unknown:
            false
        }
    }
}

package enum Router {
    static func route(_ path: Span<UInt8>) -> Route {
        if let start = below("/v1/znodes", path) { return .znode(pathStart: start) }
        if let start = below("/v1/watch", path) { return .watch(pathStart: start) }
        switch path.count {
        case 1: return path[0] == 0x2A ? .server : .index
        case 7:
            if Octets.equal(path, "/health") { return .ready }
            if Octets.equal(path, "/leader") { return .leader }
        case 8:
            if Octets.equal(path, "/metrics") { return .metrics }
        case 11:
            if Octets.equal(path, "/v1/members") { return .members }
        case 12:
            if Octets.equal(path, "/health/read") { return .readable }
            if Octets.equal(path, "/health/live") { return .live }
        case 13:
            if Octets.equal(path, "/health/ready") { return .ready }
            if Octets.equal(path, "/openapi.yaml") { return .openAPIYAML }
            if Octets.equal(path, "/openapi.json") { return .openAPIJSON }
        default: break
        }
        return LaterResource.find(path).map { .later($0) } ?? .unknown
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
