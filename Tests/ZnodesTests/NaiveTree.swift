// The oracle: the rules of the tree written down a second time, in the plainest way, with nothing
// shared but the vocabulary and the keyed hash. Slow on purpose.

import Znodes

struct NaiveZnode: Equatable {
    var czxid: UInt64
    var mzxid: UInt64
    var pzxid: UInt64
    var ctimeMs: Int64
    var mtimeMs: Int64
    var version: Int32 = 0
    var creates: Int32 = 0
    var data: [UInt8]
}

struct NaiveTree {
    var limits: ZnodeLimits
    var znodes: [[UInt8]: NaiveZnode] = [:]
    var events: [Event] = []
    var lastZxid: UInt64 = 0
    var lastTimeMs: Int64 = 0
    /// Zxids of all deletions by path.
    var deletions: [[UInt8]: UInt64] = [:]

    init(limits: ZnodeLimits) {
        self.limits = limits
        let first = NaiveZnode(czxid: 0, mzxid: 0, pzxid: 0, ctimeMs: 0, mtimeMs: 0, data: [])
        znodes[bytes("/")] = first
        znodes[bytes("/zookeeper")] = first
    }

    static func parent(_ path: [UInt8]) -> [UInt8] {
        var segments = path.split(separator: UInt8(ascii: "/"))
        segments.removeLast()
        if segments.isEmpty { return bytes("/") }
        return segments.flatMap { [UInt8(ascii: "/")] + $0 }
    }

    static func segments(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map { Array($0) }
    }

