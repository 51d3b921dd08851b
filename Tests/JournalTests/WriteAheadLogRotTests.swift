import Journal
import Raft
import Testing

@Suite("Rot in the log")
struct WriteAheadLogRotTests {
    static let limits = JournalLimits(segmentBytes: 4096, reserveBytes: 0)

    /// Two segments and a prepared third; everything synced and marked.
    static func makeDisk() throws -> (disk: SimulatedDisk, whole: RecoveredLog, lastOffset: Int) {
        let disk = SimulatedDisk()
        var log = try open(disk)
        for index in 1...10 {
            try log.append(
                hardState: HardState(
                    term: Term(UInt64(index)), vote: MemberID(2), commit: .zero),
                entries: [
                    Entry(
                        index: LogIndex(UInt64(index)), term: Term(UInt64(index)), kind: .command,
                        payload: [UInt8](repeating: UInt8(index), count: 300 + index))
                ])
            try log.sync()
        }
        try log.carryMark()
        try log.prepareNextSegment()
        let whole = try recovered(disk)
        // The mark is the last sector written.
        let bytes = disk.bytes("log-0000000002")
        let last = (bytes.lastIndex { $0 != 0 } ?? 0) / 512 * 512
        return (disk, whole, last)
    }

    static func open(_ disk: SimulatedDisk) throws -> WriteAheadLog<SimulatedDisk> {
        try WriteAheadLog.recover(
            storage: disk, limits: limits, freshLogID: LogID(high: 3, low: 4), snapshot: nil,
            logMustExist: false, hasPeers: false)
    }

    static func recovered(_ disk: SimulatedDisk) throws -> RecoveredLog {
        var log = try open(disk)
        return log.takeRecovered()
    }

