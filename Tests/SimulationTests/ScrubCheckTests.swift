// The scrub's findings are judged by the bytes that were harmed: a false one is caught.

import Journal
import Raft
import Simulation
import Testing

@Suite("The check of what the scrub finds")
struct ScrubCheckTests {
    private static let log = "log-0000000000000001"
    private static let next = "log-0000000000000002"
    private static let snapshot = "snapshot-000000000000000a-0000000000000001"

    /// Files of eight sectors, all full but the last two of the first log.
    private func makeDisk() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        for name in [Self.log, Self.next, Self.snapshot] {
            try disk.create(name, zeroFilledTo: 0)
            var bytes = [UInt8](repeating: 7, count: 4_096)
            if name == Self.log {
                bytes.replaceSubrange(3_072..., with: repeatElement(0, count: 1_024))
            }
            try disk.write(name, at: 0, bytes.span)
            try disk.sync(name)
        }
        return disk
    }

    private func isJust(_ disk: SimulatedDisk, _ damage: ScrubDamage) -> Bool {
        do throws(Violation) {
            try ScrubCheck(disk, blockBytes: 1_000).judge(damage, of: 0)
            return true
        } catch {
            #expect(error.rule == .recovery)
            return false
        }
    }

    private func segment(_ offset: Int, _ file: String = log) -> ScrubDamage {
        .segment(.rot(file: file, offset: offset, found: "harm"))
    }

    private func inSnapshot(_ offset: Int) -> ScrubDamage {
        .snapshot(LogIndex(10), .rot(file: Self.snapshot, offset: offset, found: "harm"))
    }

    @Test("Nothing may be found on a disk that was not harmed")
    func intact() throws {
        let disk = try makeDisk()
        for offset in stride(from: 0, to: 4_096, by: 512) {
            #expect(!isJust(disk, segment(offset)) && !isJust(disk, inSnapshot(offset)))
        }
        for error in [
            JournalError.foreign(file: Self.log, found: "another"),
            .storage(StorageError(.read, Self.log, .inputOutput)), .missing(file: Self.log),
        ] {
            #expect(!isJust(disk, .segment(error)))
        }
    }

    @Test("In a segment, what is found is in the file and at the place that were harmed")
    func places() throws {
        let disk = try makeDisk()
        disk.alter(Self.log, at: 1_030, [9])
        #expect(isJust(disk, segment(1_024)))
        for offset in [0, 512, 1_536, 2_048] { #expect(!isJust(disk, segment(offset))) }
        #expect(!isJust(disk, segment(1_024, Self.next)) && !isJust(disk, inSnapshot(1_024)))
        try disk.write(Self.log, at: 1_024, [UInt8](repeating: 7, count: 512).span)
        #expect(!isJust(disk, segment(1_024)), "what was written again is whole")
    }

    @Test("What zeros hide is found behind them, also in the next segment")
    func hidden() throws {
        let disk = try makeDisk()
        #expect(!isJust(disk, segment(512, Self.next)))
        disk.alter(Self.log, at: 2_560, [UInt8](repeating: 0, count: 512))
        #expect(isJust(disk, segment(3_072)) && isJust(disk, segment(512, Self.next)))
        #expect(!isJust(disk, segment(1_024, Self.next)))
    }

    @Test("A file that was cut is damaged from there on")
    func cut() throws {
        let disk = try makeDisk()
        disk.cut(Self.log, to: 1_500)
        #expect(isJust(disk, segment(1_500)) && !isJust(disk, segment(512)))
    }

    @Test("In a snapshot, the block that is found holds what was harmed")
    func blocks() throws {
        let disk = try makeDisk()
        disk.spoil(Self.snapshot, at: 1_100, [9])
        #expect(!isJust(disk, inSnapshot(96 + 1_008)))
        #expect(isJust(disk, inSnapshot(96)))
        #expect(isJust(disk, inSnapshot(0)), "the checksum over all of it")
    }

    @Test("A read that failed is the one that is told")
    func reads() throws {
        let disk = try makeDisk()
        disk.failsNextRead = true
        var bytes: [UInt8] = []
        #expect(throws: StorageError.self) {
            try disk.read(Self.log, at: 0, count: 512, into: &bytes)
        }
        func failed(_ file: String) -> ScrubDamage {
            .segment(.storage(StorageError(.read, file, .inputOutput)))
        }
        #expect(isJust(disk, failed(Self.log)) && !isJust(disk, failed(Self.next)))
    }
}
