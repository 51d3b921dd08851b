// The bytes of a snapshot's body: the replica's own record first (length, layout number, identity
// table), then the tree's. Everything in it is replicated state, so equal states give equal bytes.

package import Znodes

package enum ReplicaSnapshotError: Error, Sendable, Equatable {
    case head(CodecError)
    case tree(SnapshotError)
    /// The body ends inside the replica's record.
    case incomplete
}

enum ReplicaSnapshot {
    static let layout: UInt32 = 1
    /// A bound on what a damaged length may make the decoder keep.
    static let recordBytesMax = 1 << 20

    static func encodeHead(_ identity: IdentityTable) -> [UInt8] {
        var record: [UInt8] = []
        record.append(u32: layout)
        identity.encode(into: &record)
        var head: [UInt8] = []
        head.append(counted: record)
        return head
    }

    /// Nil while `bytes` holds only a part of it.
    static func decodeHead(_ bytes: Span<UInt8>) throws(CodecError) -> IdentityTable? {
        var length = ByteReader(bytes)
        let recordBytes = Int(try length.u32())
        guard recordBytes <= recordBytesMax else { throw .tooLong }
        if length.remaining < recordBytes { return nil }
        var record = ByteReader(bytes.extracting(4...))
        let layout = try record.u32()
        guard layout == Self.layout else { throw .otherProtocol(layout) }
        let identity = try IdentityTable(decoding: &record)
        try record.end()
        return identity
    }
}

/// What a snapshot restores.
package struct RestoredReplica: ~Copyable {
    package let identity: IdentityTable
    package let tree: RestoredState
}

/// Takes a snapshot's body in pieces of any size. Throws once, and is useless then.
package struct SnapshotDecoder: ~Copyable {
    private var head: [UInt8] = []
    private var identity: IdentityTable?
    private var tree: StateRestorer

    package init(limits: ZnodeLimits, hashSeed: UInt64) {
        tree = StateRestorer(limits: limits, hashSeed: hashSeed)
    }

    package mutating func consume(_ bytes: Span<UInt8>) throws(ReplicaSnapshotError) {
        var position = 0
        while identity == nil, position < bytes.count {
            head.append(bytes[position])
            position += 1
            if head.count < 4 { continue }
            do throws(CodecError) {
                identity = try ReplicaSnapshot.decodeHead(head.span)
            } catch {
                throw .head(error)
            }
        }
        guard position < bytes.count else { return }
        do throws(SnapshotError) {
            try tree.consume(bytes.extracting(position...))
        } catch {
            throw .tree(error)
        }
    }

    package consuming func finish() throws(ReplicaSnapshotError) -> RestoredReplica {
        let known = identity
        guard let known else { throw .incomplete }
        do throws(SnapshotError) {
            return RestoredReplica(identity: known, tree: try tree.finish())
        } catch {
            throw .tree(error)
        }
    }
}