    func children(_ path: [UInt8]) -> [[UInt8]] {
        let above = Self.segments(path)
        return znodes.keys.map(Self.segments)
            .filter { $0.count == above.count + 1 && Array($0.dropLast()) == above }
            .compactMap(\.last).sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Parents first, siblings by bytes.
    func inOrder() -> [[UInt8]] {
        znodes.keys.map { ($0, Self.segments($0)) }
            .sorted { Self.precedes($0.1, $1.1) }.map(\.0)
    }

    static func precedes(_ a: [[UInt8]], _ b: [[UInt8]]) -> Bool {
        for (x, y) in zip(a, b) where x != y { return x.lexicographicallyPrecedes(y) }
        return a.count < b.count
    }

    func below(_ path: [UInt8]) -> [[UInt8]] {
        let above = Self.segments(path)
        return inOrder().filter { Self.segments($0).starts(with: above) }
    }

    func stat(_ path: [UInt8]) -> Stat? {
        guard let znode = znodes[path] else { return nil }
        let count = Int32(children(path).count)
        return Stat(
            czxid: Zxid(znode.czxid), mzxid: Zxid(znode.mzxid), pzxid: Zxid(znode.pzxid),
            ctimeMs: znode.ctimeMs, mtimeMs: znode.mtimeMs, version: znode.version,
            cversion: znode.creates &* 2 &- count, aversion: 0, ephemeralOwner: nil,
            dataLength: Int32(znode.data.count), numChildren: count)
    }

    /// Of a znode that is there.
    func known(_ path: [UInt8]) -> Stat {
        guard let stat = stat(path) else { fatalError("no \(path)") }
        return stat
    }

    var storeBytes: Int { znodes.reduce(0) { $0 + $1.key.count + $1.value.data.count } }

    mutating func apply(_ command: Command, zxid: UInt64, timeMs: Int64) -> Outcome {
        lastZxid = zxid
        lastTimeMs = max(timeMs, lastTimeMs)
        switch command {
        case .put(let path, let data, let mode, _, let condition, let makeParents):
            guard mode == .persistent else { return .failed(.unknownCommand) }
            return put(path.bytes, data, condition, makeParents)
        case .createSequential(let parent, let prefix, let data, _):
            return sequential(parent.bytes, prefix, data)
        case .delete(let path, let condition, let recursive):
            return delete(path.bytes, condition, recursive)
        }
    }

    func isReserved(_ path: [UInt8]) -> Bool { Self.segments(path).first == bytes("zookeeper") }

    func refusal(_ condition: Condition, _ path: [UInt8]) -> Failure? {
        let znode = znodes[path]
        let named = ZnodePath(trusted: path)
        switch condition {
        case .none: return nil
        case .absent: return znode != nil ? .nodeExists(path: named) : nil
        case .exists: return znode == nil ? .badVersion(path: named, absent: true) : nil
        case .mzxidAny(let any):
            guard let znode else { return .badVersion(path: named, absent: true) }
            if any.contains(where: { $0.rawValue == znode.mzxid }) { return nil }
            return .badVersion(path: named, absent: false)
        case .version(let version):
            guard let znode else { return .noNode(path: named) }
            if version == -1 || version == znode.version { return nil }
            return .badVersion(path: named, absent: false)
        }
    }

    mutating func put(
        _ path: [UInt8], _ data: [UInt8], _ condition: Condition, _ makeParents: Bool
    ) -> Outcome {
        let named = ZnodePath(trusted: path)
        if isReserved(path) { return .failed(.invalidPath(path: named)) }
        if data.count > limits.dataBytesMax { return .failed(.dataTooLarge(path: named)) }
        if let failure = refusal(condition, path) { return .failed(failure) }
        var after = self
        if var znode = after.znodes[path] {
            znode.data = data
            znode.version &+= 1
            znode.mzxid = lastZxid
            znode.mtimeMs = lastTimeMs
            after.znodes[path] = znode
            if after.storeBytes > limits.storeBytesMax, after.storeBytes > storeBytes {
                return .failed(.storeFull)
            }
            self = after
            note(.changed, path)
            return .set(path: named, stat: known(path))
        }
        var chain = [path]
        while after.znodes[Self.parent(chain[0])] == nil {
            if !makeParents { return .failed(.noNode(path: ZnodePath(trusted: Self.parent(path)))) }
            chain.insert(Self.parent(chain[0]), at: 0)
        }
        for one in chain { after.create(one, one == path ? data : []) }
        if after.storeBytes > limits.storeBytesMax { return .failed(.storeFull) }
        self = after
        return .created(path: named, stat: known(path))
    }

    mutating func create(_ path: [UInt8], _ data: [UInt8]) {
        znodes[path] = NaiveZnode(
            czxid: lastZxid, mzxid: lastZxid, pzxid: lastZxid, ctimeMs: lastTimeMs,
            mtimeMs: lastTimeMs, data: data)
        znodes[Self.parent(path)]?.creates &+= 1
        znodes[Self.parent(path)]?.pzxid = lastZxid
        note(.created, path)
    }

    mutating func sequential(_ parent: [UInt8], _ prefix: [UInt8], _ data: [UInt8]) -> Outcome {
        let number = Int(znodes[parent]?.creates ?? 0)
        var digits = String(abs(number))
        while digits.count < (number < 0 ? 9 : 10) { digits = "0" + digits }
        if number < 0 { digits = "-" + digits }
        let name = prefix + bytes(digits)
        let path = (parent == bytes("/") ? [] : parent) + bytes("/") + name
        let named = ZnodePath(trusted: path)
        let isPath = (try? ZnodePath(validating: path)) != nil
        if !isPath || isReserved(path) || prefix.contains(UInt8(ascii: "/")) {
            return .failed(.invalidPath(path: named))
        }
        if data.count > limits.dataBytesMax { return .failed(.dataTooLarge(path: named)) }
        if znodes[parent] == nil { return .failed(.noNode(path: ZnodePath(trusted: parent))) }
        if znodes[path] != nil { return .failed(.nodeExists(path: named)) }
        var after = self
        after.create(path, data)
        if after.storeBytes > limits.storeBytesMax { return .failed(.storeFull) }
        self = after
        return .created(path: named, stat: known(path))
    }

    mutating func delete(_ path: [UInt8], _ condition: Condition, _ recursive: Bool) -> Outcome {
        let named = ZnodePath(trusted: path)
        if path == bytes("/") || isReserved(path) { return .failed(.invalidPath(path: named)) }
        if let failure = refusal(condition, path) { return .failed(failure) }
        if znodes[path] == nil { return .failed(.noNode(path: named)) }
        if !recursive, !children(path).isEmpty { return .failed(.notEmpty(path: named)) }
        let doomed = below(path).count
        if doomed > limits.deletedZnodesMax { return .failed(.tooManyZnodes(path: named)) }
        if below(path).reduce(0, { $0 + $1.count }) > limits.deletedBytesMax {
            return .failed(.tooManyZnodes(path: named))
        }
        remove(path)
        znodes[Self.parent(path)]?.pzxid = lastZxid
        return .deleted(count: doomed)
    }

    mutating func remove(_ path: [UInt8]) {
        for name in children(path) {
            remove((path == bytes("/") ? [] : path) + bytes("/") + name)
        }
        znodes[path] = nil
        deletions[path] = lastZxid
        note(.deleted, path)
    }

    mutating func note(_ type: EventTypes, _ path: [UInt8]) {
        events.append(Event(zxid: Zxid(lastZxid), type: type, path: ZnodePath(trusted: path)))
        if type != .changed {
            let parent = ZnodePath(trusted: Self.parent(path))
            events.append(Event(zxid: Zxid(lastZxid), type: .children, path: parent))
        }
    }

    func changed(_ view: View, _ path: [UInt8], after: UInt64) -> Bool {
        let node = znodes[path]
        switch view {
        case .data: if let node { return node.mzxid > after }
        case .children: if let node { return node.pzxid > after }
        case .existence: if let node { return node.czxid > after }
        case .node:
            return events.contains { $0.zxid.rawValue > after && $0.path.bytes == path }
        case .subtree:
            let above = Self.segments(path)
            return events.contains {
                $0.zxid.rawValue > after && Self.segments($0.path.bytes).starts(with: above)
            }
        }
        return (deletions[path] ?? 0) > after
    }

    func select(_ query: EventQuery) -> [Event] {
        let above = Self.segments(query.path.bytes)
        return events.filter { event in
            event.zxid > query.after && query.types.contains(event.type)
                && (event.path == query.path
                    || (query.recursive && Self.segments(event.path.bytes).starts(with: above)))
        }
    }
}

// The digest and the snapshot's bytes, from their description alone.
extension NaiveTree {
    func digest() -> UInt64 {
        let key: (UInt64, UInt64) = (0x6176_6961_7279_2e7a, 0x6e6f_6465_732e_7631)
        var sum: UInt64 = 0
        for (path, znode) in znodes {
            var data = SipHash(key.0, key.1)
            data.absorb(array: path)
            for word in [
                znode.czxid, znode.mzxid, UInt64(bitPattern: znode.ctimeMs),
                UInt64(bitPattern: znode.mtimeMs), UInt64(UInt32(bitPattern: znode.version)) << 32,
                UInt64(znode.data.count),
            ] {
                data.absorb(word)
            }
            data.absorb(array: znode.data)
            sum &+= data.finished()
            if hasChildFields(path, znode) {
                var about = SipHash(key.1, key.0)
                about.absorb(array: path)
                about.absorb(znode.czxid)
                about.absorb(znode.pzxid)
                about.absorb(UInt64(UInt32(bitPattern: znode.creates)))
                about.absorb(UInt64(children(path).count))
                sum &+= about.finished()
            }
        }
        return sum
    }

