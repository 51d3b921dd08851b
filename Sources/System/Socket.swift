// A TCP socket, always non-blocking and close-on-exec, with one owner. Sending never raises
// SIGPIPE. Failures of a connection are values, since peers go away all the time.

internal import CLinux

/// What came of a receive.
package enum Received: Equatable, Sendable {
    case bytes(Int)
    /// Nothing there now.
    case wouldBlock
    /// The peer sends no more.
    case end
    case failed(ErrorCode)
}

/// What came of a send. Fewer bytes than asked means that the kernel's buffer is full.
package enum Sent: Equatable, Sendable {
    case bytes(Int)
    case wouldBlock
    case failed(ErrorCode)
}

package struct KeepAlive: Sendable, Equatable {
    package var idleSeconds: Int32
    package var intervalSeconds: Int32
    package var probes: Int32
    package init(idleSeconds: Int32, intervalSeconds: Int32, probes: Int32) {
        self.idleSeconds = idleSeconds
        self.intervalSeconds = intervalSeconds
        self.probes = probes
    }
}

package struct Socket: ~Copyable, Sendable {
    package let descriptor: FileDescriptor

    init(owning number: Int32) { descriptor = FileDescriptor(owning: number) }

    package var number: Int32 { descriptor.number }

    /// Begins to connect; `connectResult` tells the end once the socket is writable.
    package static func connecting(to address: SocketAddress) throws(SystemError) -> Socket {
        var raw = address.raw
        return Socket(owning: try SystemError.check("connect", unsafe linux_connect(&raw)))
    }

    /// nil: connected.
    package func connectResult() -> ErrorCode? {
        let result = linux_connect_result(number)
        return result < 0 ? ErrorCode(-result) : nil
    }

    package func localAddress() throws(SystemError) -> SocketAddress {
        var raw = linux_address()
        _ = try SystemError.check("getsockname", unsafe linux_local_address(number, &raw))
        return SocketAddress(raw)
    }

    // Options may fail when the peer is gone already; the next receive or send tells.

    package func setNoDelay() { _ = linux_set_no_delay(number) }

    package func setKeepAlive(_ keepAlive: KeepAlive) {
        _ = linux_set_keep_alive(
            number, keepAlive.idleSeconds, keepAlive.intervalSeconds, keepAlive.probes)
    }

    /// TCP_USER_TIMEOUT: sent data unacknowledged for so long ends the connection.
    package func setUserTimeout(ms: UInt32) { _ = linux_set_user_timeout(number, ms) }

    /// 0 leaves one as it is.
    package func setBuffers(receiveBytes: Int, sendBytes: Int) {
        _ = linux_set_buffers(
            number, Int32(clamping: receiveBytes), Int32(clamping: sendBytes))
    }

    /// The close that follows sends a reset and drops what is unsent.
    package func setResetOnClose() { _ = linux_set_reset_on_close(number) }

    /// No more is sent; the peer reads the end after all that was sent.
    package func shutdownWrite() { _ = linux_shutdown_write(number) }

    /// Up to the buffer's size, into its start.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
        guard let base = buffer.baseAddress else { return .bytes(0) }
        let got = unsafe linux_receive(number, base, buffer.count)
        if got > 0 { return .bytes(Int(got)) }
        if got == 0 { return .end }
        let code = ErrorCode(Int32(truncatingIfNeeded: -got))
        return code == .wouldBlock ? .wouldBlock : .failed(code)
    }

    package func send(_ buffer: UnsafeRawBufferPointer) -> Sent {
        guard let base = buffer.baseAddress else { return .bytes(0) }
        return Self.sent(unsafe linux_send(number, base, buffer.count))
    }

    package func send(_ bytes: Span<UInt8>) -> Sent {
        unsafe bytes.withUnsafeBytes { buffer in unsafe send(buffer) }
    }

    /// Both pieces, in order, in one call.
    package func send(_ first: Span<UInt8>, then second: Span<UInt8>) -> Sent {
        unsafe first.withUnsafeBytes { a in
            unsafe second.withUnsafeBytes { b in
                Self.sent(
                    unsafe linux_send_two(number, a.baseAddress, a.count, b.baseAddress, b.count))
            }
        }
    }

    private static func sent(_ result: Int64) -> Sent {
        if result >= 0 { return .bytes(Int(result)) }
        let code = ErrorCode(Int32(truncatingIfNeeded: -result))
        return code == .wouldBlock ? .wouldBlock : .failed(code)
    }
}

/// What came of an accept.
package enum Accepted: ~Copyable, Sendable {
    case connection(Socket, from: SocketAddress)
    /// No one waits.
    case wouldBlock
    /// One went away before it was taken: try the next.
    case gone
    case failed(ErrorCode)
}

package struct ListeningSocket: ~Copyable, Sendable {
    package let descriptor: FileDescriptor
    /// With the real port, when 0 was asked for.
    package let address: SocketAddress

    package var number: Int32 { descriptor.number }

    /// `sharedPort`: others of this process may listen on the same port, and the kernel deals the
    /// connections out (SO_REUSEPORT).
    package init(_ address: SocketAddress, backlog: Int, sharedPort: Bool) throws(SystemError) {
        var raw = address.raw
        var bound = linux_address()
        let number = try SystemError.check(
            "listen on \(address)",
            unsafe linux_listen(&raw, Int32(clamping: backlog), sharedPort ? 1 : 0, &bound))
        descriptor = FileDescriptor(owning: number)
        self.address = SocketAddress(bound)
    }

    /// Takes the address alone, for a moment; gives it with the real port. To be asked before
    /// sharing a port: the kernel would let a second server of the same user onto it unnoticed.
    package static func checkFree(_ address: SocketAddress) throws(SystemError) -> SocketAddress {
        let alone = try ListeningSocket(address, backlog: 0, sharedPort: false)
        return alone.address
    }

    /// What Linux hands on to every accepted socket, at no call for each.
    package func setInheritedOptions(keepAlive: KeepAlive, userTimeoutMs: UInt32) {
        _ = linux_set_no_delay(number)
        _ = linux_set_keep_alive(
            number, keepAlive.idleSeconds, keepAlive.intervalSeconds, keepAlive.probes)
        _ = linux_set_user_timeout(number, userTimeoutMs)
    }

    package func accept() -> Accepted {
        var raw = linux_address()
        let number = unsafe linux_accept(number, &raw)
        if number >= 0 { return .connection(Socket(owning: number), from: SocketAddress(raw)) }
        let code = ErrorCode(-number)
        if code == .wouldBlock { return .wouldBlock }
        if code.isExhaustion { return .failed(code) }
        // accept(2): errors already pending on the new connection come out here; they are its own.
        return .gone
    }
}
