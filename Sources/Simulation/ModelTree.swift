// The rules of the tree written down a second time, in the plainest way, with every state that it
// ever had. Nothing is shared with the real one but the vocabulary.

import Znodes

struct ModelTree {
    struct Znode {
        var stat: Stat
        var data: [UInt8]
        var creates: Int32 = 0
        /// Sorted by bytes.
        var children: [[UInt8]] = []
    }
    struct Version {
        let zxid: Zxid
        /// Nil: there is no znode from here on.
        let stat: Stat?
        let data: [UInt8]
        let children: [[UInt8]]
    }

    var limits = ZnodeLimits()
    /// By path; only looked up.
    private var znodes: [[UInt8]: Znode] = [:]
    private var versions: [[UInt8]: [Version]] = [:]
    /// All there ever were, in order.
    private(set) var events: [Event] = []
    private var storeBytes = 11
    private var zxid = Zxid.zero
    private var timeMs: Int64 = 0
    private var touched: [ZnodePath] = []

    init() {
        znodes[ZnodePath.root.bytes] = fresh([])
        znodes[ZnodePath.reserved.bytes] = fresh([])
        znodes[ZnodePath.root.bytes]?.children = [Array(ZnodePath.reserved.name)]
        znodes[ZnodePath.root.bytes]?.stat.numChildren = 1
    }

    private func fresh(_ data: [UInt8]) -> Znode {
        Znode(
            stat: Stat(
                czxid: zxid, mzxid: zxid, pzxid: zxid, ctimeMs: timeMs, mtimeMs: timeMs,
                version: 0, cversion: 0, aversion: 0, ephemeralOwner: nil,
                dataLength: Int32(data.count), numChildren: 0), data: data)
    }

    mutating func apply(_ command: Command, zxid: Zxid, timeMs: Int64) -> Outcome {
        self.zxid = zxid
        self.timeMs = max(self.timeMs, timeMs)
        let outcome: Outcome
        switch command {
        case .put(let path, let data, _, _, let condition, let makeParents):
            outcome = put(path, data, condition, makeParents: makeParents)
        case .createSequential(let parent, let prefix, let data, _):
            outcome = sequential(parent, prefix, data)
        case .delete(let path, let condition, let recursive):
            outcome = delete(path, condition, recursive: recursive)
        }
        for path in touched {
            let znode = znodes[path.bytes]
            versions[path.bytes, default: []].append(
                Version(
                    zxid: zxid, stat: znode?.stat, data: znode?.data ?? [],
                    children: znode?.children ?? []))
        }
        touched.removeAll(keepingCapacity: true)
        return outcome
    }

    private func refusal(_ condition: Condition, _ path: ZnodePath) -> Failure? {
        let stat = znodes[path.bytes]?.stat
        switch condition {
        case .none: return nil
        case .absent: return stat == nil ? nil : .nodeExists(path: path)
        case .exists: return stat == nil ? .badVersion(path: path, absent: true) : nil
        case .mzxidAny(let zxids):
            guard let stat else { return .badVersion(path: path, absent: true) }
            return zxids.contains(stat.mzxid) ? nil : .badVersion(path: path, absent: false)
        case .version(let version):
            guard let stat else { return .noNode(path: path) }
            return version == -1 || version == stat.version
                ? nil : .badVersion(path: path, absent: false)
        }
    }

    private mutating func put(
        _ path: ZnodePath, _ data: [UInt8], _ condition: Condition, makeParents: Bool
    ) -> Outcome {
        if ZnodePath.reserved.contains(path) { return .failed(.invalidPath(path: path)) }
        if data.count > limits.dataBytesMax { return .failed(.dataTooLarge(path: path)) }
        if let failure = refusal(condition, path) { return .failed(failure) }
        if var znode = znodes[path.bytes] {
            let growth = data.count - znode.data.count
            if growth > 0, storeBytes + growth > limits.storeBytesMax { return .failed(.storeFull) }
            storeBytes += growth
            znode.data = data
            znode.stat.dataLength = Int32(data.count)
            znode.stat.version &+= 1
            znode.stat.mzxid = zxid
            znode.stat.mtimeMs = timeMs
            znodes[path.bytes] = znode
            note(.changed, path)
            return .set(path: path, stat: znode.stat)
        }
        var chain = [path]
        while let parent = chain[chain.count - 1].parent, znodes[parent.bytes] == nil {
            if !makeParents { return .failed(.noNode(path: parent)) }
            chain.append(parent)
        }
        let growth = chain.reduce(data.count) { $0 + $1.bytes.count }
        if storeBytes + growth > limits.storeBytesMax { return .failed(.storeFull) }
        for one in chain.reversed() { create(one, one == path ? data : []) }
        return .created(path: path, stat: znodes[path.bytes]?.stat ?? fresh(data).stat)
    }

