// What this process was started with, where it writes for people and programs to read, and its end.

internal import CLinux

package enum ThisProcess {
    /// All variables by name; of a name that comes twice, the first, as getenv gives it.
    package static var environment: [String: String] {
        var variables: [String: String] = [:]
        var position: Int64 = 0
        while let text = unsafe linux_environment_at(position) {
            let sides = unsafe String(cString: text)
                .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if sides.count == 2, variables[String(sides[0])] == nil {
                variables[String(sides[0])] = String(sides[1])
            }
            position += 1
        }
        return variables
    }

    /// Not to be handed on to children. Before any other thread is started.
    package static func forgetVariable(_ name: String) {
        unsafe linux_forget_variable(name)
    }

    /// The file that this program was started from.
    package static func executablePath() throws(SystemError) -> String {
        var text = [UInt8](repeating: 0, count: 4_096)
        let length = unsafe text.withUnsafeMutableBytes { buffer in
            unsafe linux_executable_path(buffer.baseAddress, buffer.count)
        }
        if length < 0 { throw .call("readlink", errno: Int32(truncatingIfNeeded: -length)) }
        return String(decoding: text.prefix(Int(length)), as: UTF8.self)
    }

    /// At once: no other thread does anything more.
    package static func exit(_ code: Int32) -> Never {
        linux_exit_now(code)
        fatalError("_exit returned")
    }

    /// Ends by SIGALRM unless the process has ended by then: for an end that may get stuck.
    package static func exitWithin(seconds: UInt32) { linux_exit_within(seconds) }
}

package enum StandardOutput {
    /// All of it, at once: a program that reads it waits for whole lines.
    package static func write(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            _ = unsafe linux_write_all(1, base, buffer.count)
        }
    }

    package static func writeLine(_ line: String) { write(Array(line.utf8) + [0x0a]) }
}
