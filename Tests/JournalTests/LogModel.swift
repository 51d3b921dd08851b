// The log as a plain list, one state after each operation: what any recovery is compared with.

import Journal
import Raft

struct LogState: Equatable {
    var base: LogIndex = .zero
    var baseTerm: Term = .zero
    var entries: [Entry] = []
    var hardState: HardState = .initial

    var last: LogIndex { entries.last?.index ?? base }
    var lastTerm: Term { entries.last?.term ?? baseTerm }

    func term(at index: LogIndex) -> Term? {
        if index == base { return baseTerm }
        return entries.first { $0.index == index }?.term
    }

    mutating func append(_ state: HardState?, _ new: [Entry]) {
        if let state { hardState = state }
        if let first = new.first { entries.removeAll { $0.index >= first.index } }
        entries += new
    }

    mutating func reset(to mark: SnapshotMark) {
        if mark.index <= base || term(at: mark.index) == mark.term { return }
        base = mark.index
        baseTerm = mark.term
        entries = []
    }

    /// What is left of the log beside a snapshot.
    func entries(after snapshot: SnapshotMark?) -> [Entry] {
        guard let snapshot else { return entries }
        if last < snapshot.index { return [] }
        if snapshot.index > base, term(at: snapshot.index) != snapshot.term { return [] }
        return entries.filter { $0.index > snapshot.index }
    }
}

/// Drives a log and the model side by side, and judges every recovery.
struct LogDriver: ~Copyable {
    let disk: SimulatedDisk
    let limits: JournalLimits
    var random: SplitMix
    var log: WriteAheadLog<SimulatedDisk>?
    /// After each operation that changes the log, oldest first.
    var states: [LogState] = [LogState()]
    /// The first state that may be the recovered one: all before it is acknowledged.
    var acknowledged = 0
    /// Durable before the log hears of it.
    var snapshot: SnapshotMark?
    var payloadBytesMax = 600

    init(disk: SimulatedDisk, limits: JournalLimits, seed: UInt64) {
        self.disk = disk
        self.limits = limits
        random = SplitMix(seed: seed)
    }

    var state: LogState { states[states.count - 1] }

    mutating func open() throws {
        log = nil
        let id = RandomID(high: random.next(), low: random.next())
        log = try WriteAheadLog.recover(
            storage: disk, limits: limits, freshLogID: id, snapshot: snapshot,
            logMustExist: false, hasPeers: true)
    }

    // MARK: operations

    mutating func appendRandom() throws {
        var next = state
        var entries: [Entry] = []
        let floor = max(max(next.base, snapshot?.index ?? .zero), next.hardState.commit)
        var first = next.last.next
        if random.chance(20), next.last > floor {
            first = floor + (1 + random.below(next.last - floor))
        }
        var hard: HardState?
        if random.chance(40) || first <= next.last {
            var changed = next.hardState
            if random.chance(60) || first <= next.last {
                // What is cut off is of older terms than what takes its place (thesis 3.5).
                changed.term = max(changed.term, next.lastTerm).next
                changed.vote = random.chance(70) ? MemberID(UInt64(1 + random.below(3))) : nil
            }
            if next.last > floor, first > next.last { changed.commit = floor.next }
            hard = changed
        }
        // As in Raft, terms only grow along the log, also behind a snapshot that came before its term.
        let before = next.term(at: first.previous) ?? .zero
        let term = max((hard ?? next.hardState).term, before, Term(1))
        let count = hard == nil || random.chance(80) ? 1 + random.below(4) : 0
        for position in 0..<count {
            let size = random.chance(5) ? random.below(12_000) : random.below(payloadBytesMax)
            let kind: EntryKind = random.chance(10) ? .noOp : .command
            let fill = UInt8(truncatingIfNeeded: random.next())
            entries.append(
                Entry(
                    index: first + position, term: term, kind: kind,
                    payload: [UInt8](repeating: fill, count: size)))
        }
        next.append(hard, entries)
        // The operation may be on the disk even if it throws.
        states.append(next)
        try log?.append(hardState: hard, entries: entries)
    }

    mutating func sync() throws {
        try log?.sync()
        acknowledged = states.count - 1
    }

    mutating func pruneRandom() throws {
        let state = states[acknowledged]
        let low = max(state.base, snapshot?.index ?? .zero)
        guard state.hardState.commit > low, let term = state.term(at: state.hardState.commit)
        else { return }
        let index = state.hardState.commit
        snapshot = SnapshotMark(
            index: index, term: term, configuration: Configuration(voters: [MemberID(1)]))
        try log?.prune(through: index)
        acknowledged = states.count - 1
    }

    mutating func resetRandom() throws {
        let floor = max(state.base, max(state.hardState.commit, snapshot?.index ?? .zero))
        let index = floor + (1 + random.below(6))
        var next = state
        let term = next.term(at: index).flatMap { random.chance(50) ? $0 : nil }
        // Log matching: entries of the snapshot's own term stand behind no other entry.
        let least = index <= next.last ? next.lastTerm.next : max(next.lastTerm, Term(1))
        let mark = SnapshotMark(
            index: index, term: term ?? max(next.hardState.term, least),
            configuration: Configuration(voters: [MemberID(1)]))
        snapshot = mark
        next.reset(to: mark)
        next.hardState.commit = max(next.hardState.commit, index)
        states.append(next)
        try log?.reset(to: mark)
        acknowledged = states.count - 1
    }

    mutating func step() throws {
        switch random.below(100) {
        case ..<55: try appendRandom()
        case ..<80: try sync()
        case ..<86: _ = try log?.carryMark()
        case ..<91: _ = try log?.prepareNextSegment()
        case ..<97: try pruneRandom()
        default: try resetRandom()
        }
    }

    // MARK: the judge

    /// nil when the recovered log is one that may be; else what is wrong with it.
    mutating func complaint() -> String? {
        guard let found = log?.takeRecovered() else { return "no log" }
        if found.claim != nil || found.damage != nil {
            return "a crash passes for damage: \(String(describing: found))"
        }
        let best = states[acknowledged].hardState
        let isNotBack =
            found.hardState.term > best.term
            || (found.hardState.term == best.term
                && (best.vote == nil || best.vote == found.hardState.vote))
        if !isNotBack { return "hard state \(found.hardState) after \(best)" }
        let isKnown = states.contains {
            $0.hardState.term == found.hardState.term
                && ($0.hardState.vote == found.hardState.vote || found.hardState.vote == nil)
        }
        if !isKnown { return "hard state \(found.hardState) was never appended" }
        let candidates = states.indices.dropFirst(acknowledged)
        guard
            let match = candidates.last(where: {
                states[$0].entries(after: snapshot) == found.entries
            })
        else {
            let first = found.entries.first?.index ?? .zero
            return "no state from \(acknowledged) to \(states.count - 1) has "
                + "\(found.entries.count) entries from \(first)"
        }
        // From here on the world is what was recovered.
        var now = LogState()
        now.base = snapshot?.index ?? .zero
        now.baseTerm = snapshot?.term ?? .zero
        now.entries = found.entries
        now.hardState = found.hardState
        let commits = states[...match].map(\.hardState.commit).max() ?? .zero
        if found.hardState.commit > max(commits, now.base) {
            return "commit \(found.hardState.commit) was never appended"
        }
        states = [now]
        acknowledged = 0
        return nil
    }
}
