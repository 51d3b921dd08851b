// Pitfalls of elections and leadership.

import Raft
import Testing

@Suite("Pitfalls: elections and leadership")
struct ElectionPitfallTests {
    @Test("6: The log with the later last term wins over the longer one")
    func electionRestriction() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        for text in ["a", "b", "c"] { _ = network.propose(text, at: 1) }
        try network.drain(network[1])
        network.queue.removeAll()
        try network.elect(2, among: [2, 3])
        // Member 1's log is longer, and of an older term: nobody votes for it.
        try network[1].tick(network[1].options.electionTicksMax * 3)
        try network[3].tick(network[3].options.electionTicksMin + 1)
        try network.settle([1, 3])
        #expect(network[1].node.role != .leader)
    }

    @Test("7: Time-outs differ between members and between elections")
    func redrawn() throws {
        var first: Set<Int> = []
        for seed in 1...40 {
            let member = TestMember(1, voters: [1, 2, 3], seed: UInt64(seed))
            var ticks = 0
            while member.node.role == .follower {
                try member.tick()
                ticks += 1
            }
            first.insert(ticks)
        }
        #expect(first.count == 5)
    }

    @Test("8: A pre-vote changes no term and no vote, at neither side")
    func preVote() throws {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 4, vote: 3))
        try member.tick(member.options.electionTicksMin + 1)
        try member.fallBack()
        try member.receive(
            .preVoteRequest(lastIndex: .zero, lastTerm: .zero), from: 2, term: 30)
        let output = try member.take()
        #expect(output.bodies(to: 2) == [.preVoteReply(granted: true)])
        #expect(output.storage.isEmpty && member.node.term == Term(4))
        try member.timeOut()
        #expect(try member.take().storage.isEmpty)
        #expect(member.node.term == Term(4))
    }

    @Test("9: A leader without a quorum steps down by ticks, whatever the clock says")
    func checkQuorumTicks() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network[1].tick(nowMs: 9_999_999)
        #expect(network[1].node.role == .leader)
        for _ in 1..<network[1].options.electionTicksMax { try network[1].tick(nowMs: 1) }
        #expect(network[1].node.role == .follower)
    }

    @Test("9: A leader that one follower of two answers stays")
    func quorumStays() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network.run(60, only: [1, 2])
        #expect(network[1].node.role == .leader)
    }

    @Test("10: A member with a higher term answers a stale leader, which then steps down")
    func stuckMember() throws {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 8))
        for body: Message.Body in [
            .heartbeat(commit: .zero, readContext: nil, sentMs: 0),
            .append(
                previousIndex: .zero, previousTerm: .zero, entries: [], commit: .zero, sentMs: 0),
        ] {
            try member.receive(body, from: 2, term: 3)
            #expect(try member.take().messages.map(\.term) == [Term(8)])
        }
    }

    @Test("11: A removed member that times out disturbs nobody")
    func removedMember() throws {
        let network = TestNetwork(voters: [1, 2, 3, 4])
        try network.elect(1)
        _ = network[1].configure(voters: [1, 2, 3])
        try network.settle([1, 2, 3])
        try network.run(2, only: [1, 2, 3])
        // Member 4 never heard of its removal.
        try network[4].tick(40)
        try network.settle()
        #expect(network[1].node.role == .leader && network[1].node.term == Term(1))
    }

    @Test("11: Only a hand-over passes by the members that are in touch with the leader")
    func transferPasses() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        #expect(network[1].transfer(to: nil))
        try network.settle()
        #expect(network.leader?.node.term == Term(2))
    }

    @Test("11: A restarted member, too, refuses its vote for the minimum time-out")
    func restartKeepsClaim() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network[2].crashAndRestart()
        try network[2].receive(
            .voteRequest(lastIndex: LogIndex(9), lastTerm: Term(1), transfer: false), from: 3,
            term: 2)
        #expect(network[2].node.term == Term(1))
    }

    @Test("16: A leader that removes itself leads until that is committed, and does not count")
    func removesItself() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        _ = network[1].configure(voters: [2, 3])
        _ = try network[1].take()
        for member in [2, 3] as [UInt64] {
            try network[1].receive(
                .appendReply(matchIndex: LogIndex(2), sentMs: 0), from: member, term: 1)
        }
        _ = try network[1].take()
        // The joint phase is over; the end of it is in its own log and that of one of two.
        #expect(network[1].configuration.voters == [MemberID(2), MemberID(3)])
        try network[1].receive(.appendReply(matchIndex: LogIndex(3), sentMs: 0), from: 2, term: 1)
        #expect(network[1].node.role == .leader && network[1].node.commit == LogIndex(2))
        try network[1].receive(.appendReply(matchIndex: LogIndex(3), sentMs: 0), from: 3, term: 1)
        #expect(network[1].node.role == .follower && network[1].node.commit == LogIndex(3))
        try network[1].tick(100)
        #expect(network[1].node.role == .follower, "outside the configuration it never stands")
    }

    @Test("16: A voter that an uncommitted configuration leaves out stands if only it has the log")
    func leftOutButNeeded() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        _ = network[1].configure(voters: [1], learners: [2, 3])
        try network.drain(network[1])
        network[1].persistsAtOnce = false
        // The end of the joint phase reaches the others, and the leader forgets it.
        try network.settle()
        #expect(network[2].configuration.voters == [MemberID(1)])
        #expect(network[2].configuration.isLearner(MemberID(2)))
        try network[1].crashAndRestart()
        network[1].persistsAtOnce = true
        #expect(network[1].configuration.isJoint)
        try network.run(60)
        #expect(network[1].node.role == .leader)
        #expect(!network[1].configuration.isJoint)
        #expect(network[2].node.role == .learner)
    }

    @Test("18: Answers of strangers count for nothing, but a new leader may be one")
    func strangers() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        _ = network.propose("x", at: 1)
        _ = try network[1].take()
        try network[1].receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 9, term: 1)
        try network[1].receive(
            .readIndexRequest(context: ReadContext(rawValue: 1)), from: 9, term: 1)
        #expect(network[1].node.commit == LogIndex(1))
        #expect(try network[1].take().bodies(to: 9).isEmpty)
        try network[2].receive(
            .append(
                previousIndex: LogIndex(1), previousTerm: Term(1), entries: [entry(2, 3)],
                commit: .zero, sentMs: 0), from: 9, term: 3)
        #expect(network[2].node.leader == MemberID(9))
    }

    @Test("A member whose disk may have forgotten votes neither votes nor stands")
    func mayNotVote() throws {
        let member = TestMember(1, voters: [1, 2, 3])
        member.node.mayVote = false
        try member.tick(100)
        try member.receive(.preVoteRequest(lastIndex: .zero, lastTerm: .zero), from: 2, term: 1)
        try member.receive(
            .voteRequest(lastIndex: .zero, lastTerm: .zero, transfer: true), from: 2, term: 1)
        try member.receive(.timeoutNow, from: 2, term: 1)
        let bodies = try member.take().bodies
        #expect(bodies == [.preVoteReply(granted: false), .voteReply(granted: false)])
        #expect(member.node.role == .follower)
    }

    @Test(
        "A disk slower than the time-out puts an election off, and starts no other one",
        arguments: [1, 3])
    func slowDisk(voters: Int) throws {
        let network = TestNetwork(voters: (1...UInt64(voters)).map { $0 })
        network[1].persistsAtOnce = false
        for other in network.members.dropFirst() {
            try other.tick(other.options.electionTicksMin + 1)
            try other.fallBack()
        }
        try network[1].timeOut()
        try network.settle()
        #expect(network[1].node.role == .candidate)
        for _ in 0..<5 * network[1].options.electionTicksMax {
            try network[1].tick()
            try network.settle()
        }
        #expect(network[1].node.role == .candidate && network[1].node.term == Term(1))
        network[1].persistsAtOnce = true
        try network[1].persist()
        try network.settle()
        #expect(network[1].node.role == .leader && network[1].node.term == Term(1))
    }

    @Test("A hand-over that fails ends in stepping down, so a late candidate breaks no claim")
    func transferFails() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network.run(4)
        #expect(network[1].node.quorumConfirmedMs != nil)
        #expect(network[1].transfer(to: 3))
        #expect(network[1].node.quorumConfirmedMs == nil)
        try network.run(network[1].options.electionTicksMax, only: [1, 2])
        #expect(network[1].node.role == .follower)
        #expect(network[1].node.leader == nil)
    }
}
