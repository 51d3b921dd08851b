// When files at rest are read again, on a clock of the test's own.

import Server
import Testing

@Suite("The pace of the scrub")
struct ScrubPaceTests {
    private func limits(_ bytesPerSecondMax: UInt64, pauseMs: UInt64) -> ScrubLimits {
        var limits = ScrubLimits()
        limits.bytesPerSecondMax = bytesPerSecondMax
        limits.pauseMs = pauseMs
        return limits
    }

    @Test("A start has read everything: the first step comes a pause later")
    func first() {
        let pace = ScrubPace(limits(1_000, pauseMs: 5_000), nowMs: 100)
        #expect(pace.waitMs(nowMs: 100) == 5_000)
        #expect(pace.waitMs(nowMs: 5_099) == 1)
        #expect(pace.waitMs(nowMs: 5_100) == 0 && pace.waitMs(nowMs: 9_000) == 0)
    }

    @Test("Steps are as far apart as the rate asks, and never nearer; a pause follows each pass")
    func rate() {
        var pace = ScrubPace(limits(1_000, pauseMs: 5_000), nowMs: 0)
        pace.took(bytes: 250, endsPass: false, nowMs: 5_000)
        #expect(pace.waitMs(nowMs: 5_000) == 250)
        // Rounded up, and from when it was done: what was late is not made up for.
        pace.took(bytes: 1, endsPass: false, nowMs: 9_000)
        #expect(pace.waitMs(nowMs: 9_000) == 1)
        pace.took(bytes: 0, endsPass: false, nowMs: 9_001)
        #expect(pace.waitMs(nowMs: 9_001) == 0)
        pace.took(bytes: 500, endsPass: true, nowMs: 10_000)
        #expect(pace.waitMs(nowMs: 10_000) == 5_500)
    }

    @Test("Over a pass it reads no faster than the limit")
    func pass() {
        var pace = ScrubPace(limits(1 << 20, pauseMs: 0), nowMs: 0)
        var nowMs: UInt64 = 0
        for _ in 0..<400 {
            nowMs += UInt64(pace.waitMs(nowMs: nowMs) ?? 0)
            pace.took(bytes: 100_000, endsPass: false, nowMs: nowMs)
        }
        nowMs += UInt64(pace.waitMs(nowMs: nowMs) ?? 0)
        #expect(400 * 100_000 * 1_000 / nowMs <= 1 << 20)
    }

    @Test("With a rate of 0 there is no step, whatever was taken; a long wait does not overflow")
    func never() {
        var pace = ScrubPace(limits(0, pauseMs: 0), nowMs: 0)
        #expect(pace.waitMs(nowMs: 1_000_000) == nil)
        pace.took(bytes: 10, endsPass: true, nowMs: 1)
        #expect(pace.waitMs(nowMs: .max) == nil)
        let slow = ScrubPace(limits(1, pauseMs: 1 << 40), nowMs: 0)
        #expect(slow.waitMs(nowMs: 0) == .max)
    }
}
