// The payload of a command entry: who asked for it, the leader's clock, and what is asked. Layouts
// stay for ever, since logs outlive programs.

package import Journal
package import Raft
package import Znodes

package struct Proposal: Sendable, Equatable {
    package enum Body: Sendable, Equatable {
        case command(Command)
        /// Fixes the ensemble's id if none is fixed, and the disks of members that have none fixed.
        case identity(ensemble: EnsembleID, storages: [MemberStorage])
        /// A member goes on with this disk, if it is the named one that this one replaces.
        case disk(MemberStorage, replaces: StorageID)
        /// From here on these limits are in force.
        case limits(ZnodeLimits)
        /// Of a kind, or with a command, that this version does not know: changes nothing.
        case unknown
    }

    package let origin: ForwardID
    /// The leader's clock when it appended the entry, ms since 1970.
    package let wallMs: Int64
    package let body: Body

    static let headerBytes = 1 + 8 * 4
    static let wallMsOffset = 25
    private static let tagCommand: UInt8 = 1
    private static let tagIdentity: UInt8 = 2
    private static let tagLimits: UInt8 = 3
    private static let tagDisk: UInt8 = 4

    package static func encode(_ command: Command, origin: ForwardID) -> [UInt8] {
        var bytes = header(tag: tagCommand, origin: origin)
        command.encode(into: &bytes)
        return bytes
    }

    package static func encode(ensemble: EnsembleID, storages: [MemberStorage], origin: ForwardID)
        -> [UInt8]
    {
        var bytes = header(tag: tagIdentity, origin: origin)
        bytes.append(id: ensemble)
        bytes.append(storages: storages)
        return bytes
    }

    package static func encode(
        _ disk: MemberStorage, replaces replaced: StorageID, origin: ForwardID
    ) -> [UInt8] {
        var bytes = header(tag: tagDisk, origin: origin)
        bytes.append(u64: disk.member.rawValue)
        bytes.append(id: disk.storage)
        bytes.append(id: replaced)
        return bytes
    }

    package static func encode(_ limits: ZnodeLimits, origin: ForwardID) -> [UInt8] {
        var bytes = header(tag: tagLimits, origin: origin)
        bytes.append(limits: limits)
        return bytes
    }

    private static func header(tag: UInt8, origin: ForwardID) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerBytes + 64)
        bytes.append(tag)
        bytes.append(u64: origin.member.rawValue)
        bytes.append(u64: origin.incarnation)
        bytes.append(u64: origin.counter)
        bytes.append(u64: 0)
        return bytes
    }

    /// The leader's stamp goes in when it appends.
    package static func stamp(_ payload: inout [UInt8], wallMs: Int64) {
        let bits = UInt64(bitPattern: wallMs)
        for i in 0..<8 {
            payload[wallMsOffset + i] = UInt8(truncatingIfNeeded: bits >> UInt64(8 * i))
        }
    }

    /// Whether a forwarded payload may be appended: whole header, and of a kind that clients send.
    static func isForwardable(_ payload: [UInt8]) -> Bool {
        payload.count > headerBytes && payload[0] == tagCommand
    }

    /// By its first byte: cheap enough for each entry that comes into the log.
    static func mayNameDisks(_ payload: [UInt8]) -> Bool {
        payload.first == tagIdentity || payload.first == tagDisk
    }

    package init(decoding payload: [UInt8]) throws(CodecError) {
        var reader = ByteReader(payload.span)
        let tag = try reader.u8()
        origin = ForwardID(
            member: MemberID(try reader.u64()), incarnation: try reader.u64(),
            counter: try reader.u64())
        wallMs = Int64(bitPattern: try reader.u64())
        switch tag {
        case Self.tagCommand:
            let encoded = try reader.rest()
            if let command = try? Command(decoding: encoded.span) {
                body = .command(command)
            } else {
                body = .unknown
            }
        case Self.tagIdentity:
            body = .identity(ensemble: try reader.id(), storages: try reader.storages())
            try reader.end()
        case Self.tagDisk:
            body = .disk(
                MemberStorage(member: MemberID(try reader.u64()), storage: try reader.id()),
                replaces: try reader.id())
            try reader.end()
        case Self.tagLimits:
            body = .limits(try reader.limits())
            try reader.end()
        default:
            body = .unknown
        }
    }
}

/// A member's number and the disk that it is known with.
package struct MemberStorage: Sendable, Equatable {
    package let member: MemberID
    package let storage: StorageID
    package init(member: MemberID, storage: StorageID) {
        self.member = member
        self.storage = storage
    }
}

extension [UInt8] {
    /// Those that outcomes depend on.
    mutating func append(limits: ZnodeLimits) {
        append(u64: UInt64(limits.dataBytesMax))
        append(u64: UInt64(limits.storeBytesMax))
        append(u64: UInt64(limits.deletedZnodesMax))
        append(u64: UInt64(limits.historyBytesMax))
        if limits.deletedBytesMax != .max { append(u64: UInt64(limits.deletedBytesMax)) }
    }
    mutating func append(id: RandomID) {
        append(u64: id.high)
        append(u64: id.low)
    }
    mutating func append(storages: [MemberStorage]) {
        append(u32: UInt32(storages.count))
        for known in storages {
            append(u64: known.member.rawValue)
            append(id: known.storage)
        }
    }
}

extension ByteReader {
    mutating func limits() throws(CodecError) -> ZnodeLimits {
        var limits = ZnodeLimits()
        limits.dataBytesMax = try size()
        limits.storeBytesMax = try size()
        limits.deletedZnodesMax = try size()
        limits.historyBytesMax = try size()
        // Absent: no limit, as in logs and snapshots of before there was one.
        limits.deletedBytesMax = .max
        if remaining == 0 { return limits }
        limits.deletedBytesMax = try size()
        guard limits.deletedBytesMax != .max else { throw .tooLong }
        return limits
    }
    private mutating func size() throws(CodecError) -> Int {
        guard let size = Int(exactly: try u64()) else { throw .tooLong }
        return size
    }
    mutating func id() throws(CodecError) -> RandomID {
        RandomID(high: try u64(), low: try u64())
    }
    mutating func storages() throws(CodecError) -> [MemberStorage] {
        let count = Int(try u32())
        guard count <= IdentityTable.membersMax else { throw .tooLong }
        var storages: [MemberStorage] = []
        for _ in 0..<count {
            storages.append(MemberStorage(member: MemberID(try u64()), storage: try id()))
        }
        return storages
    }
}

extension ZnodeLimits {
    /// Whether every command comes to the same outcome and history under both.
    func decidesLike(_ other: ZnodeLimits) -> Bool {
        dataBytesMax == other.dataBytesMax && storeBytesMax == other.storeBytesMax
            && deletedZnodesMax == other.deletedZnodesMax
            && historyBytesMax == other.historyBytesMax
            && deletedBytesMax == other.deletedBytesMax
    }
}
