// What a GET or HEAD of a znode asks for, from its query and fields: which view, how fresh, since
// when, for how long. Plain numbers, so that a plain read allocates nothing. What is known and not
// built is refused here, never ignored.

import HTTP
import Znodes

struct ReadPlan: Sendable {
    enum Shape: Sendable { case json, base64, raw, children }

    var shape = Shape.json
    var local = false
    var maxStalenessMs: UInt64?
    var atLeast: Zxid?
    var after: Zxid?
    var waitMs: UInt64?
    /// Names in a page of children.
    var limit = 0

    static var localJSON: ReadPlan {
        var plan = ReadPlan()
        plan.local = true
        return plan
    }

    private init() {}

    static let parameters = ParameterSet.of(
        .raw, .encoding, .children, .limit, .afterName, .stat, .data, .recursive, .depth, .acl,
        .consistency, .maxStaleness, .atLeast, .after, .wait)

    init(
        _ query: borrowing Query, _ text: Span<UInt8>, _ head: RequestHead,
        _ bytes: Span<UInt8>, _ limits: GatewayLimits
    ) throws(Problem) {
        limit = limits.pageNamesMax
        if !query.present.isEmpty {
            try readShape(query, text, limits)
            try readFreshness(query, text)
            after = try query.number(.after, text).map { Zxid($0) }
        }
        if head.has(.accept), shape == .json, !query.has(.raw), !query.has(.encoding),
            AcceptedTypes(head: head, bytes: bytes).prefers(.octetStream, over: .json)
        {
            shape = .raw
        }
        try readWait(query, text, head, bytes, limits)
    }

    /// Answered from one look at the tree here and now.
    func isPlain(_ head: RequestHead) -> Bool {
        local && shape != .children && atLeast == nil && after == nil && waitMs == nil
            && !head.has(.ifNoneMatch) && !head.has(.ifMatch)
    }

    private mutating func readShape(
        _ query: borrowing Query, _ text: Span<UInt8>, _ limits: GatewayLimits
    ) throws(Problem) {
        if try query.flag(.acl, text) { throw .notImplemented("acl") }
        let lists = try query.flag(.children, text)
        try refuseLater(query, text, lists: lists)
        if lists { shape = .children }
        if try query.flag(.raw, text) {
            if lists { throw .badParameter(.raw, "does not go with children.") }
            shape = .raw
        }
        if let encoding = query.value(.encoding, text) {
            guard Octets.equal(encoding, "base64") else {
                throw .badParameter(.encoding, "can only be base64.")
            }
            guard shape == .json else {
                throw .badParameter(.encoding, "does not go with raw or children.")
            }
            shape = .base64
        }
        if !lists, query.has(.limit) || query.has(.afterName) {
            let stray: Parameter = query.has(.limit) ? .limit : .afterName
            throw .badParameter(stray, "goes with children.")
        }
        if let wanted = try query.number(.limit, text) {
            guard wanted >= 1, wanted <= UInt64(limits.pageNamesMax) else {
                throw .badRequest(
                    "The parameter 'limit' must be from 1 to ", Echo(UInt64(limits.pageNamesMax)),
                    ", the length of a page.")
            }
            limit = Int(wanted)
        }
    }

    /// Views of listings that are not built yet.
    private func refuseLater(
        _ query: borrowing Query, _ text: Span<UInt8>, lists: Bool
    ) throws(Problem) {
        for parameter in [Parameter.stat, .data, .recursive] where query.has(parameter) {
            guard try query.flag(parameter, text) else { continue }
            if lists { throw .notImplemented(parameter.name) }
            throw .badParameter(parameter, "goes with children.")
        }
        if query.has(.depth) {
            if lists { throw .notImplemented("depth") }
            throw .badParameter(.depth, "goes with children.")
        }
    }

    private mutating func readFreshness(
        _ query: borrowing Query, _ text: Span<UInt8>
    ) throws(Problem) {
        local = try Self.isLocal(query, text)
        atLeast = try query.number(.atLeast, text).map { Zxid($0) }
        maxStalenessMs = try Self.maxStalenessMs(query, text, local: local)
    }

    static func maxStalenessMs(
        _ query: borrowing Query, _ text: Span<UInt8>, local: Bool
    ) throws(Problem) -> UInt64? {
        let mostMs = try query.milliseconds(.maxStaleness, text)
        if mostMs != nil, !local {
            throw .badParameter(.maxStaleness, "goes with consistency=local.")
        }
        return mostMs
    }

    static func isLocal(_ query: borrowing Query, _ text: Span<UInt8>) throws(Problem) -> Bool {
        guard let consistency = query.value(.consistency, text) else { return false }
        if Octets.equal(consistency, "local") { return true }
        if Octets.equal(consistency, "linearizable") { return false }
        throw .badParameter(.consistency, "must be linearizable or local.")
    }

    private mutating func readWait(
        _ query: borrowing Query, _ text: Span<UInt8>, _ head: RequestHead,
        _ bytes: Span<UInt8>, _ limits: GatewayLimits
    ) throws(Problem) {
        let hasStart = after != nil || head.has(.ifNoneMatch)
        if after != nil, head.has(.ifNoneMatch) {
            throw .badParameter(.after, "does not go with If-None-Match: wait by one of them.")
        }
        if let wait = try query.milliseconds(.wait, text) {
            guard hasStart else {
                throw .badParameter(.wait, "needs a start: after=ZXID or If-None-Match.")
            }
            waitMs = min(wait, limits.waitMsMax)
        } else if hasStart, head.has(.prefer) {
            waitMs = Self.preferred(head, bytes, limits)
        }
    }

    /// `Prefer: wait=30` (RFC 7240 4.3).
    static func preferred(
        _ head: RequestHead, _ bytes: Span<UInt8>, _ limits: GatewayLimits
    ) -> UInt64? {
        guard let seconds = PreferParsing.waitSeconds(head: head, bytes: bytes) else { return nil }
        let (product, overflowed) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflowed ? limits.waitMsMax : min(product, limits.waitMsMax)
    }
}
