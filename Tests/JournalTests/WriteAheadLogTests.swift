import Journal
import Raft
import Testing

@Suite("The log")
struct WriteAheadLogTests {
    static let small = JournalLimits(segmentBytes: 4096, reserveBytes: 0)

    static func open(
        _ disk: SimulatedDisk, _ limits: JournalLimits = small, snapshot: SnapshotMark? = nil,
        damaged: [String] = [], mustExist: Bool = false, hasPeers: Bool = false
    ) throws -> WriteAheadLog<SimulatedDisk> {
        try WriteAheadLog.recover(
            storage: disk, limits: limits, freshLogID: LogID(high: 1, low: 9),
            snapshot: snapshot, damagedSnapshots: damaged, logMustExist: mustExist,
            hasPeers: hasPeers)
    }

    static func entry(_ index: UInt64, term: UInt64 = 1, bytes: Int = 10) -> Entry {
        Entry(
            index: LogIndex(index), term: Term(term), kind: .command,
            payload: [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: bytes))
    }

    static func mark(_ index: UInt64, term: UInt64 = 1) -> SnapshotMark {
        SnapshotMark(
            index: LogIndex(index), term: Term(term),
            configuration: Configuration(voters: [MemberID(1)]))
    }

    static func hard(_ term: UInt64, vote: UInt64?, commit: UInt64 = 0) -> HardState {
        HardState(term: Term(term), vote: vote.map { MemberID($0) }, commit: LogIndex(commit))
    }

