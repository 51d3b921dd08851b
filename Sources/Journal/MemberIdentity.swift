// The file that says whose data directory this is: which member, which disk, which ensemble. It is
// the first file of a directory and is replaced as a whole, never written in place.

package import Raft

package struct MemberIdentity: Equatable, Sendable {
    package static let fileName = "identity"
    static let temporaryName = "identity.tmp"
    static let version: UInt32 = 1
    /// Without founders.
    static let bytes = 64
    static let foundersMax = 1_024
    /// "AVIARYID"
    static let magic: UInt64 = 0x4449_5952_4149_5641
    private static let hasEnsemble: UInt32 = 1
    private static let newcomer: UInt32 = 2

    package let memberID: MemberID
    /// Random, made with the directory: another disk under an old member id is told by it.
    package let storageID: StorageID
    /// The members of the configuration that the directory was made for, sorted. Who starts it for
    /// others would make a second ensemble out of the same past.
    package let founders: [MemberID]
    /// nil until the first leader's first entry has fixed it.
    package var ensembleID: EnsembleID?
    /// The disk was blank when this member first heard of an ensemble, and no entry has named it: it
    /// may have taken the place of one that voted.
    package var isNewcomer = false

    package init(
        memberID: MemberID, storageID: StorageID, founders: [MemberID],
        ensembleID: EnsembleID? = nil
    ) {
        self.memberID = memberID
        self.storageID = storageID
        self.founders = founders.sorted()
        self.ensembleID = ensembleID
    }

    /// The identity of this directory; an empty directory gets one with the fresh storage id.
    package static func openOrCreate<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage, memberID: MemberID, founders: [MemberID],
        freshStorageID: StorageID
    ) throws(JournalError) -> MemberIdentity {
        let names = try storing { () throws(StorageError) in try storage.list().sorted() }
        if names.contains(fileName) {
            return try open(&storage, memberID: memberID, founders: founders.sorted())
        }
        // Why: a member that had a log has voted; under a fresh identity it would vote again.
        if let data = names.first(where: {
            SegmentName.number($0) != nil || SnapshotName.isFinal($0)
        }) {
            throw .identityMissing(file: data)
        }
        let identity = MemberIdentity(
            memberID: memberID, storageID: freshStorageID, founders: founders)
        try storing { () throws(StorageError) in try identity.write(&storage) }
        return identity
    }

    private static func open<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage, memberID: MemberID, founders: [MemberID]
    ) throws(JournalError) -> MemberIdentity {
        var bytes: [UInt8] = []
        do throws(StorageError) {
            // One more than there should be, to see that there is not.
            let most = Self.bytes + 8 * foundersMax
            try storage.read(fileName, at: 0, count: most + 1, into: &bytes)
            // The name may not be durable yet if the process that wrote it was killed.
            try storage.syncDirectory()
        } catch {
            throw .storage(error)
        }
        let identity = try decode(bytes)
        guard identity.memberID == memberID else {
            throw .identityMismatch(
                found: identity.memberID.rawValue, expected: memberID.rawValue)
        }
        guard identity.founders == founders else {
            throw .ensembleMismatch(
                found: identity.founders.map(\.rawValue), expected: founders.map(\.rawValue))
        }
        return identity
    }

    /// Durable when it returns.
    package func write<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage
    ) throws(StorageError) {
        let bytes = encoded()
        try storage.create(Self.temporaryName, zeroFilledTo: 0)
        try storage.write(Self.temporaryName, at: 0, bytes.span)
        try storage.sync(Self.temporaryName)
        try storage.rename(Self.temporaryName, to: Self.fileName)
        try storage.syncDirectory()
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittle(Self.magic)
        bytes.appendLittle(Self.version)
        bytes.appendLittle(
            (ensembleID == nil ? 0 : Self.hasEnsemble) | (isNewcomer ? Self.newcomer : 0))
        bytes.appendLittle(memberID.rawValue)
        bytes.appendLittle(storageID.high)
        bytes.appendLittle(storageID.low)
        bytes.appendLittle(ensembleID?.high ?? 0)
        bytes.appendLittle(ensembleID?.low ?? 0)
        bytes.appendLittle(UInt32(founders.count))
        for founder in founders { bytes.appendLittle(founder.rawValue) }
        bytes.appendLittle(bytes.checksum(0..<bytes.count))
        return bytes
    }

    static func decode(_ bytes: [UInt8]) throws(JournalError) -> MemberIdentity {
        let end = bytes.count - 4
        guard bytes.count >= Self.bytes, bytes.little(UInt64.self, at: 0) == magic,
            bytes.little(UInt32.self, at: end) == bytes.checksum(0..<end)
        else {
            throw .rot(file: fileName, offset: 0, found: "the identity file is damaged")
        }
        let version = bytes.little(UInt32.self, at: 8)
        guard version == Self.version else {
            throw .unsupportedVersion(file: fileName, version: version)
        }
        let count = Int(bytes.little(UInt32.self, at: 56))
        guard bytes.count == Self.bytes + 8 * count else {
            throw .malformed(file: fileName, offset: 56, found: "\(count) founders")
        }
        func id(_ offset: Int) -> RandomID {
            RandomID(
                high: bytes.little(UInt64.self, at: offset),
                low: bytes.little(UInt64.self, at: offset + 8))
        }
        let flags = bytes.little(UInt32.self, at: 12)
        var identity = MemberIdentity(
            memberID: MemberID(bytes.little(UInt64.self, at: 16)), storageID: id(24),
            founders: (0..<count).map { MemberID(bytes.little(UInt64.self, at: 60 + 8 * $0)) },
            ensembleID: flags & hasEnsemble != 0 ? id(40) : nil)
        identity.isNewcomer = flags & newcomer != 0
        guard identity.encoded() == bytes else {
            throw .malformed(file: fileName, offset: 12, found: "fields in no form of this version")
        }
        return identity
    }
}
