// What can be asked of the tree, as a value that travels through the log. A command is decided
// when its entry is applied, never before. Tags and layouts of the encoding stay for ever.

/// What must hold for the change to happen; checked at apply against the named znode only.
package enum Condition: Sendable, Equatable {
    case none
    /// The znode must not exist (`If-None-Match: *`).
    case absent
    /// It must exist (`If-Match: *`); else `Failure.badVersion` with `absent` true.
    case exists
    /// It must exist with one of these mzxids (`If-Match: "tag", ...`).
    case mzxidAny([Zxid])
    /// ZooKeeper's: it must exist (else `noNode`) with this version; -1 is any.
    case version(Int32)
}

/// ZooKeeper's create modes with its numbers (org.apache.zookeeper.CreateMode).
package enum CreateMode: UInt8, Sendable {
    case persistent = 0
    case ephemeral = 1
    case persistentSequential = 2
    case ephemeralSequential = 3
    case container = 4
    case persistentTTL = 5
    case persistentSequentialTTL = 6
}

package enum Command: Sendable, Equatable {
    /// Create or set. `explicitMode`: the client named a mode, so an existing znode of another mode
    /// is `nodeExists`. `makeParents` creates missing parents (persistent, empty) in the same entry.
    case put(
        path: ZnodePath, data: [UInt8], mode: CreateMode, explicitMode: Bool, condition: Condition,
        makeParents: Bool)
    /// Create `parent`/`prefix` + `%010d` of the parent's count of creates.
    case createSequential(parent: ZnodePath, prefix: [UInt8], data: [UInt8], mode: CreateMode)
    /// `recursive` deletes the whole subtree in this one entry or nothing at all.
    case delete(path: ZnodePath, condition: Condition, recursive: Bool)
}

/// How a change was refused. Refusals are values: each replica comes to the same one.
package enum Failure: Sendable, Equatable {
    /// `path` is the znode that is missing (a parent, or the znode itself).
    case noNode(path: ZnodePath)
    case nodeExists(path: ZnodePath)
    /// `absent`: the condition wanted a znode and there is none.
    case badVersion(path: ZnodePath, absent: Bool)
    case notEmpty(path: ZnodePath)
    case noChildrenForEphemerals(path: ZnodePath)
    /// A recursive delete of more znodes than `ZnodeLimits.deletedZnodesMax`.
    case tooManyZnodes(path: ZnodePath)
    /// All data together would exceed `ZnodeLimits.storeBytesMax`.
    case storeFull
    /// The root cannot be deleted; `/zookeeper` is reserved; the path or name would be too long.
    case invalidPath(path: ZnodePath)
    case dataTooLarge(path: ZnodePath)
    /// The encoded command is of a kind that this version does not know.
    case unknownCommand
}

package enum Outcome: Sendable, Equatable {
    case created(path: ZnodePath, stat: Stat)
    case set(path: ZnodePath, stat: Stat)
    /// `count` znodes, the named one included.
    case deleted(count: Int)
    case failed(Failure)
}
