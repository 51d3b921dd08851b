// Signals that come together are one wish; a later one does not wait.

import Server
import Testing

@Suite struct StopWishesTests {
    @Test("Signals within a second are one wish to stop; a later one ends at once")
    func together() {
        var wishes = StopWishes()
        #expect(wishes.take(atMs: 5_000) == .stop)
        #expect(wishes.take(atMs: 5_000) == .sameAgain)
        #expect(wishes.take(atMs: 5_999) == .sameAgain)
        #expect(wishes.take(atMs: 6_000) == .endAtOnce)
        #expect(wishes.take(atMs: 6_001) == .endAtOnce)
    }
}
