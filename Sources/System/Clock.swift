// The clocks. Time-outs and leases count on the boot-time clock, which goes on while the machine is
// suspended; the wall clock only stamps znodes and answers.

internal import CLinux

package enum Clock {
    /// CLOCK_BOOTTIME, ms.
    package static func bootMs() -> UInt64 { linux_boot_ms() }
    /// CLOCK_MONOTONIC, ns: for durations alone.
    package static func monotonicNs() -> UInt64 { linux_monotonic_ns() }
    /// CLOCK_REALTIME, ms since 1970; may jump.
    package static func wallMs() -> Int64 { linux_wall_ms() }
}

package enum RandomBytes {
    /// From the kernel's generator (getrandom).
    package static func take(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return Int32(0) }
            return unsafe linux_random(base, buffer.count)
        }
        _ = try SystemError.check("getrandom", result)
        return bytes
    }

    package static func takeUInt64() throws(SystemError) -> UInt64 {
        try take(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
