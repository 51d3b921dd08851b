// Pitfalls of reads, membership and flow.

import Raft
import Testing

@Suite("Pitfalls: reads, membership and flow")
struct ReadAndFlowPitfallTests {
    private func context(_ output: TestOutput, to member: UInt64) -> ReadContext? {
        for case .heartbeat(_, let context?, _) in output.bodies(to: member) { return context }
        return nil
    }

    @Test("12: No read before an entry of the own term is committed, if older ones may be")
    func ownTermFirst() throws {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1)]))
        try lead(member)
        member.read(1)
        #expect(context(try member.take(), to: 2) == nil)
        try member.receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 2, term: 2)
        let round = try #require(context(try member.take(), to: 2))
        try member.receive(.heartbeatReply(readContext: round, sentMs: 0), from: 3, term: 2)
        let output = try member.take()
        #expect(output.readsReady.map(\.index) == [LogIndex(2)])
    }

    @Test("12: Two runs of a member share no read context")
    func contextsAcrossRuns() throws {
        var seen: Set<UInt64> = []
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        for run in 0..<20 {
            try network[2].receive(
                .heartbeat(commit: .zero, readContext: nil, sentMs: 0), from: 1, term: 1)
            network[2].read(UInt64(run))
            for case .readIndexRequest(let context) in try network[2].take().bodies {
                #expect(seen.insert(context.rawValue).inserted)
            }
            try network[2].crashAndRestart()
        }
        #expect(seen.count == 20)
    }

    @Test("12: Reads that came together share a round, on a leader and on a follower")
    func batched() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        for read in 1...50 { network[2].read(UInt64(read)) }
        for read in 51...100 { network[1].read(UInt64(read)) }
        try network.drain(network[2])
        #expect(network.queue.count == 1)
        try network.settle()
        #expect(network.reads(2).readsReady.count == 50)
        #expect(network.reads(1).readsReady.count == 50)
    }

    @Test("12: Reads fail when the leader is lost, at the leader and at followers")
    func failed() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        network[1].read(1)
        network[2].read(2)
        _ = try network[1].take()
        _ = try network[2].take()
        try network[1].tick(network[1].options.electionTicksMax)
        try network[2].tick(network[2].options.electionTicksMax)
        #expect(try network[1].take().readsFailed == [ReadID(rawValue: 1)])
        #expect(try network[2].take().readsFailed == [ReadID(rawValue: 2)])
        network[2].read(3)
        #expect(try network[2].take().readsFailed == [ReadID(rawValue: 3)], "no leader is known")
    }

    @Test("20: After a pause a leader serves no read and claims nothing from belief alone")
    func pause() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        try network.run(4)
        let leader = network[1]
        let confirmed = try #require(leader.quorumConfirmedMs)
        // Paused: the others elect and write; then it wakes, and its clock has gone on.
        try network.elect(2, among: [2, 3])
        _ = network.propose("x", at: 2)
        try network.settle([2, 3])
        try leader.tick(nowMs: leader.node.nowMs + 30_000)
        leader.read(1)
        let output = try leader.take()
        #expect(output.readsReady.isEmpty)
        #expect(leader.node.quorumConfirmedMs == confirmed)
        #expect(leader.node.nowMs > confirmed + leader.options.leaseMs)
        network.queue = output.messages
        try network.settle()
        #expect(leader.node.role == .follower)
        #expect(network.reads(1).readsReady.isEmpty)
        #expect(network.reads(1).readsFailed == [ReadID(rawValue: 1)])
    }

    @Test("15: No change before the leader has committed in its own term (Ongaro 2015)")
    func ownTermBeforeChange() throws {
        let member = TestMember(1, voters: [1, 2, 3], disk: disk(term: 1, [entry(1, 1)]))
        try lead(member)
        #expect(member.configure(voters: [1, 2]) == .termNotCommitted)
        _ = try member.take()
        try member.receive(.appendReply(matchIndex: LogIndex(2), sentMs: 0), from: 2, term: 2)
        #expect(member.configure(voters: [1, 2]) == .appended(LogIndex(3), Term(2)))
    }

    @Test("15: One change at a time, until the joint phase is over")
    func oneChange() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        #expect(network[1].configure(voters: [1, 2]) == .appended(LogIndex(2), Term(1)))
        #expect(network[1].configure(voters: [1, 2, 3]) == .changeUnderWay)
        try network.settle()
        #expect(!network[1].configuration.isJoint)
        #expect(network[1].node.configuration.voters == [MemberID(1), MemberID(2)])
    }

    @Test("15: A truncated configuration is no longer in force")
    func revertedOnTruncation() throws {
        let network = TestNetwork(voters: [1, 2, 3], learners: [4])
        try network.elect(1)
        let before = network[1].node.configuration
        _ = network[1].configure(voters: [1, 2, 3, 4])
        try network.drain(network[1])
        #expect(network[1].configuration.isJoint)
        network.queue.removeAll()
        try network.elect(2, among: [2, 3])
        try network.run(2)
        #expect(network[1].node.configuration == before)
    }

    @Test("15: A new voter is first a learner that has caught up")
    func catchUpFirst() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        network.add(4, voters: [1, 2, 3])
        try network.elect(1)
        #expect(network[1].configure(voters: [1, 2, 3, 4]) == .notCaughtUp(MemberID(4)))
        _ = network[1].configure(voters: [1, 2, 3], learners: [4])
        #expect(network[1].configure(voters: [1, 2, 3, 4]) == .changeUnderWay)
        try network.settle([1, 2, 3])
        #expect(network[1].configure(voters: [1, 2, 3, 4]) == .notCaughtUp(MemberID(4)))
        try network.run(3)
        guard case .appended = network[1].configure(voters: [1, 2, 3, 4]) else {
            Issue.record("a learner that has caught up is refused")
            return
        }
        try network.run(3)
        #expect(network[4].configuration.isVoter(MemberID(4)))
        #expect(network[4].node.role == .follower)
    }

    @Test("15: A configuration with a member in two lists or without voters is refused")
    func invalidConfiguration() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        #expect(network[1].configure(voters: []) == .invalid)
        #expect(network[1].configure(voters: [1, 2], learners: [2]) == .invalid)
        #expect(network[2].configure(voters: [1, 2]) == .notLeader)
    }

    @Test("17: Not more messages are unanswered than the window holds")
    func window() throws {
        var options = RaftOptions.test
        options.limits.inflightMessagesMax = 3
        options.limits.appendBytesMax = 1
        let network = TestNetwork(voters: [1, 2, 3], options: options)
        try network.elect(1)
        for number in 0..<10 { _ = network.propose("\(number)", at: 1) }
        #expect(try network[1].take().bodies(to: 2).count == 3)
        #expect(!network[1].hasReady)
        try network[1].receive(.appendReply(matchIndex: LogIndex(3), sentMs: 0), from: 2, term: 1)
        #expect(try network[1].take().bodies(to: 2).count == 2)
    }

    @Test("17: Not more bytes are unanswered than the window holds, one message aside")
    func windowBytes() throws {
        var options = RaftOptions.test
        options.limits.inflightBytesMax = 100
        options.limits.appendBytesMax = 1
        let network = TestNetwork(voters: [1, 2, 3], options: options)
        try network.elect(1)
        for _ in 0..<10 { _ = network[1].node.propose([UInt8](repeating: 0, count: 28)) }
        #expect(try network[1].take().bodies(to: 2).count == 2)
    }

    @Test("17: While the quorum is lost the log does not grow without bound")
    func uncommittedCap() throws {
        var options = RaftOptions.test
        options.limits.uncommittedBytesMax = 1_000
        let network = TestNetwork(voters: [1, 2, 3], options: options)
        try network.elect(1)
        var taken = 0
        for _ in 0..<100 {
            if case .appended = network[1].node.propose([UInt8](repeating: 0, count: 68)) {
                taken += 1
            }
        }
        #expect(taken == 10)
        #expect(network.propose("x", at: 1) == .overloaded)
        // The member's own few proposals have room: else clients could keep them out for ever.
        guard case .appended = network[1].node.propose([0], isOwn: true) else {
            Issue.record("a proposal of the leader's own was refused")
            return
        }
        try network.settle()
        guard case .appended = network.propose("x", at: 1) else {
            Issue.record("still overloaded when all is committed")
            return
        }
    }

    @Test(
        "17: While the leader's disk takes nothing, what waits for it does not grow without bound")
    func unstoredCap() throws {
        var options = RaftOptions.test
        options.limits.uncommittedBytesMax = 1_000
        let network = TestNetwork(voters: [1, 2, 3], options: options)
        try network.elect(1)
        network[1].persistsAtOnce = false
        let commit = network[1].node.commit
        let payload = [UInt8](repeating: 0, count: 68)
        for _ in 0..<10 {
            guard case .appended = network[1].node.propose(payload) else {
                Issue.record("overloaded at \(network[1].node.commit)")
                return
            }
            // The others commit it without that disk.
            try network.settle()
        }
        #expect(network[1].node.commit.rawValue == commit.rawValue + 10)
        #expect(network[1].node.propose(payload) == .overloaded)
        try network[1].persist()
        guard case .appended = network[1].node.propose(payload) else {
            Issue.record("still overloaded when all is stored")
            return
        }
    }

    @Test("17: While the oldest entry waits too long no more is taken, though others are committed")
    func uncommittedAge() throws {
        var options = RaftOptions.test
        options.limits.uncommittedTicksMax = 5
        options.limits.appendBytesMax = 1
        options.limits.inflightMessagesMax = 1
        let network = TestNetwork(voters: [1, 2, 3], options: options)
        try network.elect(1)
        for number in 0..<20 { _ = network.propose("\(number)", at: 1) }
        // One round trip a tick, with one entry in it.
        var matched: UInt64 = 1
        for _ in 0..<5 {
            try network[1].tick()
            guard case .appended = network.propose("more", at: 1) else {
                Issue.record("overloaded after \(matched)")
                return
            }
            matched += 1
            try network[1].receive(
                .appendReply(matchIndex: LogIndex(matched), sentMs: 0), from: 2, term: 1)
            _ = try network[1].take()
        }
        try network[1].tick()
        #expect(network[1].node.commit == LogIndex(6))
        #expect(network.propose("x", at: 1) == .overloaded)
        // Those of the first tick are committed: the next is five ticks old.
        try network[1].receive(.appendReply(matchIndex: LogIndex(21), sentMs: 0), from: 2, term: 1)
        guard case .appended = network.propose("x", at: 1) else {
            Issue.record("still overloaded")
            return
        }
    }

    @Test("17: A window that comes out of order is rejected without starting windows anew")
    func reordered() throws {
        var options = RaftOptions.test
        options.limits.appendBytesMax = 1
        options.limits.inflightMessagesMax = 64
        let network = TestNetwork(voters: [1, 2, 3], options: options)
        try network.elect(1)
        for number in 0..<256 { _ = network.propose("\(number)", at: 1) }
        try network.drain(network[1])
        var random = RandomGenerator(seed: 3)
        var appends = 0
        var ticks = 0
        while network[2].appliedEntries.count < 257, ticks < 200 {
            // Any message may overtake any other; a third of them take until the next tick.
            var later: [Message] = []
            while !network.queue.isEmpty, appends < 20_000 {
                let position = Int(random.next(below: UInt64(network.queue.count)))
                let message = network.queue.remove(at: position)
                guard ![message.from, message.to].contains(MemberID(3)) else { continue }
                if random.next(below: 3) == 0 {
                    later.append(message)
                    continue
                }
                if case .append = message.body { appends += 1 }
                try network[message.to.rawValue].step(message)
                try network.drain(network[message.to.rawValue])
            }
            network.queue += later
            ticks += 1
            try network[1].tick()
            try network[2].tick()
            try network.drain(network[1])
        }
        // Not more than a window a tick, and all the same it goes on.
        #expect(appends < 64 * ticks, "\(appends) appends in \(ticks) ticks")
        #expect(network[2].appliedEntries.count > 100)
    }

    @Test("17: A follower that has lost what it had acknowledged is brought along again")
    func lostAcknowledged() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        for text in ["a", "b", "c"] { _ = network.propose(text, at: 1) }
        try network.settle()
        network[1].node.unreachable(MemberID(3))
        _ = try network[1].take()
        try network[1].receive(
            .appendRejection(
                rejectedIndex: LogIndex(4), hintIndex: LogIndex(2), hintTerm: Term(1), sentMs: 0),
            from: 3, term: 1)
        let asked = try network[1].take().bodies(to: 3)
        guard asked.count == 1, case .append(LogIndex(2), _, let entries, _, _) = asked[0] else {
            Issue.record("\(asked)")
            return
        }
        #expect(entries.map(\.index) == [LogIndex(3), LogIndex(4)])
    }

    @Test("17: Committed entries come in batches, and all of them come")
    func committedBatches() throws {
        var options = RaftOptions.test
        options.limits.committedBytesMax = 70
        let network = TestNetwork(voters: [1], options: options)
        try network[1].tick()
        _ = try network[1].take()
        for number in 0..<9 { _ = network.propose("\(number)", at: 1) }
        var ready = Ready()
        network[1].node.takeReady(into: &ready)
        let token = try #require(ready.storage?.token)
        network[1].node.persisted(token)
        var batches: [Int] = []
        while network[1].node.hasReady {
            ready.reset()
            network[1].node.takeReady(into: &ready)
            batches.append(ready.committed.count)
        }
        #expect(batches == [2, 2, 2, 2, 1])
    }

    @Test("17: An entry that was lost on the way is found by the next heartbeat's answer")
    func lostAppend() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        _ = network.propose("x", at: 1)
        try network.drain(network[1])
        network.queue.removeAll()
        try network.run(3)
        #expect(network[2].appliedEntries.count == 2 && network[3].appliedEntries.count == 2)
    }

    @Test("17: A snapshot is wanted once, for a member that answers, and again when it failed")
    func snapshotWantedOnce() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        for text in ["a", "b", "c"] { _ = network.propose(text, at: 1) }
        try network.settle([1, 2])
        try network[1].compact(through: LogIndex(4))
        network[1].node.unreachable(MemberID(3))
        #expect(try network[1].take().snapshotsWanted == [MemberID(3)])
        #expect(try network[1].take().bodies(to: 3).isEmpty)
        try network[1].receive(.heartbeatReply(readContext: nil, sentMs: 0), from: 3, term: 1)
        #expect(try network[1].take().snapshotsWanted.isEmpty)
        network[1].node.snapshotFailed(to: MemberID(3))
        #expect(try network[1].take().snapshotsWanted.isEmpty)
        try network[1].receive(.heartbeatReply(readContext: nil, sentMs: 0), from: 3, term: 1)
        #expect(try network[1].take().snapshotsWanted == [MemberID(3)])
    }

    @Test("19: The same inputs give the same outputs, byte for byte")
    func deterministic() throws {
        func run() throws -> [Message] {
            let network = TestNetwork(voters: [1, 2, 3], seed: 77)
            var all: [Message] = []
            for round in 0..<200 {
                for member in network.members {
                    try member.tick()
                    if round % 7 == 0 { _ = member.node.propose([UInt8(round)]) }
                    if round % 5 == 0 { member.read(UInt64(round)) }
                    let output = try network.drain(member)
                    all += output.messages
                }
                let queue = network.queue
                network.queue = []
                for message in queue { try network[message.to.rawValue].step(message) }
            }
            return all
        }
        let first = try run()
        #expect(first.count > 500)
        #expect(try run() == first)
    }

    @Test("The claim of leadership follows the answers' own stamps, not their arrival")
    func confirmedByEcho() throws {
        let network = TestNetwork(voters: [1, 2, 3])
        try network.elect(1)
        let leader = network[1]
        try leader.tick(nowMs: 5_000)
        try leader.receive(.heartbeatReply(readContext: nil, sentMs: 4_000), from: 2, term: 1)
        #expect(leader.node.quorumConfirmedMs == 4_000)
        try leader.receive(.heartbeatReply(readContext: nil, sentMs: 3_000), from: 3, term: 1)
        #expect(leader.node.quorumConfirmedMs == 4_000)
        try leader.receive(.heartbeatReply(readContext: nil, sentMs: 4_500), from: 3, term: 1)
        #expect(leader.node.quorumConfirmedMs == 4_500)
    }

    @Test("A sole voter confirms itself with each tick")
    func soleVoterConfirms() throws {
        let member = TestMember(1, voters: [1])
        try member.tick(nowMs: 10)
        _ = try member.take()
        try member.tick(nowMs: 20)
        #expect(member.node.quorumConfirmedMs == 20)
        member.read(1)
        #expect(try member.take().readsReady.map(\.index) == [LogIndex(1)])
    }
}
