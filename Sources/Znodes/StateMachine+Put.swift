// Creating and setting. Everything is decided here, at apply, and nothing is touched before all of
// it is decided: a refused command changes nothing but `lastZxid`.

struct Put {
    var path: ZnodePath
    var data: [UInt8]
    var mode: CreateMode
    var explicitMode: Bool
    var condition: Condition
    var makeParents: Bool
}

extension StateMachine {
    mutating func put(_ put: Put) -> Outcome {
        guard put.mode == .persistent else { return .failed(.unknownCommand) }
        if ZnodePath.reserved.contains(put.path) { return .failed(.invalidPath(path: put.path)) }
        if put.data.count > limits.dataBytesMax { return .failed(.dataTooLarge(path: put.path)) }
        let block = tree.find(put.path)
        if let failure = refusal(put.condition, block, put.path) { return .failed(failure) }
        guard let block else { return create(put) }
        if put.explicitMode, block.modeByte != put.mode.rawValue {
            return .failed(.nodeExists(path: put.path))
        }
        let growth = put.data.count - block.dataCount
        if growth > 0, tree.storeBytes + growth > limits.storeBytesMax {
            return .failed(.storeFull)
        }
        willChange(block)
        let new = put.data.withRawBytes {
            tree.setData(block, data: $0, zxid: lastZxid.rawValue, timeMs: lastTimeMs)
        }
        happened(.changed, new.path)
        return .set(path: put.path, stat: new.stat)
    }

    /// Nil: the condition holds.
    func refusal(_ condition: Condition, _ block: ZnodeBlock?, _ path: ZnodePath) -> Failure? {
        let unlike = Failure.badVersion(path: path, absent: block == nil)
        switch condition {
        case .none:
            return nil
        case .absent:
            return block == nil ? nil : .nodeExists(path: path)
        case .exists:
            return block == nil ? unlike : nil
        case .mzxidAny(let zxids):
            guard let block else { return unlike }
            return zxids.contains(Zxid(block.mzxid)) ? nil : unlike
        case .version(let version):
            guard let block else { return .noNode(path: path) }
            return version == -1 || version == block.version ? nil : unlike
        }
    }

    private mutating func create(_ put: Put) -> Outcome {
        // A condition that wants a znode has been refused: it is absent.
        guard let parent = put.path.parent else { fatalError("invariant: there is no root") }
        var missing: [ZnodePath] = []
        var above: ZnodePath? = parent
        while let path = above, tree.find(path) == nil {
            missing.append(path)
            above = path.parent
        }
        if !missing.isEmpty, !put.makeParents { return .failed(.noNode(path: parent)) }
        let growth =
            put.path.bytes.count + put.data.count
            + missing.reduce(0) { $0 + $1.bytes.count }
        if tree.storeBytes + growth > limits.storeBytesMax { return .failed(.storeFull) }
        for path in missing.reversed() { createOne(path, [], .persistent) }
        let block = createOne(put.path, put.data, put.mode)
        return .created(path: put.path, stat: block.stat)
    }

    mutating func createSequential(
        _ parent: ZnodePath, _ prefix: [UInt8], _ data: [UInt8], _ mode: CreateMode
    ) -> Outcome {
        guard mode == .persistent || mode == .persistentSequential else {
            return .failed(.unknownCommand)
        }
        let creates = tree.find(parent).map { $0.children?.creates ?? 0 }
        let path = parent.appending(prefix + Self.sequenceSuffix(creates ?? 0))
        let isOneName = !prefix.contains(ZnodePath.slash)
        if !isOneName || ZnodePath.check(path.bytes.span) != nil
            || ZnodePath.reserved.contains(path)
        {
            return .failed(.invalidPath(path: path))
        }
        if data.count > limits.dataBytesMax { return .failed(.dataTooLarge(path: path)) }
        if creates == nil { return .failed(.noNode(path: parent)) }
        if tree.find(path) != nil { return .failed(.nodeExists(path: path)) }
        if tree.storeBytes + path.bytes.count + data.count > limits.storeBytesMax {
            return .failed(.storeFull)
        }
        let block = createOne(path, data, .persistent)
        return .created(path: path, stat: block.stat)
    }

    /// Java's `%010d` of an int, which gets negative after 2^31 creates
    /// (org.apache.zookeeper.server.PrepRequestProcessor).
    static func sequenceSuffix(_ creates: Int32) -> [UInt8] {
        let digits = Array(String(creates.magnitude).utf8)
        let sign: [UInt8] = creates < 0 ? [UInt8(ascii: "-")] : []
        let zeros = max(0, 10 - digits.count - sign.count)
        return sign + [UInt8](repeating: UInt8(ascii: "0"), count: zeros) + digits
    }

    @discardableResult
    private mutating func createOne(_ path: ZnodePath, _ data: [UInt8], _ mode: CreateMode)
        -> ZnodeBlock
    {
        guard let parentPath = path.parent, let parent = tree.find(parentPath) else {
            fatalError("invariant: \(path) has no parent")
        }
        willChange(parent)
        let fields = ZnodeFields(
            czxid: lastZxid.rawValue, mzxid: lastZxid.rawValue, ctimeMs: lastTimeMs,
            mtimeMs: lastTimeMs, version: 0, aversion: 0, modeByte: mode.rawValue,
            nameCount: path.name.count)
        let block = path.bytes.withRawBytes { rawPath in
            data.withRawBytes { tree.insert(fields, path: rawPath, data: $0, below: parent) }
        }
        let creates = parent.children?.creates ?? 0
        tree.setChildFields(parent, pzxid: lastZxid.rawValue, creates: creates &+ 1)
        happened(.created, block.path)
        return block
    }

    /// For history and watches, after the change.
    mutating func happened(_ type: EventTypes, _ path: RawBytes) {
        history.append(type, path, zxid: lastZxid.rawValue)
        watches.fire(type, path)
    }

    /// Before a change: a snapshot under way keeps the znode as it is.
    mutating func willChange(_ block: ZnodeBlock) { walk?.keep(block) }
}
