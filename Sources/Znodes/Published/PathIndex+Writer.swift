// The writer's side of the path index: put, replace, remove, split and merge. Each change of a
// shared word is a release store, inside an entry's odd sequence.

extension PathIndex {
    static func make(depth: UInt64, key: (UInt64, UInt64)) -> PathIndex {
        let directory = RawMemory.allocateZeroed(directoryBytes(depth))
        directory.store(depth, 0)
        directory.store(key.0, 8)
        directory.store(key.1, 16)
        return PathIndex(directory: directory)
    }

    static func directoryBytes(_ depth: UInt64) -> Int { 32 + 8 << Int(depth) }

    var depth: UInt64 { directory.load(0, UInt64.self) }
    var key: (UInt64, UInt64) { (directory.load(8, UInt64.self), directory.load(16, UInt64.self)) }
    var byteCount: Int { Self.directoryBytes(depth) }

    /// A directory of depth 0 with one empty segment.
    static func makeEmpty(_ memory: inout TreeMemory, key: (UInt64, UInt64))
        -> PathIndex
    {
        let index = make(depth: 0, key: key)
        memory.allocated(index.byteCount)
        let segment = RawMemory.allocateZeroed(segmentBytes)
        memory.allocated(segmentBytes)
        index.directory.publish(segment.word, 32)
        return index
    }

    private func segment(_ hash: UInt64) -> RawMemory {
        guard let segment = RawMemory(word: directory.acquire(segmentOffset(hash))) else {
            fatalError("invariant: a directory without a segment")
        }
        return segment
    }

    /// `self` becomes another directory when it had to grow.
    mutating func insert(
        _ block: ZnodeBlock, _ memory: inout TreeMemory
    ) {
        let hash = hash(block.path)
        var segment = segment(hash)
        while segment.load(8, UInt64.self) >= Self.segmentFillMax {
            split(segment, hash, &memory)
            segment = self.segment(hash)
        }
        Self.place(segment, (hash & 0xFFFF) &<< 48 | block.memory.word, Self.upperBits(hash))
        segment.store(segment.load(8, UInt64.self) + 1, 8)
    }

    /// The bits that the directory goes by, as far as 16 of them go.
    private static func upperBits(_ hash: UInt64) -> UInt16 { UInt16(hash &>> 48) }

    private static func upper(_ segment: RawMemory, _ slot: Int) -> UInt16 {
        segment.load(16 + segmentSlots * 8 + slot * 2, UInt16.self)
    }

    private static func setUpper(_ segment: RawMemory, _ slot: Int, _ bits: UInt16) {
        segment.store(bits, 16 + segmentSlots * 8 + slot * 2)
    }

    private static func place(_ segment: RawMemory, _ word: UInt64, _ upper: UInt16) {
        var slot = Int(word &>> 48 & 0xFF)
        while segment.acquire(16 + slot * 8) != 0 { slot = (slot + 1) & 0xFF }
        setUpper(segment, slot, upper)
        segment.publish(word, 16 + slot * 8)
    }

    private func slot(_ segment: RawMemory, _ hash: UInt64, _ block: ZnodeBlock) -> Int {
        let word = (hash & 0xFFFF) &<< 48 | block.memory.word
        var slot = Int(hash & 0xFF)
        for _ in 0..<Self.segmentSlots {
            if segment.acquire(16 + slot * 8) == word { return slot }
            slot = (slot + 1) & 0xFF
        }
        fatalError("invariant: a znode that is not in the index")
    }

    func replace(_ old: ZnodeBlock, with new: ZnodeBlock) {
        let hash = hash(new.path)
        let segment = segment(hash)
        segment.publish(
            (hash & 0xFFFF) &<< 48 | new.memory.word, 16 + slot(segment, hash, old) * 8)
    }

    mutating func remove(_ block: ZnodeBlock, _ memory: inout TreeMemory) {
        let hash = hash(block.path)
        let segment = segment(hash)
        var hole = slot(segment, hash, block)
        // Close the gap (Knuth 6.4, algorithm R), so that no search ends too early.
        var next = (hole + 1) & 0xFF
        while true {
            let word = segment.acquire(16 + next * 8)
            if word == 0 { break }
            let home = Int(word &>> 48 & 0xFF)
            if (next - home) & 0xFF >= (next - hole) & 0xFF {
                Self.setUpper(segment, hole, Self.upper(segment, next))
                segment.publish(word, 16 + hole * 8)
                hole = next
            }
            next = (next + 1) & 0xFF
        }
        segment.publish(0, 16 + hole * 8)
        segment.store(segment.load(8, UInt64.self) - 1, 8)
        if segment.load(8, UInt64.self) < Self.segmentFillMin { merge(segment, hash, &memory) }
    }

