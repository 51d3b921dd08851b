// The check of states that differ is shown digests that no flip explains, and those of one.

import Simulation
import Testing

@Suite("The check of states that differ")
struct FlippedStatesTests {
    @Test("A digest is that of the replay, and that of a flipped state off by the flip")
    func exactly() throws {
        var states = FlippedStates(members: 3)
        #expect(try !states.check(10, byReplay: 10, member: 0, isNew: false))
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(15, byReplay: 10, member: 0, isNew: false)
        }
        states.flip(0, from: 10, to: 15)
        #expect(try !states.check(25, byReplay: 20, member: 0, isNew: false))
        for digest in [UInt64(20), 26] {
            breaks(.digest) { () throws(Violation) in
                _ = try states.check(digest, byReplay: 20, member: 0, isNew: false)
            }
        }
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(25, byReplay: 20, member: 1, isNew: false)
        }
    }

    @Test("A flipped state is taken in as it is, or the right one, and none but at its coming")
    func spread() throws {
        var states = FlippedStates(members: 3)
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(15, byReplay: 10, member: 1, isNew: true)
        }
        states.flip(0, from: 10, to: 15)
        #expect(try states.check(25, byReplay: 20, member: 1, isNew: true))
        #expect(states.isFlipped(1) && states.prevails(in: 1) && !states.prevails(in: 2))
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(26, byReplay: 20, member: 2, isNew: true)
        }
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(30, byReplay: 30, member: 1, isNew: false)
        }
        #expect(!states.allAgree)
        #expect(try !states.check(30, byReplay: 30, member: 0, isNew: true))
        #expect(try !states.check(40, byReplay: 40, member: 1, isNew: true))
        #expect(states.allAgree && states.prevails(in: 0))
    }

    @Test("Only a wrong state is called wrong, or a right one once a wrong one has spread")
    func verdict() throws {
        var states = FlippedStates(members: 3)
        breaks(.digest) { () throws(Violation) in try states.checkWrong(2) }
        states.flip(0, from: 10, to: 15)
        try states.checkWrong(0)
        breaks(.digest) { () throws(Violation) in try states.checkWrong(2) }
        _ = try states.check(15, byReplay: 10, member: 1, isNew: true)
        try states.checkWrong(2)
    }
}
