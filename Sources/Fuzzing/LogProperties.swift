// What must hold for the files of any log: recovery ends, believes no length, and comes to a log
// that Raft can start from and that goes on, or refuses and leaves every byte as it was. Where damage
// is taken for what other members still have, the claim on it outlives the next recovery.

import Journal
import Raft

enum LogProperties {
    typealias Log = WriteAheadLog<MemoryStorage>

    static let limits = JournalLimits(segmentBytes: 4_096, groupBytesMax: 2_048)
    static let freshLogID = LogID(high: 0x6176_6961, low: 0x6675_7A7A)

    static func sealed(_ bytes: [UInt8]) -> [UInt8]? {
        guard var input = LogFiles(bytes) else { return nil }
        input.seal()
        return input.packed
    }

    static func check(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        guard let input = LogFiles(bytes) else { return false }
        let storage = MemoryStorage(input.named)
        guard
            case .success(var log) = open(
                storage, input.mark, mustExist: input.mustExist, hasPeers: input.hasPeers)
        else {
            try hold(storage.misdeed == nil, "\(storage.misdeed ?? "")")
            try hold(storage.files == input.named, "a log that was refused has changed")
            return false
        }
        let first = log.takeRecovered()
        try checkRecovered(first, input.mark, log.lastIndex)
        var again = try reopen(storage, input.mark, hasPeers: input.hasPeers)
        let second = again.takeRecovered()
        try hold(
            second.damage == nil && second.claim == first.claim,
            "claims \(String(describing: first.claim)), then \(String(describing: second.claim))")
        try hold(second.droppedTail == nil, "recovery drops a tail twice")
        try hold(
            second.entries == first.entries && second.hardState == first.hardState,
            "recovered \(first), then \(second)")
        try LogContinuation.check(&again, storage, input.mark, second, hasPeers: input.hasPeers)
        return true
    }

    enum Opening: ~Copyable { case success(Log), failure(JournalError) }

    static func open(
        _ storage: MemoryStorage, _ mark: SnapshotMark?, mustExist: Bool, hasPeers: Bool
    ) -> Opening {
        do throws(JournalError) {
            return .success(
                try Log.recover(
                    storage: storage, limits: limits, freshLogID: freshLogID, snapshot: mark,
                    logMustExist: mustExist, hasPeers: hasPeers))
        } catch {
            return .failure(error)
        }
    }

    /// What was recovered or written must be found again.
    static func reopen(
        _ storage: MemoryStorage, _ mark: SnapshotMark?, hasPeers: Bool
    ) throws(BrokenProperty) -> Log {
        switch open(storage, mark, mustExist: true, hasPeers: hasPeers) {
        case .success(let log): return log
        case .failure(let error):
            throw BrokenProperty(description: "refused after it was recovered: \(error)")
        }
    }

    /// What `RaftNode` takes for granted.
    static func checkRecovered(
        _ found: RecoveredLog, _ mark: SnapshotMark?, _ lastIndex: LogIndex
    ) throws(BrokenProperty) {
        var last = mark?.index ?? .zero
        var term = mark?.term ?? .zero
        for entry in found.entries {
            try hold(entry.index == last.next, "entry \(entry.index) after \(last)")
            try hold(entry.term >= term, "term \(entry.term) after \(term) at \(entry.index)")
            last = entry.index
            term = entry.term
            guard entry.kind == .configuration else { continue }
            let isConfiguration = (try? Configuration(decoding: entry.payload)) != nil
            try hold(isConfiguration, "entry \(entry.index) holds no configuration")
        }
        try hold(last == lastIndex, "entries up to \(last), but the log up to \(lastIndex)")
        try hold(
            found.hardState.commit >= mark?.index ?? .zero && found.hardState.commit <= last,
            "commit \(found.hardState.commit) outside the log")
    }
}

/// Goes on with a recovered log: appends, replaces, prunes, starts anew; each time it is opened
/// again and must hold just that.
enum LogContinuation {
    typealias Log = LogProperties.Log

    static func check(
        _ log: inout Log, _ storage: MemoryStorage, _ mark: SnapshotMark?, _ found: RecoveredLog,
        hasPeers: Bool
    ) throws(BrokenProperty) {
        func expect(
            _ storage: MemoryStorage, _ mark: SnapshotMark?, _ state: HardState, _ entries: [Entry]
        ) throws(BrokenProperty) {
            try Self.expect(storage, mark, state, entries, hasPeers: hasPeers)
        }
        var entries = found.entries
        let term = max(found.hardState.term, entries.last?.term ?? mark?.term ?? .zero)
        var state = HardState(term: term, vote: MemberID(2), commit: found.hardState.commit)
        // A vote once given in a term stays.
        if term == found.hardState.term, let vote = found.hardState.vote { state.vote = vote }
        var expected = state

        try append(&log, state, term, payloadBytes: [0, 10, 700, 2_500], to: &entries)
        try expect(storage, mark, expected, entries)
        // The last two are replaced by one.
        entries.removeLast(2)
        try append(&log, nil, term, payloadBytes: [30], to: &entries)
        try run { () throws(StorageError) in
            try log.carryMark()
            try log.prepareNextSegment()
        }
        try expect(storage, mark, expected, entries)
        try append(&log, nil, term, payloadBytes: [1_500, 1_500], to: &entries)
        guard let cut = entries.dropLast().last else { return }
        let pruned = SnapshotMark(
            index: cut.index, term: cut.term, configuration: Configuration(voters: [MemberID(1)]))
        try run { () throws(StorageError) in try log.prune(through: cut.index) }
        expected.commit = cut.index
        try expect(storage, pruned, expected, Array(entries.suffix(1)))

        let received = SnapshotMark(
            index: log.lastIndex + 10, term: term, configuration: pruned.configuration)
        try run { () throws(StorageError) in try log.reset(to: received) }
        expected.commit = received.index
        try expect(storage, received, expected, [])
    }

    private static func append(
        _ log: inout Log, _ state: HardState?, _ term: Term, payloadBytes: [Int],
        to entries: inout [Entry]
    ) throws(BrokenProperty) {
        let next = entries.last?.index.next ?? log.lastIndex.next
        let new = payloadBytes.enumerated().map { place, count in
            Entry(
                index: next + place, term: term, kind: .command,
                payload: [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count))
        }
        entries += new
        try run { () throws(StorageError) in
            try log.append(hardState: state, entries: new)
            try log.sync()
        }
    }

    private static func expect(
        _ storage: MemoryStorage, _ mark: SnapshotMark?, _ state: HardState, _ entries: [Entry],
        hasPeers: Bool
    ) throws(BrokenProperty) {
        // What opening repairs must not reach the log that goes on.
        let copy = MemoryStorage(storage.files)
        var log = try LogProperties.reopen(copy, mark, hasPeers: hasPeers)
        let found = log.takeRecovered()
        try LogProperties.checkRecovered(found, mark, log.lastIndex)
        try hold(found.droppedTail == nil, "a synced log has a tail to drop")
        try hold(found.entries == entries, "\(entries) were written, \(found.entries) recovered")
        // A commit index found before was true, and counts again once the log reaches it.
        try hold(
            found.hardState.term == state.term && found.hardState.vote == state.vote
                && found.hardState.commit >= state.commit,
            "\(state) was written, \(found.hardState) recovered")
    }

    private static func run(
        _ body: () throws(StorageError) -> Void
    ) throws(BrokenProperty) {
        do throws(StorageError) { try body() } catch {
            throw BrokenProperty(description: "going on fails: \(error)")
        }
    }
}
