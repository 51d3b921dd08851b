// Runs a script of commands and writes down what every member does. The scripts in Scenarios hold
// commands and expected trace together; AVIARY_REWRITE=1 writes the trace that was seen.

import Raft
import Testing

struct ScenarioError: Error, CustomStringConvertible {
    let description: String
}

final class ScenarioRunner {
    private var network = TestNetwork(voters: [1])
    private var options = RaftOptions.test
    private var trace: [String] = []
    private var shown: [MemberID: String] = [:]

    /// The trace of one command.
    func run(_ line: String) throws -> [String] {
        trace = []
        let words = line.split(separator: " ").map(String.init)
        guard let verb = words.first else { return [] }
        try run(verb, Array(words.dropFirst()))
        return trace.isEmpty ? ["(nothing)"] : trace
    }

    private func run(_ verb: String, _ words: [String]) throws {
        switch verb {
        case "cluster": try start(words)
        case "quiet": try quiet(words)
        case "elect":
            // A whole election, of which only the end is shown.
            let id = UInt64(try number(words.first))
            try network.elect(id, among: try words.dropFirst().first.map { try list($0) })
            for member in network.members { try drain(member) }
        case "timeout":
            let member = try self.member(words.first)
            try member.timeOut()
            try drain(member)
        case "tick":
            let count = try number(words.dropFirst().first ?? "1")
            for _ in 0..<count {
                for member in try list(words.first) {
                    try network[member].tick()
                    try drain(network[member])
                }
            }
        case "deliver": try deliver(words)
        case "drop": try drop(words)
        case "settle":
            try settle(try words.first.map { try list($0) })
        case "run":
            for _ in 0..<(try number(words.first)) {
                for member in network.members {
                    try member.tick()
                    try drain(member)
                }
                try settle(nil)
            }
        default: try change(verb, words)
        }
    }

    private func change(_ verb: String, _ words: [String]) throws {
        let member = try self.member(words.first)
        let rest = Array(words.dropFirst())
        switch verb {
        case "propose":
            for text in rest { say(member, "propose: \(member.node.propose(Array(text.utf8)))") }
        case "read":
            for read in rest { member.node.requestRead(ReadID(rawValue: UInt64(try number(read)))) }
        case "transfer":
            let target = try rest.first.map { MemberID(UInt64(try number($0))) }
            say(member, "transfer: \(member.node.transferLeadership(to: target))")
        case "configure":
            let voters = try option("voters", rest) ?? []
            let learners = try option("learners", rest) ?? []
            let target = Configuration(
                voters: voters.map { MemberID($0) }, learners: learners.map { MemberID($0) })
            say(member, "configure: \(member.node.proposeConfiguration(target))")
        case "storage": member.persistsAtOnce = rest.first == "auto"
        case "persist": try member.persist(try rest.first.map { try number($0) })
        case "restart":
            try member.crashAndRestart()
            shown[member.id] = nil
        case "compact":
            try member.compact(through: LogIndex(UInt64(try number(rest.first))))
            say(member, "log begins at \(member.node.firstIndex)")
        case "snapshot": try snapshot(from: member, to: try self.member(rest.first))
        case "unreachable": member.node.unreachable(MemberID(UInt64(try number(rest.first))))
        case "progress": progress(member)
        case "log": log(member)
        default: throw ScenarioError(description: "unknown command \(verb)")
        }
        try drain(member)
    }

    // MARK: Commands

    private func start(_ words: [String]) throws {
        options = .test
        let voters = try option("voters", words) ?? [1]
        let learners = try option("learners", words) ?? []
        if let inflight = try option("inflight", words)?.first {
            options.limits.inflightMessagesMax = Int(inflight)
        }
        if let bytes = try option("append-bytes", words)?.first {
            options.limits.appendBytesMax = Int(bytes)
        }
        network = TestNetwork(voters: voters, learners: learners, options: options)
        for id in try option("outside", words) ?? [] {
            network.add(id, voters: voters, learners: learners, options: options)
        }
        shown = [:]
        for member in network.members { try drain(member) }
    }

    /// The members have heard no leader for long enough to vote, and none of them stands.
    private func quiet(_ words: [String]) throws {
        for id in try list(words.first) {
            try network[id].tick(options.electionTicksMin + 1)
            try network[id].fallBack()
            try drain(network[id])
        }
    }

    private func deliver(_ words: [String]) throws {
        // deliver FROM TO [COUNT]
        let from = try member(words.first).id
        let to = try member(words.dropFirst().first)
        var left = try words.count > 2 ? number(words[2]) : Int.max
        while left > 0,
            let place = network.queue.firstIndex(where: { $0.from == from && $0.to == to.id })
        {
            left -= 1
            try to.step(network.queue.remove(at: place))
            try drain(to)
        }
    }

    private func drop(_ words: [String]) throws {
        let from = try member(words.first).id
        let to = try member(words.dropFirst().first).id
        let before = network.queue.count
        network.queue.removeAll { $0.from == from && $0.to == to }
        trace.append("\(before - network.queue.count) lost")
    }

    private func settle(_ ids: [UInt64]?) throws {
        let reachable = ids ?? network.members.map(\.id.rawValue)
        var kept: [Message] = []
        while !network.queue.isEmpty {
            let message = network.queue.removeFirst()
            guard reachable.contains(message.to.rawValue), reachable.contains(message.from.rawValue)
            else {
                kept.append(message)
                continue
            }
            try network[message.to.rawValue].step(message)
            try drain(network[message.to.rawValue])
        }
        network.queue = kept
    }