    func hasChildFields(_ path: [UInt8], _ znode: NaiveZnode) -> Bool {
        znode.creates != 0 || znode.pzxid != znode.czxid || !children(path).isEmpty
    }

    /// With a history that was never trimmed.
    func snapshot() -> [UInt8] {
        var out: [UInt8] = []
        var checksum = SipHash(0x736e_6170, 0x7368_6f74)
        func frame(_ tag: UInt8, _ payload: [UInt8]) {
            let frame = [tag] + little(UInt32(payload.count)) + payload
            checksum.absorb(array: frame)
            out += frame
        }
        frame(
            1,
            little(UInt64(0x5953_5952_4149_5641)) + little(UInt16(1)) + little(lastZxid)
                + little(lastTimeMs)
                + little(UInt64(znodes.count)) + little(UInt64(storeBytes)) + little(digest())
                + little(UInt64(0)))
        for event in events where event.type != .children {
            frame(2, little(event.zxid.rawValue) + [event.type.rawValue] + event.path.bytes)
        }
        for path in inOrder() {
            guard let znode = znodes[path] else { continue }
            let about = hasChildFields(path, znode)
            var payload: [UInt8] = [0, about ? 1 : 0]
            payload += little(UInt16(path.count)) + path
            payload += little(znode.czxid) + little(znode.mzxid)
            payload += little(znode.ctimeMs) + little(znode.mtimeMs)
            payload += little(znode.version) + little(Int32(0))
            if about { payload += little(znode.pzxid) + little(znode.creates) }
            frame(3, payload + znode.data)
        }
        return out + [127] + little(UInt32(8)) + little(checksum.finished())
    }
}

extension SipHash {
    mutating func absorb(array: [UInt8]) {
        for start in stride(from: 0, to: array.count - 7, by: 8) {
            absorb((0..<8).reduce(UInt64(0)) { $0 | UInt64(array[start + $1]) << UInt64($1 * 8) })
        }
        let done = array.count / 8 * 8
        let last = (done..<array.count).reduce(UInt64(array.count & 0xFF) << 56) {
            $0 | UInt64(array[$1]) << UInt64(($1 - done) * 8)
        }
        absorb(last)
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func little<I: FixedWidthInteger>(_ value: I) -> [UInt8] {
    (0..<(I.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> I($0 * 8)) }
}