    @Test("at or below the mark is refused for every byte, with the right file named")
    func everyByte() throws {
        let (disk, whole, lastOffset) = try Self.makeDisk()
        #expect(disk.fileNames == ["log-0000000001", "log-0000000002", "log-0000000003"])
        #expect(whole.entries.count == 10)
        var refused = 0
        for (name, used) in [("log-0000000001", 4096), ("log-0000000002", lastOffset)] {
            #expect(used > 1024)
            for offset in 0..<used {
                let copy = disk.copy()
                copy.flip(name, at: offset, mask: UInt8(1 << (offset % 8)))
                do {
                    _ = try Self.open(copy)
                    Issue.record("\(name) at \(offset) was not noticed")
                    return
                } catch JournalError.rot(let file, let place, _) {
                    #expect(file == name)
                    // The group's or header's start, at most its length before.
                    #expect(
                        place <= offset && offset - place < 1024, "\(name) at \(offset): \(place)")
                    refused += 1
                }
            }
        }
        #expect(refused == 4096 + lastOffset)
    }

    @Test(
        "above the mark or in unused space costs nothing acknowledged"
    )
    func aboveTheMark() throws {
        let (disk, whole, lastOffset) = try Self.makeDisk()
        let places = [("log-0000000002", lastOffset..<4096), ("log-0000000003", 0..<4096)]
        for (name, range) in places {
            for offset in range {
                let copy = disk.copy()
                copy.flip(name, at: offset)
                let found = try Self.recovered(copy)
                #expect(found.entries == whole.entries && found.hardState == whole.hardState)
                guard offset % 61 == 0 else { continue }
                // The log goes on, and what was dropped stays away.
                var log = try Self.open(copy)
                try log.append(
                    hardState: nil,
                    entries: [
                        Entry(index: LogIndex(11), term: Term(10), kind: .noOp, payload: [])
                    ])
                try log.sync()
                #expect(try Self.recovered(copy).entries.count == 11)
            }
        }
    }

    @Test("of a segment cut short at any byte is refused: it was made whole before it was named")
    func shortFiles() throws {
        let (disk, _, _) = try Self.makeDisk()
        for name in ["log-0000000001", "log-0000000002", "log-0000000003"] {
            let bytes = disk.bytes(name)
            for length in stride(from: 0, to: bytes.count, by: 37) {
                let copy = disk.copy()
                copy.replace(name, with: Array(bytes[..<length]))
                #expect(throws: JournalError.self, "\(name) of \(length)") {
                    _ = try Self.open(copy)
                }
            }
        }
    }

    @Test("of the header of the last segment is refused, though no mark speaks of its groups")
    func lastHeader() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        for index in UInt64(1)...2 {
            try log.append(
                hardState: nil,
                entries: [
                    Entry(
                        index: LogIndex(index), term: Term(1), kind: .command,
                        payload: [UInt8](repeating: 7, count: 3000))
                ])
            try log.sync()
        }
        let name = "log-0000000002"
        #expect(disk.fileNames == ["log-0000000001", name])
        for offset in 0..<512 {
            let copy = disk.copy()
            copy.flip(name, at: offset)
            #expect {
                _ = try Self.open(copy)
            } throws: { error in
                guard case JournalError.rot(name, 0, _) = error else { return false }
                return true
            }
        }
    }

    @Test("of a whole segment that vanished is refused")
    func vanished() throws {
        let (disk, _, _) = try Self.makeDisk()
        for name in ["log-0000000001", "log-0000000002"] {
            let copy = disk.copy()
            copy.delete(name)
            #expect(throws: JournalError.self) { _ = try Self.open(copy) }
        }
    }

    @Test("is told from a group torn after any of its bytes, which is dropped alone")
    func tornTail() throws {
        let disk = SimulatedDisk()
        var log = try Self.open(disk)
        func entry(_ index: UInt64, _ count: Int) -> Entry {
            Entry(
                index: LogIndex(index), term: Term(1), kind: .command,
                payload: [UInt8](repeating: 0xa5, count: count))
        }
        try log.append(
            hardState: HardState(term: Term(1), vote: MemberID(1), commit: .zero),
            entries: [entry(1, 20)])
        try log.sync()
        let name = "log-0000000001"
        let before = disk.bytes(name)
        try log.append(hardState: nil, entries: [entry(2, 700)])
        let after = disk.bytes(name)
        for cut in 1024..<2048 {
            let copy = disk.copy()
            copy.replace(name, with: Array(after[..<cut] + before[cut...]))
            let found = try Self.recovered(copy)
            // Zeros fill the group's last sector: cut there, it is whole.
            let isWhole = after[cut..<2048].allSatisfy { $0 == 0 }
            #expect(found.entries.count == (isWhole ? 2 : 1), "cut at \(cut)")
            let isUntouched = after[1024..<cut].allSatisfy { $0 == 0 }
            #expect((found.droppedTail == nil) == (isWhole || isUntouched))
            #expect(copy.bytes(name) == (isWhole ? after : before))
        }
    }

    @Test("names what was found and what to do")
    func messages() throws {
        let (disk, _, _) = try Self.makeDisk()
        disk.flip("log-0000000001", at: 600)
        do {
            _ = try Self.open(disk)
            Issue.record("not refused")
        } catch let error as JournalError {
            let text = error.description
            #expect(text.contains("log-0000000001 is damaged at offset 512"))
            #expect(text.contains("group 1 is damaged or missing"))
            #expect(text.contains("move it away and keep it"))
        }
    }

    @Test("that shows something else when it is read again is not believed, and nothing is written")
    func secondRead() throws {
        let name = "log-0000000001"
        let fresh = SimulatedDisk()
        var log = try WriteAheadLogTests.open(fresh)
        for index in UInt64(1)...3 {
            try log.append(
                hardState: nil, entries: [WriteAheadLogTests.entry(index, bytes: 700)])
            try log.sync()
        }
        // Groups 1 and 2 are marked as durable by the third; that one is written once more.
        let third = 512 + 2 * 1_024
        for offset in stride(from: third, to: third + 1_024, by: 37) {
            let disk = fresh.copy()
            disk.afterRead = { read, count in
                guard read == name, count > 512 else { return }
                disk.afterRead = nil
                disk.flip(name, at: offset)
            }
            let writes = disk.writeCount
            #expect(throws: JournalError.self) { _ = try WriteAheadLogTests.open(disk) }
            #expect(disk.writeCount == writes && disk.afterRead == nil)
            disk.flip(name, at: offset)
            var again = try WriteAheadLogTests.open(disk)
            #expect(again.takeRecovered().entries.count == 3)
        }
    }
}
