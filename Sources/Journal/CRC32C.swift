// The journal's checksum, also used for the frames between members. The only file here that
// touches C; it must never keep a pointer beyond the call.

internal import CChecksum

/// CRC32C (RFC 3720 appendix B.4).
package enum CRC32C {
    /// Goes on from `seed`, the checksum of the bytes before (0 at the start).
    package static func checksum(_ bytes: Span<UInt8>, seed: UInt32 = 0) -> UInt32 {
        // Safe: the pointer is read for `count` bytes within the closure only.
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe cchecksum_crc32c(seed, buffer.baseAddress, buffer.count)
        }
    }

    /// The same from tables alone: what a processor without the instruction computes.
    package static func portableChecksum(_ bytes: Span<UInt8>, seed: UInt32 = 0) -> UInt32 {
        // Safe: as above.
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe cchecksum_crc32c_portable(seed, buffer.baseAddress, buffer.count)
        }
    }

    /// Not a checksum, but of the same need: to look through much memory at the speed of C.
    static func isZero(_ bytes: Span<UInt8>) -> Bool {
        // Safe: as above.
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe cchecksum_all_zero(buffer.baseAddress, buffer.count) != 0
        }
    }
}
