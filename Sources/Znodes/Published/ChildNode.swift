// The children of one znode, ordered by the bytes of their names: a B+tree of blocks. Readers walk
// it beside the writer; what they see half done they throw away (TreePublication.swift), so each
// loop here is bounded whatever it meets, and a missing word ends it.
//
//   node  0 level u8 (0: leaf)   2 capacity u16   8 count (shared)   16 slots (shared)
//   slot of a leaf: block; of an inner node: first block below, child node

@usableFromInline
package struct ChildNode: Equatable {
    @usableFromInline package let memory: RawMemory

    @usableFromInline static let headerBytes = 16
    static let capacityMax = 64

    @inlinable
    package init(_ memory: RawMemory) { self.memory = memory }

    static func byteCount(level: Int, capacity: Int) -> Int {
        headerBytes + capacity * (level == 0 ? 8 : 16)
    }

    static func make(level: Int, capacity: Int) -> ChildNode {
        let memory = RawMemory.allocateZeroed(byteCount(level: level, capacity: capacity))
        memory.store(UInt8(level), 0)
        memory.store(UInt16(capacity), 2)
        return ChildNode(memory)
    }

    var byteCount: Int { Self.byteCount(level: level, capacity: capacity) }

    @inlinable package var level: Int { Int(memory.load(0, UInt8.self)) }
    @inlinable package var capacity: Int { Int(memory.load(2, UInt16.self)) }
    @inlinable package var count: Int { min(Int(truncatingIfNeeded: memory.acquire(8)), capacity) }

    @inlinable
    package func offset(_ index: Int) -> Int { 16 + index * (level == 0 ? 8 : 16) }

    /// The block in a leaf's slot, or the first block below an inner node's slot.
    @inlinable
    package func block(_ index: Int) -> ZnodeBlock? {
        RawMemory(word: memory.acquire(offset(index))).map(ZnodeBlock.init)
    }

    @inlinable
    package func child(_ index: Int) -> ChildNode? {
        RawMemory(word: memory.acquire(offset(index) + 8)).map(ChildNode.init)
    }

    /// The number of slots whose (first) name is at most `name`; of those below it without `equal`.
    @inlinable
    package func rank(_ name: RawBytes, equal: Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            guard let there = block(middle)?.name else { return low }
            let before = equal ? !(name < there) : there < name
            if before { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension ChildRecord {
    /// Calls `each` for children in order, those after `name` when it is given, until it returns
    /// false or there are no more.
    @inlinable
    package func forEach(after name: RawBytes?, _ each: (ZnodeBlock) -> Bool) {
        var after = name
        while true {
            guard let (leaf, start) = seek(after) else { return }
            var last: ZnodeBlock?
            var at = start
            let count = leaf.count
            while at < count {
                guard let block = leaf.block(at) else { return }
                if !each(block) { return }
                last = block
                at += 1
            }
            guard let last else { return }
            after = last.name
        }
    }

    /// The leaf and slot of the first child after `name`; nil when there is none.
    @inlinable
    package func seek(_ name: RawBytes?) -> (ChildNode, Int)? {
        guard var node = root else { return nil }
        var next: ChildNode?
        while node.level > 0 {
            var index = 0
            if let name { index = max(node.rank(name, equal: true) - 1, 0) }
            if index + 1 < node.count { next = node.child(index + 1) }
            guard let below = node.child(index) else { return nil }
            node = below
        }
        let start = name.map { node.rank($0, equal: true) } ?? 0
        if start < node.count { return (node, start) }
        guard var other = next else { return nil }
        while other.level > 0 {
            guard let below = other.child(0) else { return nil }
            other = below
        }
        return (other, 0)
    }
}
