// The check of states that differ is shown digests that no flip explains, and those of one.

import Simulation
import Testing

@Suite("The check of states that differ")
struct FlippedStatesTests {
    @Test("A digest is that of the replay, and that of a flipped state off by the flip")
    func exactly() throws {
        var states = FlippedStates(members: 3)
        #expect(try !states.check(10, byReplay: 10, member: 0, at: 10, newFrom: nil))
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(15, byReplay: 10, member: 0, at: 10, newFrom: nil)
        }
        states.flip(0, from: 10, to: 15, at: 10)
        #expect(try !states.check(25, byReplay: 20, member: 0, at: 20, newFrom: nil))
        for digest in [UInt64(20), 26] {
            breaks(.digest) { () throws(Violation) in
                _ = try states.check(digest, byReplay: 20, member: 0, at: 20, newFrom: nil)
            }
        }
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(25, byReplay: 20, member: 1, at: 20, newFrom: nil)
        }
    }

    @Test("A flipped state is taken in as it is, or the right one, and none but at its coming")
    func spread() throws {
        var states = FlippedStates(members: 3)
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(15, byReplay: 10, member: 1, at: 10, newFrom: 10)
        }
        states.flip(0, from: 10, to: 15, at: 10)
        #expect(try states.check(25, byReplay: 20, member: 1, at: 20, newFrom: 20))
        #expect(states.isFlipped(1) && states.prevails(in: 1) && !states.prevails(in: 2))
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(26, byReplay: 20, member: 2, at: 20, newFrom: 20)
        }
        breaks(.digest) { () throws(Violation) in
            _ = try states.check(30, byReplay: 30, member: 1, at: 30, newFrom: nil)
        }
        #expect(!states.allAgree)
        #expect(try !states.check(30, byReplay: 30, member: 0, at: 30, newFrom: 30))
        #expect(try !states.check(40, byReplay: 40, member: 1, at: 40, newFrom: 40))
        #expect(states.allAgree && states.prevails(in: 0))
    }

    @Test(
        "Only a state that differs from a majority's there is called wrong, and disputed from another's"
    )
    func verdict() throws {
        var states = FlippedStates(members: 3)
        func advance(_ zxid: UInt64, off: [UInt64], isNew: Bool = false) throws {
            for member in 0..<3 {
                _ = try states.check(
                    zxid + off[member], byReplay: zxid, member: member, at: zxid,
                    newFrom: isNew ? zxid : nil)
            }
        }
        func isRight(_ member: Int, at zxid: UInt64) {
            breaks(.digest) { () throws(Violation) in try states.checkWrong(member, at: zxid) }
        }
        try advance(10, off: [0, 0, 0])
        for member in 0..<3 {
            isRight(member, at: 10)
            breaks(.digest) { () throws(Violation) in try states.checkDisputed(member, at: 10) }
        }
        states.flip(0, from: 10, to: 15, at: 10)
        try advance(20, off: [5, 0, 0])
        try states.checkWrong(0, at: 20)
        for member in 0..<3 { try states.checkDisputed(member, at: 20) }
        isRight(1, at: 20)
        isRight(0, at: 9)
        // Healed; then the same happens to another one.
        try advance(30, off: [0, 0, 0], isNew: true)
        isRight(0, at: 30)
        states.flip(1, from: 30, to: 35, at: 30)
        try advance(40, off: [0, 5, 0])
        isRight(2, at: 40)
        try states.checkWrong(1, at: 40)
        // It has spread.
        try advance(50, off: [5, 5, 0], isNew: true)
        try states.checkWrong(2, at: 50)
        isRight(0, at: 50)
    }
}
