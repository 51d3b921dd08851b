// Every octet at every place of a path, a query and a host, against the lists of RFC 3986: targets
// are looked at eight octets at a time, and a mark that strays would let one through.

import HTTP
import Testing

struct TargetCharacterTests {
    private static let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    private static let unreserved = letters + "0123456789-._~"
    private static let name = Set((unreserved + "!$&'()*+,;=" + "%").utf8)
    private static let path = name.union(":@/".utf8)
    private static let query = path.union("?".utf8)

    private static func isTaken(_ target: [UInt8], host: [UInt8]) -> Bool {
        let request =
            Array("GET ".utf8) + target + Array(" HTTP/1.1\r\nHost: ".utf8) + host
            + Array("\r\n\r\n".utf8)
        var parser = RequestParser()
        switch parser.parseHead(request.span, limits: HTTPLimits()) {
        case .head: return true
        case .needMore, .invalid: return false
        }
    }

    @Test("An octet is taken in a path, a query and a host exactly where RFC 3986 lists it")
    func everyOctetEverywhere() {
        let localhost = Array("localhost".utf8)
        for length in [1, 7, 8, 9, 17] {
            for place in 0..<length {
                for octet in UInt8.min...UInt8.max {
                    var text = [UInt8](repeating: 0x61, count: length)
                    text[place] = octet
                    // A question mark ends a path, and what follows is a query.
                    #expect(
                        Self.isTaken([0x2F] + text, host: localhost)
                            == (octet == 0x3F || Self.path.contains(octet)),
                        "octet \(octet) at \(place) of \(length) in a path")
                    #expect(
                        Self.isTaken([0x2F, 0x3F] + text, host: localhost)
                            == Self.query.contains(octet),
                        "octet \(octet) at \(place) of \(length) in a query")
                    // Not what begins a port or a literal, nor spaces around a value.
                    if [0x3A, 0x5B, 0x20, 0x09].contains(octet) { continue }
                    #expect(
                        Self.isTaken([0x2F], host: text) == Self.name.contains(octet),
                        "octet \(octet) at \(place) of \(length) in a host")
                }
            }
        }
    }
}
