// A child process in a group of its own, so that a terminal's Control-C reaches only its parent. It
// dies with the parent. Its output comes through one pipe, whose end tells that the child ended.

internal import CLinux

package struct ChildProcess: ~Copyable {
    package enum End: Equatable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signaled(Int32)

        package var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .signaled(let number): "signal \(number)"
            }
        }
    }

    package let processID: Int64
    private let output: FileDescriptor

    /// For epoll: readable when there is output, or the end.
    package var outputNumber: Int32 { output.number }

    /// By the thread with which it shall die. A program that cannot be run ends with code 127.
    package init(program: String, arguments: [String]) throws(SystemError) {
        let words = [program] + arguments
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe words.map { word in
            let bytes = word.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for (position, byte) in bytes.enumerated() { unsafe copy[position] = byte }
            return unsafe copy
        }
        unsafe pointers.append(nil)
        var number: Int32 = -1
        let result = unsafe pointers.withUnsafeBufferPointer { buffer in
            unsafe linux_spawn(program, buffer.baseAddress, &number)
        }
        for at in unsafe pointers.indices { unsafe pointers[at]?.deallocate() }
        if result < 0 { throw .call("fork", errno: Int32(truncatingIfNeeded: -result)) }
        processID = result
        output = FileDescriptor(owning: number)
    }

    package func signal(_ signal: Int32) { _ = linux_signal_child(processID, signal) }

    /// Appends what has come. False: the output is at its end, and so is the child.
    package func readOutput(into bytes: inout [UInt8]) throws(SystemError) -> Bool {
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let got = unsafe piece.withUnsafeMutableBytes { buffer in
                unsafe linux_read(output.number, buffer.baseAddress, buffer.count)
            }
            if got == 0 { return false }
            if got < 0 {
                let code = ErrorCode(Int32(truncatingIfNeeded: -got))
                if code == .wouldBlock { return true }
                throw .call("read", errno: code.rawValue)
            }
            bytes.append(contentsOf: piece[..<Int(got)])
        }
    }

    /// Waits until it has ended.
    package consuming func awaitEnd() throws(SystemError) -> End {
        var signal: Int32 = 0
        let code = try SystemError.check("waitpid", unsafe linux_await_child(processID, &signal))
        return signal == 0 ? .exited(code) : .signaled(signal)
    }
}
