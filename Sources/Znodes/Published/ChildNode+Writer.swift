// The writer's side of the child index: insert, replace, remove. A node splits to the right of an
// append, so that names which come in order fill their nodes; a nearly empty one joins a neighbour.

extension ChildRecord {
    static func make(_ memory: inout TreeMemory, pzxid: UInt64, creates: Int32) -> ChildRecord {
        let record = ChildRecord(memory.allocate(byteCount))
        record.set(pzxid: pzxid, creates: creates, count: 0)
        record.setRoot(nil)
        return record
    }

    func insert(_ block: ZnodeBlock, _ memory: inout TreeMemory) {
        guard var root else {
            let leaf = ChildNode.make(&memory, level: 0, capacity: 4)
            leaf.set(0, block)
            leaf.setCount(1)
            setRoot(leaf)
            return
        }
        if root.level == 0, root.count == root.capacity, root.capacity < ChildNode.capacityMax {
            root = resized(root, capacity: root.capacity * 2, &memory)
        }
        guard let right = root.insert(block, &memory) else { return }
        let above = ChildNode.make(
            &memory, level: root.level + 1, capacity: ChildNode.capacityMax)
        above.set(0, root)
        above.set(1, right)
        above.setCount(2)
        setRoot(above)
    }

    func replace(_ old: ZnodeBlock, with new: ZnodeBlock) { root?.replace(old, with: new) }

    func remove(_ block: ZnodeBlock, _ memory: inout TreeMemory) {
        guard var root else { fatalError("invariant: a child without an index") }
        root.remove(block, &memory)
        while root.level > 0, root.count == 1, let only = root.child(0) {
            setRoot(only)
            memory.retire(root.memory, root.byteCount)
            root = only
        }
        if root.count == 0 {
            setRoot(nil)
            memory.retire(root.memory, root.byteCount)
        } else if root.level == 0, root.capacity > 4, root.count <= root.capacity / 4 {
            _ = resized(root, capacity: root.capacity / 2, &memory)
        }
    }

    private func resized(_ leaf: ChildNode, capacity: Int, _ memory: inout TreeMemory)
        -> ChildNode
    {
        let other = ChildNode.make(&memory, level: 0, capacity: capacity)
        other.copySlots(from: leaf, 0, leaf.count, to: 0)
        other.setCount(leaf.count)
        setRoot(other)
        memory.retire(leaf.memory, leaf.byteCount)
        return other
    }

    /// The whole index and the record itself.
    func retireAll(_ memory: inout TreeMemory) {
        root?.forEachNode { memory.retire($0.memory, $0.byteCount) }
        memory.retire(self.memory, Self.byteCount)
    }
}

extension ChildNode {
    static func make(_ memory: inout TreeMemory, level: Int, capacity: Int) -> ChildNode {
        memory.allocated(byteCount(level: level, capacity: capacity))
        return make(level: level, capacity: capacity)
    }

    func setCount(_ count: Int) { memory.publish(UInt64(count), 8) }

    func set(_ index: Int, _ block: ZnodeBlock) {
        memory.publish(block.memory.word, offset(index))
    }

    func set(_ index: Int, _ node: ChildNode) {
        memory.publish(node.first.memory.word, offset(index))
        memory.publish(node.memory.word, offset(index) + 8)
    }

    var first: ZnodeBlock {
        guard let block = block(0) else { fatalError("invariant: an empty child node") }
        return block
    }

    private func below(_ index: Int) -> ChildNode {
        guard let node = child(index) else { fatalError("invariant: a missing child node") }
        return node
    }

    func copySlots(from other: ChildNode, _ start: Int, _ count: Int, to target: Int) {
        let words = level == 0 ? 1 : 2
        let (from, to) = (other.offset(start), offset(target))
        // Moves up within one node go from the end.
        let forward = other != self || from > to
        for step in 0..<(count * words) {
            let word = (forward ? step : count * words - 1 - step) * 8
            memory.publish(other.memory.acquire(from + word), to + word)
        }
    }

    private func clear(_ start: Int, _ end: Int) {
        for at in stride(from: offset(start), to: offset(end), by: 8) { memory.publish(0, at) }
    }

    private func open(_ index: Int) {
        copySlots(from: self, index, count - index, to: index + 1)
    }

    /// Gives the new right neighbour when the node had to split.
    func insert(_ block: ZnodeBlock, _ memory: inout TreeMemory) -> ChildNode? {
        if level == 0 {
            let at = rank(block.name, equal: false)
            return place(at, &memory) { node, index in node.set(index, block) }
        }
        let index = max(rank(block.name, equal: true) - 1, 0)
        let node = below(index)
        let right = node.insert(block, &memory)
        set(index, node)
        guard let right else { return nil }
        return place(index + 1, &memory) { node, index in node.set(index, right) }
    }

    private func place(
        _ at: Int, _ memory: inout TreeMemory, _ put: (ChildNode, Int) -> Void
    ) -> ChildNode? {
        let count = count
        if count < capacity {
            open(at)
            put(self, at)
            setCount(count + 1)
            return nil
        }
        let right = Self.make(&memory, level: level, capacity: Self.capacityMax)
        let cut = at == count ? count : count / 2
        right.copySlots(from: self, cut, count - cut, to: 0)
        right.setCount(count - cut)
        setCount(cut)
        clear(cut, count)
        let target = at > cut || cut == count ? right : self
        let index = target == right ? at - cut : at
        target.open(index)
        put(target, index)
        target.setCount(target.count + 1)
        return right
    }

    /// The slot in this leaf. Why: comparing addresses touches no block, a search by name many.
    private func slot(of block: ZnodeBlock) -> Int {
        for index in 0..<count where memory.acquire(offset(index)) == block.memory.word {
            return index
        }
        fatalError("invariant: a child that is not in its leaf")
    }

    /// A block of the same name takes the place of the old one.
    func replace(_ old: ZnodeBlock, with new: ZnodeBlock) {
        if level == 0 {
            set(slot(of: old), new)
            return
        }
        let index = max(rank(new.name, equal: true) - 1, 0)
        let node = below(index)
        node.replace(old, with: new)
        set(index, node)
    }

    func remove(_ block: ZnodeBlock, _ memory: inout TreeMemory) {
        if level == 0 {
            close(slot(of: block))
            return
        }
        let index = max(rank(block.name, equal: true) - 1, 0)
        let node = below(index)
        node.remove(block, &memory)
        if node.count == 0 {
            close(index)
            memory.retire(node.memory, node.byteCount)
            return
        }
        set(index, node)
        if node.count < Self.capacityMax / 4 { join(index, &memory) }
    }

    private func close(_ index: Int) {
        let count = count
        copySlots(from: self, index + 1, count - index - 1, to: index)
        setCount(count - 1)
        clear(count - 1, count)
    }

    private func join(_ index: Int, _ memory: inout TreeMemory) {
        let left = index > 0 ? index - 1 : index
        guard left + 1 < count else { return }
        let (to, from) = (below(left), below(left + 1))
        let sum = to.count + from.count
        guard sum <= Self.capacityMax * 3 / 4 else { return }
        to.copySlots(from: from, 0, from.count, to: to.count)
        to.setCount(sum)
        close(left + 1)
        memory.retire(from.memory, from.byteCount)
    }
}
