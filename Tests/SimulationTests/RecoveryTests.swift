// The one way into a replica, over simulated disks: what the owners of log and snapshots carried out
// is what the next start gives back.

import Ensemble
import Journal
import Raft
import Simulation
import Testing

@Suite("A member's recovery")
struct RecoveryTests {
    static let entries = (1...5).map { index in
        Entry(
            index: LogIndex(UInt64(index)), term: Term(1), kind: .command,
            payload: [UInt8](repeating: UInt8(index), count: 40))
    }

    static func recover(
        _ disk: SimulatedDisk, of members: UInt64 = 1
    ) throws -> ReplicaRecovery<SimulatedDisk> {
        try ReplicaRecovery.recover(
            MemberID(1), of: (1...members).map { MemberID($0) },
            ReplicaRecovery.Handles(identity: disk, snapshots: disk, log: disk),
            limits: JournalLimits(segmentBytes: 4096, snapshotBlockBytes: 100),
            fresh: ReplicaRecovery.Fresh(
                storage: StorageID(high: 1, low: 2), log: LogID(high: 3, low: 4), hashSeed: 5))
    }

    private static func mark(_ index: UInt64) -> SnapshotMark {
        SnapshotMark(
            index: LogIndex(index), term: Term(1),
            configuration: Configuration(voters: [MemberID(1)]))
    }

    @Test("gives back entries, hard state and identity after a loss of power")
    func roundTrip() throws {
        let disk = SimulatedDisk()
        var random = RandomGenerator(seed: 1)
        let first = try Self.recover(disk)
        #expect(first.log.entries.isEmpty && first.log.snapshot == nil)
        #expect(first.restored == nil && first.identity.ensembleID == nil)
        var journal = first.journal
        let state = HardState(term: Term(1), vote: MemberID(1), commit: LogIndex(2))
        try journal.carryOut(
            .append(
                token: StorageToken(rawValue: 1), hardState: state,
                entries: Array(Self.entries[..<3])))
        try journal.carryOut(.identity(EnsembleID(high: 8, low: 9), isNewcomer: true))
        try journal.sync()
        try journal.carryOut(
            .append(
                token: StorageToken(rawValue: 2), hardState: nil,
                entries: Array(Self.entries[3...])))
        disk.crash(.all, &random)
        let again = try Self.recover(disk)
        #expect(again.log.entries == Array(Self.entries[..<3]) && again.log.hardState == state)
        #expect(again.identity.storageID == StorageID(high: 1, low: 2))
        #expect(again.identity.ensembleID == EnsembleID(high: 8, low: 9))
        #expect(again.identity.isNewcomer)
    }

    @Test("writes what a failed sync left in the page cache alone once more, before it believes it")
    func failedSync() throws {
        let disk = SimulatedDisk()
        disk.cacheHidesFailedSyncs = true
        var random = RandomGenerator(seed: 1)
        let first = try Self.recover(disk)
        var journal = first.journal
        try journal.carryOut(
            .append(token: StorageToken(rawValue: 1), hardState: nil, entries: Self.entries))
        disk.failsNextSync = true
        #expect(throws: StorageError.self) { try journal.sync() }
        // The process ends, and the next one reads the cache.
        disk.crash(.none, &random)
        let second = try Self.recover(disk)
        #expect(second.log.entries == Self.entries)
        // It may have acknowledged them by now.
        disk.crash(.all, &random)
        let third = try Self.recover(disk)
        #expect(third.log.entries == Self.entries)
    }

    @Test("writes the zeros that a failed sync left in the page cache alone once more")
    func failedZeros() throws {
        let disk = SimulatedDisk()
        disk.cacheHidesFailedSyncs = true
        var random = RandomGenerator(seed: 1)
        _ = try Self.recover(disk)
        let log = try #require(disk.fileNames.first { $0.hasPrefix("log-") })
        // What is left of a group whose first sector never got to the disk.
        let torn = [UInt8](repeating: 7, count: 512)
        try disk.write(log, at: 2048, torn.span)
        try disk.sync(log)
        disk.failsNextSync = true
        #expect(throws: JournalError.self) { _ = try Self.recover(disk) }
        disk.crash(.none, &random)
        #expect(!disk.contents(log)[2048...].contains(7))
        _ = try Self.recover(disk)
        disk.crash(.all, &random)
        #expect(!disk.contents(log)[2048...].contains(7))
    }

    @Test("of a full disk finds no term without the word that the disk is a newcomer's")
    func newcomerWithoutRoom() throws {
        var random = RandomGenerator(seed: 1)
        for hasRoomLater in [false, true] {
            let disk = SimulatedDisk()
            let first = try Self.recover(disk, of: 3)
            var journal = first.journal
            disk.isFull = true
            try journal.carryOut(.identity(nil, isNewcomer: true))
            try journal.carryOut(
                .append(
                    token: StorageToken(rawValue: 1),
                    hardState: HardState(term: Term(3), vote: nil, commit: .zero), entries: []))
            #expect(journal.isFull && journal.votesWritten == StorageToken(rawValue: 0))
            disk.isFull = !hasRoomLater
            try journal.tryAgain()
            try journal.sync()
            disk.crash(.all, &random)
            disk.isFull = false
            let again = try Self.recover(disk, of: 3)
            #expect(again.identity.isNewcomer == hasRoomLater)
            #expect(again.log.hardState.term == (hasRoomLater ? Term(3) : .zero))
        }
    }

