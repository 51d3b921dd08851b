// The bytes of a snapshot: frames of u8 tag, u32 count, payload; little-endian. Equal states give
// equal bytes. Frames come in this order, and the format stays readable for ever:
//
//   1 state    8 bytes of magic, u16 version, u64 zxid, i64 time, u64 znodes, u64 store bytes,
//              u64 digest, u64 history floor
//   2 event    u64 zxid, u8 type, path; oldest first
//   3 znode    u8 mode, u8 fields (1: about children), u16 path count, path, u64 czxid, u64 mzxid,
//              i64 ctime, i64 mtime, i32 version, i32 aversion, [u64 pzxid, i32 creates], data;
//              parents first, siblings by bytes
//   127 end    u64 checksum of all frames before
//
// Room: sessions, access lists and replies of idempotent requests get tags 4 to 126; an owner and a
// time to live get bits of `fields`. What is not known is refused, never passed over.

package enum SnapshotFormat {
    static let magic: UInt64 = 0x5953_5952_4149_5641
    static let version: UInt16 = 1
    static let frameHeaderBytes = 5
    static let stateBytes = 58

    enum Tag: UInt8 {
        case state = 1
        case event = 2
        case znode = 3
        case end = 127
    }

    package static func checksum() -> SipHash { SipHash(0x736e_6170, 0x7368_6f74) }

    /// Appends one frame and takes it into the checksum.
    static func frame(
        _ tag: Tag, into out: inout [UInt8], _ checksum: inout SipHash,
        _ payload: (inout [UInt8]) -> Void
    ) {
        let start = out.count
        out.append(tag.rawValue)
        out.appendInteger(UInt32(0))
        payload(&out)
        let count = out.count - start - frameHeaderBytes
        for index in 0..<4 {
            out[start + 1 + index] = UInt8(truncatingIfNeeded: count >> (index * 8))
        }
        let end = out.count
        out.withRawBytes { checksum.absorb($0.part(start, end - start)) }
    }

    static func znode(_ block: ZnodeBlock, into out: inout [UInt8]) {
        out.append(block.modeByte)
        out.append(block.hasChildFields ? 1 : 0)
        out.appendInteger(UInt16(block.pathCount))
        block.path.append(to: &out)
        out.appendInteger(block.czxid)
        out.appendInteger(block.mzxid)
        out.appendInteger(block.ctimeMs)
        out.appendInteger(block.mtimeMs)
        out.appendInteger(block.version)
        out.appendInteger(block.aversion)
        if block.hasChildFields, let record = block.children {
            out.appendInteger(record.pzxid)
            out.appendInteger(record.creates)
        }
        block.data.append(to: &out)
    }
}

package enum SnapshotError: Error, Sendable, Equatable {
    /// Not a snapshot of the tree.
    case notASnapshot
    case unknownVersion(UInt16)
    /// A frame, field or value that this version does not write there.
    case malformed
    /// Znodes or events in an order that no snapshot has.
    case outOfOrder
    /// It ends before its end frame.
    case truncated
    case checksumMismatch
    /// The znodes are not those that the state frame tells of.
    case digestMismatch
}
