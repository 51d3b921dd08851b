// A fault of memory, made on purpose: for the simulator and tests, which show that members find it.

extension StateMachine {
    /// Changes a znode that no entry can. The digest is that of the changed tree, as after a wrong
    /// change; or, `quietly`, stays what it was, as after a flipped bit. False while a snapshot is
    /// under way.
    package mutating func harm(quietly: Bool = false) -> Bool {
        guard walk == nil, let block = tree.find(ZnodePath.reserved) else { return false }
        publication.beginChange()
        if quietly {
            tree.forget(block)
        } else {
            tree.setData(block, data: .empty, zxid: block.mzxid, timeMs: block.mtimeMs)
        }
        publication.endChange(lastZxid)
        return true
    }
}
