// When a journal that found no room looks for some again: each look fills with zeros what room there
// is, so whoever wants it, it is not done more often. It only counts.

package struct RoomPace {
    private static let lookMs: UInt64 = 500

    /// nil: no room is missing.
    private var nextMs: UInt64?

    package init() {}

    /// Until it is time to look; nil: there is nothing to look for.
    package func waitMs(nowMs: UInt64) -> Int32? {
        nextMs.map { $0 > nowMs ? Int32(clamping: $0 - nowMs) : 0 }
    }

    /// How the journal stands after what it did.
    package mutating func note(lacksRoom: Bool, nowMs: UInt64) {
        nextMs = lacksRoom ? nextMs ?? nowMs + Self.lookMs : nil
    }

    /// By the journal itself: nobody needs to wait for it.
    package mutating func wasMade() { if nextMs != nil { nextMs = 0 } }

    /// True once each time that it is due.
    package mutating func isDue(nowMs: UInt64) -> Bool {
        guard let nextMs, nowMs >= nextMs else { return false }
        self.nextMs = nil
        return true
    }
}
