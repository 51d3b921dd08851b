// The wheel against a list of deadlines, on a clock that the test turns by hand.

import System
import Testing

/// What the wheel must do, said naively.
private struct DeadlineList {
    var deadlines: [UInt32: UInt64] = [:]

    mutating func expire(nowMs: UInt64, tickMs: UInt64, startMs: UInt64) -> Set<UInt32> {
        let nowTick = (nowMs - startMs) / tickMs
        let due = deadlines.filter { ($0.value - startMs + tickMs - 1) / tickMs <= nowTick }
        for key in due.keys { deadlines[key] = nil }
        return Set(due.keys)
    }
}

private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

@Suite struct TimerWheelTests {
    @Test(
        "Keys fire as a naive list of deadlines says, whatever was armed, moved and disarmed",
        arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func agreesWithList(seed: UInt64) {
        var generator = Generator(state: seed)
        let startMs: UInt64 = 1_000_000
        let tickMs: UInt64 = seed.isMultiple(of: 2) ? 8 : 1
        var wheel = TimerWheel(startMs: startMs, tickMs: tickMs)
        var list = DeadlineList()
        var nowMs = startMs
        for _ in 0..<20_000 {
            let key = UInt32.random(in: 0..<50, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let span: UInt64 =
                    [3, 100, 5_000, 300_000, 90_000_000, 40_000_000_000]
                    .randomElement(using: &generator) ?? 1
                let deadline = nowMs + 2 * tickMs + UInt64.random(in: 0..<span, using: &generator)
                wheel.arm(key, atMs: deadline)
                list.deadlines[key] = deadline
            case 5:
                wheel.disarm(key)
                list.deadlines[key] = nil
            default:
                let steps: [UInt64] = [0, 1, 7, 64, 500, 4_096, 70_000, 20_000_000]
                nowMs += steps.randomElement(using: &generator) ?? 1
                var fired: [UInt32] = []
                wheel.expire(nowMs: nowMs, into: &fired)
                let expected = list.expire(nowMs: nowMs, tickMs: tickMs, startMs: startMs)
                #expect(Set(fired) == expected)
                #expect(fired.count == expected.count, "a key fired twice")
            }
            #expect(wheel.count == list.deadlines.count)
            #expect(wheel.isArmed(key) == (list.deadlines[key] != nil))
        }
    }

    @Test("Sleeping until nextMs, again and again, is never too long")
    func nextIsNeverLate() {
        var generator = Generator(state: 77)
        var wheel = TimerWheel(startMs: 0, tickMs: 4)
        var deadlines: [UInt32: UInt64] = [:]
        for key in 0..<300 as Range<UInt32> {
            let deadline = UInt64.random(in: 1..<50_000_000, using: &generator)
            wheel.arm(key, atMs: deadline)
            deadlines[key] = deadline
        }
        var wakes = 0
        while let nextMs = wheel.nextMs {
            var fired: [UInt32] = []
            wheel.expire(nowMs: nextMs, into: &fired)
            wakes += 1
            for key in fired {
                let deadline = deadlines[key] ?? 0
                #expect(nextMs >= deadline && nextMs < deadline + 4)
            }
        }
        #expect(wheel.count == 0)
        #expect(wakes <= 300 * 4, "each key comes down a level at most three times")
    }

    @Test("A deadline that has passed fires with the next tick")
    func pastDeadline() {
        var wheel = TimerWheel(startMs: 500, tickMs: 10)
        var fired: [UInt32] = []
        wheel.expire(nowMs: 1_000, into: &fired)
        wheel.arm(3, atMs: 700)
        #expect(wheel.nextMs == 1_010)
        wheel.expire(nowMs: 1_010, into: &fired)
        #expect(fired == [3])
    }
}
