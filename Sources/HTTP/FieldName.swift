// The fields that some part of Aviary asks for. Names are found by bytes, in any case of ASCII
// (RFC 9110 5.1); all other fields are checked for syntax and left alone.

package enum FieldName: UInt8, Sendable, CaseIterable {
    case accept, acceptEncoding, authorization, aviarySession, connection, contentEncoding
    case contentLength, contentType, cookie, expect, host, idempotencyKey, ifMatch
    case ifModifiedSince, ifNoneMatch, ifRange, ifUnmodifiedSince, lastEventID, origin, prefer
    case range, referer, secFetchSite, te, trailer, transferEncoding, upgrade, userAgent

    /// As it is compared, in lower case.
    @inlinable
    package var name: StaticString {
        switch self {
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .authorization: "authorization"
        case .aviarySession: "aviary-session"
        case .connection: "connection"
        case .contentEncoding: "content-encoding"
        case .contentLength: "content-length"
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
        case .authorization, .aviarySession, .contentLength, .contentType, .expect, .host,
            .idempotencyKey, .ifModifiedSince, .ifRange, .ifUnmodifiedSince, .lastEventID,
            .origin, .range, .referer, .secFetchSite, .transferEncoding, .userAgent:
            false
        }
    }

    /// Finds the field whose name stands at `range`, which holds token characters only.
    @inlinable
    static func find(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FieldName? {
        let first = range.isEmpty ? 0 : bytes[range.lowerBound] | 0x20
        let candidate: FieldName
        switch (range.count, first) {
        case (2, 0x74): candidate = .te
        case (4, 0x68): candidate = .host
        case (5, 0x72): candidate = .range
        case (6, 0x61): candidate = .accept
        case (6, 0x63): candidate = .cookie
        case (6, 0x65): candidate = .expect
        case (6, 0x6F): candidate = .origin
        case (6, 0x70): candidate = .prefer
        case (7, 0x72): candidate = .referer
        case (7, 0x74): candidate = .trailer
        case (7, 0x75): candidate = .upgrade
        case (8, 0x69):
            candidate = bytes[range.lowerBound + 3] | 0x20 == 0x6D ? .ifMatch : .ifRange
        case (10, 0x63): candidate = .connection
        case (10, 0x75): candidate = .userAgent
        case (12, 0x63): candidate = .contentType
        case (13, 0x61): candidate = .authorization
        case (13, 0x69): candidate = .ifNoneMatch
        case (13, 0x6C): candidate = .lastEventID
        case (14, 0x61): candidate = .aviarySession
        case (14, 0x63): candidate = .contentLength
        case (14, 0x73): candidate = .secFetchSite
        case (15, 0x61): candidate = .acceptEncoding
        case (15, 0x69): candidate = .idempotencyKey
        case (16, 0x63): candidate = .contentEncoding
        case (17, 0x69): candidate = .ifModifiedSince
        case (17, 0x74): candidate = .transferEncoding
        case (19, 0x69): candidate = .ifUnmodifiedSince
        default: return nil
        }
        return Octets.equal(bytes, range, ignoringCase: candidate.name) ? candidate : nil
    }
}
