// How a znode lies in memory. Its block (header, path, data) never changes after publication but for
// the one word that leads to its child record; a set makes a new block. The child record holds what
// changes when a child comes or goes, so that this never copies the parent's data; only znodes
// that have had children own one.
//
//   block   0 child record (shared word, 0: none)   8 czxid   16 mzxid   24 ctime   32 mtime
//          40 version i32   44 aversion i32   48 data count u32   52 path count u16
//          54 mode u8   55 name count u8   56 path, data
//   record  0 pzxid   8 creates (Int32 in the low half)   16 children   24 root of the child index
//
// Room: owner, time to live and access list get a flag in the mode byte's upper half and words
// between header and path.

@usableFromInline
package struct ZnodeBlock: Equatable {
    @usableFromInline package let memory: RawMemory

    static let headerBytes = 56

    @inlinable
    package init(_ memory: RawMemory) { self.memory = memory }

    static func byteCount(path: Int, data: Int) -> Int { headerBytes + path + data }

    var byteCount: Int { Self.byteCount(path: pathCount, data: dataCount) }

    @inlinable package var children: ChildRecord? {
        RawMemory(word: memory.acquire(0)).map(ChildRecord.init)
    }
    @inlinable package var czxid: UInt64 { memory.load(8, UInt64.self) }
    @inlinable package var mzxid: UInt64 { memory.load(16, UInt64.self) }
    @inlinable package var ctimeMs: Int64 { memory.load(24, Int64.self) }
    @inlinable package var mtimeMs: Int64 { memory.load(32, Int64.self) }
    @inlinable package var version: Int32 { memory.load(40, Int32.self) }
    @inlinable package var aversion: Int32 { memory.load(44, Int32.self) }
    @inlinable package var dataCount: Int { Int(memory.load(48, UInt32.self)) }
    @inlinable package var pathCount: Int { Int(memory.load(52, UInt16.self)) }
    @inlinable package var modeByte: UInt8 { memory.load(54, UInt8.self) }
    @inlinable package var nameCount: Int { Int(memory.load(55, UInt8.self)) }
    @inlinable package var path: RawBytes { memory.bytes(56, pathCount) }
    @inlinable package var name: RawBytes {
        let count = nameCount
        return memory.bytes(56 + pathCount - count, count)
    }
    @inlinable package var data: RawBytes { memory.bytes(56 + pathCount, dataCount) }

    /// The path of the parent; of the root, nothing.
    var parentPath: RawBytes {
        let cut = pathCount - nameCount - 1
        return path.part(0, nameCount == 0 ? 0 : max(cut, 1))
    }

    @inlinable package var pzxid: UInt64 { children?.pzxid ?? czxid }

    /// False: its stat is that of a znode which never had children.
    var hasChildFields: Bool {
        children.map { $0.creates != 0 || $0.count != 0 || $0.pzxid != czxid } ?? false
    }

    @inlinable package var stat: Stat {
        let record = children
        return Stat(
            czxid: Zxid(czxid), mzxid: Zxid(mzxid), pzxid: Zxid(record?.pzxid ?? czxid),
            ctimeMs: ctimeMs, mtimeMs: mtimeMs, version: version,
            cversion: record?.publicCversion ?? 0, aversion: aversion, ephemeralOwner: nil,
            dataLength: Int32(truncatingIfNeeded: dataCount),
            numChildren: Int32(truncatingIfNeeded: record?.count ?? 0))
    }
}

/// What a block is made of.
struct ZnodeFields {
    var czxid: UInt64
    var mzxid: UInt64
    var ctimeMs: Int64
    var mtimeMs: Int64
    var version: Int32
    var aversion: Int32
    var modeByte: UInt8
    var nameCount: Int

    func write(_ memory: RawMemory, path: RawBytes, data: RawBytes, record: UInt64) {
        memory.publish(record, 0)
        memory.store(czxid, 8)
        memory.store(mzxid, 16)
        memory.store(ctimeMs, 24)
        memory.store(mtimeMs, 32)
        memory.store(version, 40)
        memory.store(aversion, 44)
        memory.store(UInt32(data.count), 48)
        memory.store(UInt16(path.count), 52)
        memory.store(modeByte, 54)
        memory.store(UInt8(nameCount), 55)
        memory.copy(path, to: ZnodeBlock.headerBytes)
        memory.copy(data, to: ZnodeBlock.headerBytes + path.count)
    }
}

@usableFromInline
package struct ChildRecord: Equatable {
    @usableFromInline package let memory: RawMemory

    static let byteCount = 32

    @inlinable
    package init(_ memory: RawMemory) { self.memory = memory }

    @inlinable package var pzxid: UInt64 { memory.acquire(0) }
    /// How many children were ever created, in Int32 as ZooKeeper has it, wrapping.
    @inlinable package var creates: Int32 { Int32(truncatingIfNeeded: memory.acquire(8)) }
    @inlinable package var count: Int { Int(truncatingIfNeeded: memory.acquire(16)) }
    @inlinable package var root: ChildNode? {
        RawMemory(word: memory.acquire(24)).map(ChildNode.init)
    }

    // org.apache.zookeeper.server.DataNode.copyStat
    @inlinable package var publicCversion: Int32 {
        creates &* 2 &- Int32(truncatingIfNeeded: count)
    }

    func set(pzxid: UInt64, creates: Int32, count: Int) {
        memory.publish(pzxid, 0)
        memory.publish(UInt64(UInt32(bitPattern: creates)), 8)
        memory.publish(UInt64(count), 16)
    }

    func setRoot(_ node: ChildNode?) { memory.publish(node?.memory.word ?? 0, 24) }
}
