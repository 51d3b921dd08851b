// What the kernel says of this process, and its limits; and the one way to write a line of log.

internal import CLinux

package struct ProcessReadings: Sendable, Equatable {
    package var residentBytes: UInt64
    package var cpuUserMs: UInt64
    package var cpuSystemMs: UInt64
    package var threads: UInt64
    package var descriptorsOpen: UInt64

    package static func take() throws(SystemError) -> ProcessReadings {
        var usage = linux_usage()
        _ = try SystemError.check("/proc/self", unsafe linux_process_usage(&usage))
        let descriptors = linux_open_descriptors()
        return ProcessReadings(
            residentBytes: usage.resident_bytes, cpuUserMs: usage.cpu_user_ms,
            cpuSystemMs: usage.cpu_system_ms, threads: usage.threads,
            descriptorsOpen: UInt64(max(descriptors, 0)))
    }
}

package enum ProcessLimits {
    /// Raises RLIMIT_NOFILE towards `wanted`, at most to the hard limit; gives what it is now.
    @discardableResult
    package static func raiseDescriptors(to wanted: UInt64) throws(SystemError) -> UInt64 {
        let result = linux_raise_descriptor_limit(wanted)
        if result < 0 {
            throw .call("setrlimit", errno: Int32(truncatingIfNeeded: -result))
        }
        return UInt64(result)
    }

    /// For tests of what happens when there are none left.
    package static func lowerDescriptors(to soft: UInt64) throws(SystemError) {
        _ = try SystemError.check("setrlimit", linux_lower_descriptor_limit(soft))
    }

    /// Processors that this process may run on.
    package static var processors: Int { max(Int(linux_processors()), 1) }
}

package enum StandardError {
    /// One line, in one piece, so that lines of threads do not mix; the line feed is added.
    package static func writeLine(_ line: String) {
        let bytes = Array(line.utf8) + [0x0a]
        unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            _ = unsafe linux_write_all(2, base, buffer.count)
        }
    }
}
