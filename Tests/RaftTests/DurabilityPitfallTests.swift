// The ways in which other implementations went wrong, each with a test that shows that this one
// does not.

import Raft
import Testing

@Suite("Pitfalls: what must be durable, and what commits")
struct DurabilityPitfallTests {
    @Test("1: Term and vote are durable before the vote reply leaves")
    func voteAfterDisk() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        member.persistsAtOnce = false
        try member.tick(member.options.electionTicksMin + 1)
        try member.fallBack()
        try member.receive(
            .voteRequest(lastIndex: .zero, lastTerm: .zero, transfer: false), from: 2, term: 1)
        #expect(try member.take().messages.isEmpty)
        try member.persist()
        #expect(member.disk.hardState == HardState(term: Term(1), vote: MemberID(2), commit: .zero))
        #expect(try member.take().bodies == [.voteReply(granted: true)])
    }

    @Test("1: A candidate asks for votes only once its own vote is durable")
    func requestsAfterDisk() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        member.persistsAtOnce = false
        try member.timeOut()
        _ = try member.take()
        try member.receive(.preVoteReply(granted: true), from: 2, term: 1)
        #expect(try member.take().messages.isEmpty)
        try member.persist()
        #expect(try member.take().messages.count == 2)
    }

    @Test("1: A sole voter leads only once its vote is durable")
    func soleVoter() throws {
        let member = TestMember(1, voters: [1])
        member.persistsAtOnce = false
        try member.tick()
        _ = try member.take()
        #expect(member.node.role == .candidate)
        try member.persist()
        #expect(member.node.role == .leader)
    }

    @Test("2: Entries are durable before they are acknowledged")
    func acknowledgeAfterDisk() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        member.persistsAtOnce = false
        try member.receive(
            .append(
                previousIndex: .zero, previousTerm: .zero, entries: [entry(1, 1)], commit: .zero,
                sentMs: 7), from: 2, term: 1)
        #expect(try member.take().messages.isEmpty)
        try member.persist()
        #expect(try member.take().bodies == [.appendReply(matchIndex: LogIndex(1), sentMs: 7)])
    }

    @Test("2: A leader counts itself only after its own disk")
    func leaderCountsDurable() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        network[1].persistsAtOnce = false
        _ = network.propose("x", at: 1)
        _ = try network[1].take()
        try network[1].receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 2, term: 1)
        #expect(network[1].node.commit == LogIndex(1))
        try network[1].persist()
        #expect(network[1].node.commit == LogIndex(2))
    }

    @Test("2: A sole voter commits only what its disk holds (etcd #14370)")
    func soleVoterCommits() throws {
        let member = TestMember(1, voters: [1])
        try member.tick()
        _ = try member.take()
        member.persistsAtOnce = false
        _ = member.node.propose([1])
        #expect(try member.take().committed.isEmpty)
        try member.persist()
        #expect(try member.take().committed.map(\.index) == [LogIndex(2)])
    }

    @Test("2: A write that completes late does not make what replaced it durable, even the same")
    func storageRace() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        member.persistsAtOnce = false
        func append(_ entries: [Entry], from: UInt64, term: UInt64) throws {
            try member.receive(
                .append(
                    previousIndex: .zero, previousTerm: .zero, entries: entries, commit: .zero,
                    sentMs: term), from: from, term: term)
            _ = try member.take()
        }
        // 1 of term 1, replaced by term 2's, replaced by the very entry of term 1 again.
        try append([entry(1, 1, "a")], from: 2, term: 1)
        try append([entry(1, 2, "b")], from: 3, term: 2)
        try append([entry(1, 1, "a"), entry(2, 3)], from: 2, term: 3)
        #expect(member.writes.count == 3)
        try member.persist(1)
        #expect(member.node.observation.durableIndex == .zero)
        #expect(try member.take().messages.isEmpty)
        try member.persist(1)
        #expect(member.node.observation.durableIndex == .zero)
        #expect(try member.take().messages.isEmpty)
        try member.persist(1)
        #expect(
            try member.take().bodies == [.appendReply(matchIndex: LogIndex(2), sentMs: 3)])
    }

    @Test("3: Figure 8: an old entry on a majority can still vanish, so it is not committed")
    func figure8() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        _ = network.propose("old", at: 1)
        try network.drain(network[1])
        network.queue.removeAll()
        // Member 2 leads term 2, alone with member 3; then member 1 leads again.
        try network.elect(2, among: [2, 3])
        try network.run(4)
        #expect(network[1].node.term(at: LogIndex(2)) == Term(2))
        #expect(network[2].appliedEntries.last == entry(2, 2))
    }

    @Test("4: A short, old or repeated append truncates nothing")
    func oldAppend() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        let entries = (1...5).map { entry($0, 1, "\($0)") }
        func append(_ entries: [Entry], after index: UInt64, commit: UInt64 = 0) throws {
            try member.receive(
                .append(
                    previousIndex: LogIndex(index), previousTerm: index == 0 ? .zero : Term(1),
                    entries: entries, commit: LogIndex(commit), sentMs: 0), from: 2, term: 1)
            _ = try member.take()
        }
        try append(entries, after: 0)
        try append([entries[1]], after: 1)
        try append([], after: 2)
        #expect(member.node.lastIndex == LogIndex(5))
        // One that lies below the commit, and reaches above it.
        try append([], after: 5, commit: 3)
        try append(Array(entries[1...]), after: 1, commit: 3)
        #expect(member.disk.entries == entries)
        #expect(member.node.commit == LogIndex(3))
    }

    @Test("4: A run of entries with a hole, or of a later term, is not taken (ZOOKEEPER-4785)")
    func holes() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        for entries in [[entry(1, 1), entry(3, 1)], [entry(2, 1)], [entry(1, 2)]] {
            try member.receive(
                .append(
                    previousIndex: .zero, previousTerm: .zero, entries: entries, commit: .zero,
                    sentMs: 0), from: 2, term: 1)
            #expect(try member.take().messages.isEmpty)
            #expect(member.node.lastIndex == .zero)
        }
    }

    @Test("4: A member whose committed entries are not its leader's ends, even without a new entry")
    func otherHistory() async {
        await #expect(processExitsWith: .failure) {
            let member = TestMember(
                2, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1), entry(2, 1), entry(3, 1)]))
            func append(after index: UInt64, _ term: UInt64) throws {
                try member.receive(
                    .append(
                        previousIndex: LogIndex(index), previousTerm: Term(term), entries: [],
                        commit: LogIndex(index), sentMs: 0), from: 1, term: 3)
            }
            // What ends well here is the test's failure.
            guard (try? append(after: 3, 1)) != nil, (try? append(after: 1, 1)) != nil,
                member.node.commit == LogIndex(3)
            else { return }
            try? append(after: 2, 2)
        }
    }

    @Test("5: The commit goes no further than the last entry that the message vouches for")
    func commitBound() throws {
        let member = TestMember(
            1, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1), entry(2, 1), entry(3, 1)]))
        try member.receive(
            .append(
                previousIndex: LogIndex(1), previousTerm: Term(1), entries: [], commit: LogIndex(3),
                sentMs: 0), from: 2, term: 2)
        #expect(member.node.commit == LogIndex(1))
    }

    @Test("5: A heartbeat carries no more than the follower has acknowledged")
    func heartbeatCommit() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        _ = network.propose("x", at: 1)
        try network.settle([1, 2])
        try network[1].tick(network[1].options.heartbeatTicks)
        let bodies = try network[1].take()
        func commit(_ member: UInt64) -> LogIndex? {
            for case .heartbeat(let commit, _, _) in bodies.bodies(to: member) { return commit }
            return nil
        }
        #expect(commit(2) == LogIndex(2))
        #expect(commit(3) == LogIndex(1))
    }

    @Test(
        "13: A snapshot resets the log, or keeps what follows it, and never goes below the commit")
    func snapshotInstall() throws {
        let configuration = Configuration(voters: [1, 2, 3].map { MemberID($0) })
        func mark(_ index: UInt64, _ term: UInt64) -> SnapshotMark {
            SnapshotMark(index: LogIndex(index), term: Term(term), configuration: configuration)
        }
        let entries = (1...5).map { entry($0, 1) }
        let keeps = TestMember(1, voters: [1, 2, 3], disk: disk(term: 2, entries))
        try keeps.restore(mark(3, 1))
        #expect(keeps.node.firstIndex == LogIndex(4) && keeps.node.lastIndex == LogIndex(5))
        #expect(keeps.node.commit == LogIndex(3) && keeps.node.applied == LogIndex(3))
        try keeps.restore(mark(2, 1))
        #expect(keeps.node.commit == LogIndex(3))

        let resets = TestMember(1, voters: [1, 2, 3], disk: disk(term: 2, entries))
        try resets.receive(
            .heartbeat(commit: .zero, readContext: nil, sentMs: 0), from: 2, term: 2)
        _ = try resets.take()
        try resets.restore(mark(4, 2))
        #expect(resets.node.firstIndex == LogIndex(5) && resets.node.lastIndex == LogIndex(4))
        #expect(resets.disk.entries.isEmpty)
        #expect(
            try resets.take().bodies(to: 2) == [.appendReply(matchIndex: LogIndex(4), sentMs: 0)])
    }

    @Test("13: A crash between a durable snapshot and the reset of the log is recovered")
    func snapshotCrash() throws {
        let member = TestMember(
            1, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1), entry(2, 1)]))
        member.persistsAtOnce = false
        let configuration = Configuration(voters: [1, 2].map { MemberID($0) })
        try member.restore(
            SnapshotMark(index: LogIndex(7), term: Term(3), configuration: configuration))
        try member.crashAndRestart()
        #expect(member.node.lastIndex == LogIndex(7))
        #expect(member.node.term == Term(3), "no term is below the log's")
        #expect(member.configuration == configuration)
    }

    @Test("14: A snapshot's mark carries the configuration at its index, not a later one")
    func snapshotConfiguration() throws {
        let network = TestNetwork(voters: [1, 2, 3], learners: [4])
        try network.elect(1)
        _ = network[1].configure(voters: [1, 2, 3])
        try network.settle()
        let mark = try #require(network[1].snapshotMark(at: LogIndex(1)))
        #expect(mark.configuration.learners == [MemberID(4)])
        #expect(network[1].configuration.learners.isEmpty)
    }
}
