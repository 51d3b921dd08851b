// A fault of memory, made on purpose: for the simulator and tests, which show that members find it.

extension StateMachine {
    /// Changes a znode that no entry can, as a flipped bit might: the digest is that of the changed
    /// tree, and snapshots hold it. False while a snapshot is under way.
    package mutating func harm() -> Bool {
        guard walk == nil, let block = tree.find(ZnodePath.reserved) else { return false }
        publication.beginChange()
        tree.setData(block, data: .empty, zxid: block.mzxid, timeMs: block.mtimeMs)
        publication.endChange(lastZxid)
        return true
    }
}
