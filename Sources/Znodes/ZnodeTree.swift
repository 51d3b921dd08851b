// The tree as its one writer holds it: znodes with their children, digest and sizes. It knows
// nothing of commands, conditions, history or limits. With a publication attached, all changes
// must come between `beginChange` and `endChange`.

struct ZnodeTree: ~Copyable {
    private(set) var index: PathIndex
    private(set) var memory = TreeMemory()
    private var publication: TreePublication?
    private(set) var znodeCount = 0
    /// Paths and data.
    private(set) var storeBytes = 0
    private(set) var digest: UInt64 = 0

    /// No znode at all, not even the root.
    init(hashSeed: UInt64) {
        // SplitMix64 (Steele et al. 2014) makes the second half of the key.
        var second = hashSeed &+ 0x9e37_79b9_7f4a_7c15
        second = (second ^ second >> 30) &* 0xbf58_476d_1ce4_e5b9
        second = (second ^ second >> 27) &* 0x94d0_49bb_1331_11eb
        index = .makeEmpty(&memory, key: (hashSeed, second ^ second >> 31))
    }

    deinit {
        // Why: readers may outlive the writer; the publication's last owner frees what they see.
        if let publication {
            publication.inherit(directory: index.directory, memory)
        } else {
            index.deallocateAll()
            var rest = memory
            rest.freeAll()
        }
    }

    mutating func attach(_ publication: TreePublication) {
        self.publication = publication
        memory.epoch = publication.epoch
        publication.publish(directory: index.directory)
    }

    /// The other tree's content under this one's publication.
    mutating func replace(with other: consuming ZnodeTree) {
        var old = other
        swap(&self, &old)
        guard let publication = old.publication else { return }
        old.publication = nil
        memory.epoch = publication.epoch
        old.retireAll(into: &memory)
        self.publication = publication
        publication.publish(directory: index.directory)
    }

    /// Both trees' memory is this one's account now.
    private mutating func retireAll(into account: inout TreeMemory) {
        account.inherit(&memory)
        index.forEachPiece { account.retire($0, $1) }
        index = .makeEmpty(&memory, key: index.key)
    }

    /// Frees what no reader can hold any more, when it is worth a look at the readers.
    mutating func reclaimSome() {
        if memory.retiredCount >= TreeMemory.retiredBatch {
            reclaim(piecesMax: TreeMemory.freedMax)
        }
    }

    mutating func reclaim(piecesMax: Int) {
        guard memory.retiredCount > 0 else { return }
        guard let publication else { return memory.freeAll() }
        let oldest = publication.advanceEpoch()
        memory.epoch = publication.epoch
        memory.free(olderThan: oldest, max: piecesMax)
    }

    func find(_ path: ZnodePath) -> ZnodeBlock? { path.bytes.withRawBytes { index.find($0) } }

    func find(_ path: RawBytes) -> ZnodeBlock? { index.find(path) }

    func parent(of block: ZnodeBlock) -> ZnodeBlock? {
        block.nameCount == 0 ? nil : index.find(block.parentPath)
    }

    /// A znode with these fields below `parent`, whose own stat stays as it is but for the count.
    @discardableResult
    mutating func insert(
        _ fields: ZnodeFields, path: RawBytes, data: RawBytes, below parent: ZnodeBlock?
    ) -> ZnodeBlock {
        if let parent { digest &-= TreeDigest.children(parent) }
        let block = insertUnmixed(fields, path: path, data: data, below: parent)
        if let parent { digest &+= TreeDigest.children(parent) }
        return block
    }

    /// The same without a look at the parent's digest; for restoring, where `mixChildren` follows.
    mutating func insertUnmixed(
        _ fields: ZnodeFields, path: RawBytes, data: RawBytes, below parent: ZnodeBlock?
    ) -> ZnodeBlock {
        let block = ZnodeBlock(
            memory.allocate(ZnodeBlock.byteCount(path: path.count, data: data.count)))
        fields.write(block.memory, path: path, data: data, record: 0)
        insertIntoIndex(block)
        znodeCount += 1
        storeBytes += path.count + data.count
        digest &+= TreeDigest.data(block)
        if let parent {
            let record = recordOf(parent)
            record.set(pzxid: record.pzxid, creates: record.creates, count: record.count + 1)
            record.insert(block, &memory)
        }
        return block
    }

    /// All children of the znode are there.
    mutating func mixChildren(_ block: ZnodeBlock) { digest &+= TreeDigest.children(block) }

    private mutating func insertIntoIndex(_ block: ZnodeBlock) {
        let before = index.directory
        index.insert(block, &memory)
        publishDirectory(before)
    }

    private func publishDirectory(_ before: RawMemory) {
        if index.directory != before { publication?.publish(directory: index.directory) }
    }

    private mutating func recordOf(_ block: ZnodeBlock) -> ChildRecord {
        if let record = block.children { return record }
        let record = ChildRecord.make(&memory, pzxid: block.czxid, creates: 0)
        block.memory.publish(record.memory.word, 0)
        return record
    }

    /// The stat fields about children.
    mutating func setChildFields(_ block: ZnodeBlock, pzxid: UInt64, creates: Int32) {
        digest &-= TreeDigest.children(block)
        setChildFieldsUnmixed(block, pzxid: pzxid, creates: creates)
        digest &+= TreeDigest.children(block)
    }

    mutating func setChildFieldsUnmixed(_ block: ZnodeBlock, pzxid: UInt64, creates: Int32) {
        let record = recordOf(block)
        record.set(pzxid: pzxid, creates: creates, count: record.count)
    }

    @discardableResult
    mutating func setData(_ old: ZnodeBlock, data: RawBytes, zxid: UInt64, timeMs: Int64)
        -> ZnodeBlock
    {
        let fields = ZnodeFields(
            czxid: old.czxid, mzxid: zxid, ctimeMs: old.ctimeMs, mtimeMs: timeMs,
            version: old.version &+ 1, aversion: old.aversion, modeByte: old.modeByte,
            nameCount: old.nameCount)
        let path = old.path
        let block = ZnodeBlock(
            memory.allocate(ZnodeBlock.byteCount(path: path.count, data: data.count)))
        fields.write(block.memory, path: path, data: data, record: old.memory.acquire(0))
        digest &-= TreeDigest.data(old)
        index.replace(old, with: block)
        parent(of: old)?.children?.replace(old, with: block)
        digest &+= TreeDigest.data(block)
        storeBytes += data.count - old.dataCount
        memory.retire(old.memory, old.byteCount)
        return block
    }

    /// What a bit that flips in memory does: the znode holds something else, and the digest does not
    /// know.
    mutating func forget(_ block: ZnodeBlock) {
        let before = digest
        setData(block, data: .empty, zxid: block.mzxid, timeMs: block.mtimeMs)
        digest = before
    }

    /// A znode without children; of one whose parent goes in the same change, `parent` is nil.
    mutating func remove(_ block: ZnodeBlock, below parent: ZnodeBlock?) {
        digest &-= TreeDigest.whole(block)
        let before = index.directory
        index.remove(block, &memory)
        publishDirectory(before)
        if let parent, let record = parent.children {
            digest &-= TreeDigest.children(parent)
            record.remove(block, &memory)
            record.set(pzxid: record.pzxid, creates: record.creates, count: record.count - 1)
            digest &+= TreeDigest.children(parent)
        }
        znodeCount -= 1
        storeBytes -= block.pathCount + block.dataCount
        block.children?.retireAll(&memory)
        memory.retire(block.memory, block.byteCount)
    }
}
