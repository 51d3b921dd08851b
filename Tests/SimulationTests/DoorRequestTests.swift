// The check of a door is shown refusals that it must not give, and those that it must.

import Simulation
import Testing

@Suite("The check of what a door refuses")
struct DoorRequestTests {
    private func judge(
        _ request: DoorRequest, _ status: Int, _ code: String?, hasZxid: Bool = false,
        wasAsked: Bool = false
    ) throws(Violation) -> Bool {
        try request.judge(status: status, code: code, hasZxid: hasZxid, wasAsked: wasAsked)
    }

    @Test("A whole, small request in time, at a door with room, is not refused there")
    func wellFormed() throws {
        let request = DoorRequest()
        for (status, code) in [
            (400, "bad_request"), (408, "request_timeout"), (413, "too_large"), (431, "too_large"),
            (503, "overloaded"),
        ] {
            breaks(.answer) { () throws(Violation) in _ = try judge(request, status, code) }
        }
        #expect(try !judge(request, 200, nil, hasZxid: true, wasAsked: true))
        #expect(try !judge(request, 413, "too_large", hasZxid: true, wasAsked: true))
        #expect(try !judge(request, 503, "overloaded", wasAsked: true))
        #expect(try !judge(request, 503, "no_quorum"))
    }

    @Test("What is broken, too large, late or one too many is refused as that, unheard")
    func refused() throws {
        var broken = DoorRequest()
        broken.isBroken = true
        broken.isTooLarge = true
        var large = DoorRequest()
        large.isTooLarge = true
        var late = broken
        late.turnedAway = .late
        var full = large
        full.turnedAway = .full
        for (request, status, code) in [
            (broken, 400, "bad_request"), (large, 413, "too_large"),
            (late, 408, "request_timeout"), (full, 503, "overloaded"),
        ] {
            #expect(try judge(request, status, code))
            breaks(.answer) { () throws(Violation) in
                _ = try judge(request, 201, nil, hasZxid: true, wasAsked: true)
            }
            breaks(.answer) { () throws(Violation) in _ = try judge(request, 503, "no_quorum") }
            breaks(.answer) { () throws(Violation) in
                _ = try judge(request, status, code, wasAsked: true)
            }
        }
    }
}
