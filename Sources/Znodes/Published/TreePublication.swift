// What event loops see of the tree while the one writer changes it, with no lock, no allocation and
// no reference count on the way of a read. This is the one impure corner of the floor. The proof:
//
// One state. `sequence` is odd while an entry is applied. The writer stores the odd number, then
// changes shared words by release stores only, then `zxid`, then the even number (release). A
// reader loads an even number (acquire), reads shared words by acquire loads only, and loads the
// number again. Had it read a word stored by a later entry, its acquire load would synchronize with
// that release store, before which the odd number was stored: the second load would differ, by
// coherence. So equal even numbers mean that all words came from entries up to that number, and the
// first load has made all of those visible. A read that fails is thrown away and tried again.
//
// No stray memory. Words that readers follow hold 0 or the address of a block, record, node, segment
// or directory that was filled before a release store published it. What a change takes out is
// retired with the epoch at hand, after the stores that unlinked it; later the epoch is raised. A
// reader declares with `quiescent` that it holds nothing, by storing the epoch that it loads
// (acquire): if it loads a raised epoch, it sees the unlinking and cannot reach what was retired
// before it. So memory of epoch E is freed when each reader is offline or has stored more than E
// (QSBR; Hart et al. 2007). A reader that goes online stores its epoch and passes a full fence
// before it follows any word; the writer passes one between unlinking and looking at the readers:
// either the writer sees the reader, or the reader sees the unlinking.
//
// Half-done states are followed safely: each loop on the way is bounded, levels of child nodes never
// change, and a slot beyond a count holds 0 or something that was live since the count was read.
//
// Thread sanitizer agrees: every word seen to change is atomic, the rest is written once before
// its publication.

@usableFromInline
package final class TreePublication: @unchecked Sendable {
    /// 0 sequence   64 zxid   72 directory   128 epoch   192 + 64 n: reader n
    @usableFromInline let memory: RawMemory
    /// Touched by the writer's last call and by `deinit`, which the reference count puts in order.
    private var leftOver = TreeMemory()

    static let readersMax = 256
    static let readerFree: UInt64 = 0
    static let readerOffline: UInt64 = 1

    init() {
        memory = RawMemory.allocateZeroed(192 + 64 * Self.readersMax)
        memory.publish(2, 128)
    }

    /// The directory and what its tree had retired stay here when the state machine ends first.
    deinit {
        if let directory = RawMemory(word: memory.acquire(80)) {
            PathIndex(directory: directory).deallocateAll()
        }
        leftOver.freeAll()
        memory.deallocate()
    }

    /// One for each thread that reads; from any thread.
    package func registerReader() -> TreeReader {
        for index in 0..<Self.readersMax {
            let offset = 192 + 64 * index
            if memory.claim(offset, from: Self.readerFree, to: Self.readerOffline) {
                return TreeReader(self, offset)
            }
        }
        fatalError("invariant: more than \(Self.readersMax) readers of one tree")
    }

    // The rest is the writer's.

    func beginChange() { memory.publish(memory.acquire(0) + 1, 0) }

    func endChange(_ zxid: Zxid) {
        memory.publish(zxid.rawValue, 64)
        memory.publish(memory.acquire(0) + 1, 0)
    }

    func publish(directory: RawMemory) { memory.publish(directory.word, 72) }

    var epoch: UInt64 { memory.acquire(128) }

    /// Raises the epoch and gives the one below which no reader holds anything.
    func advanceEpoch() -> UInt64 {
        memory.publish(epoch + 1, 128)
        RawMemory.fence()
        var oldest = epoch
        for index in 0..<Self.readersMax {
            let word = memory.acquire(192 + 64 * index)
            if word > Self.readerOffline { oldest = min(oldest, word) }
        }
        return oldest
    }

    /// The writer's end, its last call.
    func inherit(directory: RawMemory, _ retired: TreeMemory) {
        leftOver = retired
        memory.publish(directory.word, 80)
    }
}

/// One thread's way into the published tree. Offline at first.
@usableFromInline
package struct TreeReader: ~Copyable, Sendable {
    @usableFromInline let publication: TreePublication
    @usableFromInline let offset: Int
    @usableFromInline var isOnline = false

    /// Then the replica's thread is asked. An entry takes microseconds; these last about as long.
    @usableFromInline static let attemptsMax = 8
    @usableFromInline static let spinsMax = 10_000

    init(_ publication: TreePublication, _ offset: Int) {
        self.publication = publication
        self.offset = offset
    }

    deinit { publication.memory.publish(TreePublication.readerFree, offset) }

    /// Before the first read after `offline`.
    @inlinable
    package mutating func online() {
        let memory = publication.memory
        memory.publish(memory.acquire(128), offset)
        RawMemory.fence()
        isOnline = true
    }

    /// Before the thread blocks, else nothing is ever freed. What was read is gone.
    @inlinable
    package mutating func offline() {
        publication.memory.publish(1, offset)
        isOnline = false
    }

    /// Once a turn while online: nothing that was read is held any more.
    @inlinable
    package mutating func quiescent() {
        let memory = publication.memory
        if isOnline { memory.publish(memory.acquire(128), offset) }
    }

    /// Runs `body` against exactly one state and gives its zxid; nil when the tree kept changing.
    /// `body` may run several times, on states that are then thrown away: it must have no effect
    /// that it does not undo itself. What it takes out of the state lives until `quiescent`.
    @inlinable
    package func read<R>(_ body: (borrowing TreeState) -> R) -> (result: R, zxid: Zxid)? {
        invariant(isOnline, "a reader must be online to read")
        let memory = publication.memory
        var spins = 0
        var attempts = 0
        while attempts < Self.attemptsMax, spins < Self.spinsMax {
            let before = memory.acquire(0)
            if before & 1 != 0 {
                spins += 1
                continue
            }
            attempts += 1
            let zxid = Zxid(memory.acquire(64))
            guard let directory = RawMemory(word: memory.acquire(72)) else { return nil }
            let result = body(TreeState(PathIndex(directory: directory)))
            if memory.acquire(0) == before { return (result, zxid) }
        }
        return nil
    }
}
