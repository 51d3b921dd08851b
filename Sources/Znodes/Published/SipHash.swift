// SipHash-1-3 (Aumasson and Bernstein), a keyed hash: keyed by the member's seed it places paths in
// the index, so that nobody outside can choose names that collide; keyed by constants it makes
// digests and checksums, which must be the same on every member and for ever.

@usableFromInline
package struct SipHash {
    @usableFromInline package var v0: UInt64
    @usableFromInline package var v1: UInt64
    @usableFromInline package var v2: UInt64
    @usableFromInline package var v3: UInt64

    @inlinable
    package init(_ k0: UInt64, _ k1: UInt64) {
        v0 = k0 ^ 0x736f_6d65_7073_6575
        v1 = k1 ^ 0x646f_7261_6e64_6f6d
        v2 = k0 ^ 0x6c79_6765_6e65_7261
        v3 = k1 ^ 0x7465_6462_7974_6573
    }

    @inlinable
    static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
        word &<< count | word &>> (64 &- count)
    }

    @inlinable @inline(__always)
    package mutating func round() {
        v0 = v0 &+ v1
        v1 = Self.rotate(v1, 13) ^ v0
        v0 = Self.rotate(v0, 32)
        v2 = v2 &+ v3
        v3 = Self.rotate(v3, 16) ^ v2
        v0 = v0 &+ v3
        v3 = Self.rotate(v3, 21) ^ v0
        v2 = v2 &+ v1
        v1 = Self.rotate(v1, 17) ^ v2
        v2 = Self.rotate(v2, 32)
    }

    @inlinable @inline(__always)
    package mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    /// The length goes into the last word, so parts of different lengths do not run together.
    @inlinable
    package mutating func absorb(_ bytes: RawBytes) {
        var at = 0
        while at + 8 <= bytes.count {
            absorb(UInt64(littleEndian: bytes.word(at)))
            at += 8
        }
        absorbEnd(of: bytes, from: at)
    }

    /// What is left of `bytes` when whole words were absorbed up to `start`.
    @inlinable
    package mutating func absorbEnd(of bytes: RawBytes, from start: Int) {
        var at = start
        var last = UInt64(truncatingIfNeeded: bytes.count) &<< 56
        var shift: UInt64 = 0
        while at < bytes.count {
            last |= UInt64(bytes[at]) &<< shift
            shift += 8
            at += 1
        }
        absorb(last)
    }

    @inlinable
    package consuming func finished() -> UInt64 {
        v2 ^= 0xFF
        round()
        round()
        round()
        return v0 ^ v1 ^ v2 ^ v3
    }
}
