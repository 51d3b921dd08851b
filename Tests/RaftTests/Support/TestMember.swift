// One member with a disk whose completions the test decides. Invariants are checked after each
// step; entries are applied as soon as they are given out.

import Raft
import Testing

struct TestDisk {
    var hardState = HardState.initial
    var snapshot: SnapshotMark?
    var entries: [Entry] = []
    /// Set by damage; the journal's part, so never met here.
    var claim: LogPosition?

    mutating func write(_ storage: Ready.Storage) {
        if let hardState = storage.hardState { self.hardState = hardState }
        guard let first = storage.entries.first else { return }
        entries.removeAll { $0.index >= first.index }
        entries += storage.entries
    }

    mutating func reset(to mark: SnapshotMark) {
        if entries.contains(where: { $0.index == mark.index && $0.term == mark.term }) {
            entries.removeAll { $0.index <= mark.index }
        } else {
            entries.removeAll()
        }
    }
}

/// The checker of a whole cluster, shared by its members.
final class ClusterChecker {
    var invariants = ClusterInvariants()
}

final class TestMember {
    enum Write {
        case append(Ready.Storage)
        case reset(SnapshotMark)
    }

    let id: MemberID
    let options: RaftOptions
    let base: Configuration
    let checker: ClusterChecker?
    var node: RaftNode
    var disk: TestDisk
    var writes: [Write] = []
    var persistsAtOnce = true
    var previous: RaftObservation?
    var appliedEntries: [Entry] = []
    var runs: UInt64 = 0
    var seed: UInt64

    init(
        _ id: UInt64, voters: [UInt64], learners: [UInt64] = [], options: RaftOptions = .test,
        disk: TestDisk = TestDisk(), seed: UInt64 = 1, checker: ClusterChecker? = nil
    ) {
        self.id = MemberID(id)
        self.options = options
        self.disk = disk
        self.seed = seed
        self.checker = checker
        base = Configuration(
            voters: voters.map { MemberID($0) }, learners: learners.map { MemberID($0) })
        node = Self.start(self.id, options, base, disk, seed &* 31 &+ id, nowMs: 0)
    }

    static func start(
        _ id: MemberID, _ options: RaftOptions, _ base: Configuration, _ disk: TestDisk,
        _ seed: UInt64, nowMs: UInt64
    ) -> RaftNode {
        RaftNode(
            id: id, options: options, hardState: disk.hardState, snapshot: disk.snapshot,
            baseConfiguration: base, entries: disk.entries, claim: disk.claim,
            applied: disk.snapshot?.index ?? .zero, nowMs: nowMs,
            random: RandomGenerator(seed: seed))
    }

    /// Stops; damage takes all of its log but what it had promised; starts.
    func loseLog() throws {
        disk.claim = LogPosition(
            index: disk.entries.last?.index ?? .zero, term: disk.entries.last?.term ?? .zero)
        disk.entries.removeAll()
        disk.hardState.commit = .zero
        try crashAndRestart()
    }

    /// What was not durable is gone.
    func crashAndRestart(nowMs: UInt64 = 0) throws {
        runs += 1
        writes = []
        if let snapshot = disk.snapshot, disk.entries.first?.index != snapshot.index.next {
            disk.reset(to: snapshot)
        }
        node = Self.start(
            id, options, base, disk, seed &* 31 &+ id.rawValue &+ runs &* 7_919, nowMs: nowMs)
        previous = nil
        appliedEntries = []
        try checker?.invariants.restarted(id, snapshot: disk.snapshot, entries: disk.entries)
    }

    /// Everything that the member wants done now. With `persistsAtOnce` its storage requests
    /// complete on the way.
    func take() throws -> TestOutput {
        var output = TestOutput()
        var ready = Ready()
        var rounds = 0
        repeat {
            node.takeReady(into: &ready)
            if let storage = ready.storage {
                ready.storage = nil
                writes.append(.append(storage))
                output.storage.append(storage)
                try checker?.invariants.stored(storage.entries, by: id)
            }
            try checker?.invariants.committed(ready.committed, by: id, term: node.term)
            if let last = ready.committed.last { node.applied(through: last.index) }
            appliedEntries += ready.committed
            output.add(&ready)
            try check()
            if persistsAtOnce { try persist() }
            rounds += 1
            #expect(rounds < 10_000, "the member never comes to rest")
        } while node.hasReady && rounds < 10_000
        return output
    }

