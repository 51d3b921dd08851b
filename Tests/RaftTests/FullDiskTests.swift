// A member whose disk takes no entries, in the core: what it votes for.

import Raft
import Testing

@Suite("A member without room")
struct FullDiskTests {
    /// Entries 1 and 2 are durable and acknowledged, 3 to 5 wait for room.
    private func member(commit: UInt64 = 2) throws -> TestMember {
        let member = TestMember(3, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1)]))
        try member.receive(append(after: 1, [entry(2, 1, "a")], commit: 1), from: 1, term: 1)
        _ = try member.take()
        member.persistsAtOnce = false
        let rest = (3...5).map { entry($0, 1, "b") }
        try member.receive(append(after: 2, rest, commit: commit), from: 1, term: 1)
        let output = try member.take()
        #expect(output.bodies.isEmpty && output.storage.count == 1)
        member.node.hasRoom = false
        try member.tick(member.options.electionTicksMin + 1)
        return member
    }

    private func append(after index: UInt64, _ entries: [Entry], commit: UInt64) -> Message.Body {
        .append(
            previousIndex: LogIndex(index), previousTerm: Term(1), entries: entries,
            commit: LogIndex(commit), sentMs: 0)
    }

    /// Asks for a pre-vote, then for a vote that needs no entry to be durable.
    private func grants(
        _ member: TestMember, term: UInt64, lastIndex: UInt64, lastTerm: UInt64 = 1
    ) throws -> Bool {
        let (index, last) = (LogIndex(lastIndex), Term(lastTerm))
        try member.receive(
            .preVoteRequest(lastIndex: index, lastTerm: last), from: 2, term: term)
        let pre = try member.take().bodies.contains(.preVoteReply(granted: true))
        try member.receive(
            .voteRequest(lastIndex: index, lastTerm: last, transfer: false), from: 2, term: term)
        let output = try member.take()
        if let vote = output.storage.last { member.node.votesPersisted(vote.token) }
        let replies = try output.bodies + member.take().bodies
        #expect(replies.contains(.voteReply(granted: pre)))
        return pre
    }

    @Test("votes for a log that ends where its own is durable, and for none that ends before")
    func durableEnd() throws {
        let member = try member()
        #expect(try !grants(member, term: 2, lastIndex: 1))
        #expect(try grants(member, term: 3, lastIndex: 2))
        // The old leader hears of nothing more: the answer to it is of an older term.
        try member.persist()
        #expect(try member.take().bodies.isEmpty)
    }

    @Test("votes for no log that ends before what it knows to be committed, durable here or not")
    func committedEnd() throws {
        let member = try member(commit: 4)
        #expect(member.node.commit == LogIndex(4))
        #expect(try !grants(member, term: 2, lastIndex: 3))
        #expect(try grants(member, term: 3, lastIndex: 4))
    }

    @Test("votes by its whole log as soon as that is durable, or may be at any moment")
    func roomAgain() throws {
        let member = try member()
        member.node.hasRoom = true
        #expect(try !grants(member, term: 2, lastIndex: 4))
        member.node.hasRoom = false
        try member.persist()
        #expect(try !grants(member, term: 3, lastIndex: 4))
        #expect(try grants(member, term: 4, lastIndex: 5))
    }

    @Test("does not stand, however its log compares")
    func doesNotStand() throws {
        let member = try member()
        try member.tick(3 * member.options.electionTicksMax)
        #expect(member.node.role == .follower)
    }
}
