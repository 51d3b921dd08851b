// How Linux refused something. Values below zero from CLinux become one of these, at once.

internal import CLinux

package enum SystemError: Error, Equatable, CustomStringConvertible {
    /// A system call failed with this errno.
    case call(String, errno: Int32)
    /// A name has no address; the resolver's words.
    case unresolved(host: String, reason: String)
    /// Not of the form HOST:PORT or [IPV6]:PORT.
    case malformedAddress(String)

    package var description: String {
        switch self {
        case .call(let name, let errno): "\(name): \(ErrorCode(errno).description)"
        case .unresolved(let host, let reason): "cannot resolve \(host): \(reason)"
        case .malformedAddress(let text): "not HOST:PORT or [IPV6]:PORT: \(text)"
        }
    }

    /// The errno, if a system call failed.
    package var code: ErrorCode? {
        switch self {
        case .call(_, let errno): ErrorCode(errno)
        case .unresolved, .malformedAddress: nil
        }
    }

    /// The value of a call that gives -errno when it fails.
    static func check(_ name: String, _ result: Int32) throws(SystemError) -> Int32 {
        if result < 0 { throw .call(name, errno: -result) }
        return result
    }
}

/// An errno.
package struct ErrorCode: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: Int32
    @inlinable package init(_ rawValue: Int32) { self.rawValue = rawValue }

    @inlinable package static var wouldBlock: ErrorCode { ErrorCode(11) }
    @inlinable package static var noMemory: ErrorCode { ErrorCode(12) }
    @inlinable package static var tooManyOpenInSystem: ErrorCode { ErrorCode(23) }
    @inlinable package static var tooManyOpen: ErrorCode { ErrorCode(24) }
    @inlinable package static var brokenPipe: ErrorCode { ErrorCode(32) }
    @inlinable package static var addressInUse: ErrorCode { ErrorCode(98) }
    @inlinable package static var noBufferSpace: ErrorCode { ErrorCode(105) }
    @inlinable package static var connectionRefused: ErrorCode { ErrorCode(111) }

    /// No descriptor or memory for one more: waiting helps, trying again at once does not.
    package var isExhaustion: Bool {
        self == .tooManyOpen || self == .tooManyOpenInSystem || self == .noMemory
            || self == .noBufferSpace
    }

    package var description: String {
        var text = [CChar](repeating: 0, count: 128)
        let length = unsafe text.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return Int32(0) }
            return unsafe linux_error_message(rawValue, base, buffer.count)
        }
        return String(
            decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
