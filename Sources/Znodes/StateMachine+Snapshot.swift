// Snapshots: one state at one zxid, in steps between entries.

extension StateMachine {
    /// Fixes the state at `lastZxid`; one that is under way is given up.
    package mutating func beginSnapshot() {
        walk = SnapshotWalk(zxid: lastZxid, timeMs: lastTimeMs, tree: tree, history: history)
    }

    package var snapshotUnderWay: Bool { walk != nil }

    /// Appends about `bytesTarget` bytes, one record more at most; false when they were the last.
    package mutating func nextSnapshotBytes(into out: inout [UInt8], bytesTarget: Int) -> Bool {
        guard var step = walk.take() else { return false }
        guard step.step(tree, into: &out, bytesTarget: bytesTarget) else { return false }
        walk = step
        return true
    }

    package mutating func abandonSnapshot() { walk = nil }
}
