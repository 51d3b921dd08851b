// Deleting one znode, or a whole subtree in one entry or not at all.

extension StateMachine {
    mutating func delete(_ path: ZnodePath, _ condition: Condition, recursive: Bool) -> Outcome {
        if path.isRoot || ZnodePath.reserved.contains(path) {
            return .failed(.invalidPath(path: path))
        }
        let found = tree.find(path)
        if let failure = refusal(condition, found, path) { return .failed(failure) }
        guard let block = found else { return .failed(.noNode(path: path)) }
        let hasChildren = (block.children?.count ?? 0) > 0
        if hasChildren, !recursive { return .failed(.notEmpty(path: path)) }
        guard let doomed = subtree(of: block) else {
            return .failed(.tooManyZnodes(path: path))
        }
        guard let parent = tree.parent(of: block) else {
            fatalError("invariant: \(path) has no parent")
        }
        willChange(parent)
        for one in doomed {
            willChange(one)
            tree.remove(one, below: one == block ? parent : nil)
            happened(.deleted, one.path)
        }
        tree.setChildFields(
            parent, pzxid: lastZxid.rawValue, creates: parent.children?.creates ?? 0)
        return .deleted(count: doomed.count)
    }

    /// Children before their parents, siblings in order; nil when there are too many, or
    /// their paths have too many bytes.
    private func subtree(of block: ZnodeBlock) -> [ZnodeBlock]? {
        // Parents first with siblings backwards (the stack), then turned round.
        var order: [ZnodeBlock] = []
        var stack: [ZnodeBlock] = [block]
        var pathBytes = 0
        while let next = stack.popLast() {
            order.append(next)
            pathBytes += next.path.count
            if pathBytes > limits.deletedBytesMax { return nil }
            if order.count + stack.count > limits.deletedZnodesMax { return nil }
            next.children?.forEach(after: nil) { child in
                stack.append(child)
                return stack.count <= limits.deletedZnodesMax
            }
        }
        order.reverse()
        return order
    }
}
