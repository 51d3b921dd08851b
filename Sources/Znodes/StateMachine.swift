// The replicated state: the tree, its event history, and what hangs on them. The same entries give
// the same state and the same outcomes on every member; it reads no clock and draws no random
// number. One thread owns it; others look through `publication`.

package struct StateMachine: ~Copyable {
    /// In force for the next command; part of the replicated state, see `setLimits`.
    package private(set) var limits: ZnodeLimits
    /// What event loops read beside this; one for the life of the member.
    package let publication = TreePublication()
    /// Events that one query looks at before it gives what it has (but all of one zxid). Of this
    /// member alone: nothing that is replicated hangs on it.
    package var eventsScannedMax = 4_096
    /// The last entry that was applied or skipped.
    package private(set) var lastZxid = Zxid.zero
    /// The greatest time stamp of an entry: time never goes back.
    private(set) var lastTimeMs: Int64 = 0

    var tree: ZnodeTree
    var history = EventHistory()
    var watches = WatchTable()
    var walk: SnapshotWalk?

    package init(limits: ZnodeLimits, hashSeed: UInt64) {
        self.limits = limits
        tree = ZnodeTree(hashSeed: hashSeed)
        publication.beginChange()
        tree.attach(publication)
        tree.insertFirstZnodes()
        publication.endChange(.zero)
    }

    /// Mixes all znodes; members at the same zxid must agree.
    package var digest: UInt64 { tree.digest }
    /// The root and `/zookeeper` included.
    package var znodeCount: Int { tree.znodeCount }
    /// Paths and data of all znodes, what `ZnodeLimits.storeBytesMax` is about.
    package var storeBytes: Int { tree.storeBytes }
    /// Memory of the tree as the allocator sees it, what waits for readers included.
    package var allocatedBytes: Int { tree.memory.allocatedBytes }
    /// Events with a greater zxid are all remembered.
    package var historyFloor: Zxid { history.floor }
    package var historyBytes: Int { history.byteCount }
    package var watchCount: Int { watches.count }
    /// Of paths, to find whom an event concerns: counts work.
    package var watchBytesHashed: Int { watches.bytesHashed }

    /// Decides the command of the entry at `zxid` and carries it out. `timeMs` is the leader's clock.
    package mutating func apply(_ command: Command, zxid: Zxid, timeMs: Int64) -> Outcome {
        advance(to: zxid)
        lastTimeMs = max(lastTimeMs, timeMs)
        publication.beginChange()
        let outcome =
            switch command {
            case .put(let path, let data, let mode, let explicit, let condition, let makeParents):
                put(
                    Put(
                        path: path, data: data, mode: mode, explicitMode: explicit,
                        condition: condition, makeParents: makeParents))
            case .createSequential(let parent, let prefix, let data, let mode):
                createSequential(parent, prefix, data, mode)
            case .delete(let path, let condition, let recursive):
                delete(path, condition, recursive: recursive)
            }
        publication.endChange(zxid)
        history.closeGroup(bytesMax: limits.historyBytesMax)
        tree.reclaimSome()
        return outcome
    }

    /// An entry that changes no znode.
    package mutating func skip(to zxid: Zxid) {
        advance(to: zxid)
        publication.beginChange()
        publication.endChange(zxid)
    }

    private mutating func advance(to zxid: Zxid) {
        invariant(zxid > lastZxid, "entry \(zxid) after \(lastZxid)")
        lastZxid = zxid
    }

    /// Frees what readers were holding, at most so many pieces of memory: when idle.
    package mutating func reclaim(piecesMax: Int = .max) { tree.reclaim(piecesMax: piecesMax) }

    /// The state at `lastZxid`, on the thread that owns it.
    package borrowing func withState<R>(_ body: (borrowing TreeState) -> R) -> R {
        body(TreeState(tree.index))
    }

    /// Outcomes depend on limits, so they change only by an applied entry, on all members alike.
    package mutating func setLimits(_ limits: ZnodeLimits) { self.limits = limits }

    /// The member starts anew from a snapshot. Readers go over to it; all watches fire.
    package mutating func adopt(_ restored: consuming RestoredState) {
        abandonSnapshot()
        publication.beginChange()
        lastZxid = restored.lastZxid
        lastTimeMs = restored.lastTimeMs
        history = restored.history
        tree.replace(with: restored.tree)
        publication.endChange(lastZxid)
        tree.reclaimSome()
        watches.fireAll()
    }

}

extension ZnodeTree {
    /// What is there before the first entry.
    mutating func insertFirstZnodes() {
        let slash = [ZnodePath.slash]
        let fields = ZnodeFields(
            czxid: 0, mzxid: 0, ctimeMs: 0, mtimeMs: 0, version: 0, aversion: 0,
            modeByte: CreateMode.persistent.rawValue, nameCount: 0)
        let root = slash.withRawBytes { insert(fields, path: $0, data: .empty, below: nil) }
        var reserved = fields
        reserved.nameCount = ZnodePath.reserved.name.count
        ZnodePath.reserved.bytes.withRawBytes {
            _ = insert(reserved, path: $0, data: .empty, below: root)
        }
    }
}

extension ZnodePath {
    /// ZooKeeper's own corner of the tree (org.apache.zookeeper.Quotas).
    package static let reserved = ZnodePath(trusted: Array("/zookeeper".utf8))
}
