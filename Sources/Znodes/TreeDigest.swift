// One number for the whole tree, kept up with each change in the time that the changed znode takes:
// the sum of a mix of each znode, as ZooKeeper's AdHash (org.apache.zookeeper.common.AdHash). The
// part about children is mixed apart, so that creating a child never hashes the parent's data.
// Members compare digests: keys and fields stay for ever.

enum TreeDigest {
    private static let key: (UInt64, UInt64) = (0x6176_6961_7279_2e7a, 0x6e6f_6465_732e_7631)

    static func whole(_ block: ZnodeBlock) -> UInt64 { data(block) &+ children(block) }

    static func data(_ block: ZnodeBlock) -> UInt64 {
        var hash = SipHash(key.0, key.1)
        hash.absorb(block.path)
        hash.absorb(block.czxid)
        hash.absorb(block.mzxid)
        hash.absorb(UInt64(bitPattern: block.ctimeMs))
        hash.absorb(UInt64(bitPattern: block.mtimeMs))
        hash.absorb(
            UInt64(UInt32(bitPattern: block.version)) << 32
                | UInt64(UInt32(bitPattern: block.aversion)))
        hash.absorb(UInt64(block.modeByte) << 32 | UInt64(block.dataCount))
        hash.absorb(block.data)
        return hash.finished()
    }

    /// 0 for a znode that is as if it never had children.
    static func children(_ block: ZnodeBlock) -> UInt64 {
        guard block.hasChildFields, let record = block.children else { return 0 }
        var hash = SipHash(key.1, key.0)
        hash.absorb(block.path)
        hash.absorb(block.czxid)
        hash.absorb(record.pzxid)
        hash.absorb(UInt64(UInt32(bitPattern: record.creates)))
        hash.absorb(UInt64(record.count))
        return hash.finished()
    }
}
