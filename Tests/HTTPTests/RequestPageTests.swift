// Every case of Requests/*.md, fed whole, byte by byte, and in two pieces cut at each place.

import HTTP
import Testing

struct RequestPageTests {
    @Test("There are at least 150 cases, and no title twice on a page")
    func enoughCases() {
        #expect(RequestCase.all.count >= 150)
        let names = RequestCase.all.map(\.description)
        #expect(Set(names).count == names.count)
    }

    @Test("Each case gives its events", arguments: RequestCase.pages)
    func givesEvents(page: String) {
        for one in RequestCase.load(page: page) {
            let events = RequestReader.events(one.input, cutAt: [], limits: one.limits)
            #expect(events == one.events, "\(one)")
        }
    }

    @Test("Byte by byte, each case gives the same events", arguments: RequestCase.pages)
    func byteByByte(page: String) {
        for one in RequestCase.load(page: page) {
            let cuts = Array(0..<one.input.count)
            let events = RequestReader.events(one.input, cutAt: cuts, limits: one.limits)
            #expect(events == one.events, "\(one)")
        }
    }

    @Test("Cut in two at any place, each case gives the same events", arguments: RequestCase.pages)
    func inTwoPieces(page: String) {
        for one in RequestCase.load(page: page) {
            // Every place of what is short, 200 places of what is long.
            let stride = max(1, one.input.count / 200)
            for cut in Swift.stride(from: 0, to: one.input.count, by: stride) {
                let events = RequestReader.events(one.input, cutAt: [cut], limits: one.limits)
                if events != one.events {
                    Issue.record("\(one), cut at \(cut): \(events)")
                    break
                }
            }
        }
    }
}
