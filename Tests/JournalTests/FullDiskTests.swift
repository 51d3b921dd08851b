// A disk that is full at one moment or another: nothing that was promised is lost, no half of an
// append stays, term and vote are kept all the same, and the log goes on where it stood.

import Journal
import Raft
import Testing

@Suite("The log on a full disk")
struct FullDiskTests {
    private static let limits = JournalLimits(segmentBytes: 8_192, groupBytesMax: 3_000)
    private typealias Log = WriteAheadLogTests

    /// Entries of one kilobyte until the disk takes no more; how many it took.
    private func fill(
        _ log: inout WriteAheadLog<SimulatedDisk>, from first: UInt64 = 1
    ) throws -> UInt64 {
        var index = first
        while try log.append(hardState: nil, entries: [Log.entry(index, bytes: 1_000)]) == .whole {
            index += 1
        }
        return index - 1
    }

    @Test("Wherever the room ends, what was appended is there, and the rest is once there is room")
    func everyAllocation() throws {
        var stops: Set<UInt64> = []
        for room in stride(from: 0, to: 60_000, by: 512) {
            for kind in SimulatedDisk.CrashKind.allCases {
                let disk = SimulatedDisk()
                var log = try Log.open(disk, Self.limits)
                var random = SplitMix(seed: UInt64(room))
                disk.roomBytes = room
                let last = try fill(&log)
                stops.insert(last)
                // Again and again: no trace is left, and nothing is taken twice.
                for _ in 0..<3 {
                    log.lookForRoom()
                    #expect(try fill(&log, from: last + 1) == last)
                }
                #expect(!disk.fileNames.contains { $0.hasSuffix(".tmp") })
                #expect(try log.append(hardState: Log.hard(9, vote: 2), entries: []) == .whole)
                try log.sync()
                disk.crash(kind, &random)
                var again = try Log.open(disk, Self.limits)
                let found = again.takeRecovered()
                #expect(found.entries == (1..<(last + 1)).map { Log.entry($0, bytes: 1_000) })
                #expect(found.hardState.term == Term(9) && found.hardState.vote == MemberID(2))
                #expect(found.damage == nil && found.droppedTail == nil)
                disk.roomBytes = nil
                #expect(
                    try again.append(
                        hardState: nil, entries: [Log.entry(last + 1, bytes: 1_000)]) == .whole)
            }
        }
        #expect(stops.count > 5)
    }

    @Test("An append of many groups says how far it got, and goes on from there")
    func partly() throws {
        let disk = SimulatedDisk()
        var log = try Log.open(disk, Self.limits)
        disk.roomBytes = 9_000
        let all = (1...20).map { Log.entry(UInt64($0), bytes: 1_400) }
        guard
            case .partly(let count) = try log.append(hardState: Log.hard(2, vote: 1), entries: all)
        else {
            Issue.record("there was no room for it")
            return
        }
        #expect(count > 2 && count < 20 && log.lastIndex == LogIndex(UInt64(count)))
        #expect(log.hardState == Log.hard(2, vote: 1))
        disk.roomBytes = nil
        log.lookForRoom()
        #expect(
            try log.append(hardState: nil, entries: Array(all.dropFirst(count))) == .whole)
        try log.sync()
        var again = try Log.open(disk, Self.limits)
        #expect(again.takeRecovered().entries == all)
    }

    @Test("Term and vote change many times on a full disk, and entries do not take their place")
    func reserve() throws {
        let disk = SimulatedDisk()
        var log = try Log.open(disk, JournalLimits(segmentBytes: 65_536))
        disk.roomBytes = 0
        let last = try fill(&log)
        for term in UInt64(2)...25 {
            #expect(try log.append(hardState: Log.hard(term, vote: 3), entries: []) == .whole)
            #expect(
                try log.append(hardState: nil, entries: [Log.entry(last + 1, bytes: 1_000)])
                    == .partly(entries: 0))
        }
        try log.sync()
        var again = try Log.open(disk)
        #expect(again.takeRecovered().hardState.term == Term(25))
    }

    @Test("A reset behind a snapshot waits for room and changes nothing until then")
    func reset() throws {
        let disk = SimulatedDisk()
        var log = try Log.open(disk, Self.limits)
        disk.roomBytes = 0
        let last = try fill(&log)
        let mark = Log.mark(last + 50, term: 4)
        #expect(try !log.reset(to: mark))
        #expect(log.lastIndex == LogIndex(last))
        try log.sync()
        var same = try Log.open(disk, Self.limits)
        #expect(same.takeRecovered().entries.count == Int(last))
        disk.roomBytes = nil
        log.lookForRoom()
        #expect(try log.reset(to: mark) && log.lastIndex == mark.index)
    }

    @Test("What has no room in the middle of an entry larger than a segment is found before it")
    func large() throws {
        let disk = SimulatedDisk()
        var log = try Log.open(disk, Self.limits)
        let big = Log.entry(1, bytes: 40_000)
        disk.roomBytes = 10_000
        let writes = disk.writeCount
        #expect(try log.append(hardState: nil, entries: [big]) == .partly(entries: 0))
        #expect(disk.writeCount == writes + 1, "zeros only")
        try log.sync()
        var empty = try Log.open(disk, Self.limits)
        #expect(empty.takeRecovered().entries.isEmpty)
        disk.roomBytes = nil
        log.lookForRoom()
        #expect(try log.append(hardState: nil, entries: [big]) == .whole)
        try log.sync()
        var again = try Log.open(disk, Self.limits)
        #expect(again.takeRecovered().entries == [big])
    }

    @Test(
        "A segment that was prepared with another size holds no more than its file has room for",
        arguments: [(8_192, 32_768), (32_768, 8_192)])
    func preparedWithAnotherSize(before: Int, after: Int) throws {
        for room in [0, 5_000, 20_000, 200_000] {
            let disk = SimulatedDisk()
            var log = try Log.open(disk, JournalLimits(segmentBytes: before, groupBytesMax: 3_000))
            try log.append(hardState: nil, entries: [Log.entry(1, bytes: 1_000)])
            try log.sync()
            #expect(try log.prepareNextSegment())
            let limits = JournalLimits(segmentBytes: after, groupBytesMax: 3_000)
            var second = try Log.open(disk, limits)
            #expect(second.takeRecovered().droppedTail == nil)
            #expect(try !second.prepareNextSegment(), "the one that is there serves")
            disk.roomBytes = room
            let last = try fill(&second, from: 2)
            #expect(last > (room == 200_000 ? 50 : 0))
            for term in UInt64(2)...4 {
                #expect(
                    try second.append(hardState: Log.hard(term, vote: 3), entries: []) == .whole)
            }
            try second.sync()
            var third = try Log.open(disk, limits)
            let found = third.takeRecovered()
            #expect(found.entries == (1..<(last + 1)).map { Log.entry($0, bytes: 1_000) })
            #expect(found.hardState.term == Term(4) && found.damage == nil)
            disk.roomBytes = nil
            #expect(
                try third.append(hardState: nil, entries: [Log.entry(last + 1, bytes: 20_000)])
                    == .whole)
        }
    }

    @Test("What has no room is tried to be allocated once each time that room is looked for")
    func oneTry() throws {
        let disk = SimulatedDisk()
        var log = try Log.open(disk, Self.limits)
        disk.roomBytes = 3_000
        let last = try fill(&log)
        try log.sync()
        for _ in 0..<3 {
            let lacksRoom = log.lacksRoom
            #expect(lacksRoom)
            let operations = disk.operationCount
            for _ in 0..<5 {
                #expect(try fill(&log, from: last + 1) == last)
                #expect(try !log.reset(to: Log.mark(last + 50, term: 4)))
                #expect(try !log.prepareNextSegment())
            }
            #expect(disk.operationCount == operations, "the disk is let alone")
            log.lookForRoom()
            #expect(try !log.prepareNextSegment())
            // The file is made, found to have no room, and removed.
            #expect(disk.operationCount == operations + 2)
        }
        // Where room was prepared, nothing is to be allocated.
        #expect(try log.append(hardState: Log.hard(2, vote: 1), entries: []) == .whole)
        disk.roomBytes = nil
        log.lookForRoom()
        #expect(
            try log.append(hardState: nil, entries: [Log.entry(last + 1, bytes: 1_000)]) == .whole
                && !log.lacksRoom)
    }

    @Test("A new segment that cannot grow is no loss: votes go there, then what had no room")
    func rolledAndNotGrown() throws {
        for room in stride(from: 0, to: 33_000, by: 3_000) {
            let disk = SimulatedDisk()
            var log = try Log.open(disk, Self.limits)
            for index in UInt64(1)...3 {
                try log.append(hardState: nil, entries: [Log.entry(index, bytes: 1_000)])
            }
            try log.prepareNextSegment()
            disk.roomBytes = room
            let big = Log.entry(4, bytes: 40_000)
            for _ in 0..<3 {
                log.lookForRoom()
                #expect(try log.append(hardState: nil, entries: [big]) == .partly(entries: 0))
            }
            #expect(log.segmentCount == 2 && log.lastIndex == LogIndex(3))
            try log.sync()
            var unvoted = try Log.open(disk.copy(), Self.limits)
            #expect(unvoted.takeRecovered().entries.count == 3)
            #expect(try log.append(hardState: Log.hard(5, vote: 2), entries: []) == .whole)
            try log.prune(through: LogIndex(2))
            try log.sync()
            var voted = try Log.open(disk.copy(), Self.limits)
            let found = voted.takeRecovered()
            #expect(found.entries.count == 3 && found.damage == nil && found.droppedTail == nil)
            #expect(found.hardState == Log.hard(5, vote: 2))
            disk.roomBytes = nil
            log.lookForRoom()
            #expect(try log.append(hardState: nil, entries: [big]) == .whole)
            try log.prune(through: LogIndex(3))
            try log.sync()
            var whole = try Log.open(disk, Self.limits, snapshot: Log.mark(3))
            #expect(whole.takeRecovered().entries == [big])
        }
    }

    @Test("A start that finds no room lets go what the snapshot stands for")
    func startWithoutRoom() throws {
        for terms in 0..<40 {
            let disk = SimulatedDisk()
            var log = try Log.open(disk, Self.limits)
            for index in UInt64(1)...30 {
                try log.append(hardState: nil, entries: [Log.entry(index, bytes: 1_000)])
            }
            for term in 0..<terms where log.lastIndex > .zero {
                try log.append(hardState: Log.hard(UInt64(2 + term), vote: 2), entries: [])
            }
            try log.sync()
            let files = disk.fileNames.count
            disk.roomBytes = 0
            // The log ends before it: it came from another member, and the reset had no room.
            var again = try Log.open(disk, Self.limits, snapshot: Log.mark(50, term: 4))
            #expect(again.takeRecovered().entries.isEmpty && again.lastIndex == LogIndex(50))
            #expect(disk.fileNames.count < files)
        }
    }
}