    private func snapshot(from leader: TestMember, to member: TestMember) throws {
        guard let mark = leader.disk.snapshot else {
            throw ScenarioError(description: "no snapshot at \(leader.id)")
        }
        try member.restore(mark)
        leader.node.snapshotSent(to: member.id, index: mark.index)
        try drain(member)
    }

    private func progress(_ leader: TestMember) {
        for member in network.members {
            guard let status = leader.node.followerStatus(of: member.id) else { continue }
            trace.append(
                "\(leader.id) sees \(member.id): match \(status.match) next \(status.next) "
                    + "\(status.state)")
        }
    }

    private func log(_ member: TestMember) {
        var index = member.node.firstIndex
        var places: [String] = []
        while index <= member.node.lastIndex {
            places.append("\(index)/\(member.node.term(at: index) ?? .zero)")
            index = index.next
        }
        let observed = member.node.observation
        say(
            member,
            "log [\(places.joined(separator: " "))] durable \(observed.durableIndex) "
                + "commit \(observed.commit)")
    }

    // MARK: Trace

    private func say(_ member: TestMember, _ text: String) { trace.append("\(member.id) \(text)") }

    private func drain(_ member: TestMember) throws {
        let output = try network.drain(member)
        let standing =
            "\(member.node.role) of term \(member.node.term)"
            + (member.node.leader.map { ", leader \($0)" } ?? "")
        if shown[member.id] != standing { say(member, "is \(standing)") }
        shown[member.id] = standing
        for storage in output.storage { say(member, describe(storage)) }
        for message in output.messages { trace.append(describe(message)) }
        if !output.committed.isEmpty { say(member, "applies \(describe(output.committed))") }
        for ready in output.readsReady {
            say(member, "read \(ready.read.rawValue) at \(ready.index)")
        }
        for read in output.readsFailed { say(member, "read \(read.rawValue) failed") }
        for lagging in output.snapshotsWanted { say(member, "wants a snapshot for \(lagging)") }
    }

    private func describe(_ entries: [Entry]) -> String {
        let all = entries.map { entry -> String in
            let place = "\(entry.index)/\(entry.term)"
            switch entry.kind {
            case .noOp: return place + " no-op"
            case .command: return place + " " + String(decoding: entry.payload, as: UTF8.self)
            case .configuration:
                guard let configuration = try? Configuration(decoding: entry.payload) else {
                    return place + " bad configuration"
                }
                return place + " " + describe(configuration)
            }
        }
        return "[" + all.joined(separator: ", ") + "]"
    }

    private func describe(_ configuration: Configuration) -> String {
        func list(_ name: String, _ members: [MemberID]) -> String {
            members.isEmpty
                ? "" : " \(name)=" + members.map(\.description).joined(separator: ",")
        }
        return "configuration" + list("voters", configuration.voters)
            + list("outgoing", configuration.outgoingVoters)
            + list("learners", configuration.learners) + list("next", configuration.nextLearners)
    }

    private func describe(_ storage: Ready.Storage) -> String {
        var text = "stores #\(storage.token.rawValue)"
        if let hardState = storage.hardState {
            text += " term \(hardState.term) vote \(hardState.vote.map(\.description) ?? "-")"
            text += " commit \(hardState.commit)"
        }
        if !storage.entries.isEmpty { text += " " + describe(storage.entries) }
        return text
    }

    private func describe(_ message: Message) -> String {
        "  \(message.from)->\(message.to) term \(message.term) \(describe(message.body))"
    }

    private func describe(_ body: Message.Body) -> String {
        switch body {
        case .preVoteRequest(let index, let term): "pre-vote? last \(index)/\(term)"
        case .preVoteReply(let granted): granted ? "pre-vote granted" : "pre-vote refused"
        case .voteRequest(let index, let term, let transfer):
            "vote? last \(index)/\(term)" + (transfer ? " by transfer" : "")
        case .voteReply(let granted): granted ? "vote granted" : "vote refused"
        case .append(let index, let term, let entries, let commit, _):
            "append after \(index)/\(term) \(describe(entries)) commit \(commit)"
        case .appendReply(let match, _): "appended through \(match)"
        case .appendRejection(let rejected, let hint, let hintTerm, _):
            "rejected \(rejected), try \(hint)/\(hintTerm)"
        case .heartbeat(let commit, let context, _):
            "heartbeat commit \(commit)" + (context == nil ? "" : " for reads")
        case .heartbeatReply(let context, _): "heard" + (context == nil ? "" : " for reads")
        case .readIndexRequest: "read index?"
        case .readIndexReply(_, let index):
            index.map { "read index \($0)" } ?? "read index refused"
        case .timeoutNow: "time out now"
        }
    }

    // MARK: Words

    private func number(_ word: String?) throws -> Int {
        guard let word, let value = Int(word) else {
            throw ScenarioError(description: "a number, not \(word ?? "nothing")")
        }
        return value
    }

    private func list(_ word: String?) throws -> [UInt64] {
        try (word ?? "").split(separator: ",").map { UInt64(try number(String($0))) }
    }

    private func member(_ word: String?) throws -> TestMember {
        let id = UInt64(try number(word))
        guard network.members.contains(where: { $0.id == MemberID(id) }) else {
            throw ScenarioError(description: "no member \(id)")
        }
        return network[id]
    }

    private func option(_ name: String, _ words: [String]) throws -> [UInt64]? {
        guard let word = words.first(where: { $0.hasPrefix(name + "=") }) else { return nil }
        return try list(String(word.dropFirst(name.count + 1)))
    }
}
