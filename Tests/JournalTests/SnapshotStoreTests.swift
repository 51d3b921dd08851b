import Journal
import Raft
import Testing

@Suite("Snapshots")
struct SnapshotStoreTests {
    static let limits = JournalLimits(
        segmentBytes: 4096, snapshotBlockBytes: 100, snapshotSyncBytes: 300)

    static func mark(_ index: UInt64) -> SnapshotMark {
        SnapshotMark(
            index: LogIndex(index), term: Term(index / 10 + 1),
            configuration: Configuration(
                voters: [MemberID(1), MemberID(2), MemberID(3)],
                outgoingVoters: [MemberID(1), MemberID(9)],
                learners: [MemberID(7), MemberID(8)], nextLearners: [MemberID(9)]))
    }

    static func name(_ index: UInt64) -> String {
        func digits(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return "snapshot-\(digits(index))-\(digits(mark(index).term.rawValue))"
    }

    static func body(_ index: UInt64, _ count: Int) -> [UInt8] {
        var random = SplitMix(seed: index)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    static func open(_ disk: SimulatedDisk) throws -> SnapshotStore<SimulatedDisk> {
        try SnapshotStore.open(storage: disk, limits: limits)
    }

    static func write(
        _ store: inout SnapshotStore<SimulatedDisk>, _ index: UInt64, bytes: Int, pieces: Int = 33
    ) throws {
        try store.begin(mark(index))
        let body = body(index, bytes)
        for start in stride(from: 0, to: bytes, by: pieces) {
            try store.append(Array(body[start..<min(bytes, start + pieces)]))
        }
        try store.finish()
        while try !store.verify(blocksMax: 1) {}
    }

    /// Finished, and not read again yet.
    static func writeUnverified(
        _ store: inout SnapshotStore<SimulatedDisk>, _ index: UInt64, bytes: Int
    ) throws {
        try store.begin(mark(index))
        try store.append(body(index, bytes))
        try store.finish()
    }

    static func readAll(
        _ store: inout SnapshotStore<SimulatedDisk>, _ index: UInt64, by count: Int = 70
    ) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while try !store.read(
            index: LogIndex(index), at: UInt64(bytes.count), count: count, into: &bytes)
        {}
        return bytes
    }

    @Test("come back with their mark and body, for bodies and reads of any size")
    func roundTrip() throws {
        for bytes in [0, 1, 99, 100, 101, 200, 950] {
            let disk = SimulatedDisk()
            var store = try Self.open(disk)
            #expect(store.newest == nil)
            try Self.write(&store, 12, bytes: bytes, pieces: 1 + bytes / 3)
            for count in [1, 70, 100, 5000] {
                var again = try Self.open(disk)
                #expect(again.newest == Self.mark(12))
                #expect(again.newestBodyBytes == UInt64(bytes))
                #expect(try Self.readAll(&again, 12, by: count) == Self.body(12, bytes))
            }
        }
    }

    @Test("A file whose name has numbers that no log has is none of them, and stays as it is")
    func namesOfNobody() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try Self.write(&store, 12, bytes: 40)
        let strays = [
            "snapshot-ffffffffffffffff-ffffffffffffffff",
            "snapshot-0000000000000063-4000000000000001",
            "snapshot-00000000000000zz-0000000000000001",
        ]
        for name in strays { try disk.create(name, zeroFilledTo: 5) }
        let again = try Self.open(disk)
        #expect(again.newest == Self.mark(12) && again.damagedNames.isEmpty)
        #expect(disk.fileNames.filter { strays.contains($0) } == strays.sorted())
    }

