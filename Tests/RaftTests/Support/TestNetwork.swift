// Members and the messages between them, all in the test's hands.

import Raft
import Testing

final class TestNetwork {
    let checker = ClusterChecker()
    private(set) var members: [TestMember] = []
    var queue: [Message] = []
    /// What each member gave out since it was last looked at.
    var outputs: [MemberID: TestOutput] = [:]

    init(voters: [UInt64], learners: [UInt64] = [], options: RaftOptions = .test, seed: UInt64 = 1)
    {
        for id in (voters + learners).sorted() {
            add(id, voters: voters, learners: learners, options: options, seed: seed)
        }
    }

    func add(
        _ id: UInt64, voters: [UInt64], learners: [UInt64] = [], options: RaftOptions = .test,
        seed: UInt64 = 1
    ) {
        members.append(
            TestMember(
                id, voters: voters, learners: learners, options: options, seed: seed,
                checker: checker))
    }

    subscript(_ id: UInt64) -> TestMember {
        guard let member = members.first(where: { $0.id == MemberID(id) }) else {
            fatalError("no member \(id)")
        }
        return member
    }

    var leader: TestMember? {
        members.filter { $0.node.role == .leader }.max { $0.node.term < $1.node.term }
    }

    @discardableResult
    func drain(_ member: TestMember) throws -> TestOutput {
        let output = try member.take()
        queue += output.messages
        var all = outputs[member.id] ?? TestOutput()
        all.committed += output.committed
        all.readsReady += output.readsReady
        all.readsFailed += output.readsFailed
        all.snapshotsWanted += output.snapshotsWanted
        outputs[member.id] = all
        return output
    }

    /// Delivers until nothing is left to deliver. Messages to and from others than `ids` are lost.
    func settle(_ ids: [UInt64]? = nil) throws {
        let reachable = ids?.map { MemberID($0) } ?? members.map(\.id)
        for member in members where reachable.contains(member.id) { try drain(member) }
        var rounds = 0
        while !queue.isEmpty {
            rounds += 1
            try #require(rounds < 100_000, "messages without end")
            let message = queue.removeFirst()
            guard reachable.contains(message.to), reachable.contains(message.from) else { continue }
            let member = self[message.to.rawValue]
            try member.step(message)
            try drain(member)
            if !member.persistsAtOnce { continue }
        }
    }

    /// Ticks the members together and delivers after each tick.
    func run(_ ticks: Int, only ids: [UInt64]? = nil) throws {
        for _ in 0..<ticks {
            for member in members where ids.map({ $0.contains(member.id.rawValue) }) ?? true {
                try member.tick()
            }
            try settle(ids)
        }
    }

    /// Makes `id` leader of the members in `ids`.
    func elect(_ id: UInt64, among ids: [UInt64]? = nil) throws {
        let reachable = ids ?? members.map(\.id.rawValue)
        for member in reachable where member != id {
            // They have not heard a leader for long enough, and do not stand themselves.
            try self[member].tick(self[member].options.electionTicksMin + 1)
            try self[member].fallBack()
        }
        try self[id].timeOut()
        try settle(reachable)
        try #require(self[id].node.role == .leader)
    }

    func propose(_ text: String, at id: UInt64) -> ProposeResult {
        self[id].node.propose(Array(text.utf8))
    }

    func reads(_ id: UInt64) -> TestOutput { outputs[MemberID(id)] ?? TestOutput() }
}

extension TestMember {
    /// A member that stood for election by its ticks, and is to be a voter in the test, gives up.
    func fallBack() throws {
        guard node.role == .preCandidate else { return }
        _ = try take()
        for voter in node.configuration.voters where voter != id {
            try receive(
                .preVoteReply(granted: false), from: voter.rawValue, term: node.term.rawValue)
        }
    }
}
