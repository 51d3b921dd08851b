// One test for each sentence of the rules: the thesis (Ongaro 2014), with its section. Elections.

import Raft
import Testing

@Suite("The thesis, sentence by sentence: elections")
struct PaperElectionTests {
    @Test("3.3: If a server's term is smaller than another's, it updates to the larger value")
    func higherTerm() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        try member.receive(
            .heartbeat(commit: .zero, readContext: nil, sentMs: 0), from: 2, term: 4)
        #expect(member.node.term == Term(4))
        #expect(member.node.leader == MemberID(2))
    }

    @Test("3.3: A candidate or leader whose term is out of date reverts to follower at once")
    func staleLeader() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network[1].receive(.appendReply(matchIndex: .zero, sentMs: 0), from: 2, term: 9)
        #expect(network[1].node.role == .follower)
        #expect(network[1].node.term == Term(9))
    }

    @Test("3.3: A request with a stale term number is rejected")
    func staleRequest() throws {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 5))
        try member.receive(
            .append(
                previousIndex: .zero, previousTerm: .zero, entries: [entry(1, 4)], commit: .zero,
                sentMs: 0), from: 2, term: 4)
        let output = try member.take()
        #expect(member.node.lastIndex == .zero)
        #expect(output.messages.map(\.term) == [Term(5)])
    }

    @Test("3.4: Servers start up as followers")
    func startsAsFollower() {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 3, vote: 1))
        #expect(member.node.role == .follower)
        #expect(member.node.leader == nil)
    }

    @Test("3.4: Leaders send periodic heartbeats to all followers")
    func heartbeats() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network[1].tick(network[1].options.heartbeatTicks)
        let heartbeats = try network[1].take().messages.filter {
            if case .heartbeat = $0.body { true } else { false }
        }
        #expect(heartbeats.map(\.to) == [MemberID(2), MemberID(3)])
    }

    @Test("3.4: A follower that hears nothing over the election time-out begins an election")
    func beginsElection() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        try member.tick(member.options.electionTicksMin)
        #expect(member.node.role == .follower)
        try member.tick(member.options.electionTicksMax - member.options.electionTicksMin)
        #expect(member.node.role == .preCandidate)
    }

    @Test("3.4: To begin an election, it increments its term, votes for itself and asks the others")
    func campaigns() throws {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 2, [entry(1, 2)]))
        try member.timeOut()
        _ = try member.take()
        try member.receive(.preVoteReply(granted: true), from: 2, term: 3)
        let output = try member.take()
        #expect(member.node.term == Term(3))
        #expect(member.disk.hardState.vote == MemberID(1))
        let request = Message.Body.voteRequest(
            lastIndex: LogIndex(1), lastTerm: Term(2), transfer: false)
        #expect(output.bodies(to: 2) == [request] && output.bodies(to: 3) == [request])
    }

    @Test("3.4: A candidate wins if it receives votes from a majority of the full cluster")
    func winsByMajority() throws {
        let member = try candidate(voters: [1, 2, 3, 4, 5])
        try member.receive(.voteReply(granted: true), from: 2, term: 1)
        #expect(member.node.role == .candidate)
        try member.receive(.voteReply(granted: true), from: 2, term: 1)
        #expect(member.node.role == .candidate, "one member votes once")
        try member.receive(.voteReply(granted: true), from: 4, term: 1)
        #expect(member.node.role == .leader)
    }

    @Test("3.4: Each server votes for at most one candidate in a term, first come first served")
    func oneVote() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        try member.tick(member.options.electionTicksMin + 1)
        try member.fallBack()
        let request = Message.Body.voteRequest(lastIndex: .zero, lastTerm: .zero, transfer: false)
        try member.receive(request, from: 2, term: 1)
        try member.receive(request, from: 3, term: 1)
        try member.receive(request, from: 2, term: 1)
        let output = try member.take()
        #expect(output.bodies(to: 3) == [.voteReply(granted: false)])
        #expect(output.bodies(to: 2).allSatisfy { $0 == .voteReply(granted: true) })
    }

    @Test("3.4: A candidate that hears a leader of at least its term returns to follower")
    func candidateYields() throws {
        let member = try candidate(voters: [1, 2, 3])
        try member.receive(
            .heartbeat(commit: .zero, readContext: nil, sentMs: 0), from: 3, term: 1)
        #expect(member.node.role == .follower)
        #expect(member.node.leader == MemberID(3))
    }

    @Test("3.4: A candidate rejects a leader of a smaller term and stays candidate")
    func candidateStays() throws {
        let member = try candidate(voters: [1, 2, 3], term: 4)
        try member.receive(
            .heartbeat(commit: .zero, readContext: nil, sentMs: 0), from: 3, term: 3)
        #expect(member.node.role == .candidate)
    }

    @Test("3.4: A candidate that neither wins nor loses times out and begins a new election")
    func splitVote() throws {
        let member = try candidate(voters: [1, 2, 3])
        try member.tick(member.options.electionTicksMax)
        _ = try member.take()
        try member.receive(.preVoteReply(granted: true), from: 2, term: 2)
        _ = try member.take()
        #expect(member.node.role == .candidate)
        #expect(member.node.term == Term(2))
    }

    @Test("3.4: Time-outs are chosen at random from a fixed interval, anew for each election")
    func randomTimeouts() throws {
        var seen: Set<Int> = []
        let member = TestMember(1, voters: [1, 2, 3])
        for _ in 0..<200 {
            var ticks = 0
            // It stands again and again, as nobody answers.
            while true {
                try member.tick()
                ticks += 1
                if try !member.take().messages.isEmpty { break }
            }
            seen.insert(ticks)
        }
        let options = member.options
        #expect(seen == Set(options.electionTicksMin + 1...options.electionTicksMax))
    }

    @Test(
        "3.6.1: The voter denies its vote if its own log is more up-to-date than the candidate's",
        arguments: [(1, 3, true), (4, 2, false), (3, 3, true), (2, 3, false), (9, 1, false)])
    func upToDate(lastIndex: UInt64, lastTerm: UInt64, granted: Bool) throws {
        // The own log ends at 3 of term 2 or, in the last two cases, of term 3.
        let ownTerm: UInt64 = lastIndex == 2 || lastIndex == 3 ? 3 : 2
        let entries = [entry(1, 1), entry(2, 2), entry(3, ownTerm)]
        let expected = lastTerm > ownTerm || (lastTerm == ownTerm && lastIndex >= 3)
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 3, entries))
        try member.tick(member.options.electionTicksMin + 1)
        try member.fallBack()
        try member.receive(
            .voteRequest(
                lastIndex: LogIndex(lastIndex), lastTerm: Term(lastTerm), transfer: false),
            from: 2, term: 4)
        #expect(try member.take().bodies(to: 2) == [.voteReply(granted: expected)])
        #expect(expected == granted || lastIndex == 4)
    }

    @Test("4.2.3: A vote request within the minimum time-out of hearing a leader changes nothing")
    func inTouch() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        try member.receive(
            .heartbeat(commit: .zero, readContext: nil, sentMs: 0), from: 2, term: 1)
        _ = try member.take()
        try member.tick(member.options.electionTicksMin)
        try member.receive(
            .voteRequest(lastIndex: LogIndex(9), lastTerm: Term(9), transfer: false), from: 3,
            term: 9)
        #expect(member.node.term == Term(1))
        #expect(try member.take().messages.isEmpty)
    }

    @Test("3.10: The prior leader stops accepting new client requests")
    func transferStops() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        #expect(network[1].transfer(to: 2))
        #expect(network.propose("x", at: 1) == .notLeader)
        #expect(network[1].node.quorumConfirmedMs == nil)
        #expect(!network[1].transfer(to: 3), "one at a time")
    }

    @Test("3.10: The prior leader brings the target up to date, then sends TimeoutNow")
    func transferWaits() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        _ = network.propose("x", at: 1)
        #expect(network[1].transfer(to: 2))
        let first = try network[1].take().bodies(to: 2)
        #expect(!first.contains(.timeoutNow))
        try network[1].receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 2, term: 1)
        #expect(try network[1].take().bodies(to: 2).contains(.timeoutNow))
    }

    @Test("6.2: A leader steps down if an election time-out elapses without a quorum's answers")
    func checkQuorum() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network[1].tick(network[1].options.electionTicksMax - 1)
        #expect(network[1].node.role == .leader)
        try network[1].tick()
        #expect(network[1].node.role == .follower)
    }

    @Test("9.6: A server only increments its term once a majority would vote for it")
    func preVote() throws {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 7))
        try member.tick(member.options.electionTicksMax * 5)
        #expect(member.node.term == Term(7))
        _ = try member.take()
        try member.receive(.preVoteReply(granted: true), from: 3, term: 8)
        #expect(member.node.term == Term(8))
    }
}

func candidate(voters: [UInt64], term: UInt64 = 1) throws -> TestMember {
    let member = TestMember(1, voters: voters, disk: disk(term: term - 1))
    try member.timeOut()
    _ = try member.take()
    for voter in voters.dropFirst() where member.node.role == .preCandidate {
        try member.receive(.preVoteReply(granted: true), from: voter, term: term)
    }
    _ = try member.take()
    try #require(member.node.role == .candidate)
    return member
}
