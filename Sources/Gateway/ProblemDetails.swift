// What a failure looks like (RFC 9457): the codes of the interface with their words, and how one is
// written. `detail` tells what to do. What a client sent is echoed only escaped, and cut.

import HTTP
import Znodes

/// Stable names of failures.
package enum ProblemCode: CaseIterable, Sendable {
    case noNode, nodeExists, badVersion, notEmpty, noChildrenForEphemerals
    case badRequest, invalidPath, zxidAhead
    case notFound, methodNotAllowed, notImplemented, unsupportedMediaType
    case forbiddenOrigin, misdirectedRequest
    case historyCompacted, tooLarge, storeFull
    case noQuorum, overloaded, diskFull, shuttingDown, stateDiffers, tooStale, outcomeUnknown
    case requestTimeout

    package var name: StaticString {
        switch self {
        case .noNode: "no_node"
        case .nodeExists: "node_exists"
        case .badVersion: "bad_version"
        case .notEmpty: "not_empty"
        case .noChildrenForEphemerals: "no_children_for_ephemerals"
        case .badRequest: "bad_request"
        case .invalidPath: "invalid_path"
        case .zxidAhead: "zxid_ahead"
        case .notFound: "not_found"
        case .methodNotAllowed: "method_not_allowed"
        case .notImplemented: "not_implemented"
        case .unsupportedMediaType: "unsupported_media_type"
        case .forbiddenOrigin: "forbidden_origin"
        case .misdirectedRequest: "misdirected_request"
        case .historyCompacted: "history_compacted"
        case .tooLarge: "too_large"
        case .storeFull: "store_full"
        case .noQuorum: "no_quorum"
        case .overloaded: "overloaded"
        case .diskFull: "disk_full"
        case .shuttingDown: "shutting_down"
        case .stateDiffers: "state_differs"
        case .tooStale: "too_stale"
        case .outcomeUnknown: "outcome_unknown"
        case .requestTimeout: "request_timeout"
        }
    }

    package var title: StaticString {
        switch self {
        case .noNode: "No such znode"
        case .nodeExists: "The znode exists"
        case .badVersion: "The version does not match"
        case .notEmpty: "The znode has children"
        case .noChildrenForEphemerals: "Ephemeral znodes have no children"
        case .badRequest: "Bad request"
        case .invalidPath: "Invalid path"
        case .zxidAhead: "The zxid lies ahead"
        case .notFound: "No such resource"
        case .methodNotAllowed: "Method not allowed"
        case .notImplemented: "Not implemented"
        case .unsupportedMediaType: "Unsupported content coding"
        case .forbiddenOrigin: "Forbidden origin"
        case .misdirectedRequest: "Misdirected request"
        case .historyCompacted: "History compacted"
        case .tooLarge: "Too large"
        case .storeFull: "The store is full"
        case .noQuorum: "No quorum"
        case .overloaded: "Overloaded"
        case .diskFull: "The disk is full"
        case .shuttingDown: "Shutting down"
        case .stateDiffers: "The state differs"
        case .tooStale: "Too stale"
        case .outcomeUnknown: "Outcome unknown"
        case .requestTimeout: "Request timeout"
        }
    }

    package var status: Int {
        switch self {
        case .badRequest, .invalidPath, .zxidAhead: 400
        case .forbiddenOrigin: 403
        case .noNode, .notFound: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .nodeExists, .notEmpty, .noChildrenForEphemerals: 409
        case .historyCompacted: 410
        case .badVersion: 412
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .misdirectedRequest: 421
        case .notImplemented: 501
        case .noQuorum, .overloaded, .diskFull, .shuttingDown, .stateDiffers, .tooStale: 503
        case .outcomeUnknown: 504
        case .storeFull: 507
        }
    }
}

/// A part of what a client sent, for `detail`: cut, and without what is not UTF-8.
struct Echo: Sendable {
    let bytes: [UInt8]

    init(_ source: Span<UInt8>, _ limits: GatewayLimits) {
        var kept: [UInt8] = []
        for index in source.indices where index < limits.echoBytesMax {
            // What is not ASCII was percent-encoded; a byte that is not must not split a character.
            kept.append(source[index] < 0x80 ? source[index] : 0x3F)
        }
        bytes = kept
    }

    init(_ number: UInt64) { bytes = Array(String(number).utf8) }
    init(_ word: StaticString) {
        bytes = unsafe Array(
            UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
}

struct Problem: Error, Sendable {
    var code: ProblemCode
    var status: Int
    // What to do, in four pieces.
    var detail: StaticString
    var echo: Echo?
    var detailEnd: StaticString = ""
    var hint: StaticString = ""
    /// Valid UTF-8.
    var path: [UInt8]?
    /// The state that the failure was evaluated at.
    var zxid: Zxid?
    /// Of a local read.
    var stalenessMs: UInt64?
    var retryAfterSeconds: UInt64?
    /// For 405.
    var allow: MethodSet?

    init(_ code: ProblemCode, _ detail: StaticString, path: [UInt8]? = nil, zxid: Zxid? = nil) {
        self.code = code
        status = code.status
        self.detail = detail
        self.path = path
        self.zxid = zxid
    }

    static func badRequest(_ detail: StaticString) -> Problem { Problem(.badRequest, detail) }

    static func badRequest(_ detail: StaticString, _ echo: Echo, _ end: StaticString) -> Problem {
        var problem = Problem(.badRequest, detail)
        problem.echo = echo
        problem.detailEnd = end
        return problem
    }

    /// `what` goes on from the parameter's name.
    static func badParameter(_ parameter: Parameter, _ what: StaticString) -> Problem {
        var problem = badRequest("The parameter '", Echo(parameter.name), "' ")
        problem.hint = what
        return problem
    }

    /// A parameter or field that is to come.
    static func notImplemented(_ what: StaticString) -> Problem {
        var problem = Problem(.notImplemented, "This version does not have '")
        problem.echo = Echo(what)
        problem.detailEnd = "' yet: leave it out."
        return problem
    }
}

extension Problem {
    /// Appends the whole answer.
    func write(_ response: borrowing ResponseContext, into out: inout ByteWriter) {
        var answer = ResponseSerializer(status: status, context: response, into: &out)
        if let zxid { answer.field("Aviary-Zxid", number: zxid.rawValue, into: &out) }
        if let stalenessMs {
            answer.field("Aviary-Staleness-Ms", number: stalenessMs, into: &out)
        }
        if let retryAfterSeconds {
            answer.field("Retry-After", number: retryAfterSeconds, into: &out)
        }
        if let allow { answer.field("Allow", into: &out) { allow.write(into: &$0) } }
        answer.beginBody(contentType: "application/problem+json", into: &out)
        out.append("{\"type\":\"urn:aviary:problem:")
        out.append(code.name)
        out.append("\",\"title\":\"")
        out.append(code.title)
        out.append("\",\"status\":")
        out.append(decimal: status)
        out.append(",\"detail\":\"")
        // The words of other targets may hold quotes.
        out.appendJSONEscaped(detail)
        if let echo { out.appendJSONEscaped(echo.bytes.span) }
        out.appendJSONEscaped(detailEnd)
        out.appendJSONEscaped(hint)
        out.append("\",\"code\":\"")
        out.append(code.name)
        out.append("\"")
        if let path {
            out.append(",\"path\":\"")
            out.appendJSONEscaped(path.span)
            out.append("\"")
        }
        if let zxid {
            out.append(",\"zxid\":")
            out.append(decimal: zxid.rawValue)
        }
        out.append("}\n")
        answer.endBody(into: &out)
    }
}
