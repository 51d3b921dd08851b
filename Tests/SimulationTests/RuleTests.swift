// The rules that no other check's tests break, and the list of them: each is raised somewhere, is shown
// a history that breaks it, and is in the table of docs/simulation.md.

import Ensemble
import Foundation
import Journal
import Raft
import Simulation
import Testing
import Znodes

@Suite("The checks of a member's turn")
struct TurnCheckTests {
    private func observation(commit: UInt64) -> RaftObservation {
        let node = RaftNode(
            id: MemberID(1), options: RaftOptions(), hardState: .initial, snapshot: nil,
            baseConfiguration: Configuration(voters: [MemberID(1), MemberID(2)]), entries: [],
            applied: .zero, nowMs: 0, random: RandomGenerator(seed: 1))
        var observation = node.observation
        observation.term = Term(1)
        observation.lastTerm = Term(1)
        observation.lastIndex = LogIndex(5)
        observation.commit = LogIndex(commit)
        return observation
    }

    @Test("A step keeps the core's own invariants")
    func step() throws {
        try TurnChecks.step(from: nil, to: observation(commit: 3))
        try TurnChecks.step(from: observation(commit: 3), to: observation(commit: 4))
        breaks(.raftStep) { () throws(Violation) in
            try TurnChecks.step(from: observation(commit: 4), to: observation(commit: 3))
        }
        breaks(.raftStep) { () throws(Violation) in
            try TurnChecks.step(from: nil, to: observation(commit: 6))
        }
    }

    @Test("Queues stay within their options")
    func bounds() throws {
        let options = ReplicaOptions()
        let writes = options.pendingWritesMax
        let waits = options.waitsMax
        let pieces = 64 + options.snapshotPiecesAhead
        try TurnChecks.bounds(
            MemberID(1), pendingWrites: writes, waits: waits, snapshotRequests: pieces, options)
        for (writes, waits, pieces) in [
            (writes + 1, 0, 0), (0, waits + 1, 0), (0, 0, pieces + 1),
        ] {
            breaks(.queueBound) { () throws(Violation) in
                try TurnChecks.bounds(
                    MemberID(1), pendingWrites: writes, waits: waits, snapshotRequests: pieces,
                    options)
            }
        }
    }

    @Test("A frame is read as it was written, and is all there is")
    func frames() throws {
        let hello = Hello(
            ensemble: nil, member: MemberID(1), storage: StorageID(high: 1, low: 2),
            to: MemberID(2), incarnation: 3, httpAddress: [], peerAddress: [], version: [])
        var other = hello
        other.incarnation = 4
        var bytes: [UInt8] = []
        PeerCodec.encode(.hello(hello), into: &bytes)
        #expect(try TurnChecks.hello(hello, in: bytes) == hello)
        var refusal: [UInt8] = []
        PeerCodec.encode(.helloRefused(.otherStorage), into: &refusal)
        for (sent, bytes) in [
            (other, bytes), (hello, bytes + [0]), (hello, Array(bytes.dropLast())),
            (hello, bytes.dropLast() + [bytes[bytes.count - 1] ^ 1]), (hello, refusal),
        ] {
            breaks(.codec) { () throws(Violation) in
                _ = try TurnChecks.hello(sent, in: bytes)
            }
        }
    }

    @Test("Local reads of one run of a member never go back")
    func localReads() throws {
        var reads = LocalReads()
        try reads.shown(Zxid(5), member: 0, run: 1)
        try reads.shown(Zxid(5), member: 0, run: 1)
        var copy = reads
        breaks(.readOrder) { () throws(Violation) in
            try copy.shown(Zxid(4), member: 0, run: 1)
        }
        copy = reads
        try copy.shown(Zxid(4), member: 0, run: 2)
        try reads.shown(Zxid(4), member: 1, run: 1)
    }
}

@Suite("The checks of exchanged disks")
struct ExchangedDiskTests {
    private func entry(_ index: UInt64, _ kind: EntryKind, _ payload: [UInt8]) -> Entry {
        Entry(index: LogIndex(index), term: Term(1), kind: kind, payload: payload)
    }

    @Test("A replaced disk votes until it holds the entry that says so; no other one does")
    func votes() throws {
        var checker = ConsensusChecker(members: 3)
        for member in 0..<3 {
            try checker.asked(
                StorageToken(rawValue: 1), nil, [entry(1, .command, []), entry(2, .command, [])],
                by: member)
            checker.durable(through: StorageToken(rawValue: 1), at: member)
        }
        _ = try checker.observe(.leader, in: Term(1), commit: LogIndex(2), 0)
        try checker.checkUnnamedVoter(2, replacedAt: 3)
        breaks(.wipedVote) { () throws(Violation) in
            try checker.checkUnnamedVoter(2, replacedAt: 2)
        }
        breaks(.wipedVote) { () throws(Violation) in
            try checker.checkUnnamedVoter(2, replacedAt: nil)
        }
    }

