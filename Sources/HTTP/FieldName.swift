// The fields that some part of Aviary asks for. Names are found by bytes, in any case of ASCII
// (RFC 9110 5.1); all other fields are checked for syntax and left alone.

@usableFromInline
package enum FieldName: UInt8, Sendable, CaseIterable {
    case accept, acceptEncoding, authorization, aviarySession, connection, contentEncoding
    case contentLength, contentRange, contentType, cookie, expect, host, idempotencyKey, ifMatch
    case ifModifiedSince, ifNoneMatch, ifRange, ifUnmodifiedSince, lastEventID, origin, prefer
    case range, referer, secFetchSite, te, trailer, transferEncoding, upgrade, userAgent

    /// As it is compared, in lower case.
    @inlinable
    @inline(__always)
    package var name: StaticString {
        switch self {
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .authorization: "authorization"
        case .aviarySession: "aviary-session"
        case .connection: "connection"
        case .contentEncoding: "content-encoding"
        case .contentLength: "content-length"
        case .contentRange: "content-range"
        case .contentType: "content-type"
        case .cookie: "cookie"
        case .expect: "expect"
        case .host: "host"
        case .idempotencyKey: "idempotency-key"
        case .ifMatch: "if-match"
        case .ifModifiedSince: "if-modified-since"
        case .ifNoneMatch: "if-none-match"
        case .ifRange: "if-range"
        case .ifUnmodifiedSince: "if-unmodified-since"
        case .lastEventID: "last-event-id"
        case .origin: "origin"
        case .prefer: "prefer"
        case .range: "range"
        case .referer: "referer"
        case .secFetchSite: "sec-fetch-site"
        case .te: "te"
        case .trailer: "trailer"
        case .transferEncoding: "transfer-encoding"
        case .upgrade: "upgrade"
        case .userAgent: "user-agent"
        }
    }

    /// Whether several lines make one list (RFC 9110 5.3). A second line of any other field is 400:
    /// which of two values counts must not depend on who reads.
    @inlinable
    package var isList: Bool {
        switch self {
        case .accept, .acceptEncoding, .connection, .contentEncoding, .cookie, .ifMatch,
            .ifNoneMatch, .prefer, .te, .trailer, .upgrade:
            true
        case .authorization, .aviarySession, .contentLength, .contentRange, .contentType, .expect,
            .host, .idempotencyKey, .ifModifiedSince, .ifRange, .ifUnmodifiedSince, .lastEventID,
            .origin, .range, .referer, .secFetchSite, .transferEncoding, .userAgent:
            false
        }
    }

    /// Finds the field whose name stands at `range`, on a line without control characters.
    @inlinable
    static func find(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FieldName? {
        let first = range.isEmpty ? 0 : bytes[range.lowerBound] | 0x20
        switch (range.count, first) {
        case (2, 0x74): return match(.te, bytes, range)
        case (4, 0x68): return match(.host, bytes, range)
        case (5, 0x72): return match(.range, bytes, range)
        case (6, 0x61): return match(.accept, bytes, range)
        case (6, 0x63): return match(.cookie, bytes, range)
        case (6, 0x65): return match(.expect, bytes, range)
        case (6, 0x6F): return match(.origin, bytes, range)
        case (6, 0x70): return match(.prefer, bytes, range)
        case (7, 0x72): return match(.referer, bytes, range)
        case (7, 0x74): return match(.trailer, bytes, range)
        case (7, 0x75): return match(.upgrade, bytes, range)
        case (8, 0x69): return match(.ifMatch, bytes, range) ?? match(.ifRange, bytes, range)
        case (10, 0x63): return match(.connection, bytes, range)
        case (10, 0x75): return match(.userAgent, bytes, range)
        case (12, 0x63): return match(.contentType, bytes, range)
        case (13, 0x61): return match(.authorization, bytes, range)
        case (13, 0x63): return match(.contentRange, bytes, range)
        case (13, 0x69): return match(.ifNoneMatch, bytes, range)
        case (13, 0x6C): return match(.lastEventID, bytes, range)
        case (14, 0x61): return match(.aviarySession, bytes, range)
        case (14, 0x63): return match(.contentLength, bytes, range)
        case (14, 0x73): return match(.secFetchSite, bytes, range)
        case (15, 0x61): return match(.acceptEncoding, bytes, range)
        case (15, 0x69): return match(.idempotencyKey, bytes, range)
        case (16, 0x63): return match(.contentEncoding, bytes, range)
        case (17, 0x69): return match(.ifModifiedSince, bytes, range)
        case (17, 0x74): return match(.transferEncoding, bytes, range)
        case (19, 0x69): return match(.ifUnmodifiedSince, bytes, range)
        default: return nil
        }
    }

    // Why inlined: each candidate's name is then a constant, and the comparison a few words.
    @inlinable
    @inline(__always)
    static func match(
        _ field: FieldName, _ bytes: Span<UInt8>, _ range: Range<Int>
    ) -> FieldName? {
        Octets.equal(bytes, range, ignoringCase: field.name) ? field : nil
    }
}