    func check() throws {
        let current = node.observation
        try RaftInvariants.check(previous: previous, current: current)
        try checker?.invariants.observe(current)
        previous = current
    }

    /// Completes the oldest writes, all of them without a count.
    func persist(_ count: Int? = nil) throws {
        for _ in 0..<min(count ?? writes.count, writes.count) {
            switch writes.removeFirst() {
            case .append(let storage):
                disk.write(storage)
                node.persisted(storage.token)
                try check()
            case .reset(let mark):
                disk.reset(to: mark)
            }
        }
    }

    func tick(_ count: Int = 1, nowMs: UInt64? = nil) throws {
        for _ in 0..<count {
            node.tick(nowMs: nowMs ?? node.nowMs + options.tickMs)
            try check()
        }
    }

    func step(_ message: Message) throws {
        node.step(message)
        try check()
    }

    /// A message of this member's that is handed to it.
    func receive(_ body: Message.Body, from: UInt64, term: UInt64) throws {
        try step(Message(from: MemberID(from), to: id, term: Term(term), body: body))
    }

    func snapshotMark(at index: LogIndex) -> SnapshotMark? {
        guard let term = node.term(at: index), let configuration = node.configuration(at: index)
        else { return nil }
        return SnapshotMark(index: index, term: term, configuration: configuration)
    }

    func compact(through index: LogIndex) throws {
        guard let mark = snapshotMark(at: index) else { return }
        node.setSnapshot(mark)
        node.compact(through: index)
        disk.snapshot = mark
        disk.entries.removeAll { $0.index <= index }
        try check()
    }

    func restore(_ mark: SnapshotMark) throws {
        guard node.restore(mark) else { return }
        disk.snapshot = mark
        writes.append(.reset(mark))
        try checker?.invariants.installed(mark, by: id)
        try check()
        if persistsAtOnce { try persist() }
    }

    /// Ticks until it stands for election.
    func timeOut() throws {
        for _ in 0...options.electionTicksMax {
            if node.role != .follower { return }
            try tick()
        }
    }
}

struct TestOutput {
    var storage: [Ready.Storage] = []
    var messages: [Message] = []
    var committed: [Entry] = []
    var readsReady: [(read: ReadID, index: LogIndex)] = []
    var readsFailed: [ReadID] = []
    var snapshotsWanted: [MemberID] = []

    mutating func add(_ ready: inout Ready) {
        messages += ready.messages
        committed += ready.committed
        readsReady += ready.readsReady
        readsFailed += ready.readsFailed
        snapshotsWanted += ready.snapshotsWanted
        ready.reset()
    }

    var bodies: [Message.Body] { messages.map(\.body) }
    func bodies(to member: UInt64) -> [Message.Body] {
        messages.filter { $0.to == MemberID(member) }.map(\.body)
    }
}

extension RaftOptions {
    /// Short times, so that traces are short: heartbeat 2, election above 5 up to 10.
    static var test: RaftOptions {
        var options = RaftOptions()
        options.heartbeatTicks = 2
        options.electionTicksMin = 5
        options.electionTicksMax = 10
        options.readRetryTicks = 4
        return options
    }
}

func entry(_ index: UInt64, _ term: UInt64, _ text: String = "") -> Entry {
    Entry(
        index: LogIndex(index), term: Term(term), kind: text.isEmpty ? .noOp : .command,
        payload: Array(text.utf8))
}

func disk(term: UInt64, vote: UInt64? = nil, _ entries: [Entry] = []) -> TestDisk {
    TestDisk(
        hardState: HardState(term: Term(term), vote: vote.map { MemberID($0) }, commit: .zero),
        entries: entries)
}

/// Why: the macros of Testing copy what they look into, and a node cannot be copied.
extension TestMember {
    var hasCommittedInTerm: Bool { node.hasCommittedInTerm }
    var hasReady: Bool { node.hasReady }
    var configuration: Configuration { node.configuration }
    var quorumConfirmedMs: UInt64? { node.quorumConfirmedMs }
    func transfer(to member: UInt64?) -> Bool {
        node.transferLeadership(to: member.map { MemberID($0) })
    }
    func configure(voters: [UInt64], learners: [UInt64] = []) -> ConfigurationResult {
        node.proposeConfiguration(
            Configuration(
                voters: voters.map { MemberID($0) }, learners: learners.map { MemberID($0) }))
    }
    func read(_ read: UInt64) { node.requestRead(ReadID(rawValue: read)) }
}
