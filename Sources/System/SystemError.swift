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
    package init(_ rawValue: Int32) { self.rawValue = rawValue }

    package static let interrupted = ErrorCode(4)
    package static let wouldBlock = ErrorCode(11)
    package static let noMemory = ErrorCode(12)
    package static let tooManyOpenInSystem = ErrorCode(23)
    package static let tooManyOpen = ErrorCode(24)
    package static let brokenPipe = ErrorCode(32)
    package static let addressInUse = ErrorCode(98)
    package static let connectionAborted = ErrorCode(103)
    package static let connectionReset = ErrorCode(104)
    package static let noBufferSpace = ErrorCode(105)
    package static let connectionRefused = ErrorCode(111)

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
