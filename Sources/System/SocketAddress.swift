// Where a socket listens or connects: IPv4 or IPv6 with a port, and the text forms HOST:PORT and
// [IPV6]:PORT. Names are resolved only on demand, since that may block.

internal import CLinux

package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 6.
    package let family: UInt32
    package let port: UInt16
    package let scope: UInt32
    package let high: UInt64
    package let low: UInt64

    init(_ raw: linux_address) {
        family = raw.family
        port = UInt16(truncatingIfNeeded: raw.port)
        scope = raw.scope
        high = raw.high
        low = raw.low
    }

    init(family: UInt32, port: UInt16, scope: UInt32, high: UInt64, low: UInt64) {
        self.family = family
        self.port = port
        self.scope = scope
        self.high = high
        self.low = low
    }

    package static func loopback(port: UInt16) -> SocketAddress {
        SocketAddress(family: 4, port: port, scope: 0, high: 0, low: 0x7f00_0001)
    }

    package static func loopback6(port: UInt16) -> SocketAddress {
        SocketAddress(family: 6, port: port, scope: 0, high: 0, low: 1)
    }

    /// `::`, which takes IPv4 too.
    package static func any(port: UInt16) -> SocketAddress {
        SocketAddress(family: 6, port: port, scope: 0, high: 0, low: 0)
    }

    package func with(port: UInt16) -> SocketAddress {
        SocketAddress(family: family, port: port, scope: scope, high: high, low: low)
    }

    package var isLoopback: Bool {
        if family == 4 { return low >> 24 == 127 }
        let mapped = high == 0 && low >> 32 == 0xffff && (low & 0xffff_ffff) >> 24 == 127
        return mapped || (high == 0 && low == 1)
    }

    /// `::` or `0.0.0.0`.
    package var isUnspecified: Bool { high == 0 && low == 0 }

    var raw: linux_address {
        linux_address(family: family, port: UInt32(port), scope: scope, high: high, low: low)
    }

    /// Numeric, without the port.
    package var host: String {
        var text = [CChar](repeating: 0, count: 80)
        var raw = self.raw
        let length = unsafe text.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return Int32(0) }
            return unsafe linux_address_text(&raw, base, buffer.count)
        }
        return String(
            decoding: text.prefix(Int(max(length, 0))).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    package var description: String { family == 6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// HOST:PORT as it was written, not yet resolved: a name may come to mean another address later.
package struct HostAndPort: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: UInt16

    /// Loopback, any port.
    package static let nowhere = HostAndPort(loopbackPort: 0)

    package init(loopbackPort port: UInt16) {
        host = "127.0.0.1"
        self.port = port
    }

    /// `name:80`, `127.0.0.1:80`, `[::1]:80`; also `:80` and `*:80` for every address.
    package init(parsing text: String) throws(SystemError) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")),
            let port = Self.decimal(bytes[(colon + 1)...])
        else { throw .malformedAddress(text) }
        var host = bytes[..<colon]
        if host.first == UInt8(ascii: "[") {
            guard host.last == UInt8(ascii: "]"), host.count > 2 else {
                throw .malformedAddress(text)
            }
            host = host.dropFirst().dropLast()
        } else if host.contains(UInt8(ascii: ":")) {
            throw .malformedAddress(text)
        }
        let allowed = host.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
        guard allowed else { throw .malformedAddress(text) }
        let everything = host.isEmpty || host.elementsEqual("*".utf8)
        self.host = everything ? "::" : String(decoding: host, as: UTF8.self)
        self.port = port
    }

    /// To listen on; nobody can connect to it from elsewhere.
    package var isEverywhere: Bool { host == "::" || host == "0.0.0.0" }

    private static func decimal(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard !digits.isEmpty, digits.count <= 5 else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            guard digit >= 0x30 && digit <= 0x39 else { return nil }
            value = value * 10 + UInt32(digit - 0x30)
        }
        return UInt16(exactly: value)
    }

    package var description: String {
        host.utf8.contains(0x3a) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Every address of the name, in the resolver's order, each once. May block.
    package func resolve() throws(SystemError) -> [SocketAddress] {
        var list = [linux_address](repeating: linux_address(), count: 16)
        let count = unsafe list.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return Int32(0) }
            return unsafe linux_resolve(host, UInt32(port), base, Int32(buffer.count))
        }
        if count < 0 {
            if let words = unsafe linux_resolve_message(count) {
                throw .unresolved(host: host, reason: unsafe String(cString: words))
            }
            throw .call("getaddrinfo", errno: -count)
        }
        var found: [SocketAddress] = []
        for raw in list.prefix(Int(count)) {
            let address = SocketAddress(raw)
            if !found.contains(address) { found.append(address) }
        }
        guard !found.isEmpty else { throw .unresolved(host: host, reason: "no address") }
        return found
    }
}
