// The names that the consensus core counts in: members, terms and places in the log.
// Newtypes, so that a term is never compared with an index.

/// A configured participant of the ensemble: 1 and up, never used again for another machine.
package struct MemberID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    package var description: String { "\(rawValue)" }
}

/// Raft's logical clock (thesis 3.3): at most one leader in each.
package struct Term: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static var zero: Self { Self(0) }
    /// As for `LogIndex`.
    @inlinable package static var max: Self { Self(1 << 62) }
    @inlinable package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    @inlinable package var next: Self { Self(rawValue + 1) }
    package var description: String { "\(rawValue)" }
}

/// A place in the log. The first entry of a new ensemble has index 1; `zero` is before it.
package struct LogIndex: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable package static var zero: Self { Self(0) }
    /// No log gets so far. Bytes that say more are refused where they are read, so that whoever
    /// counts on from there never overflows.
    @inlinable package static var max: Self { Self(1 << 62) }
    @inlinable package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    @inlinable package var next: Self { Self(rawValue + 1) }
    @inlinable package var previous: Self { Self(rawValue - 1) }
    @inlinable package static func + (a: Self, b: Int) -> Self {
        Self(rawValue: a.rawValue + UInt64(b))
    }
    @inlinable package static func - (a: Self, b: Self) -> Int { Int(a.rawValue) - Int(b.rawValue) }
    package var description: String { "\(rawValue)" }
}

/// Where a log ends. Thesis 3.6.1: the later last term is more up to date, then the longer log.
package struct LogPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let index: LogIndex
    package let term: Term

    package init(index: LogIndex, term: Term) {
        self.index = index
        self.term = term
    }
    package static var zero: Self { Self(index: .zero, term: .zero) }
    package static func < (a: Self, b: Self) -> Bool {
        (a.term, a.index) < (b.term, b.index)
    }
    package var description: String { "\(index) of term \(term)" }
}
