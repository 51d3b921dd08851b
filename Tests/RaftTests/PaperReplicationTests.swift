// The thesis (Ongaro 2014), sentence by sentence: replication, membership, snapshots.

import Raft
import Testing

@Suite("The thesis, sentence by sentence: replication")
struct PaperReplicationTests {
    @Test("3.5: The leader appends a command to its log, then sends it to all others in parallel")
    func parallel() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        network[1].persistsAtOnce = false
        #expect(network.propose("x", at: 1) == .appended(LogIndex(2), Term(1)))
        let output = try network[1].take()
        let body = Message.Body.append(
            previousIndex: LogIndex(1), previousTerm: Term(1), entries: [entry(2, 1, "x")],
            commit: LogIndex(1), sentMs: network[1].node.nowMs)
        #expect(output.bodies(to: 2) == [body] && output.bodies(to: 3) == [body])
        #expect(network[1].disk.entries.count == 1, "the own disk is not waited for")
    }

    @Test("3.5: An entry is committed once the leader has replicated it on a majority")
    func majorityCommits() throws {
        let network = TestNetwork(voters: [1, 2, 3, 4, 5])
        try network.elect(1)
        _ = network.propose("x", at: 1)
        _ = try network[1].take()
        try network[1].receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 2, term: 1)
        #expect(network[1].node.commit == LogIndex(1))
        try network[1].receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 3, term: 1)
        #expect(network[1].node.commit == LogIndex(2))
    }

    @Test("3.5: Committing an entry commits all that precede it, of earlier leaders, too")
    func commitsPreceding() throws {
        let member = TestMember(
            1, voters: [1, 2, 3], disk: disk(term: 2, [entry(1, 1, "a"), entry(2, 2, "b")]))
        try lead(member)
        try member.receive(.appendReply(matchIndex: LogIndex(3), sentMs: 0), from: 2, term: 3)
        #expect(try member.take().committed.map(\.index.rawValue) == [1, 2, 3])
    }

    @Test("3.5: The leader includes the highest committed index in its messages; followers apply")
    func followersLearnCommit() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        _ = network.propose("x", at: 1)
        try network.settle()
        #expect(network[2].appliedEntries == network[1].appliedEntries)
        #expect(network[2].appliedEntries.count == 2)
    }

    @Test(
        "3.5: If the follower has no entry with the same index and term, it refuses the entries",
        arguments: [(3, 2), (2, 3), (5, 2)])
    func consistencyCheck(previousIndex: UInt64, previousTerm: UInt64) throws {
        let member = TestMember(
            1, voters: [1, 2, 3], disk: disk(term: 2, [entry(1, 1), entry(2, 2)]))
        try member.receive(
            .append(
                previousIndex: LogIndex(previousIndex), previousTerm: Term(previousTerm),
                entries: [entry(previousIndex + 1, 3)], commit: .zero, sentMs: 4), from: 2, term: 3)
        guard case .appendRejection(let rejected, _, _, 4) = try member.take().bodies(to: 2).first
        else {
            Issue.record("not refused")
            return
        }
        #expect(rejected == LogIndex(previousIndex))
        #expect(member.node.lastIndex == LogIndex(2))
    }

    @Test("3.5: Conflicting entries in a follower's log are overwritten with the leader's")
    func overwrites() throws {
        let member = TestMember(
            1, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1), entry(2, 1), entry(3, 1)]))
        try member.receive(
            .append(
                previousIndex: LogIndex(1), previousTerm: Term(1), entries: [entry(2, 2, "x")],
                commit: .zero, sentMs: 0), from: 2, term: 2)
        let output = try member.take()
        #expect(member.disk.entries == [entry(1, 1), entry(2, 2, "x")])
        #expect(output.bodies(to: 2) == [.appendReply(matchIndex: LogIndex(2), sentMs: 0)])
    }

    /// Figure 3.6: the logs that a leader of term 8 may find.
    @Test(
        "3.5: The leader finds the latest place where the logs agree, deletes what follows, sends all",
        arguments: [
            [1, 1, 1, 4, 4, 5, 5, 6, 6], [1, 1, 1, 4],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
            [1, 1, 1, 4, 4, 4, 4], [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
        ] as [[UInt64]])
    func figure36(terms: [UInt64]) throws {
        func log(_ terms: [UInt64]) -> [Entry] {
            terms.enumerated().map { entry(UInt64($0.offset) + 1, $0.element, "\($0.element)") }
        }
        let leader = TestMember(
            1, voters: [1, 2, 3], disk: disk(term: 7, log([1, 1, 1, 4, 4, 5, 5, 6, 6, 6])))
        let follower = TestMember(2, voters: [1, 2, 3], disk: disk(term: 7, log(terms)))
        try lead(leader)
        var rounds = 0
        while follower.node.lastIndex != leader.node.lastIndex
            || follower.node.lastTerm != leader.node.lastTerm
        {
            rounds += 1
            try #require(rounds <= 4, "one rejection for each term at most")
            for message in try leader.take().messages where message.to == follower.id {
                try follower.step(message)
            }
            for message in try follower.take().messages { try leader.step(message) }
            if rounds == 1 { try leader.tick(2) }
        }
        #expect(follower.disk.entries == leader.disk.entries)
    }

    @Test("3.6.2: Only entries of the leader's current term are committed by counting replicas")
    func currentTermOnly() throws {
        // Figure 3.7: the entry of term 2 is on a majority, and not committed by that.
        let member = TestMember(
            1, voters: [1, 2, 3, 4, 5], disk: disk(term: 3, [entry(1, 1), entry(2, 2, "x")]))
        try lead(member)
        _ = try member.take()
        try member.receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 2, term: 4)
        try member.receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 3, term: 4)
        #expect(member.node.commit == .zero)
        try member.receive(.appendReply(matchIndex: LogIndex(3), sentMs: 0), from: 2, term: 4)
        try member.receive(.appendReply(matchIndex: LogIndex(3), sentMs: 0), from: 3, term: 4)
        #expect(member.node.commit == LogIndex(3))
    }

    @Test("3.7: Requests are idempotent: a follower that has the entries already ignores them")
    func idempotent() throws {
        let member = TestMember(
            1, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1), entry(2, 1)]))
        for _ in 0..<2 {
            try member.receive(
                .append(
                    previousIndex: .zero, previousTerm: .zero, entries: [entry(1, 1), entry(2, 1)],
                    commit: .zero, sentMs: 0), from: 2, term: 1)
        }
        let output = try member.take()
        #expect(output.storage.isEmpty)
        #expect(output.bodies(to: 2).count == 2)
        #expect(member.node.lastIndex == LogIndex(2))
    }

    @Test("6.4: A leader commits a blank no-op entry at the start of its term")
    func noOp() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        #expect(network[3].appliedEntries == [entry(1, 1)])
        #expect(network[1].hasCommittedInTerm)
    }

    @Test("4.1: A server uses the latest configuration in its log, committed or not")
    func latestConfiguration() throws {
        let network = TestNetwork(voters: [1, 2, 3], learners: [4])
        try network.elect(1)
        let target = Configuration(voters: [1, 2, 3, 4].map { MemberID($0) })
        guard case .appended = network[1].node.proposeConfiguration(target) else {
            Issue.record("not appended")
            return
        }
        #expect(network[1].configuration.isJoint)
        #expect(network[1].node.commit == LogIndex(1))
    }

    @Test("10.2.1: The leader writes to its disk in parallel; a majority without it commits")
    func ownDiskLast() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        network[1].persistsAtOnce = false
        _ = network.propose("x", at: 1)
        _ = try network[1].take()
        try network[1].receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 2, term: 1)
        #expect(network[1].node.commit == LogIndex(1))
        try network[1].receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 3, term: 1)
        #expect(network[1].node.commit == LogIndex(2))
    }
}

/// Makes it leader of the next term with member 2's votes.
func lead(_ member: TestMember) throws {
    try member.timeOut()
    _ = try member.take()
    let next = member.node.term.rawValue + 1
    for voter in member.node.configuration.voters where member.node.role == .preCandidate {
        if voter != member.id {
            try member.receive(.preVoteReply(granted: true), from: voter.rawValue, term: next)
        }
    }
    _ = try member.take()
    for voter in member.node.configuration.voters where member.node.role == .candidate {
        if voter != member.id {
            try member.receive(.voteReply(granted: true), from: voter.rawValue, term: next)
        }
    }
    try #require(member.node.role == .leader)
}
