// The methods that a request may name (RFC 9110 9, case-sensitive). Any other token is 501, and so
// are CONNECT and TRACE: nothing here tunnels or echoes.

@usableFromInline
package enum Method: UInt8, Sendable, CaseIterable {
    case get, head, put, post, delete, options, patch

    @inlinable
    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .put: "PUT"
        case .post: "POST"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        }
    }

    @inlinable
    static func find(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Method? {
        let candidate: Method
        switch range.count {
        case 3:
            if bytes[range.lowerBound] == 0x47 {
                let isGet =
                    bytes[range.lowerBound + 1] == 0x45 && bytes[range.lowerBound + 2] == 0x54
                return isGet ? .get : nil
            }
            candidate = .put
        case 4: candidate = bytes[range.lowerBound] == 0x48 ? .head : .post
        case 5: candidate = .patch
        case 6: candidate = .delete
        case 7: candidate = .options
        default: return nil
        }
        return Octets.equal(bytes.extracting(range), candidate.name) ? candidate : nil
    }
}
