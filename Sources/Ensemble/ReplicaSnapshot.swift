// The bytes of a snapshot's body: the replica's own record first (length, layout number, identity
// table, limits in force), then the tree's. All of it is replicated state, so equal states give
// equal bytes.

package import Znodes

package enum ReplicaSnapshotError: Error, Sendable, Equatable {
    case head(CodecError)
    case tree(SnapshotError)
    /// The body ends inside the replica's record.
    case incomplete
}

package enum ReplicaSnapshot {
    static let layout: UInt32 = 1
    /// A bound on what a damaged length may make the decoder keep.
    static let recordBytesMax = 1 << 20

    package struct Head: Sendable {
        package let identity: IdentityTable
        package let limits: ZnodeLimits
    }

    package static func encode(_ state: Head) -> [UInt8] {
        var record: [UInt8] = []
        record.append(u32: layout)
        state.identity.encode(into: &record)
        record.append(limits: state.limits)
        var head: [UInt8] = []
        head.append(counted: record)
        return head
    }

    /// Nil while `bytes` holds only a part of it.
    static func decodeHead(_ bytes: Span<UInt8>) throws(CodecError) -> Head? {
        var length = ByteReader(bytes)
        let recordBytes = Int(try length.u32())
        guard recordBytes <= recordBytesMax else { throw .tooLong }
        if length.remaining < recordBytes { return nil }
        var record = ByteReader(bytes.extracting(4...))
        let layout = try record.u32()
        guard layout == Self.layout else { throw .otherProtocol(layout) }
        let state = Head(
            identity: try IdentityTable(decoding: &record), limits: try record.limits())
        try record.end()
        var whole = ByteReader(bytes)
        guard encode(state) == (try whole.rest()) else { throw .notCanonical }
        return state
    }
}

/// What a snapshot restores. Frozen, so that its parts can be handed on apart.
@frozen
package struct RestoredReplica: ~Copyable {
    package let head: ReplicaSnapshot.Head
    package let tree: RestoredState
}

/// Takes a snapshot's body in pieces of any size. Throws once, and is useless then.
package struct SnapshotDecoder: ~Copyable {
    private let hashSeed: UInt64
    private var headBytes: [UInt8] = []
    private var head: ReplicaSnapshot.Head?
    private var tree: StateRestorer?

    package init(hashSeed: UInt64) { self.hashSeed = hashSeed }

    package mutating func consume(_ bytes: Span<UInt8>) throws(ReplicaSnapshotError) {
        var position = 0
        while tree == nil, position < bytes.count {
            headBytes.append(bytes[position])
            position += 1
            if headBytes.count < 4 { continue }
            do throws(CodecError) {
                guard let whole = try ReplicaSnapshot.decodeHead(headBytes.span) else { continue }
                head = whole
                tree = StateRestorer(limits: whole.limits, hashSeed: hashSeed)
            } catch {
                throw .head(error)
            }
        }
        guard position < bytes.count else { return }
        do throws(SnapshotError) {
            try tree?.consume(bytes.extracting(position...))
        } catch {
            throw .tree(error)
        }
    }

    package consuming func finish() throws(ReplicaSnapshotError) -> RestoredReplica {
        let head = self.head
        guard let head, let tree = self.tree.take() else { throw .incomplete }
        do throws(SnapshotError) {
            return RestoredReplica(head: head, tree: try tree.finish())
        } catch {
            throw .tree(error)
        }
    }
}
