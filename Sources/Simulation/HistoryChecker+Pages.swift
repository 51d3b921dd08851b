// What only clients of a gateway are told: pages of children, and that a znode is the same as before.
// Judged, like any other read, by the model at the zxid of the answer.

package import Znodes

extension HistoryChecker {
    /// A page of the names of a znode's children, so many at most.
    package struct Listing {
        var path: ZnodePath
        var czxid: Zxid
        var pzxid: Zxid
        var cversion: Int32
        var names: [[UInt8]]
        var goesOn: Bool
        var limit: Int
        var zxid: Zxid

        package init(
            path: ZnodePath, czxid: Zxid, pzxid: Zxid, cversion: Int32, names: [[UInt8]],
            goesOn: Bool, limit: Int, zxid: Zxid
        ) {
            self.path = path
            self.czxid = czxid
            self.pzxid = pzxid
            self.cversion = cversion
            self.names = names
            self.goesOn = goesOn
            self.limit = limit
            self.zxid = zxid
        }
    }

    package mutating func read(_ listing: Listing, atLeast: Zxid, _ oracle: borrowing Oracle)
        throws(Violation)
    {
        let zxid = listing.zxid
        try expect(
            zxid >= atLeast, .staleRead,
            "\(listing.path) is listed at \(zxid), \(atLeast) was known before")
        try expect(
            zxid <= oracle.last, .wrongRead,
            "\(listing.path) is listed at \(zxid), committed is \(oracle.last)")
        witness(zxid)
        guard !ZnodePath.reserved.contains(listing.path), !listing.path.isRoot else { return }
        let version = oracle.model.version(listing.path, at: zxid)
        let all = version?.children ?? []
        let isRight =
            listing.czxid == version?.stat?.czxid && listing.pzxid == version?.stat?.pzxid
            && listing.cversion == version?.stat?.cversion
            && listing.names == Array(all.prefix(listing.limit))
            && listing.goesOn == (all.count > listing.limit)
        try expect(isRight, .wrongRead, "the children of \(listing.path) at \(zxid)")
    }

    /// A read that was told that the znode is still the one of this tag.
    package mutating func stillThere(
        _ path: ZnodePath, _ tag: Zxid, at zxid: Zxid, atLeast: Zxid, _ oracle: borrowing Oracle
    ) throws(Violation) {
        try expect(
            zxid >= atLeast, .staleRead,
            "\(path) is the same at \(zxid), \(atLeast) was known before")
        try expect(
            zxid <= oracle.last && oracle.model.version(path, at: zxid)?.stat?.mzxid == tag,
            .wrongRead, "\(path) is said to be \(tag) at \(zxid)")
        witness(zxid)
    }
}
