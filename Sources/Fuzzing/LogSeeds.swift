// Logs to begin with, written by the product's own code into memory, then damaged by hand.

import Journal
import Raft

enum LogSeeds {
    static var all: [FuzzSeed] {
        let plain = written(entries: 4)
        let long = written(entries: 14, payloadBytes: 600)
        return [
            FuzzSeed("fresh", written(entries: 0).packed), FuzzSeed("entries", plain.packed),
            FuzzSeed("segments", long.packed), FuzzSeed("pruned", pruned.packed),
            FuzzSeed("reset", reset.packed), FuzzSeed("snapshot", behindSnapshot.packed),
            FuzzSeed("none", LogFiles().packed), FuzzSeed("replaced", replaced.packed),
            FuzzSeed("torn-payload", changed(plain, file: 0, at: 512 + 90)),
            FuzzSeed("torn-header", changed(plain, file: 0, at: 512 + 30)),
            FuzzSeed("rot", changed(long, file: 0, at: 1_024 + 90)),
            FuzzSeed("rot-peers", changed(amongPeers(long), file: 0, at: 1_024 + 90)),
            FuzzSeed("hole-peers", holed(amongPeers(long))),
            FuzzSeed("tail-sequence-max", numbered(amongPeers(long), .max)),
            FuzzSeed("segment-header", changed(long, file: 1, at: 20)),
            FuzzSeed("short", shortened(long)), FuzzSeed("hole", holed(long)),
        ] + numbers
    }

    /// The first file's second group has another number, and its checksums are right.
    private static func numbered(_ files: LogFiles, _ sequence: UInt64) -> [UInt8] {
        var files = files
        let groups = stride(from: 512, to: files.files[0].count, by: JournalLimits.sectorBytes)
            .filter { files.files[0].number($0, bytes: 4) == 0x5047_5641 }
        files.files[0].put(sequence, at: groups[1] + 24, bytes: 8)
        files.seal()
        return files.packed
    }

    private static func amongPeers(_ files: LogFiles) -> LogFiles {
        var files = files
        files.hasPeers = true
        return files
    }

    /// A single group whose numbers are as great as they get.
    private static var numbers: [FuzzSeed] {
        let log = written(entries: 1)
        // The group: header of 104, the segment's start of 24, a hard state of 32, both again as
        // appended, then the entry.
        func with(_ name: String, _ value: UInt64, at offset: Int) -> FuzzSeed {
            var log = log
            if !log.files.isEmpty { log.files[0].put(value, at: 512 + offset, bytes: 8) }
            log.seal()
            return FuzzSeed(name, log.packed)
        }
        let start = 104 + 8
        let entry = start + 16 + 32 + 32 + 8
        return [
            with("sequence-max", .max, at: 24), with("mark-max", .max, at: 32),
            with("start-max", .max, at: start), with("start-beyond-int", 1 << 63, at: start),
            with("index-max", .max, at: entry), with("term-max", .max, at: entry + 8),
            with("index-zero", 0, at: entry), with("commit-max", .max, at: start + 16 + 8 + 16),
        ]
    }

    private static func make(_ body: (inout LogProperties.Log) throws(StorageError) -> Void)
        -> LogFiles
    {
        let storage = MemoryStorage([:])
        guard
            case .success(var log) = LogProperties.open(
                storage, nil, mustExist: false, hasPeers: false)
        else {
            return LogFiles()
        }
        try? body(&log)
        var files = LogFiles()
        let names = storage.files.keys.sorted()
        if let first = names.first, let number = UInt64(first.dropFirst(4), radix: 16) {
            files.firstNumber = number
        }
        files.files = names.compactMap { storage.files[$0] }
        return files
    }

    private static func entry(_ index: UInt64, _ term: UInt64, bytes: Int) -> Entry {
        let isConfiguration = index == 2
        let payload =
            isConfiguration
            ? Configuration(voters: [MemberID(1), MemberID(2), MemberID(3)]).encoded()
            : [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: bytes)
        return Entry(
            index: LogIndex(index), term: Term(term),
            kind: isConfiguration ? .configuration : .command,
            payload: payload)
    }

    private static func fill(
        _ log: inout LogProperties.Log, _ indexes: ClosedRange<UInt64>, _ term: UInt64, bytes: Int
    ) throws(StorageError) {
        for index in indexes {
            let state = HardState(term: Term(term), vote: MemberID(1), commit: LogIndex(index - 1))
            try log.append(hardState: state, entries: [entry(index, term, bytes: bytes)])
            try log.sync()
        }
    }

    private static func written(entries: UInt64, payloadBytes: Int = 20) -> LogFiles {
        make { log throws(StorageError) in
            if entries > 0 { try fill(&log, 1...entries, 1, bytes: payloadBytes) }
            try log.carryMark()
        }
    }

    private static var replaced: LogFiles {
        make { log throws(StorageError) in
            try fill(&log, 1...5, 1, bytes: 10)
            try fill(&log, 4...6, 3, bytes: 12)
            try log.prepareNextSegment()
        }
    }

    private static var pruned: LogFiles {
        var files = make { log throws(StorageError) in
            try fill(&log, 1...14, 2, bytes: 600)
            try log.prune(through: LogIndex(9))
        }
        files.snapshotIndex = 9
        files.snapshotTerm = 2
        return files
    }

    private static var reset: LogFiles {
        var files = make { log throws(StorageError) in
            try fill(&log, 1...3, 1, bytes: 20)
            try log.reset(
                to: SnapshotMark(
                    index: LogIndex(20), term: Term(4),
                    configuration: Configuration(voters: [MemberID(1)])))
            try fill(&log, 21...23, 4, bytes: 20)
        }
        files.snapshotIndex = 20
        files.snapshotTerm = 4
        files.mustExist = true
        return files
    }

    /// As a crash between a received snapshot and the reset leaves it.
    private static var behindSnapshot: LogFiles {
        var files = written(entries: 3)
        files.snapshotIndex = 30
        files.snapshotTerm = 5
        return files
    }

    private static func changed(_ log: LogFiles, file: Int, at offset: Int) -> [UInt8] {
        var log = log
        if log.files.indices.contains(file) {
            log.files[file].put(
                log.files[file].number(offset, bytes: 1) ^ 0x55, at: offset, bytes: 1)
        }
        return log.packed
    }

    private static func shortened(_ log: LogFiles) -> [UInt8] {
        var log = log
        if let last = log.files.popLast() { log.files.append(Array(last.dropLast(700))) }
        return log.packed
    }

    private static func holed(_ log: LogFiles) -> [UInt8] {
        var log = log
        if log.files.count > 1 { log.files.remove(at: 1) }
        return log.packed
    }
}
