// A member's two clocks as functions of the true time: a boot-time clock that runs a little fast or
// slow and goes on through pauses, and a wall clock that may be set to anything.

struct SimulatedClock {
    /// What the boot clock showed at the start of the world; members were not booted together.
    private(set) var offsetNs: UInt64
    /// Parts per million that it runs fast; negative: slow.
    let driftPpm: Int
    var wallOffsetMs: Int64

    private static let million: UInt64 = 1_000_000
    private var rate: UInt64 { UInt64(1_000_000 + driftPpm) }

    init(offsetNs: UInt64, driftPpm: Int, wallOffsetMs: Int64) {
        self.offsetNs = offsetNs
        self.driftPpm = driftPpm
        self.wallOffsetMs = wallOffsetMs
    }

    mutating func leap(ms: UInt64) { offsetNs += ms * millisecondNs }

    func bootMs(_ trueNs: UInt64) -> UInt64 {
        (offsetNs + trueNs / Self.million * rate + trueNs % Self.million * rate / Self.million)
            / millisecondNs
    }

    func wallMs(_ trueNs: UInt64) -> Int64 { Int64(bootMs(trueNs)) + wallOffsetMs }

    /// The true time at which the boot clock comes to show `bootMs`.
    func trueNs(bootMs: UInt64) -> UInt64 {
        let shown = bootMs * millisecondNs
        if shown <= offsetNs { return 0 }
        let (whole, rest) = (shown - offsetNs).quotientAndRemainder(dividingBy: rate)
        return whole * Self.million + (rest * Self.million + rate - 1) / rate
    }

    /// True time that passes while the boot clock goes on by `ms`.
    func trueNs(forMs ms: UInt64) -> UInt64 { ms * millisecondNs * Self.million / rate }
}