    @Test("Another disk is named for a member only while it has no vote")
    func naming() throws {
        let origin = ForwardID(member: MemberID(1), incarnation: 1, counter: 1)
        let old = StorageID(high: 1, low: 3)
        let members = [MemberID(1), MemberID(2), MemberID(3)]
        for hasVote in [false, true] {
            var oracle = Oracle()
            let storages = members.map {
                MemberStorage(member: $0, storage: StorageID(high: 1, low: $0.rawValue))
            }
            let configuration = Configuration(
                voters: hasVote ? members : Array(members.dropLast()),
                learners: hasVote ? [] : [MemberID(3)])
            _ = try oracle.apply(
                entry(
                    1, .command,
                    Proposal.encode(
                        ensemble: EnsembleID(high: 1, low: 1), storages: storages, origin: origin)))
            _ = try oracle.apply(entry(2, .configuration, configuration.encoded()))
            let naming = entry(
                3, .command,
                Proposal.encode(
                    MemberStorage(member: MemberID(3), storage: StorageID(high: 2, low: 3)),
                    replaces: old, origin: origin))
            guard hasVote else {
                _ = try oracle.apply(naming)
                continue
            }
            breaks(.diskAdmission) { () throws(Violation) in _ = try oracle.apply(naming) }
        }
    }
}

@Suite("The check of the registers")
struct RegisterTests {
    @Test("A read that no order explains is found")
    func order() throws {
        var registers = Registers()
        let write = registers.begin(.put(tag: 1, .none), at: 0)
        registers.end(write, .created(mzxid: Zxid(10)))
        try registers.check()
        let read = registers.begin(.read, at: 0)
        registers.end(read, .seen(nil))
        breaks(.linearizability) { () throws(Violation) in try registers.check() }
    }

    @Test("What is too hard to judge is no pass")
    func tooHard() {
        var registers = Registers()
        for tag in UInt64(1)...300 { _ = registers.begin(.put(tag: tag, .none), at: 0) }
        breaks(.searchTooHard) { () throws(Violation) in try registers.check() }
    }
}

@Suite("The checks of a whole run")
struct RunTests {
    private func run(_ change: (inout WorldOptions) -> Void) throws(Violation) {
        var options = WorldOptions(members: 3, profile: .calm, eventsMax: 1_500)
        change(&options)
        if let violation = World(seed: 1, options: options).run().violation { throw violation }
    }

    @Test("One that is not at rest in time, or does too little, is a failure")
    func ends() throws {
        try run { _ in }
        breaks(.liveness) { () throws(Violation) in try run { $0.settleNs = 0 } }
        breaks(.liveness) { () throws(Violation) in try run { $0.settleEventsMax = 0 } }
        breaks(.quietRun) { () throws(Violation) in try run { $0.eventsMax = 1 } }
    }

    @Test("A wait that ends below what it was asked from is no answer")
    func answers() {
        let wait = Wait(
            path: ZnodePath(trusted: [UInt8]("/a".utf8)), view: .data, after: Zxid(2),
            deadlineMs: 0, local: true)
        breaks(.answer) { () throws(Violation) in
            try HistoryChecker().unchanged(wait, at: Zxid(1), Oracle())
        }
    }
}

@Suite("The rules")
struct RuleListTests {
    private static func texts(_ folder: String) throws -> [String] {
        let folder = MutationTests.root.appending(path: folder)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path())
            .filter { $0.hasSuffix(".swift") && $0 != "Violation.swift" }.sorted()
            .map { try String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
    }

    @Test("Each is raised by some check")
    func raised() throws {
        let sources = try Self.texts("Sources/Simulation")
        for rule in Rule.allCases {
            let word = try Regex("[(,]\\s*\\.\(rule.rawValue),")
            #expect(sources.contains { $0.contains(word) }, "\(rule) is never raised")
        }
    }

    @Test("Each is broken by a history of its check's tests, not by a planted bug alone")
    func broken() throws {
        let tests = try Self.texts("Tests/SimulationTests")
        for rule in Rule.allCases {
            let word = "breaks(.\(rule.rawValue))"
            #expect(tests.contains { $0.contains(word) }, "nothing breaks \(rule)")
        }
    }

    @Test("The table of docs/simulation.md names every rule, and no other")
    func table() throws {
        let page = try String(
            contentsOf: MutationTests.root.appending(path: "docs/simulation.md"), encoding: .utf8)
        let rows = page.components(separatedBy: "| invariant | checked by |")[1]
            .components(separatedBy: "\n\n")[0].split(separator: "\n").dropFirst()
        var named: Set<String> = []
        for row in rows {
            // Behind a colon the rules, before it who checks them.
            let part = row.split(separator: "|")[1]
            for list in part.matches(of: /: (`[A-Za-z]+`(?:, `[A-Za-z]+`)*)/) {
                for word in list.output.1.matches(of: /[A-Za-z]+/) {
                    named.insert(String(word.output))
                }
            }
        }
        #expect(named.subtracting(Rule.allCases.map(\.rawValue)).isEmpty)
        #expect(Set(Rule.allCases.map(\.rawValue)).subtracting(named).isEmpty)
    }
}
