import Journal
import Raft
import Testing

@Suite("The identity file")
struct MemberIdentityTests {
    static func open(
        _ disk: SimulatedDisk, _ member: UInt64 = 1, of founders: [UInt64] = [3, 1, 2],
        low: UInt64 = 5
    ) throws -> MemberIdentity {
        var storage = disk
        return try MemberIdentity.openOrCreate(
            &storage, memberID: MemberID(member), founders: founders.map { MemberID($0) },
            freshStorageID: RandomID(high: 4, low: low))
    }

    @Test("is made once and keeps its storage id; the ensemble's id joins later")
    func roundTrip() throws {
        let disk = SimulatedDisk()
        var identity = try Self.open(disk)
        #expect(identity.storageID == RandomID(high: 4, low: 5) && identity.ensembleID == nil)
        #expect(try Self.open(disk, low: 77) == identity)
        identity.ensembleID = RandomID(high: 8, low: 9)
        var storage = disk
        try identity.write(&storage)
        #expect(try Self.open(disk, low: 77) == identity)
        #expect(disk.fileNames == ["identity"])
    }

    @Test("of another member refuses the start")
    func mismatch() throws {
        let disk = SimulatedDisk()
        _ = try Self.open(disk, 1)
        #expect(throws: JournalError.identityMismatch(found: 1, expected: 2)) {
            _ = try Self.open(disk, 2)
        }
    }

    @Test("made for other members refuses the start")
    func otherMembers() throws {
        let disk = SimulatedDisk()
        let made = try Self.open(disk, of: [3, 1, 2])
        #expect(try Self.open(disk, of: [1, 2, 3]) == made)
        for others in [[1], [1, 2], [1, 2, 3, 4], [1, 2, 4]] as [[UInt64]] {
            #expect(throws: JournalError.ensembleMismatch(found: [1, 2, 3], expected: others)) {
                _ = try Self.open(disk, of: others)
            }
        }
    }

    @Test("absent beside a log or a snapshot refuses the start")
    func absent() throws {
        for name in ["log-0000000001", "snapshot-0000000000000010-0000000000000001"] {
            let disk = SimulatedDisk()
            disk.replace(name, with: [1])
            #expect(throws: JournalError.identityMissing(file: name)) { _ = try Self.open(disk) }
        }
    }

    @Test("is refused for a change of any byte or length")
    func everyByte() throws {
        let disk = SimulatedDisk()
        _ = try Self.open(disk)
        let bytes = disk.bytes("identity")
        #expect(bytes.count == 64 + 3 * 8)
        for offset in bytes.indices {
            let copy = disk.copy()
            copy.flip("identity", at: offset)
            #expect(throws: JournalError.self) { _ = try Self.open(copy) }
            copy.replace("identity", with: Array(bytes[..<offset]))
            #expect(throws: JournalError.self) { _ = try Self.open(copy) }
        }
        disk.replace("identity", with: bytes + [0])
        #expect(throws: JournalError.self) { _ = try Self.open(disk) }
    }

    @Test("is whole or absent after a crash at any operation, and stays what it was seen as")
    func everyOperation() throws {
        var random = SplitMix(seed: 9)
        for cut in 0..<6 {
            for kind in SimulatedDisk.CrashKind.allCases {
                let disk = SimulatedDisk()
                disk.budget = cut
                #expect(throws: JournalError.self) { _ = try Self.open(disk, low: 5) }
                disk.crash(kind, &random)
                let seen = try Self.open(disk, low: 6)
                disk.crash(.loseAll, &random)
                #expect(try Self.open(disk, low: 7) == seen)
            }
        }
    }
}