    @Test("begins empty, with one zero-filled segment")
    func fresh() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        let found = log.takeRecovered()
        #expect(found.entries.isEmpty && found.hardState == .initial && found.droppedTail == nil)
        #expect(disk.fileNames == ["log-0000000001"])
        #expect(disk.bytes("log-0000000001").count == 4096)
    }

    @Test("gives back groups of any size, in segments of any size")
    func roundTrips() throws {
        for seed in UInt64(1)...60 {
            var random = SplitMix(seed: seed)
            let limits = JournalLimits(
                segmentBytes: 4096 << random.below(4), groupBytesMax: 1 + random.below(20_000))
            let disk = SimulatedDisk()
            var log = try Self.open(disk, limits)
            var all: [Entry] = []
            while all.count < 40 {
                let count = 1 + random.below(8)
                let group = (0..<count).map { position in
                    Self.entry(
                        UInt64(all.count + position + 1),
                        bytes: random.chance(10) ? random.below(40_000) : random.below(900))
                }
                all += group
                try log.append(
                    hardState: random.chance(30) ? Self.hard(1, vote: 1) : nil, entries: group)
                if random.chance(30) { try log.sync() }
                if random.chance(20) { try log.prepareNextSegment() }
            }
            try log.sync()
            disk.crash(.loseAll, &random)
            var again = try Self.open(disk, limits)
            #expect(again.takeRecovered().entries == all)
            #expect(again.lastIndex == LogIndex(UInt64(all.count)))
        }
    }

    @Test("writes a group with one write and makes many groups durable with one sync")
    func groupCommit() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk, JournalLimits(segmentBytes: 1 << 16))
        let (writes, syncs) = (disk.writeCount, disk.syncCount)
        for index in UInt64(1)...20 { try log.append(hardState: nil, entries: [Self.entry(index)]) }
        #expect(disk.writeCount == writes + 20 && disk.syncCount == syncs)
        #expect(log.needsSync == true)
        try log.sync()
        try log.sync()
        #expect(disk.syncCount == syncs + 1 && !log.needsSync)
    }

    @Test("carries its mark on once when idle, and again only after something new")
    func carries() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        #expect(try !log.carryMark())
        try log.append(hardState: nil, entries: [Self.entry(1)])
        #expect(try !log.carryMark(), "nothing durable to speak of yet")
        try log.sync()
        #expect(try log.carryMark())
        #expect(try !log.carryMark())
        try log.append(hardState: nil, entries: [Self.entry(2)])
        try log.sync()
        #expect(try log.carryMark())
        #expect(try !log.carryMark())
        var again = try Self.open(disk)
        #expect(try !again.carryMark(), "the mark is there already")
    }

    @Test("pays for a new segment inside an append only when none was prepared")
    func preparedSegments() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        #expect(try log.prepareNextSegment())
        #expect(try !log.prepareNextSegment())
        let syncs = disk.syncCount
        try log.append(hardState: nil, entries: [Self.entry(1, bytes: 3000)])
        try log.append(hardState: nil, entries: [Self.entry(2, bytes: 3000)])
        #expect(disk.syncCount == syncs && log.segmentCount == 2)
        try log.append(hardState: nil, entries: [Self.entry(3, bytes: 3000)])
        #expect(disk.syncCount == syncs + 1 && log.segmentCount == 3)
    }

    @Test("replaces a suffix by an entry whose index is not new")
    func replaces() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        try log.append(hardState: nil, entries: (1...9).map { Self.entry($0) })
        try log.append(hardState: Self.hard(2, vote: 3), entries: [Self.entry(4, term: 2)])
        try log.sync()
        var again = try Self.open(disk)
        #expect(
            again.takeRecovered().entries
                == [Self.entry(1), Self.entry(2), Self.entry(3), Self.entry(4, term: 2)])
    }

    @Test("keeps term and vote when every segment that they were written to is gone")
    func prunes() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        try log.append(hardState: Self.hard(7, vote: 3), entries: [])
        for index in UInt64(1)...20 {
            try log.append(hardState: nil, entries: [Self.entry(index, term: 7, bytes: 900)])
        }
        try log.prune(through: LogIndex(18))
        #expect(!disk.fileNames.contains("log-0000000001"))
        #expect(log.firstIndex <= LogIndex(19) && log.firstIndex > LogIndex(1))
        try log.prune(through: LogIndex(20))
        #expect(log.segmentCount == 1)
        var again = try Self.open(disk, snapshot: Self.mark(18, term: 7))
        let found = again.takeRecovered()
        #expect(found.hardState == Self.hard(7, vote: 3, commit: 18))
        #expect(found.entries.map(\.index) == [LogIndex(19), LogIndex(20)])
    }

    @Test("lets a segment go whose entries above the snapshot were all replaced")
    func prunesReplaced() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        for index in UInt64(1)...3 {
            try log.append(hardState: nil, entries: [Self.entry(index, bytes: 900)])
        }
        try log.append(
            hardState: Self.hard(2, vote: 1), entries: [Self.entry(2, term: 2, bytes: 900)])
        #expect(disk.fileNames == ["log-0000000001", "log-0000000002"])
        try log.prune(through: LogIndex(1))
        #expect(disk.fileNames == ["log-0000000002"])
        var again = try Self.open(disk, snapshot: Self.mark(1))
        #expect(again.takeRecovered().entries == [Self.entry(2, term: 2, bytes: 900)])
    }

    @Test("starts anew behind a received snapshot, or keeps a suffix that fits it")
    func resets() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        try log.append(hardState: Self.hard(3, vote: 1), entries: (1...9).map { Self.entry($0) })
        try log.reset(to: Self.mark(5))
        #expect(log.lastIndex == LogIndex(9))
        try log.reset(to: Self.mark(7, term: 2))
        #expect(log.lastIndex == LogIndex(7) && log.firstIndex == LogIndex(8))
        #expect(log.segmentCount == 1)
        try log.append(hardState: nil, entries: [Self.entry(8, term: 3)])
        try log.sync()
        var again = try Self.open(disk, snapshot: Self.mark(7, term: 2))
        let found = again.takeRecovered()
        #expect(found.entries == [Self.entry(8, term: 3)])
        #expect(found.hardState == Self.hard(3, vote: 1, commit: 7))
    }

    @Test("keeps a vote from an intact group behind a torn one, in the same file or in a later one")
    func rescuesVote() throws {
        for bytes in [100, 3000] {
            let disk = SimulatedDisk()
            var log = try Self.open(disk)
            try log.append(hardState: Self.hard(1, vote: 1), entries: [Self.entry(1, bytes: 500)])
            try log.sync()
            try log.append(hardState: nil, entries: [Self.entry(2, bytes: 1000)])
            try log.append(hardState: Self.hard(5, vote: 3), entries: [Self.entry(3, bytes: bytes)])
            var keeping = SplitMix(seed: 1)
            disk.crash(.keepAll, &keeping)
            disk.flip("log-0000000001", at: 1700)
            // A crash anywhere in recovery does not lose it either.
            for budget in 3..<20 {
                let copy = disk.copy()
                var random = SplitMix(seed: UInt64(budget))
                copy.budget = budget
                _ = try? Self.open(copy)
                copy.crash(.keepSome, &random)
                var again = try Self.open(copy)
                let found = again.takeRecovered()
                #expect(found.hardState == Self.hard(5, vote: 3))
                #expect(found.entries.map(\.index) == [LogIndex(1)])
                #expect(copy.fileNames == ["log-0000000001"])
            }
        }
    }

    @Test("that ends before the snapshot or disagrees with it is from before a reset")
    func crashBeforeReset() throws {
        for snapshot in [Self.mark(20), Self.mark(5, term: 2)] {
            let disk = SimulatedDisk()
            var log = try Self.open(disk)
            try log.append(
                hardState: Self.hard(2, vote: 1), entries: (1...9).map { Self.entry($0) })
            try log.sync()
            var again = try Self.open(disk, snapshot: snapshot)
            let found = again.takeRecovered()
            #expect(found.entries.isEmpty && again.firstIndex == snapshot.index.next)
            #expect(found.hardState.term == Term(2) && found.hardState.vote == MemberID(1))
        }
    }

    @Test("that does not reach the newest intact snapshot is refused")
    func gap() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        try log.reset(to: Self.mark(30))
        #expect(throws: JournalError.gap(snapshot: 10, logBase: 30, damagedSnapshots: ["s"])) {
            _ = try Self.open(disk, snapshot: Self.mark(10), damaged: ["s"])
        }
        #expect(throws: JournalError.gap(snapshot: 0, logBase: 30, damagedSnapshots: [])) {
            _ = try Self.open(disk)
        }
        #expect(throws: JournalError.contradiction(index: 30, logTerm: 1, snapshotTerm: 4)) {
            _ = try Self.open(disk, snapshot: Self.mark(30, term: 4))
        }
        var fits = try Self.open(disk, snapshot: Self.mark(30))
        #expect(fits.takeRecovered().entries.isEmpty)
    }

    @Test("that is absent where there must be one is lost")
    func absent() throws {
        let missing = JournalError.missing(file: "log-0000000001")
        #expect(throws: missing) { _ = try Self.open(SimulatedDisk(), mustExist: true) }
        #expect(throws: missing) { _ = try Self.open(SimulatedDisk(), snapshot: Self.mark(3)) }
        #expect(throws: missing) { _ = try Self.open(SimulatedDisk(), damaged: ["s"]) }
    }

    @Test("removes unfinished files, and recovers without the next segment or with a broken one")
    func leftovers() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        try log.append(hardState: nil, entries: [Self.entry(1)])
        try log.sync()
        disk.replace("log-0000000002.tmp", with: [1, 2, 3])
        disk.replace("log-0000000002", with: [UInt8](repeating: 0, count: 4096))
        disk.replace("notes.txt", with: [1])
        var again = try Self.open(disk)
        #expect(again.takeRecovered().entries.count == 1)
        #expect(disk.fileNames == ["log-0000000001", "notes.txt"])
        try again.prepareNextSegment()
        disk.flip("log-0000000002", at: 20)
        var third = try Self.open(disk)
        #expect(third.takeRecovered().entries.count == 1)
        #expect(!disk.fileNames.contains("log-0000000002"))
    }

    @Test("refuses a segment of another log, one under a wrong name and one of a newer version")
    func foreign() throws {
        func disk(_ low: UInt64) throws -> SimulatedDisk {
            let disk = SimulatedDisk()
            var log = try WriteAheadLog.recover(
                storage: disk, limits: Self.small, freshLogID: LogID(high: 5, low: low),
                snapshot: nil, logMustExist: false, hasPeers: false)
            try log.append(hardState: nil, entries: [Self.entry(1)])
            try log.prepareNextSegment()
            return disk
        }
        let (one, other) = (try disk(1), try disk(2))
        one.replace("log-0000000002", with: other.bytes("log-0000000002"))
        do {
            _ = try Self.open(one)
            Issue.record("a foreign segment was taken")
        } catch JournalError.foreign(let file, _) {
            #expect(file == "log-0000000002")
        }
        one.replace("log-0000000002", with: one.bytes("log-0000000001"))
        #expect(throws: JournalError.self) { _ = try Self.open(one) }
        var header = other.bytes("log-0000000001")
        header[8] = 1
        let covered = Array(header[..<508])
        let checksum = CRC32C.checksum(covered.span)
        for position in 0..<4 {
            header[508 + position] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * position))
        }
        other.replace("log-0000000001", with: header)
        #expect(throws: JournalError.unsupportedVersion(file: "log-0000000001", version: 1)) {
            _ = try Self.open(other)
        }
    }

    @Test("throws the first error of the disk for ever: nothing is tried again")
    func failsForGood() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        try log.append(hardState: nil, entries: [Self.entry(1)])
        disk.budget = 0
        #expect(throws: SimulatedDisk.PowerCut.error) { try log.sync() }
        disk.budget = nil
        let operations = disk.operationCount
        #expect(throws: SimulatedDisk.PowerCut.error) { try log.sync() }
        #expect(throws: SimulatedDisk.PowerCut.error) {
            try log.append(hardState: nil, entries: [Self.entry(2)])
        }
        #expect(throws: SimulatedDisk.PowerCut.error) { _ = try log.carryMark() }
        #expect(disk.operationCount == operations)
    }
}
