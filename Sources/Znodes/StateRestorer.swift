// Builds a state from the bytes of a snapshot, in whatever pieces they come. It believes nothing: a
// frame that no snapshot has there, an order that none has, a wrong sum are errors, never traps;
// what it keeps beside the tree is bounded by one record.

/// A whole state, to be adopted by a state machine.
package struct RestoredState: ~Copyable {
    var tree: ZnodeTree
    var history: EventHistory
    package let lastZxid: Zxid
    let lastTimeMs: Int64
    package var digest: UInt64 { tree.digest }
    package var znodeCount: Int { tree.znodeCount }
}

package struct StateRestorer: ~Copyable {
    private struct Header {
        var zxid: UInt64
        var timeMs: Int64
        var znodeCount: UInt64
        var storeBytes: UInt64
        var digest: UInt64
        var floor: UInt64
    }

    private let limits: ZnodeLimits
    private var tree: ZnodeTree
    private var history = EventHistory()
    private var header: Header?
    private var checksum = SnapshotFormat.checksum()
    private var lastEventZxid: UInt64 = 0
    private var sawZnode = false
    private var sawEnd = false
    /// The path of the last znode, and the znodes on the way to it.
    private var above: [ZnodeBlock] = []
    /// A frame of which not all has come.
    private var rest: [UInt8] = []

    package init(limits: ZnodeLimits, hashSeed: UInt64) {
        self.limits = limits
        tree = ZnodeTree(hashSeed: hashSeed)
    }

    /// The next bytes. After an error the restorer is of no use.
    package mutating func consume(_ bytes: Span<UInt8>) throws(SnapshotError) {
        var at = 0
        while !rest.isEmpty, at < bytes.count {
            // Fill up to the header, then to the frame's end.
            let wanted =
                rest.count < SnapshotFormat.frameHeaderBytes
                ? SnapshotFormat.frameHeaderBytes : try frameBytes(rest.span, 0)
            let count = min(wanted - rest.count, bytes.count - at)
            rest += bytes.copied(at, count)
            at += count
            if rest.count >= SnapshotFormat.frameHeaderBytes,
                rest.count == (try frameBytes(rest.span, 0))
            {
                let frame = rest
                rest.removeAll(keepingCapacity: true)
                try take(frame.span, 0, frame.count)
            }
        }
        while at < bytes.count {
            let left = bytes.count - at
            guard left >= SnapshotFormat.frameHeaderBytes, try frameBytes(bytes, at) <= left else {
                rest = bytes.copied(at, left)
                return
            }
            let end = at + (try frameBytes(bytes, at))
            try take(bytes, at, end)
            at = end
        }
    }

    /// What the znodes so far add up to: after the last frame, what the first one must have told.
    package var sums: (znodes: Int, storeBytes: Int, digest: UInt64) {
        (tree.znodeCount, tree.storeBytes, tree.digest)
    }

    /// All bytes have come.
    package consuming func finish() throws(SnapshotError) -> RestoredState {
        guard sawEnd, let header else { throw .truncated }
        guard rest.isEmpty else { throw .malformed }
        guard tree.digest == header.digest, UInt64(tree.znodeCount) == header.znodeCount,
            UInt64(tree.storeBytes) == header.storeBytes
        else { throw .digestMismatch }
        history.closeGroup(bytesMax: limits.historyBytesMax)
        return RestoredState(
            tree: tree, history: history, lastZxid: Zxid(header.zxid), lastTimeMs: header.timeMs)
    }

    /// The header included.
    private func frameBytes(_ bytes: Span<UInt8>, _ at: Int) throws(SnapshotError) -> Int {
        let count = Int(bytes.loadInteger(at: at + 1, UInt32.self))
        if header == nil, bytes[at] != SnapshotFormat.Tag.state.rawValue { throw .notASnapshot }
        // A limit may be any number; a frame counts in 32 bits.
        let dataBytesMax = min(limits.dataBytesMax, Int(UInt32.max))
        let most = max(limits.recordBytesMax, dataBytesMax + ZnodeLimits.pathBytesMax + 128)
        guard count <= (header == nil ? SnapshotFormat.stateBytes : most) else { throw .malformed }
        return count + SnapshotFormat.frameHeaderBytes
    }

    private mutating func take(_ bytes: Span<UInt8>, _ start: Int, _ end: Int)
        throws(SnapshotError)
    {
        guard !sawEnd, let tag = SnapshotFormat.Tag(rawValue: bytes[start]) else {
            throw .malformed
        }
        let payload = bytes.extracting((start + SnapshotFormat.frameHeaderBytes)..<end)
        let before = checksum
        bytes.extracting(start..<end).withRawBytes { checksum.absorb($0) }
        switch tag {
        case .state: try takeState(payload)
        case .event: try takeEvent(payload)
        case .znode: try takeZnode(payload)
        case .end:
            // The root is in every tree, and the first znode is it.
            guard sawZnode, payload.count == 8 else { throw .malformed }
            guard payload.loadInteger(at: 0, UInt64.self) == before.finished() else {
                throw .checksumMismatch
            }
            for block in above where !complete(block) { throw .malformed }
            sawEnd = true
        }
    }

    private mutating func takeState(_ bytes: Span<UInt8>) throws(SnapshotError) {
        guard header == nil, bytes.count >= 10,
            bytes.loadInteger(at: 0, UInt64.self) == SnapshotFormat.magic
        else { throw .notASnapshot }
        let version = bytes.loadInteger(at: 8, UInt16.self)
        guard version == SnapshotFormat.version else { throw .unknownVersion(version) }
        guard bytes.count == SnapshotFormat.stateBytes else { throw .malformed }
        let header = Header(
            zxid: bytes.loadInteger(at: 10, UInt64.self),
            timeMs: bytes.loadInteger(at: 18, Int64.self),
            znodeCount: bytes.loadInteger(at: 26, UInt64.self),
            storeBytes: bytes.loadInteger(at: 34, UInt64.self),
            digest: bytes.loadInteger(at: 42, UInt64.self),
            floor: bytes.loadInteger(at: 50, UInt64.self))
        guard header.floor <= header.zxid else { throw .malformed }
        lastEventZxid = header.floor
        history = EventHistory(floor: Zxid(header.floor))
        self.header = header
    }

    private mutating func takeEvent(_ bytes: Span<UInt8>) throws(SnapshotError) {
        guard let header, !sawZnode else { throw .outOfOrder }
        guard bytes.count > 9, ZnodePath.check(bytes.extracting(9..<bytes.count)) == nil else {
            throw .malformed
        }
        let zxid = bytes.loadInteger(at: 0, UInt64.self)
        let type = EventTypes(rawValue: bytes[8])
        guard type == .created || type == .changed || type == .deleted else { throw .malformed }
        guard zxid >= lastEventZxid, zxid > header.floor, zxid <= header.zxid else {
            throw .outOfOrder
        }
        if zxid > lastEventZxid { history.closeGroup(bytesMax: .max) }
        lastEventZxid = zxid
        bytes.withRawBytes { history.append(type, $0.dropFirst(9), zxid: zxid) }
    }

    private mutating func takeZnode(_ bytes: Span<UInt8>) throws(SnapshotError) {
        guard let header else { throw .outOfOrder }
        let fixed = 44
        guard bytes.count >= fixed else { throw .malformed }
        let pathCount = Int(bytes.loadInteger(at: 2, UInt16.self))
        let hasChildFields = bytes[1] == 1
        let fieldsAt = 4 + pathCount
        let dataAt = fieldsAt + 40 + (hasChildFields ? 12 : 0)
        guard bytes[0] == CreateMode.persistent.rawValue, bytes[1] <= 1, dataAt <= bytes.count,
            ZnodePath.check(bytes.extracting(4..<fieldsAt)) == nil
        else { throw .malformed }
        var fields = ZnodeFields(
            czxid: bytes.loadInteger(at: fieldsAt, UInt64.self),
            mzxid: bytes.loadInteger(at: fieldsAt + 8, UInt64.self),
            ctimeMs: bytes.loadInteger(at: fieldsAt + 16, Int64.self),
            mtimeMs: bytes.loadInteger(at: fieldsAt + 24, Int64.self),
            version: bytes.loadInteger(at: fieldsAt + 32, Int32.self),
            aversion: bytes.loadInteger(at: fieldsAt + 36, Int32.self),
            modeByte: bytes[0], nameCount: 0)
        guard fields.czxid <= fields.mzxid, fields.mzxid <= header.zxid else { throw .malformed }
        let children: (pzxid: UInt64, creates: Int32)? =
            hasChildFields
            ? (
                bytes.loadInteger(at: fieldsAt + 40, UInt64.self),
                bytes.loadInteger(at: fieldsAt + 48, Int32.self)
            ) : nil
        if let children {
            guard children.pzxid >= fields.czxid, children.pzxid <= header.zxid else {
                throw .malformed
            }
        }
        let isPlaced = bytes.withRawBytes { raw in
            place(&fields, raw.part(4, pathCount), raw.dropFirst(dataAt), children)
        }
        if !isPlaced { throw .outOfOrder }
        sawZnode = true
    }

    /// False when the znode does not follow the last one in canonical order below a parent.
    private mutating func place(
        _ fields: inout ZnodeFields, _ path: RawBytes, _ data: RawBytes,
        _ children: (pzxid: UInt64, creates: Int32)?
    ) -> Bool {
        guard let parentPath = path.parentPath else {
            if !above.isEmpty { return false }
            above = [tree.insertUnmixed(fields, path: path, data: data, below: nil)]
            setChildren(children)
            return true
        }
        var previous: RawBytes?
        while let top = above.last, !(top.path == parentPath) {
            previous = top.path
            if !complete(top) { return false }
            above.removeLast()
        }
        // A znode with children has the fields about them.
        guard let parent = above.last, parent.children != nil else { return false }
        if let previous, !(previous < path) { return false }
        // Without a previous sibling on the way this must be the first child.
        if previous == nil, parent.children.map({ $0.count > 0 }) ?? false { return false }
        fields.nameCount = path.count - parentPath.count - (parentPath.count == 1 ? 0 : 1)
        above.append(tree.insertUnmixed(fields, path: path, data: data, below: parent))
        setChildren(children)
        return true
    }

    /// All children of the znode have come. False: it has fields about them that tell nothing.
    private mutating func complete(_ block: ZnodeBlock) -> Bool {
        tree.mixChildren(block)
        return block.children == nil || block.hasChildFields
    }

    private mutating func setChildren(_ children: (pzxid: UInt64, creates: Int32)?) {
        guard let children, let block = above.last else { return }
        tree.setChildFieldsUnmixed(block, pzxid: children.pzxid, creates: children.creates)
    }
}
