// A client's wish as the bytes of an HTTP request, written by hand, as a client in another language
// would. It must use nothing of the HTTP target: what that reads is what is judged.

import Ensemble
import Znodes

/// How a client looks at a znode.
enum SentShape: Equatable {
    case json, raw, base64
    /// The names of the children, so many at most.
    case children(limit: Int?)

    /// Its tag names the data.
    var isOfData: Bool {
        switch self {
        case .json, .raw, .base64: true
        case .children: false
        }
    }
}

/// A request that goes before another one on its connection, without waiting for its answer.
enum SentBefore: String, CaseIterable {
    case head = "HEAD /v1/znodes/a?consistency=local"
    case leader = "GET /leader"
    case ready = "GET /health/ready"
    case options = "OPTIONS /v1/znodes/a"
    case members = "GET /v1/members"
    case metrics = "GET /metrics"
    case unknown = "GET /v1/nothing"

    var bytes: [UInt8] { Array("\(rawValue) HTTP/1.1\r\nHost: member\r\n\r\n".utf8) }
}

struct SentRequest {
    private(set) var method: String
    private(set) var path: ZnodePath
    private(set) var parameters: [String] = []
    private(set) var fields: [String] = []
    private(set) var body: [UInt8]?
    var isChunked = false
    /// The first byte of each name is percent-encoded.
    var isEncoded = false
    private var resource = "/v1/znodes"

    init(_ command: Command) {
        switch command {
        case .put(let path, let data, _, let explicitMode, let condition, let makeParents):
            self.init("PUT", path)
            body = data
            if explicitMode { parameters.append("mode=persistent") }
            if makeParents { parameters.append("parents") }
            demand(condition)
        case .createSequential(let parent, let prefix, let data, _):
            self.init("POST", parent)
            body = data
            parameters.append("name=\(String(decoding: prefix, as: UTF8.self))")
        case .delete(let path, let condition, let recursive):
            self.init("DELETE", path)
            if recursive { parameters.append("recursive=true") }
            demand(condition)
        }
    }

    /// `atLeast` of a local read is 0 for whatever is there.
    init(_ demand: ReadDemand, of path: ZnodePath, as shape: SentShape) {
        self.init("GET", path)
        switch demand {
        case .linearizable(let zxid):
            if let zxid { parameters.append("at-least=\(zxid.rawValue)") }
        case .atLeast(let zxid):
            parameters.append("consistency=local")
            if zxid > .zero { parameters.append("at-least=\(zxid.rawValue)") }
        }
        look(shape)
    }

    /// Waits from a zxid on, or from the tag that the client knows.
    init(_ wait: Wait, forMs: UInt64, as shape: SentShape, noneMatch: Zxid?) {
        self.init("GET", wait.path)
        if let noneMatch {
            add(noneMatch: noneMatch)
        } else {
            parameters.append("after=\(wait.after.rawValue)")
        }
        parameters.append("wait=\(forMs)ms")
        if wait.local { parameters.append("consistency=local") }
        look(shape)
    }

    init(_ feed: Feed, forMs: UInt64) {
        self.init("GET", feed.query.path)
        resource = "/v1/watch"
        parameters += ["after=\(feed.query.after.rawValue)", "wait=\(forMs)ms"]
        if feed.local { parameters.append("consistency=local") }
        if feed.query.recursive { parameters.append("recursive") }
        if feed.query.types != .all {
            let wanted = Self.eventNames.filter { feed.query.types.contains($0.type) }
                .map(\.name)
            parameters.append("types=" + wanted.joined(separator: ","))
        }
    }

    static let eventNames: [(type: EventTypes, name: String)] = [
        (.created, "created"), (.changed, "changed"), (.deleted, "deleted"),
        (.children, "children"),
    ]

    private init(_ method: String, _ path: ZnodePath) {
        self.method = method
        self.path = path
    }

    mutating func add(field: String) { fields.append(field) }
    mutating func add(noneMatch tag: Zxid) { add(field: "If-None-Match: \"\(tag.rawValue)\"") }

    private mutating func look(_ shape: SentShape) {
        switch shape {
        case .json: break
        case .raw: parameters.append("raw")
        case .base64: parameters.append("encoding=base64")
        case .children(let limit):
            parameters.append("children")
            if let limit { parameters.append("limit=\(limit)") }
        }
    }

    private mutating func demand(_ condition: Condition) {
        switch condition {
        case .none: break
        case .absent: add(field: "If-None-Match: *")
        case .exists: add(field: "If-Match: *")
        case .mzxidAny(let zxids):
            let tags = zxids.map { "\"\($0.rawValue)\"" }
            add(field: "If-Match: " + tags.joined(separator: ", "))
        case .version(let version): parameters.append("version=\(version)")
        }
    }

    /// Chunks of at most `chunkBytes`.
    func bytes(chunkBytes: Int) -> [UInt8] {
        var bytes = Array("\(method) \(resource)".utf8)
        if !path.isRoot { bytes += encodedPath }
        for (position, parameter) in parameters.enumerated() {
            bytes += Array((position == 0 ? "?" : "&").utf8) + Array(parameter.utf8)
        }
        bytes += Array(" HTTP/1.1\r\nHost: member\r\n".utf8)
        for field in fields { bytes += Array("\(field)\r\n".utf8) }
        guard let body else { return bytes + [0x0D, 0x0A] }
        guard isChunked else {
            return bytes + Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
        }
        bytes += Array("Transfer-Encoding: chunked\r\n\r\n".utf8)
        var rest = body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(chunkBytes)
            bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [0x0D, 0x0A]
            rest = rest.dropFirst(chunkBytes)
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    private var encodedPath: [UInt8] {
        guard isEncoded else { return path.bytes }
        var bytes: [UInt8] = []
        var isFirst = false
        for byte in path.bytes {
            bytes += isFirst ? Array("%\(String(byte, radix: 16))".utf8) : [byte]
            isFirst = byte == ZnodePath.slash
        }
        return bytes
    }
}

extension Command {
    /// What the request names: of a sequential create the parent.
    var path: ZnodePath {
        switch self {
        case .put(let path, _, _, _, _, _), .createSequential(let path, _, _, _),
            .delete(let path, _, _):
            path
        }
    }

    var createsOnly: Bool {
        if case .put(_, _, _, _, .absent, _) = self { true } else { false }
    }
}
