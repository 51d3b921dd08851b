// Which web pages may change the tree. A browser sends Origin with what a page makes it write;
// other clients do not, and are not asked. Reads need no rule: without CORS fields no page can
// read them.

import HTTP

struct HostPolicy: Sendable {
    private let allowedOrigins: [[UInt8]]
    private let hostNames: [[UInt8]]

    init(allowedOrigins: [[UInt8]], hostNames: [[UInt8]]) {
        self.allowedOrigins = allowedOrigins.map { $0.map(Self.lowercased) }
        self.hostNames = hostNames.map { $0.map(Self.lowercased) }
    }

    /// Nil: the request may change the tree.
    func refusal(_ head: RequestHead, _ bytes: Span<UInt8>) -> Problem? {
        guard let origin = head.value(of: .origin, in: bytes) else { return nil }
        let host = head.hostText(in: bytes)
        let name = Self.name(host)
        if Self.isLoopback(name), Self.isSameOrigin(origin, host) { return nil }
        guard allowedOrigins.contains(where: { Self.equal($0, origin) }) else {
            return Problem(
                .forbiddenOrigin,
                "Pages of this origin may not change the tree: name it in --allowed-origins.")
        }
        // A page whose name was bound to our address (DNS rebinding) names itself as the host.
        if Self.isLoopback(name) || Self.isAddress(name) { return nil }
        if hostNames.contains(where: { Self.equal($0, name) }) { return nil }
        return Problem(
            .misdirectedRequest, "This server does not go by this name: add it to --host-names.")
    }

    private static func equal(_ lowercase: [UInt8], _ text: Span<UInt8>) -> Bool {
        guard lowercase.count == text.count else { return false }
        for index in text.indices where lowercase[index] != lowercased(text[index]) { return false }
        return true
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// `Host` without its port.
    @_lifetime(copy host)
    private static func name(_ host: Span<UInt8>) -> Span<UInt8> {
        if !host.isEmpty, host[0] == 0x5B {
            let end = Octets.first(0x5D, in: host, from: 0, to: host.count)
            return host.extracting(0..<min(end + 1, host.count))
        }
        return host.extracting(0..<Octets.first(0x3A, in: host, from: 0, to: host.count))
    }

    /// `http://HOST` or `https://HOST`, where HOST is what `Host` says, port included.
    private static func isSameOrigin(_ origin: Span<UInt8>, _ host: Span<UInt8>) -> Bool {
        for scheme: StaticString in ["http://", "https://"] {
            let count = scheme.utf8CodeUnitCount
            guard origin.count == count + host.count,
                Octets.equal(origin, 0..<count, ignoringCase: scheme)
            else { continue }
            for index in host.indices
            where lowercased(origin[count + index]) != lowercased(host[index]) { return false }
            return true
        }
        return false
    }

    private static func isLoopback(_ name: Span<UInt8>) -> Bool {
        let whole = 0..<name.count
        if Octets.equal(name, whole, ignoringCase: "localhost") { return true }
        if Octets.equal(name, "[::1]") { return true }
        return isAddress(name) && name.count > 4
            && Octets.equal(name.extracting(0..<4), "127.")
    }

    /// An IP literal: no name service stands behind it.
    private static func isAddress(_ name: Span<UInt8>) -> Bool {
        if name.isEmpty { return false }
        if name[0] == 0x5B { return true }
        var dots = 0
        for index in name.indices {
            if name[index] == 0x2E {
                dots += 1
            } else if !Octets.isDigit(name[index]) {
                return false
            }
        }
        return dots == 3
    }
}
