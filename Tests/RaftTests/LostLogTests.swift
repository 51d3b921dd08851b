// A member whose log was damaged: it starts with a claim, the place that it had acknowledged. The
// rules of docs/decisions/0011, each with its test.

import Raft
import Testing

@Suite("A member that lost what it had acknowledged")
struct LostLogTests {
    /// Entry 1 of term 1 is left; it had acknowledged up to entry 5 of term 3.
    static func member() -> TestMember {
        var disk = disk(term: 4, [entry(1, 1)])
        disk.claim = LogPosition(index: LogIndex(5), term: Term(3))
        return TestMember(1, voters: [1, 2, 3], disk: disk)
    }

    /// Too long without a leader, in which a member with a whole log would have stood.
    static func waiting() throws -> TestMember {
        let member = member()
        try member.tick(4 * member.options.electionTicksMax)
        #expect(try member.take().messages.isEmpty)
        #expect(member.node.role == .follower)
        return member
    }

    @Test("votes for nobody whose log ends before that place", arguments: [true, false])
    func votes(isPreVote: Bool) throws {
        let asked: [(index: UInt64, term: UInt64, granted: Bool)] = [
            (1, 1, false), (4, 3, false), (90, 2, false), (5, 3, true), (6, 3, true), (2, 4, true),
        ]
        for (index, term, granted) in asked {
            let member = try Self.waiting()
            let (last, lastTerm) = (LogIndex(index), Term(term))
            if isPreVote {
                try member.receive(
                    .preVoteRequest(lastIndex: last, lastTerm: lastTerm), from: 2, term: 5)
                #expect(try member.take().bodies == [.preVoteReply(granted: granted)])
            } else {
                try member.receive(
                    .voteRequest(lastIndex: last, lastTerm: lastTerm, transfer: false), from: 2,
                    term: 5)
                #expect(try member.take().bodies == [.voteReply(granted: granted)])
            }
        }
    }

    @Test("does not stand, not even when a leader asks it to")
    func transfer() throws {
        let member = try Self.waiting()
        try member.receive(.timeoutNow, from: 2, term: 4)
        #expect(try member.take().messages.isEmpty)
        #expect(member.node.role == .follower && member.node.term == Term(4))
    }

    @Test("does both again as soon as its log ends there or later")
    func met() throws {
        for (last, term) in [(UInt64(5), UInt64(3)), (2, 4)] {
            let member = try Self.waiting()
            for index in 2...last {
                try member.receive(
                    .append(
                        previousIndex: LogIndex(index - 1),
                        previousTerm: Term(index == 2 ? 1 : term),
                        entries: [entry(index, term)], commit: .zero, sentMs: 1), from: 2, term: 4)
                #expect((member.node.claim == nil) == (index == last))
            }
            #expect(
                try member.take().bodies.last == .appendReply(matchIndex: LogIndex(last), sentMs: 1)
            )
            try member.timeOut()
            #expect(member.node.role == .preCandidate)
        }
    }

    @Test("does both again behind a snapshot of that place")
    func metBySnapshot() throws {
        let configuration = Configuration(voters: [1, 2, 3].map { MemberID($0) })
        for (term, isMet) in [(UInt64(2), false), (3, true)] {
            let member = Self.member()
            try member.restore(
                SnapshotMark(index: LogIndex(5), term: Term(term), configuration: configuration))
            #expect((member.node.claim == nil) == isMet)
        }
    }

    @Test("is in no older term than what it had acknowledged")
    func term() {
        var disk = disk(term: 2, vote: 2)
        disk.claim = LogPosition(index: LogIndex(5), term: Term(3))
        let member = TestMember(1, voters: [1, 2, 3], disk: disk)
        #expect(member.node.term == Term(3) && member.node.observation.vote == nil)
    }

    @Test(
        "is brought along by a leader that had counted on it, once it is known to have started anew"
    )
    func leaderGoesBack() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        for text in ["a", "b", "c"] { _ = network.propose(text, at: 1) }
        try network.settle()
        let last = network[1].node.lastIndex
        #expect(network[1].node.followerStatus(of: MemberID(3))?.match == last)
        try network[3].loseLog()
        #expect(network[3].node.claim?.index == last && network[3].node.lastIndex == .zero)
        network[1].node.restarted(MemberID(3))
        #expect(network[1].node.followerStatus(of: MemberID(3))?.match == .zero)
        #expect(network[1].node.commit == last)
        try network.run(10)
        #expect(network[3].node.lastIndex == last && network[3].node.claim == nil)
        #expect(network[1].node.followerStatus(of: MemberID(3))?.match == last)
    }

    @Test("keeps an entry committed of which only one copy is left")
    func committedStays() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network.run(2)
        _ = network.propose("precious", at: 1)
        try network.settle([1, 3])
        let last = network[1].node.lastIndex
        #expect(network[1].node.commit == last && network[2].node.lastIndex < last)
        try network[3].loseLog()
        // Without the one that has it nobody is elected, with it only that one.
        try network.run(60, only: [2, 3])
        #expect(network[2].node.role != .leader && network[3].node.role != .leader)
        try network[1].crashAndRestart()
        try network.run(60)
        network.leader?.node.restarted(MemberID(3))
        try network.run(20)
        #expect(network.leader?.id == MemberID(1))
        for id in UInt64(1)...3 {
            #expect(network[id].disk.entries.contains { $0.payload == Array("precious".utf8) })
        }
    }
}
