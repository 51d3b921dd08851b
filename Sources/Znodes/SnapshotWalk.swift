// A snapshot under way: the state at one zxid, walked in canonical order in bounded steps while the
// writer goes on. Before the writer changes a znode that the walk has not passed, the znode's record
// is kept here as it was; the walk passes over what changed since and gives what was kept.

internal import DequeModule
internal import HeapModule

package enum SnapshotStep: Sendable {
    case more
    /// These bytes were the last.
    case last
    /// The znodes as they are do not add up to the digest that was kept while they changed: memory
    /// does not hold what was applied. There is no snapshot.
    case corrupted
}

struct SnapshotWalk {
    private struct Kept: Comparable {
        let path: [UInt8]
        let record: [UInt8]
        let digest: UInt64
        static func < (a: Self, b: Self) -> Bool { ZnodePath.precedes(a.path, b.path) }
        static func == (a: Self, b: Self) -> Bool { a.path == b.path }
    }

    private enum Phase { case state, events, znodes, end }

    private let zxid: UInt64
    private let state: [UInt8]
    private let digest: UInt64
    /// Of the znodes that have been given, by what they hold now.
    private var sum: UInt64 = 0
    private var history: EventHistory.Frozen
    private var phase = Phase.state
    /// All znodes up to this path are passed; nil: none.
    private var passed: [UInt8]?
    private var kept = Heap<Kept>()
    private var checksum = SnapshotFormat.checksum()

    init(zxid: Zxid, timeMs: Int64, tree: borrowing ZnodeTree, history: EventHistory) {
        self.zxid = zxid.rawValue
        digest = tree.digest
        self.history = history.frozen()
        var state: [UInt8] = []
        state.appendInteger(SnapshotFormat.magic)
        state.appendInteger(SnapshotFormat.version)
        state.appendInteger(zxid.rawValue)
        state.appendInteger(timeMs)
        state.appendInteger(UInt64(tree.znodeCount))
        state.appendInteger(UInt64(tree.storeBytes))
        state.appendInteger(tree.digest)
        state.appendInteger(history.floor.rawValue)
        self.state = state
    }

    /// The znode is about to change.
    mutating func keep(_ block: ZnodeBlock) {
        guard isOfThisState(block) else { return }
        let path = block.path.array
        if let passed, !ZnodePath.precedes(passed, path) { return }
        var record: [UInt8] = []
        SnapshotFormat.znode(block, into: &record)
        kept.insert(Kept(path: path, record: record, digest: TreeDigest.whole(block)))
    }

    /// Untouched since the snapshot began; each change of a znode moves one of these.
    private func isOfThisState(_ block: ZnodeBlock) -> Bool {
        max(block.mzxid, block.pzxid) <= zxid
    }

    /// Appends about `bytesTarget` bytes.
    mutating func step(_ tree: borrowing ZnodeTree, into out: inout [UInt8], bytesTarget: Int)
        -> SnapshotStep
    {
        let end = out.count + max(bytesTarget, 1)
        while out.count < end {
            switch phase {
            case .state:
                SnapshotFormat.frame(.state, into: &out, &checksum) { $0 += state }
                phase = .events
            case .events:
                if !history.step(into: &out, &checksum, end: end) { phase = .znodes }
            case .znodes:
                guard let isLast = walk(tree, into: &out, end: end) else { return .more }
                if isLast { phase = .end }
            case .end:
                guard sum == digest else { return .corrupted }
                out.append(SnapshotFormat.Tag.end.rawValue)
                out.appendInteger(UInt32(8))
                out.appendInteger(checksum.finished())
                return .last
            }
        }
        return .more
    }