    private mutating func split(
        _ segment: RawMemory, _ hash: UInt64, _ memory: inout TreeMemory
    ) {
        let local = segment.load(0, UInt64.self)
        if local == depth { resize(to: depth + 1, &memory) }
        let upper = RawMemory.allocateZeroed(Self.segmentBytes)
        memory.allocated(Self.segmentBytes)
        let lower = RawMemory.allocateZeroed(Self.segmentBytes)
        memory.allocated(Self.segmentBytes)
        for slot in 0..<Self.segmentSlots {
            let word = segment.acquire(16 + slot * 8)
            guard let block = RawMemory(word: word & 0xFFFF_FFFF_FFFF) else { continue }
            let bits = Self.upper(segment, slot)
            // Why: a hash of each path would touch 200 cold blocks.
            let isUpper =
                local < 16
                ? bits &>> (15 &- UInt16(local)) & 1 == 1
                : self.hash(ZnodeBlock(block).path) &>> (63 &- local) & 1 == 1
            let target = isUpper ? upper : lower
            Self.place(target, word, bits)
            target.store(target.load(8, UInt64.self) + 1, 8)
        }
        lower.store(local + 1, 0)
        upper.store(local + 1, 0)
        point(hash, local + 1, bit: 0, to: lower)
        point(hash, local + 1, bit: 1, to: upper)
        memory.retire(segment, Self.segmentBytes)
    }

    /// All directory entries of the half `bit` of the segment of `hash` at `local` bits.
    private func point(_ hash: UInt64, _ local: UInt64, bit: UInt64, to segment: RawMemory) {
        let above = (hash &>> 1) &>> (63 &- (local - 1))
        let first = (above &<< 1 | bit) &<< (depth - local)
        for entry in first..<(first + 1 &<< (depth - local)) {
            directory.publish(segment.word, 32 + Int(entry) * 8)
        }
    }

    private mutating func resize(
        to depth: UInt64, _ memory: inout TreeMemory
    ) {
        invariant(depth < 40, "the directory has \(depth) bits")
        let old = self
        let new = Self.make(depth: depth, key: key)
        memory.allocated(new.byteCount)
        for entry in 0..<(1 << Int(depth)) {
            let from = depth > old.depth ? entry >> 1 : entry << 1
            new.directory.publish(old.directory.acquire(32 + from * 8), 32 + entry * 8)
        }
        self = new
        memory.retire(old.directory, old.byteCount)
    }

    /// Joins a nearly empty segment with its other half, and halves the directory when it can.
    private mutating func merge(
        _ segment: RawMemory, _ hash: UInt64, _ memory: inout TreeMemory
    ) {
        let local = segment.load(0, UInt64.self)
        guard local > 0 else { return }
        let other = self.segment(hash ^ 1 &<< (64 - local))
        let count = segment.load(8, UInt64.self) + other.load(8, UInt64.self)
        guard other.load(0, UInt64.self) == local, count < Self.segmentFillMin * 2 else { return }
        let joined = RawMemory.allocateZeroed(Self.segmentBytes)
        memory.allocated(Self.segmentBytes)
        for half in [segment, other] {
            for slot in 0..<Self.segmentSlots {
                let word = half.acquire(16 + slot * 8)
                if word != 0 { Self.place(joined, word, Self.upper(half, slot)) }
            }
            memory.retire(half, Self.segmentBytes)
        }
        joined.store(local - 1, 0)
        joined.store(count, 8)
        point(hash, local, bit: 0, to: joined)
        point(hash, local, bit: 1, to: joined)
        while depth > 0, canHalve { resize(to: depth - 1, &memory) }
    }

    private var canHalve: Bool {
        for entry in stride(from: 0, to: 1 << Int(depth), by: 2)
        where directory.acquire(32 + entry * 8) != directory.acquire(40 + entry * 8) {
            return false
        }
        return true
    }

    /// Each piece of memory of the whole tree once, with its size, the directory last.
    func forEachPiece(_ body: (RawMemory, Int) -> Void) {
        var last: UInt64 = 0
        for entry in 0..<(1 << Int(depth)) {
            let word = directory.acquire(32 + entry * 8)
            guard word != last, let segment = RawMemory(word: word) else { continue }
            last = word
            for slot in 0..<Self.segmentSlots {
                let word = segment.acquire(16 + slot * 8) & 0xFFFF_FFFF_FFFF
                guard let memory = RawMemory(word: word) else { continue }
                let block = ZnodeBlock(memory)
                if let record = block.children {
                    record.root?.forEachNode { body($0.memory, $0.byteCount) }
                    body(record.memory, ChildRecord.byteCount)
                }
                body(memory, block.byteCount)
            }
            body(segment, Self.segmentBytes)
        }
        body(directory, byteCount)
    }

    func deallocateAll() { forEachPiece { memory, _ in memory.deallocate() } }
}

extension ChildNode {
    /// The nodes below first, so that each may be freed as it comes.
    func forEachNode(_ body: (ChildNode) -> Void) {
        if level > 0 {
            for index in 0..<count { child(index)?.forEachNode(body) }
        }
        body(self)
    }
}
