// When the files at rest are read again: so slowly that nobody feels it, and with a pause after each
// pass. It only counts; what is read, and what is found, the journal says.

package struct ScrubLimits: Sendable {
    /// 0: nothing is read again.
    package var bytesPerSecondMax: UInt64 = 4 << 20
    /// Before the first pass, since a start has read everything, and between two.
    package var pauseMs: UInt64 = 3_600_000

    package init() {}
}

package struct ScrubPace {
    private let limits: ScrubLimits
    /// nil: never.
    private var nextMs: UInt64?

    package init(_ limits: ScrubLimits, nowMs: UInt64) {
        self.limits = limits
        nextMs = limits.bytesPerSecondMax == 0 ? nil : nowMs + limits.pauseMs
    }

    /// Until the next step is due; nil: none will be.
    package func waitMs(nowMs: UInt64) -> Int32? {
        nextMs.map { $0 > nowMs ? Int32(clamping: $0 - nowMs) : 0 }
    }

    /// A step that read so much.
    package mutating func took(bytes: Int, endsPass: Bool, nowMs: UInt64) {
        guard limits.bytesPerSecondMax > 0 else { return }
        let paceMs = (UInt64(bytes) * 1_000).dividedRoundingUp(by: limits.bytesPerSecondMax)
        nextMs = nowMs + paceMs + (endsPass ? limits.pauseMs : 0)
    }
}

extension UInt64 {
    fileprivate func dividedRoundingUp(by divisor: UInt64) -> UInt64 {
        (self + divisor - 1) / divisor
    }
}