    @Test("with a configuration that cannot be are refused, though their checksums are right")
    func invalidConfiguration() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        let mark = SnapshotMark(
            index: LogIndex(10), term: Term(1),
            configuration: Configuration(voters: [MemberID(1)], learners: [MemberID(1)]))
        try store.begin(mark)
        #expect {
            try store.finish()
        } throws: { error in
            guard case JournalError.malformed(_, 40, _) = error else { return false }
            return true
        }
    }

    @Test("stay until the next one has been read again, then go")
    func previousIsKept() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try Self.write(&store, 10, bytes: 500)
        try store.begin(Self.mark(20))
        try store.append(Self.body(20, 500))
        #expect(store.newest == Self.mark(10) && store.underWay == Self.mark(20))
        try store.finish()
        #expect(store.needsVerification == true)
        #expect(try !store.verify(blocksMax: 2))
        #expect(disk.fileNames.count == 2 && store.newest == Self.mark(10))
        #expect(try Self.readAll(&store, 10) == Self.body(10, 500), "a transfer goes on")
        #expect(try store.verify())
        #expect(store.newest == Self.mark(20))
        #expect(try Self.readAll(&store, 20) == Self.body(20, 500))
        #expect(disk.fileNames == ["snapshot-0000000000000014-0000000000000003"])
        #expect(throws: JournalError.snapshotAbsent(index: 10)) {
            var bytes: [UInt8] = []
            _ = try store.read(index: LogIndex(10), at: 0, count: 1, into: &bytes)
        }
    }

    @Test("that turn out damaged when read again do not cost the one before")
    func failedVerification() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try Self.write(&store, 10, bytes: 300)
        try Self.writeUnverified(&store, 20, bytes: 300)
        disk.flip("snapshot-0000000000000014-0000000000000003", at: 250)
        #expect(throws: JournalError.self) { _ = try store.verify() }
        #expect(store.newest == Self.mark(10) && store.needsVerification == false)
        #expect(try Self.readAll(&store, 10) == Self.body(10, 300))
        let again = try Self.open(disk)
        #expect(again.newest == Self.mark(10))
        #expect(again.damagedNames == ["snapshot-0000000000000014-0000000000000003"])
        try Self.write(&store, 30, bytes: 300)
        #expect(disk.fileNames == ["snapshot-000000000000001e-0000000000000004"])
    }

    @Test("of one name replace each other, and are read only once verified")
    func sameName() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try Self.write(&store, 10, bytes: 300)
        try Self.writeUnverified(&store, 10, bytes: 120)
        #expect(store.newest == nil)
        #expect(try store.verify())
        #expect(try Self.readAll(&store, 10) == Self.body(10, 120))
        #expect(disk.fileNames.count == 1)
    }

    @Test("given up leave nothing")
    func abandoned() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try store.begin(Self.mark(10))
        try store.append(Self.body(10, 500))
        try store.abandon()
        #expect(disk.fileNames.isEmpty && store.underWay == nil)
        try store.begin(Self.mark(10))
        try store.begin(Self.mark(11))
        #expect(disk.fileNames.count == 1)
    }

    @Test("cut by a crash at any operation are absent or whole, and the one before is there")
    func everyOperation() throws {
        var random = SplitMix(seed: 3)
        let base = SimulatedDisk()
        var first = try Self.open(base)
        try Self.write(&first, 10, bytes: 450)
        let whole = base.copy()
        var store = try Self.open(whole)
        try Self.write(&store, 20, bytes: 450)
        for cut in 0..<whole.operationCount {
            for kind in SimulatedDisk.CrashKind.allCases {
                let disk = base.copy()
                disk.budget = cut
                do {
                    var store = try Self.open(disk)
                    try Self.write(&store, 20, bytes: 450)
                    Issue.record("cut \(cut) was never reached")
                } catch {}
                disk.crash(kind, &random)
                var again = try Self.open(disk)
                #expect(again.damagedNames.isEmpty)
                let newest = again.newest
                let mark = try #require(newest)
                #expect(mark == Self.mark(10) || mark == Self.mark(20))
                let index = mark.index.rawValue
                #expect(try Self.readAll(&again, index) == Self.body(index, 450))
                disk.crash(.loseAll, &random)
                #expect(try Self.open(disk).newest == mark, "what recovery saw must stay")
                #expect(disk.fileNames.allSatisfy { !$0.hasSuffix(".tmp") })
            }
        }
    }

    @Test("are refused for a change of any byte or length, and the one before stands in")
    func everyByte() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try Self.write(&store, 10, bytes: 250)
        try Self.writeUnverified(&store, 20, bytes: 250)
        let name = "snapshot-0000000000000014-0000000000000003"
        let bytes = disk.bytes(name)
        for offset in bytes.indices {
            let copy = disk.copy()
            copy.flip(name, at: offset, mask: UInt8(1 << (offset % 8)))
            let found = try Self.open(copy)
            #expect(found.newest == Self.mark(10) && found.damagedNames == [name], "\(offset)")
            copy.replace(name, with: Array(bytes[..<offset]))
            #expect(try Self.open(copy).newest == Self.mark(10), "cut at \(offset)")
        }
        let copy = disk.copy()
        copy.replace(name, with: bytes + [0])
        #expect(try Self.open(copy).newest == Self.mark(10))
        #expect(copy.fileNames.count == 2, "nothing is removed while the newest is damaged")
    }

    @Test("that are damaged at rest are found when read")
    func damagedReads() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try Self.write(&store, 20, bytes: 250)
        let name = disk.fileNames[0]
        disk.flip(name, at: disk.bytes(name).count - 60)
        var again: [UInt8] = []
        #expect(try !store.read(index: LogIndex(20), at: 0, count: 100, into: &again))
        #expect(throws: JournalError.self) {
            _ = try store.read(index: LogIndex(20), at: 200, count: 100, into: &again)
        }
        #expect(again == Array(Self.body(20, 250)[..<100]))
    }

    @Test(
        "damaged leave the start to an older one only if the log reaches back"
    )
    func fallback() throws {
        for reaches in [true, false] {
            let disk = SimulatedDisk()
            var store = try Self.open(disk)
            var log = try WriteAheadLogTests.open(disk)
            for index in UInt64(1)...20 {
                try log.append(
                    hardState: nil, entries: [WriteAheadLogTests.entry(index, bytes: 600)])
            }
            try log.sync()
            let (old, new) = (WriteAheadLogTests.mark(4), WriteAheadLogTests.mark(16))
            for mark in [old, new] {
                try store.begin(mark)
                try store.append([1, 2, 3])
                try store.finish()
            }
            if !reaches { try log.prune(through: new.index) }
            disk.flip("snapshot-0000000000000010-0000000000000001", at: 100)
            let found = try Self.open(disk)
            #expect(found.newest == old && found.damagedNames.count == 1)
            let names = found.damagedNames
            if reaches {
                var again = try WriteAheadLogTests.open(disk, snapshot: old, damaged: names)
                #expect(again.takeRecovered().entries.count == 16)
            } else {
                #expect {
                    _ = try WriteAheadLogTests.open(disk, snapshot: old, damaged: names)
                } throws: { error in
                    guard case JournalError.gap(4, _, let damaged) = error else { return false }
                    return damaged == names && "\(error)".contains("is damaged (snapshot-")
                }
            }
        }
    }

    @Test("that find no room for their end leave nothing when they are given up")
    func noRoomForEnd() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try store.begin(Self.mark(10))
        try store.append(Self.body(10, 250))
        // For the last block, and not for the footer.
        disk.roomBytes = 70
        #expect(
            throws: JournalError.storage(StorageError(.write, Self.name(10) + ".tmp", .outOfSpace))
        ) {
            try store.finish()
        }
        try store.abandon()
        #expect(disk.fileNames.isEmpty)
        disk.roomBytes = nil
        try Self.write(&store, 20, bytes: 250)
        #expect(disk.fileNames == [Self.name(20)])
    }

    @Test(
        "that could not be removed are removed after the next one, and keep none from being saved")
    func removedLater() throws {
        for stays in [UInt64(10), 20] {
            let disk = SimulatedDisk()
            var store = try Self.open(disk)
            try Self.write(&store, 10, bytes: 250)
            try Self.writeUnverified(&store, 20, bytes: 250)
            disk.flip(Self.name(20), at: 150)
            #expect(throws: JournalError.self) { while try !store.verify() {} }
            disk.unremovable = [Self.name(stays)]
            #expect(throws: JournalError.self) { try Self.write(&store, 30, bytes: 250) }
            disk.unremovable = []
            try Self.write(&store, 40, bytes: 250)
            #expect(disk.fileNames == [Self.name(40)])
        }
    }

    @Test("One that is kept is read beside the newest, and goes when it is kept no more")
    func kept() throws {
        let disk = SimulatedDisk()
        var store = try Self.open(disk)
        try Self.write(&store, 10, bytes: 900)
        try store.keep(LogIndex(10))
        try Self.write(&store, 20, bytes: 300)
        try Self.write(&store, 30, bytes: 400)
        #expect(disk.fileNames.count == 2)
        for (index, bytes) in [(UInt64(10), 900), (30, 400)] {
            var body: [UInt8] = []
            #expect(try store.read(index: LogIndex(index), at: 0, count: 4_096, into: &body))
            #expect(body.count == bytes)
        }
        var body: [UInt8] = []
        #expect(throws: JournalError.self) {
            try store.read(index: LogIndex(20), at: 0, count: 1, into: &body)
        }
        // One that is not verified yet is none of its business.
        try store.begin(Self.mark(40))
        try store.finish()
        try store.keep(nil)
        while try !store.verify() {}
        #expect(disk.fileNames.count == 1 && store.newest?.index == LogIndex(40))
        // A start knows of none.
        try store.keep(LogIndex(40))
        try Self.write(&store, 50, bytes: 300)
        #expect(disk.fileNames.count == 2)
        let again = try Self.open(disk)
        #expect(disk.fileNames.count == 1 && again.newest?.index == LogIndex(50))
    }
}