    private mutating func create(_ path: ZnodePath, _ data: [UInt8]) {
        guard let parent = path.parent else { return }
        znodes[path.bytes] = fresh(data)
        storeBytes += path.bytes.count + data.count
        let name = Array(path.name)
        update(parent) { znode in
            let position =
                znode.children.firstIndex { name.lexicographicallyPrecedes($0) }
                ?? znode.children.count
            znode.children.insert(name, at: position)
            znode.creates &+= 1
        }
        note(.created, path)
    }

    /// A child came or went.
    private mutating func update(_ parent: ZnodePath, _ change: (inout Znode) -> Void) {
        guard var znode = znodes[parent.bytes] else { return }
        change(&znode)
        znode.stat.pzxid = zxid
        znode.stat.numChildren = Int32(znode.children.count)
        znode.stat.cversion = znode.creates &* 2 &- znode.stat.numChildren
        znodes[parent.bytes] = znode
    }

    private mutating func sequential(_ parent: ZnodePath, _ prefix: [UInt8], _ data: [UInt8])
        -> Outcome
    {
        let digits = Array(String(znodes[parent.bytes]?.creates ?? 0).utf8)
        let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: 10 - digits.count)
        let path = parent.appending(prefix + zeros + digits)
        if ZnodePath.check(path.bytes.span) != nil || ZnodePath.reserved.contains(path) {
            return .failed(.invalidPath(path: path))
        }
        if data.count > limits.dataBytesMax { return .failed(.dataTooLarge(path: path)) }
        if znodes[parent.bytes] == nil { return .failed(.noNode(path: parent)) }
        if znodes[path.bytes] != nil { return .failed(.nodeExists(path: path)) }
        if storeBytes + path.bytes.count + data.count > limits.storeBytesMax {
            return .failed(.storeFull)
        }
        create(path, data)
        return .created(path: path, stat: znodes[path.bytes]?.stat ?? fresh(data).stat)
    }

    private mutating func delete(_ path: ZnodePath, _ condition: Condition, recursive: Bool)
        -> Outcome
    {
        if path.isRoot || ZnodePath.reserved.contains(path) {
            return .failed(.invalidPath(path: path))
        }
        if let failure = refusal(condition, path) { return .failed(failure) }
        guard let znode = znodes[path.bytes], let parent = path.parent else {
            return .failed(.noNode(path: path))
        }
        if !znode.children.isEmpty, !recursive { return .failed(.notEmpty(path: path)) }
        let doomed = count(path)
        if doomed > limits.deletedZnodesMax || pathBytes(path) > limits.deletedBytesMax {
            return .failed(.tooManyZnodes(path: path))
        }
        remove(path)
        let name = Array(path.name)
        update(parent) { $0.children.removeAll { $0 == name } }
        return .deleted(count: doomed)
    }

    private func count(_ path: ZnodePath) -> Int {
        (znodes[path.bytes]?.children ?? []).reduce(1) { $0 + count(path.appending($1)) }
    }

    private func pathBytes(_ path: ZnodePath) -> Int {
        (znodes[path.bytes]?.children ?? []).reduce(path.bytes.count) {
            $0 + pathBytes(path.appending($1))
        }
    }

    private mutating func remove(_ path: ZnodePath) {
        for name in znodes[path.bytes]?.children ?? [] { remove(path.appending(name)) }
        storeBytes -= path.bytes.count + (znodes[path.bytes]?.data.count ?? 0)
        znodes[path.bytes] = nil
        note(.deleted, path)
    }

    private mutating func note(_ type: EventTypes, _ path: ZnodePath) {
        touched.append(path)
        events.append(Event(zxid: zxid, type: type, path: path))
        if type != .changed, let parent = path.parent {
            touched.append(parent)
            events.append(Event(zxid: zxid, type: .children, path: parent))
        }
    }
}

// MARK: What it was at any time

extension ModelTree {
    /// The state of a znode after the entry at `zxid`; nil when there was none yet.
    func version(_ path: ZnodePath, at zxid: Zxid) -> Version? {
        versions[path.bytes]?.last { $0.zxid <= zxid }
    }

    /// The first event after `zxid`.
    private func position(after zxid: Zxid) -> Int {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].zxid <= zxid { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func changed(_ view: View, _ path: ZnodePath, after: Zxid, through: Zxid) -> Bool {
        let types: EventTypes =
            switch view {
            case .data: [.created, .changed, .deleted]
            case .children: [.created, .deleted, .children]
            case .existence: [.created, .deleted]
            case .node, .subtree: .all
            }
        let query = EventQuery(
            path: path, recursive: view == .subtree, types: types, after: after, eventsMax: 1)
        return !select(query, through: through, countMax: 1).isEmpty
    }

    func select(_ query: EventQuery, through: Zxid, countMax: Int = .max) -> [Event] {
        var found: [Event] = []
        for event in events[position(after: query.after)...] {
            if event.zxid > through || found.count >= countMax { break }
            let isCovered =
                query.recursive ? query.path.contains(event.path) : query.path == event.path
            if isCovered, query.types.contains(event.type) { found.append(event) }
        }
        return found
    }
}
