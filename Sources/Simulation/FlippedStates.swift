// Members whose tree is not what the log says. What changed in it no entry changes, so such a tree is
// the replay and the same change at every zxid, and so is each that is fetched from it: its digest is
// off by one number. A member is held to exactly that number, whether it is 0 or not.

package struct FlippedStates {
    /// A stretch of zxids that a member's tree went through, off by one number.
    private struct Stretch {
        let from: UInt64
        var to: UInt64
        let off: UInt64
    }

    /// All that there have been but 0.
    private var flips: Set<UInt64> = []
    /// By member, oldest first: what its digest is above that of the replay, wrapping. After a start it
    /// goes through some zxids again.
    private var stretches: [[Stretch]]

    package init(members: Int) {
        stretches = Array(repeating: [Stretch(from: 0, to: 0, off: 0)], count: members)
    }

    private func off(of member: Int) -> UInt64 {
        stretches[member][stretches[member].count - 1].off
    }

    package func isFlipped(_ member: Int) -> Bool { off(of: member) != 0 }

    package var areAny: Bool { !flips.isEmpty }

    /// The tree of a member changes by itself at that zxid; its digest with it.
    package mutating func flip(
        _ member: Int, from before: UInt64, to after: UInt64, at zxid: UInt64
    ) {
        hold(off(of: member) &+ after &- before, member, zxid)
    }

    private mutating func hold(_ off: UInt64, _ member: Int, _ zxid: UInt64) {
        stretches[member].append(Stretch(from: zxid, to: zxid, off: off))
        if off != 0 { flips.insert(off) }
    }

    /// `newFrom`: the state of that zxid has come from a disk or from another member, so it may be that of
    /// any other. Gives whether the member has taken in one that is wrong.
    package mutating func check(
        _ digest: UInt64, byReplay: UInt64, member: Int, at zxid: UInt64, newFrom: UInt64?
    ) throws(Violation) -> Bool {
        let off = digest &- byReplay
        let isSame = off == self.off(of: member)
        try expect(
            isSame || newFrom != nil && (off == 0 || flips.contains(off)), .digest,
            "member \(member + 1) has \(digest), by replay \(byReplay), and was off by "
                + "\(self.off(of: member))")
        if let newFrom { hold(off, member, newFrom) }
        stretches[member][stretches[member].count - 1].to = zxid
        return !isSame && off != 0
    }

    /// What a majority has now; nil: no majority agrees.
    private var prevailing: UInt64? {
        let offs = stretches.indices.map(off(of:))
        return offs.first { off in offs.count { $0 == off } > offs.count / 2 }
    }

    /// It has the state that a majority has, which is the right one unless a wrong one has spread.
    package func prevails(in member: Int) -> Bool { off(of: member) == prevailing }

    package var allAgree: Bool { stretches.indices.allSatisfy { off(of: $0) == off(of: 0) } }

    /// What its digests at that zxid were off by, of one process or another.
    private func offs(of member: Int, at zxid: UInt64) -> Set<UInt64> {
        Set(stretches[member].filter { $0.from <= zxid && zxid <= $0.to }.map(\.off))
    }

    /// So many of the others may have told another digest there than this member has.
    private func othersThatDiffer(from member: Int, at zxid: UInt64) -> Int {
        let others = stretches.indices.filter { $0 != member }.map { offs(of: $0, at: zxid) }
        return offs(of: member, at: zxid).map { own in
            others.reduce(into: Set()) { $0.formUnion($1) }.filter { $0 != own }
                .map { off in others.count { $0.contains(off) } }.max() ?? 0
        }.max() ?? 0
    }

    /// A member that a majority calls wrong differs there from a majority.
    package func checkWrong(_ member: Int, at zxid: UInt64) throws(Violation) {
        try expect(
            othersThatDiffer(from: member, at: zxid) > stretches.count / 2, .digest,
            "member \(member + 1) takes its state for wrong at \(zxid), and no majority has another"
        )
    }

    /// States that differ are seen by a member that differs.
    package func checkDisputed(_ member: Int, at zxid: UInt64) throws(Violation) {
        try expect(
            othersThatDiffer(from: member, at: zxid) > 0, .digest,
            "member \(member + 1) sees states that differ at \(zxid), and none does")
    }
}