    /// Nil when it looked at enough znodes for one step without reaching `end`.
    private mutating func walk(
        _ tree: borrowing ZnodeTree, into out: inout [UInt8], end: Int
    ) -> Bool? {
        var live = PreorderWalk(tree, after: passed)
        var left = 64 + (end - out.count) / 32
        var next = live.next()
        while out.count < end {
            if left == 0 { return nil }
            left -= 1
            if let kept = kept.min, next.map({ Self.precedes(kept.path, $0.path) }) ?? true {
                SnapshotFormat.frame(.znode, into: &out, &checksum) { $0 += kept.record }
                sum &+= kept.digest
                passed = kept.path
                self.kept.removeMin()
                continue
            }
            guard let block = next else { return true }
            if isOfThisState(block) {
                SnapshotFormat.frame(.znode, into: &out, &checksum) {
                    SnapshotFormat.znode(block, into: &$0)
                }
                sum &+= TreeDigest.whole(block)
            }
            next = live.next()
            if out.count >= end || left == 0 || next == nil { passed = block.path.array }
        }
        return false
    }

    /// A kept record of the same path as a live znode comes first, whose turn is over then too.
    private static func precedes(_ kept: [UInt8], _ live: RawBytes) -> Bool {
        !ZnodePath.precedes(live.array, kept)
    }
}

/// Znodes in canonical order, good as long as the tree does not change.
struct PreorderWalk {
    private struct Level {
        let record: ChildRecord
        var batch: [ZnodeBlock] = []
        var at = 0

        mutating func fill(after name: RawBytes?) {
            batch.removeAll(keepingCapacity: true)
            at = 0
            record.forEach(after: name) { block in
                batch.append(block)
                return batch.count < ChildNode.capacityMax
            }
        }

        mutating func next() -> ZnodeBlock? {
            if at == batch.count, let last = batch.last { fill(after: last.name) }
            if at == batch.count { return nil }
            defer { at += 1 }
            return batch[at]
        }
    }

    private var levels: [Level] = []
    private var root: ZnodeBlock?

    /// Those after `path` in canonical order, whether or not there is such a znode; nil: all.
    init(_ tree: borrowing ZnodeTree, after path: [UInt8]?) {
        root = tree.find(.root)
        guard let path else { return }
        guard let record = root?.children else {
            root = nil
            return
        }
        root = nil
        path.withRawBytes { path in
            var record = record
            var start = 1
            while start < path.count {
                var end = start
                while end < path.count, path[end] != ZnodePath.slash { end += 1 }
                push(record, after: path.part(start, end - start))
                guard let below = tree.find(path.part(0, end))?.children else { return }
                record = below
                start = end + 1
            }
            push(record, after: nil)
        }
    }

    private mutating func push(_ record: ChildRecord, after name: RawBytes?) {
        var level = Level(record: record)
        level.fill(after: name)
        levels.append(level)
    }

    mutating func next() -> ZnodeBlock? {
        if let first = root {
            root = nil
            enter(first)
            return first
        }
        while !levels.isEmpty {
            if let block = levels[levels.count - 1].next() {
                enter(block)
                return block
            }
            levels.removeLast()
        }
        return nil
    }

    private mutating func enter(_ block: ZnodeBlock) {
        if let record = block.children, record.count > 0 { push(record, after: nil) }
    }
}

extension EventHistory {
    /// The history as it is now, to be given out in steps.
    struct Frozen {
        fileprivate var chunks: Deque<Chunk>
        fileprivate var chunk = 0
        fileprivate var group: Int
        /// Within the group; 0: at its header.
        fileprivate var event = 0

        /// False when there was no more.
        mutating func step(into out: inout [UInt8], _ checksum: inout SipHash, end: Int) -> Bool {
            while out.count < end {
                guard chunk < chunks.count else { return false }
                let bytes = chunks[chunk].bytes
                let header = Group(bytes.span, group)
                if event == 0 { event = header.start }
                bytes.withRawBytes { raw in
                    while event < header.end, out.count < end {
                        let count = Int(raw[event + 1]) | Int(raw[event + 2]) << 8
                        SnapshotFormat.frame(.event, into: &out, &checksum) {
                            $0.appendInteger(header.zxid)
                            $0.append(raw[event])
                            raw.part(event + 3, count).append(to: &$0)
                        }
                        event += 3 + count
                    }
                }
                guard event == header.end else { return true }
                event = 0
                group = header.end
                if group == bytes.count {
                    chunk += 1
                    group = 0
                    chunks[chunk - 1].bytes = []
                }
            }
            return true
        }
    }

    func frozen() -> Frozen { Frozen(chunks: chunks, group: start) }
}
