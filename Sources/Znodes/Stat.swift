// What ZooKeeper's Stat says of a znode (org.apache.zookeeper.data.Stat), field by field.

@usableFromInline
package struct Stat: Sendable, Equatable {
    /// The change that created the znode.
    @usableFromInline package var czxid: Zxid
    /// The change that last set its data; the creation counts.
    @usableFromInline package var mzxid: Zxid
    /// The change that last created or deleted a child; the znode's own creation counts.
    @usableFromInline package var pzxid: Zxid
    /// Milliseconds since 1970, by the clock of the leader that took the change, never going back.
    @usableFromInline package var ctimeMs: Int64
    @usableFromInline package var mtimeMs: Int64
    /// How often the data was set; 0 after the creation.
    @usableFromInline package var version: Int32
    /// 2 x creates - children, as ZooKeeper makes it public.
    @usableFromInline package var cversion: Int32
    /// How often the access list was set.
    @usableFromInline package var aversion: Int32
    /// The session that the znode goes with, or nil.
    @usableFromInline package var ephemeralOwner: SessionID?
    /// Bytes.
    @usableFromInline package var dataLength: Int32
    @usableFromInline package var numChildren: Int32

    @inlinable package init(
        czxid: Zxid, mzxid: Zxid, pzxid: Zxid, ctimeMs: Int64, mtimeMs: Int64, version: Int32,
        cversion: Int32, aversion: Int32, ephemeralOwner: SessionID?, dataLength: Int32,
        numChildren: Int32
    ) {
        self.czxid = czxid
        self.mzxid = mzxid
        self.pzxid = pzxid
        self.ctimeMs = ctimeMs
        self.mtimeMs = mtimeMs
        self.version = version
        self.cversion = cversion
        self.aversion = aversion
        self.ephemeralOwner = ephemeralOwner
        self.dataLength = dataLength
        self.numChildren = numChildren
    }
}