    /// Entries 1 to 3 in a snapshot, 4 and 5 behind it, and the mark.
    private func distrusted() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let found = try Self.recover(disk, of: 3)
        var journal = found.journal
        var snapshots = found.snapshots
        let state = HardState(term: Term(3), vote: MemberID(2), commit: LogIndex(4))
        try journal.carryOut(
            .append(
                token: StorageToken(rawValue: 1), hardState: state, entries: Self.entries))
        try journal.sync()
        var outcomes: [SnapshotOutcome] = []
        let mark = Self.mark(3)
        snapshots.carryOut(.begin(mark), into: &outcomes)
        snapshots.carryOut(.append([1, 2, 3]), into: &outcomes)
        snapshots.carryOut(.finish(mark.index), into: &outcomes)
        snapshots.verify(into: &outcomes)
        #expect(disk.fileNames.contains { $0.hasPrefix("snapshot-") })
        try journal.carryOut(.distrust)
        return disk
    }

    @Test("of a state that is not believed keeps the promises, and nothing else, after any crash")
    func distrust() throws {
        var crashes = 0
        for changes in 0..<200 {
            var random = RandomGenerator(seed: UInt64(changes))
            let disk = try distrusted()
            disk.changesUntilPowerCut = changes
            var isWhole = false
            do {
                _ = try Self.recover(disk, of: 3)
                isWhole = true
            } catch {
                crashes += 1
            }
            disk.crash(.some, &random)
            let again = try Self.recover(disk, of: 3)
            #expect(again.log.claim == LogPosition(index: LogIndex(5), term: Term(1)))
            #expect(again.log.hardState.term == Term(3) && again.log.hardState.vote == MemberID(2))
            #expect(again.log.entries.isEmpty && again.log.snapshot == nil)
            #expect(!disk.fileNames.contains { $0.hasPrefix("snapshot-") || $0 == "distrusted" })
            if isWhole { break }
        }
        #expect(crashes > 8)
    }

    @Test("of a state that is not believed is refused where there is nobody to fetch it from")
    func distrustAlone() throws {
        let disk = SimulatedDisk()
        let found = try Self.recover(disk)
        var journal = found.journal
        try journal.carryOut(.distrust)
        #expect(throws: JournalError.distrusted) { _ = try Self.recover(disk) }
    }

    @Test("leaves a journal that gives a state up behind what a full disk keeps waiting")
    func distrustWithoutRoom() throws {
        let disk = SimulatedDisk()
        let found = try Self.recover(disk, of: 3)
        var journal = found.journal
        try journal.carryOut(
            .append(token: StorageToken(rawValue: 1), hardState: nil, entries: Self.entries))
        try journal.sync()
        disk.isFull = true
        try journal.carryOut(.distrust)
        var waits = journal.isFull
        var isSet = journal.ending == .distrusted
        #expect(waits && !isSet)
        try journal.tryAgain()
        (waits, isSet) = (journal.isFull, journal.ending == .distrusted)
        #expect(waits && !isSet)
        disk.isFull = false
        try journal.tryAgain()
        (waits, isSet) = (journal.isFull, journal.ending == .distrusted)
        #expect(!waits && isSet)
        var random = RandomGenerator(seed: 1)
        disk.crash(.all, &random)
        let again = try Self.recover(disk, of: 3)
        #expect(again.log.damage == .distrusted && again.log.entries.isEmpty)
    }

    @Test("leaves a journal that a full disk does not end, and that goes on once there is room")
    func fullDisk() throws {
        let disk = SimulatedDisk()
        let found = try Self.recover(disk)
        var journal = found.journal
        func append(_ index: UInt64, token: UInt64? = nil) throws {
            try journal.carryOut(
                .append(
                    token: StorageToken(rawValue: token ?? index), hardState: nil,
                    entries: [
                        Entry(
                            index: LogIndex(index), term: Term(1), kind: .command,
                            payload: [UInt8](repeating: 1, count: 370))
                    ]))
            try journal.sync()
        }
        try append(1)
        disk.isFull = true
        let names = disk.fileNames
        var turns = 0
        while journal.hasIdleWork, turns < 10 {
            try journal.doIdleWork()
            turns += 1
        }
        #expect(turns < 10 && disk.fileNames == names, "it rests, with no segment ahead")
        try append(2)
        // Space is there again: the next segment is prepared after all.
        disk.isFull = false
        try journal.tryAgain()
        while journal.hasIdleWork, turns < 10 {
            try journal.doIdleWork()
            turns += 1
        }
        #expect(disk.fileNames.count == names.count + 1)
        disk.isFull = true
        _ = journal.takeNews()
        var last: UInt64 = 2
        while !journal.isFull, last < 100 {
            last += 1
            try append(last)
        }
        #expect(last > 5 && last < 100 && disk.fileNames.count == names.count + 1)
        // It says that what waits is committed, of which the disk holds nothing yet.
        let vote = HardState(term: Term(7), vote: MemberID(2), commit: LogIndex(last))
        try journal.carryOut(
            .append(token: StorageToken(rawValue: last + 1), hardState: vote, entries: []))
        try append(last + 1, token: last + 2)
        try journal.tryAgain()
        try journal.sync()
        // Only what is durable is told, and of what waits the vote.
        #expect(
            journal.written.rawValue == last - 1 && journal.votesWritten.rawValue == last + 1)
        let full = try Self.recover(disk)
        #expect(full.log.entries.count == Int(last - 1) && full.log.hardState.term == Term(7))
        #expect(full.log.hardState.commit < LogIndex(last), "the commit does not overtake")
        disk.isFull = false
        try journal.tryAgain()
        try journal.sync()
        #expect(!journal.isFull && journal.written.rawValue == last + 2)
        let again = try Self.recover(disk)
        #expect(
            again.log.entries.count == Int(last) + 1 && again.log.hardState.vote == MemberID(2))
        let other = SimulatedDisk()
        let second = try Self.recover(other)
        var broken = second.journal
        other.changesUntilPowerCut = 0
        #expect(throws: StorageError.self, "any other error ends the member") {
            try broken.doIdleWork()
        }
    }

    @Test("leaves a journal that has idle work again when it has written what waited for room")
    func idleAfterFull() throws {
        let disk = SimulatedDisk()
        let found = try Self.recover(disk)
        var journal = found.journal
        func rest() throws {
            var turns = 0
            while journal.hasIdleWork, turns < 10 {
                try journal.doIdleWork()
                turns += 1
            }
            #expect(turns < 10)
        }
        disk.isFull = true
        var index: UInt64 = 0
        while !journal.isFull, index < 100 {
            index += 1
            let entry = Entry(
                index: LogIndex(index), term: Term(1), kind: .command,
                payload: [UInt8](repeating: 1, count: 370))
            try journal.carryOut(
                .append(token: StorageToken(rawValue: index), hardState: nil, entries: [entry]))
            try journal.sync()
            try rest()
        }
        // No work for an idle journal: neither with what waits, nor after a look in vain.
        for _ in 0..<3 {
            let isIdle = !journal.hasIdleWork
            #expect(journal.isFull && isIdle)
            try journal.tryAgain()
        }
        disk.isFull = false
        try journal.tryAgain()
        try journal.sync()
        let hasWork = journal.hasIdleWork
        #expect(!journal.isFull && hasWork)
        let files = disk.fileNames.count
        try rest()
        #expect(disk.fileNames.count == files + 1, "the next segment is prepared")
        // The mark was carried on over what had waited: damage to it is no torn tail.
        let logs = disk.fileNames.filter { $0.hasPrefix("log-") }.sorted()
        disk.alter(logs[logs.count - 2], at: 512 + 200, [0xff, 0, 0xff])
        #expect(throws: JournalError.self) { _ = try Self.recover(disk) }
    }

    @Test("refuses an intact snapshot that does not decode, by its name")
    func foreignBody() throws {
        let disk = SimulatedDisk()
        let first = try Self.recover(disk)
        var files = first.snapshots
        let mark = Self.mark(10)
        var outcomes: [SnapshotOutcome] = []
        files.carryOut(.begin(mark), into: &outcomes)
        files.carryOut(.append([UInt8](repeating: 7, count: 300)), into: &outcomes)
        files.carryOut(.finish(mark.index), into: &outcomes)
        while files.isVerifying { files.verify(blocksMax: 1, into: &outcomes) }
        guard outcomes.count == 2, case .appended(mark.index) = outcomes[0],
            case .saved(mark.index) = outcomes[1]
        else {
            Issue.record("\(outcomes)")
            return
        }
        #expect {
            _ = try Self.recover(disk)
        } throws: { error in
            guard case JournalError.malformed(let file, _, _) = error else { return false }
            return file == "snapshot-000000000000000a-0000000000000001"
        }
    }

    @Test("is not held up by a snapshot whose disk failed: it is given up, the one before stays")
    func failedSnapshot() throws {
        let disk = SimulatedDisk()
        let first = try Self.recover(disk)
        var files = first.snapshots
        let mark = Self.mark(10)
        var outcomes: [SnapshotOutcome] = []
        files.carryOut(.begin(mark), into: &outcomes)
        disk.changesUntilPowerCut = 0
        files.carryOut(.append([UInt8](repeating: 7, count: 300)), into: &outcomes)
        files.carryOut(.append([7]), into: &outcomes)
        files.carryOut(.finish(mark.index), into: &outcomes)
        guard outcomes.count == 1, case .notSaved(mark.index, .storage) = outcomes[0],
            case .snapshotNotSaved(mark.index, lacksRoom: _)? = outcomes[0].input
        else {
            Issue.record("\(outcomes)")
            return
        }
        var random = RandomGenerator(seed: 1)
        disk.crash(.some, &random)
        let again = try Self.recover(disk)
        #expect(again.log.snapshot == nil && again.damagedSnapshots.isEmpty)
    }
}
