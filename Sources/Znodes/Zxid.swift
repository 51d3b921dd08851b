// The one number that orders all changes: the log index of the entry that made the change.

/// 64 bits, strictly increasing with each change, with gaps for entries that change no znode.
@usableFromInline
package struct Zxid: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static var zero: Self { Self(0) }
    @inlinable package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    @usableFromInline package var description: String { "\(rawValue)" }
}

/// A session's name; 0 is never given out.
@usableFromInline
package struct SessionID: RawRepresentable, Hashable, Comparable, Sendable {
    @usableFromInline package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
