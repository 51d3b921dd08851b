// Members whose tree is not what the log says. What changed in it no entry changes, so such a tree is
// the replay and the same change at every zxid, and so is each that is fetched from it: its digest is
// off by one number. A member is held to exactly that number, whether it is 0 or not.

package struct FlippedStates {
    private struct Flip {
        let off: UInt64
        /// Those that have ever had it.
        var holders: Set<Int>
    }

    private var flips: [Flip] = []
    /// By member: what its digest is above that of the replay, wrapping.
    private var offs: [UInt64]

    package init(members: Int) {
        offs = Array(repeating: 0, count: members)
    }

    package func isFlipped(_ member: Int) -> Bool { offs[member] != 0 }

    package var areAny: Bool { !flips.isEmpty }

    /// The tree of a member changes by itself; its digest with it.
    package mutating func flip(_ member: Int, from before: UInt64, to after: UInt64) {
        hold(offs[member] &+ after &- before, member)
    }

    private mutating func hold(_ off: UInt64, _ member: Int) {
        offs[member] = off
        if off == 0 { return }
        if let place = flips.firstIndex(where: { $0.off == off }) {
            flips[place].holders.insert(member)
        } else {
            flips.append(Flip(off: off, holders: [member]))
        }
    }

    /// `isNew`: the state has come from a disk or from another member, so it may be that of any other.
    /// Gives whether the member has taken in one that is wrong.
    package mutating func check(
        _ digest: UInt64, byReplay: UInt64, member: Int, isNew: Bool
    ) throws(Violation) -> Bool {
        let off = digest &- byReplay
        if off == offs[member] { return false }
        try expect(
            isNew && (off == 0 || flips.contains { $0.off == off }), .digest,
            "member \(member + 1) has \(digest), by replay \(byReplay), and was off by "
                + "\(offs[member])")
        hold(off, member)
        return off != 0
    }

    /// What a majority has now; nil: no majority agrees.
    private var prevailing: UInt64? {
        offs.first { off in offs.count { $0 == off } > offs.count / 2 }
    }

    /// It has the state that a majority has, which is the right one unless a wrong one has spread.
    package func prevails(in member: Int) -> Bool { offs[member] == prevailing }

    package var allAgree: Bool { offs.allSatisfy { $0 == offs[0] } }

    /// A member that a majority calls wrong is off, or a majority has been.
    package func checkWrong(_ member: Int) throws(Violation) {
        let hasSpread = flips.contains { flip in
            flip.off != offs[member] && flip.holders.count > offs.count / 2
        }
        try expect(
            isFlipped(member) || hasSpread, .digest,
            "member \(member + 1) takes its state for wrong, and it is right")
    }
}
