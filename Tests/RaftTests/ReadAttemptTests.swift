// Attempts at linearizable reads: which answers count for which reads, however long they take.

import Raft
import Testing

@Suite("Pitfalls: attempts at reads")
struct ReadAttemptTests {
    private func context(_ output: TestOutput, to member: UInt64) -> ReadContext? {
        for case .heartbeat(_, let context?, _) in output.bodies(to: member) { return context }
        return nil
    }

    private func request(_ output: TestOutput) -> ReadContext? {
        for case .readIndexRequest(let context) in output.bodies(to: 1) { return context }
        return nil
    }

    private func ready(_ member: TestMember) throws -> [UInt64] {
        try member.take().readsReady.map(\.read.rawValue)
    }

    @Test("12: A round is confirmed by answers to itself, never to an earlier one (etcd #20418)")
    func rounds() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        let leader = network[1]
        func confirm(_ context: ReadContext, by member: UInt64) throws -> [UInt64] {
            try leader.receive(
                .heartbeatReply(readContext: context, sentMs: 0), from: member, term: 1)
            return try ready(leader)
        }
        leader.read(1)
        let first = try #require(context(try leader.take(), to: 2))
        try leader.tick(leader.options.readRetryTicks)
        _ = try leader.take()
        leader.read(2)
        let second = try #require(context(try leader.take(), to: 2))
        #expect(first != second)
        #expect(try confirm(first, by: 2) == [1])
        #expect(try confirm(first, by: 3) == [])
        #expect(try confirm(second, by: 2) == [2])
    }

    @Test(
        "12: Before an entry of its own term is committed a leader reads only if it knows all that was",
        arguments: [UInt64(2), 3])
    func inherited(commit: UInt64) throws {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1)]))
        try member.receive(
            .append(
                previousIndex: LogIndex(1), previousTerm: Term(1),
                entries: [entry(2, 1, "a"), entry(3, 1, "b")], commit: LogIndex(commit), sentMs: 0),
            from: 2, term: 1)
        _ = try member.take()
        try member.tick(member.options.electionTicksMin + 1)
        try lead(member)
        #expect(!member.hasCommittedInTerm && member.node.lastIndex == LogIndex(4))
        member.read(1)
        let round = context(try member.take(), to: 2)
        #expect((round != nil) == (commit == 3))
        guard let round else { return }
        #expect(try ready(member).isEmpty)
        try member.receive(.heartbeatReply(readContext: round, sentMs: 0), from: 3, term: 2)
        #expect(try member.take().readsReady.map(\.index) == [LogIndex(3)])
    }

    @Test("12: A round whose messages were lost is asked for again, by the newest one's context")
    func lostRounds() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        let leader = network[1]
        leader.read(1)
        _ = try leader.take()
        leader.read(2)
        let newest = try #require(context(try leader.take(), to: 3))
        leader.read(3)
        #expect(context(try leader.take(), to: 3) == nil)
        try leader.tick(leader.options.readRetryTicks)
        let again = try leader.take()
        #expect(context(again, to: 2) == newest && context(again, to: 3) == newest)
        try leader.receive(.heartbeatReply(readContext: newest, sentMs: 0), from: 3, term: 1)
        #expect(try ready(leader) == [1, 2])
    }

    /// It goes on to hear the leader.
    private func tick(_ follower: TestMember, _ count: Int) throws {
        for _ in 0..<count {
            try follower.receive(
                .heartbeat(commit: .zero, readContext: nil, sentMs: 0), from: 1, term: 1)
            try follower.tick()
        }
    }

    private func answer(
        _ follower: TestMember, _ context: ReadContext, _ index: UInt64?
    ) throws -> TestOutput {
        try follower.receive(
            .readIndexReply(context: context, index: index.map { LogIndex($0) }), from: 1, term: 1)
        return try follower.take()
    }

    /// Attempts of reads 1, 2 and 3, one after the other.
    private func three(_ follower: TestMember) throws -> [ReadContext] {
        let patience = follower.options.readRetryTicks
        var contexts: [ReadContext] = []
        for read in UInt64(1)...3 {
            follower.read(read)
            let output = try follower.take()
            if read == 1 {
                contexts.append(try #require(request(output)))
            } else {
                #expect(request(output) == nil)
                try tick(follower, 1)
                contexts.append(try #require(request(try follower.take())))
            }
            // Each is waited for longer.
            try tick(follower, (patience << (contexts.count - 1)) - 1)
            #expect(request(try follower.take()) == nil)
        }
        #expect(Set(contexts).count == 3)
        return contexts
    }

    @Test("12: An answer to a follower's attempt is for the reads of that one and of earlier ones")
    func followersAttempts() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        let follower = network[2]
        var contexts = try three(follower)
        for read in 1...3 {
            let output = try answer(follower, contexts[read - 1], 1)
            #expect(output.readsReady.map(\.read.rawValue) == [UInt64(read)])
            #expect(try answer(follower, contexts[read - 1], 1).readsReady.isEmpty)
        }
        contexts = try three(follower)
        #expect(try answer(follower, contexts[1], 1).readsReady.map(\.read.rawValue) == [1, 2])
        #expect(try answer(follower, contexts[0], 1).readsReady.isEmpty)
        #expect(try answer(follower, contexts[2], nil).readsFailed.map(\.rawValue) == [3])
    }

    @Test("12: Without an answer a follower's attempts are bounded; the bound costs the newest one")
    func boundedAttempts() throws {
        var options = RaftOptions.test
        options.limits.readAttemptsMax = 3
        let network = TestNetwork(voters: [1, 2, 3], options: options)
        try network.elect(1)
        let follower = network[2]
        let contexts = try three(follower)
        follower.read(4)
        try tick(follower, 1)
        let last = try #require(request(try follower.take()))
        #expect(try answer(follower, contexts[2], 1).readsReady.isEmpty)
        #expect(try answer(follower, contexts[0], 1).readsReady.map(\.read.rawValue) == [1])
        #expect(try answer(follower, last, 1).readsReady.map(\.read.rawValue) == [2, 3, 4])
    }

    @Test("Reads succeed though confirmations take many times longer than a retry")
    func slowNetwork() throws {
        var options = RaftOptions.test
        options.heartbeatTicks = 10
        options.electionTicksMin = 200
        options.electionTicksMax = 400
        let network = TestNetwork(voters: [1, 2, 3], options: options)
        try network.elect(1)
        try network.settle()
        let oneWay = 10 * options.readRetryTicks
        var underWay: [(atTick: Int, message: Message)] = []
        var asked: UInt64 = 0
        for tick in 0..<40 * oneWay {
            for member in network.members {
                try member.tick()
                if tick % 7 == 0, tick < 30 * oneWay {
                    asked += 1
                    member.read(asked)
                }
                try network.drain(member)
            }
            while let first = underWay.first, first.atTick <= tick {
                underWay.removeFirst()
                try network[first.message.to.rawValue].step(first.message)
                try network.drain(network[first.message.to.rawValue])
            }
            underWay += network.queue.map { (tick + oneWay, $0) }
            network.queue = []
        }
        let done = network.members.flatMap { network.reads($0.id.rawValue).readsReady }
        #expect(done.count == Int(asked))
        #expect(network.members.allSatisfy { network.reads($0.id.rawValue).readsFailed.isEmpty })
        #expect(network[1].node.term == Term(1))
    }
}
