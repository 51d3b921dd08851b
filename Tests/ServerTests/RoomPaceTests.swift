import Server
import Testing

@Suite("The pace at which room is looked for")
struct RoomPaceTests {
    @Test("counts from the moment at which room was found missing, and is due once each time")
    func looks() {
        var pace = RoomPace()
        pace.note(lacksRoom: false, nowMs: 1_000)
        #expect(pace.waitMs(nowMs: 1_000) == nil)
        // Long after the start something has no room; that it still has none changes nothing.
        for nowMs in UInt64(60_000)..<60_500 {
            pace.note(lacksRoom: true, nowMs: nowMs)
            let isDue = pace.isDue(nowMs: nowMs)
            #expect(!isDue && pace.waitMs(nowMs: nowMs) == Int32(60_500 - nowMs))
        }
        #expect(pace.waitMs(nowMs: 70_000) == 0)
        var isDue = pace.isDue(nowMs: 70_000)
        #expect(isDue)
        // The look found none.
        pace.note(lacksRoom: true, nowMs: 70_003)
        isDue = pace.isDue(nowMs: 70_003)
        #expect(!isDue && pace.waitMs(nowMs: 70_003) == 500)
        isDue = pace.isDue(nowMs: 70_503)
        #expect(isDue)
        pace.note(lacksRoom: false, nowMs: 70_504)
        isDue = pace.isDue(nowMs: 90_000)
        #expect(!isDue && pace.waitMs(nowMs: 90_000) == nil)
        // What the journal has removed itself it need not wait for.
        pace.wasMade()
        #expect(pace.waitMs(nowMs: 90_000) == nil)
        pace.note(lacksRoom: true, nowMs: 90_000)
        pace.wasMade()
        pace.note(lacksRoom: true, nowMs: 90_001)
        isDue = pace.isDue(nowMs: 90_001)
        #expect(isDue)
    }
}
