// The writer's account of its memory: what is allocated, by the allocator's own rule, and what was
// taken out of the tree and waits until no reader can hold it.

internal import DequeModule

struct TreeMemory {
    private(set) var allocatedBytes = 0
    /// The publication's epoch.
    var epoch: UInt64 = 0
    private var retired: Deque<(memory: RawMemory, byteCount: Int, epoch: UInt64)> = []

    /// Readers are looked at when so much has been retired.
    static let retiredBatch = 64
    /// One entry frees no more than this, so that no entry pays for a whole tree.
    static let freedMax = 4_096

    var retiredCount: Int { retired.count }

    /// What glibc's malloc takes for a block: 8 bytes before it, steps of 16.
    static func footprint(_ byteCount: Int) -> Int { max(32, (byteCount + 8 + 15) & ~15) }

    mutating func allocate(_ byteCount: Int) -> RawMemory {
        allocated(byteCount)
        return RawMemory.allocate(byteCount)
    }

    mutating func allocated(_ byteCount: Int) { allocatedBytes += Self.footprint(byteCount) }

    mutating func retire(_ memory: RawMemory, _ byteCount: Int) {
        retired.append((memory, byteCount, epoch))
    }

    mutating func free(olderThan oldest: UInt64, max: Int) {
        var left = max
        while left > 0, let first = retired.first, first.epoch < oldest {
            retired.removeFirst()
            first.memory.deallocate()
            allocatedBytes -= Self.footprint(first.byteCount)
            left -= 1
        }
    }

    /// Takes over what another account has allocated and retired.
    mutating func inherit(_ other: inout TreeMemory) {
        allocatedBytes += other.allocatedBytes
        for piece in other.retired { retire(piece.memory, piece.byteCount) }
        other = TreeMemory()
    }

    /// No reader is left.
    mutating func freeAll() { free(olderThan: .max, max: .max) }
}
