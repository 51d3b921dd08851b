// What must hold for the bytes of any identity file: it is refused, or it is the file that this
// program writes for that identity; and never is it taken for another member's.

import Journal
import Raft

enum IdentityProperties {
    private static let fresh = StorageID(high: 1, low: 2)

    static func check(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        let member = MemberID(bytes.number(16, bytes: 8))
        let count = Int(bytes.number(56, bytes: 4))
        let founders = (0..<min(count, bytes.count / 8)).map {
            MemberID(bytes.number(60 + 8 * $0, bytes: 8))
        }
        let storage = MemoryStorage([MemberIdentity.fileName: bytes])
        let identity: MemberIdentity
        do throws(JournalError) {
            identity = try open(storage, member, founders)
        } catch {
            try hold(storage.misdeed == nil, "\(storage.misdeed ?? "")")
            try hold(storage.files[MemberIdentity.fileName] == bytes, "a refused file has changed")
            return false
        }
        try hold(identity.memberID == member, "\(identity) is not of \(member)")
        var copy = MemoryStorage([:])
        do throws(StorageError) {
            try identity.write(&copy)
        } catch {
            throw BrokenProperty(description: "\(error)")
        }
        try hold(
            copy.files == [MemberIdentity.fileName: bytes], "\(identity) written is \(copy.files)")
        try mustRefuse(storage, MemberID(member.rawValue ^ 1), founders)
        try mustRefuse(storage, member, founders + [MemberID(77)])
        return true
    }

    private static func open(
        _ storage: MemoryStorage, _ member: MemberID, _ founders: [MemberID]
    ) throws(JournalError) -> MemberIdentity {
        var storage = storage
        return try MemberIdentity.openOrCreate(
            &storage, memberID: member, founders: founders, freshStorageID: fresh)
    }

    private static func mustRefuse(
        _ storage: MemoryStorage, _ member: MemberID, _ founders: [MemberID]
    ) throws(BrokenProperty) {
        guard (try? open(storage, member, founders)) == nil else {
            throw BrokenProperty(description: "taken for \(member) of \(founders)")
        }
    }

    static func sealed(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= 64 else { return nil }
        var sealed = bytes
        let end = bytes.count - 4
        sealed.put(checksum(sealed, 0..<end), at: end, bytes: 4)
        return sealed
    }

    static var seeds: [FuzzSeed] {
        func file(
            _ founders: [UInt64], _ ensemble: EnsembleID?, isNewcomer: Bool = false
        ) -> [UInt8] {
            var identity = MemberIdentity(
                memberID: MemberID(2), storageID: StorageID(high: 0x1111, low: 0x2222),
                founders: founders.map { MemberID($0) }, ensembleID: ensemble)
            identity.isNewcomer = isNewcomer
            var storage = MemoryStorage([:])
            try? identity.write(&storage)
            return storage.files[MemberIdentity.fileName] ?? []
        }
        let known = EnsembleID(high: 0x3333, low: 0x4444)
        let whole = file([1, 2, 3], known)
        var unsorted = whole
        unsorted.put(9, at: 60, bytes: 8)
        var strayID = file([1, 2, 3], nil)
        strayID.put(5, at: 40, bytes: 8)
        var manyFounders = whole
        manyFounders.put(0xFFFF_FFFF, at: 56, bytes: 4)
        var otherFlags = whole
        otherFlags.put(0xFFFF_FFFF, at: 12, bytes: 4)
        return [
            FuzzSeed("known", whole),
            FuzzSeed("newcomer", file([1, 2, 3], known, isNewcomer: true)),
            FuzzSeed("unknown", file([1, 2, 3], nil)),
            FuzzSeed("alone", file([2], known)), FuzzSeed("fifteen", file(Array(1...15), known)),
            FuzzSeed("nobody", file([], nil)), FuzzSeed("cut", Array(whole.dropLast(9))),
            FuzzSeed("unsorted", unsorted), FuzzSeed("stray-ensemble", strayID),
            FuzzSeed("count-too-great", manyFounders), FuzzSeed("flags", otherFlags),
            FuzzSeed("longer", whole + [0]), FuzzSeed("empty", []),
        ]
    }
}
