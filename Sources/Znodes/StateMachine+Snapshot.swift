// Snapshots: one state at one zxid, in steps between entries.

extension StateMachine {
    /// Fixes the state at `lastZxid`; one that is under way is given up.
    package mutating func beginSnapshot() {
        walk = SnapshotWalk(zxid: lastZxid, timeMs: lastTimeMs, tree: tree, history: history)
    }

    package var snapshotUnderWay: Bool { walk != nil }

    /// Appends about `bytesTarget` bytes, one record more at most; `last` too when none is under way.
    package mutating func nextSnapshotBytes(
        into out: inout [UInt8], bytesTarget: Int
    ) -> SnapshotStep {
        guard var under = walk.take() else { return .last }
        let step = under.step(tree, into: &out, bytesTarget: bytesTarget)
        if step == .more { walk = under }
        return step
    }

    package mutating func abandonSnapshot() { walk = nil }
}
