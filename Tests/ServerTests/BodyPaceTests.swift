// A body's pace, on a clock of the test's own.

import Server
import Testing

@Suite struct BodyPaceTests {
    private static var limits: ServerLimits {
        var limits = ServerLimits()
        limits.bodyMs = 10_000
        limits.bodyBytesPerSecondMin = 1_000
        return limits
    }

    @Test("A megabyte at once earns no more silence than the first byte")
    func fastThenSilent() {
        var pace = BodyPace(nowMs: 5, Self.limits)
        #expect(pace.dueMs == 10_005)
        pace.received(total: 1 << 20, nowMs: 20, Self.limits)
        #expect(pace.dueMs == 10_020)
    }

    @Test("A byte now and then does not keep a body alive; the least pace does")
    func trickle() {
        var pace = BodyPace(nowMs: 0, Self.limits)
        pace.received(total: 1 << 20, nowMs: 0, Self.limits)
        for step in 1...9 {
            pace.received(total: (1 << 20) + step, nowMs: UInt64(step) * 1_000, Self.limits)
        }
        #expect(pace.dueMs == 10_009)
        var steady = BodyPace(nowMs: 0, Self.limits)
        for step in 1...600 {
            let nowMs = UInt64(step) * 1_000
            #expect(steady.dueMs > nowMs)
            steady.received(total: step * 1_000, nowMs: nowMs, Self.limits)
        }
    }

    @Test("A body that comes byte by byte above the least pace stays alive")
    func byteByByte() {
        var limits = Self.limits
        limits.bodyBytesPerSecondMin = 1_024
        var pace = BodyPace(nowMs: 0, limits)
        var endedMs: [UInt64] = []
        for total in 1...100_000 {
            // Twice the least pace.
            let nowMs = UInt64(total) * 1_000 / 2_048
            if pace.dueMs <= nowMs { endedMs.append(nowMs) }
            pace.received(total: total, nowMs: nowMs, limits)
        }
        #expect(endedMs.first == nil)
    }
}
