// From whole paths to blocks: extendible hashing (Fagin et al. 1979). A directory leads by the
// hash's upper bits to small segments; a full segment splits alone, so no change ever waits for the
// whole index to be rebuilt. Never iterate it where the order could be seen.
//
//   directory  0 depth   8, 16 hash key   24 -   32 segments (shared), 2^depth
//   segment    0 depth   8 count (both the writer's)   16 slots (shared): tag 16 bits, address 48
//             2064 upper 16 bits of each slot's hash (the writer's), for splits
//
// A slot's home is the lower 8 bits of its tag: moving a slot needs no hash of its path.

@usableFromInline
package struct PathIndex {
    @usableFromInline package let directory: RawMemory

    static let segmentSlots = 256
    static let segmentBytes = 16 + segmentSlots * 10
    static let segmentFillMax = 208
    static let segmentFillMin = 40

    @inlinable
    package init(directory: RawMemory) { self.directory = directory }

    @inlinable
    package func hash(_ path: RawBytes) -> UInt64 {
        var hash = SipHash(directory.load(8, UInt64.self), directory.load(16, UInt64.self))
        hash.absorb(path)
        return hash.finished()
    }

    @inlinable
    package func segmentOffset(_ hash: UInt64) -> Int {
        let depth = directory.load(0, UInt64.self)
        return 32 + Int((hash &>> 1) &>> (63 &- depth)) * 8
    }

    @inlinable
    package func find(_ path: RawBytes) -> ZnodeBlock? {
        let hash = hash(path)
        guard let segment = RawMemory(word: directory.acquire(segmentOffset(hash))) else {
            return nil
        }
        let tag = hash & 0xFFFF
        var slot = Int(hash & 0xFF)
        for _ in 0..<256 {
            let word = segment.acquire(16 + slot * 8)
            if word == 0 { return nil }
            if word &>> 48 == tag, let memory = RawMemory(word: word & 0xFFFF_FFFF_FFFF) {
                let block = ZnodeBlock(memory)
                if block.path == path { return block }
            }
            slot = (slot + 1) & 0xFF
        }
        return nil
    }
}
