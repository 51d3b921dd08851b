// Who votes and who only listens. An entry of the log carries it; joint consensus (thesis 4.3)
// is a second set of voters, empty outside a change. It must never count: that is `Quorum`.

package enum ConfigurationError: Error, Sendable, Equatable {
    case truncated
    case trailingBytes
    case unknownFormat(UInt8)
    case tooManyMembers(Int)
    case invalid
}

/// All lists are sorted by id and hold no id twice. Invariant: a learner is in neither voter list.
package struct Configuration: Sendable, Equatable {
    package var voters: [MemberID]
    /// The old voters while a joint change is under way; decisions then need both majorities.
    package var outgoingVoters: [MemberID]
    package var learners: [MemberID]
    /// Outgoing voters that go on as learners when the joint change ends.
    package var nextLearners: [MemberID]

    package init(
        voters: [MemberID], outgoingVoters: [MemberID] = [], learners: [MemberID] = [],
        nextLearners: [MemberID] = []
    ) {
        self.voters = voters.sorted()
        self.outgoingVoters = outgoingVoters.sorted()
        self.learners = learners.sorted()
        self.nextLearners = nextLearners.sorted()
    }

    package var isJoint: Bool { !outgoingVoters.isEmpty }

    package func isVoter(_ member: MemberID) -> Bool {
        voters.contains(member) || outgoingVoters.contains(member)
    }

    package func isLearner(_ member: MemberID) -> Bool { learners.contains(member) }

    package func contains(_ member: MemberID) -> Bool { isVoter(member) || isLearner(member) }

    /// All that get the log, sorted, each once.
    package var members: [MemberID] {
        var all = voters + learners
        for member in outgoingVoters where !voters.contains(member) { all.append(member) }
        return all.sorted()
    }

    package var isValid: Bool {
        func ascends(_ list: [MemberID]) -> Bool {
            zip(list, list.dropFirst()).allSatisfy { $0 < $1 }
        }
        return ascends(voters) && ascends(outgoingVoters) && ascends(learners)
            && ascends(nextLearners)
            && learners.allSatisfy { !isVoter($0) }
            && nextLearners.allSatisfy { outgoingVoters.contains($0) && !voters.contains($0) }
            && (!isJoint || !voters.isEmpty)
    }

    /// The way from here to `target`: straight when the voters stay, else through both majorities
    /// (thesis 4.3). Voters that become learners do so at the end of the joint phase.
    package func step(towards target: Configuration) -> Configuration {
        if target.voters == voters { return target }
        return Configuration(
            voters: target.voters, outgoingVoters: voters,
            learners: target.learners.filter { !voters.contains($0) },
            nextLearners: target.learners.filter { voters.contains($0) })
    }

    /// What follows a joint configuration once it is committed.
    package var leavingJoint: Configuration {
        Configuration(voters: voters, learners: learners + nextLearners)
    }
}

/// Format 1: the byte 1, then the four lists in the order of the properties, each a count of two
/// bytes and ids of eight, little-endian.
extension Configuration {
    static let format: UInt8 = 1
    static let membersMax = 1_024

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = [Self.format]
        for list in [voters, outgoingVoters, learners, nextLearners] {
            Self.append(UInt64(list.count), bytes: 2, to: &bytes)
            for member in list { Self.append(member.rawValue, bytes: 8, to: &bytes) }
        }
        return bytes
    }

    package init(decoding bytes: [UInt8]) throws(ConfigurationError) {
        var position = 1
        guard let format = bytes.first else { throw .truncated }
        guard format == Self.format else { throw .unknownFormat(format) }
        func number(_ count: Int) throws(ConfigurationError) -> UInt64 {
            guard bytes.count - position >= count else { throw .truncated }
            var value: UInt64 = 0
            for offset in 0..<count { value |= UInt64(bytes[position + offset]) << (8 * offset) }
            position += count
            return value
        }
        func list() throws(ConfigurationError) -> [MemberID] {
            let count = Int(try number(2))
            guard count <= Self.membersMax else { throw .tooManyMembers(count) }
            var members: [MemberID] = []
            members.reserveCapacity(count)
            for _ in 0..<count { members.append(MemberID(try number(8))) }
            return members
        }
        voters = try list()
        outgoingVoters = try list()
        learners = try list()
        nextLearners = try list()
        guard position == bytes.count else { throw .trailingBytes }
        guard isValid else { throw .invalid }
    }

    private static func append(_ value: UInt64, bytes count: Int, to bytes: inout [UInt8]) {
        for offset in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * offset))) }
    }
}

/// The configurations of the log, oldest first. The last one is in force from the moment that its
/// entry is appended (thesis 4.1), and no longer when the entry is truncated.
struct ConfigurationHistory {
    private(set) var steps: [(index: LogIndex, configuration: Configuration)]

    init(base: Configuration, at index: LogIndex) { steps = [(index, base)] }

    var inForce: Configuration { steps[steps.count - 1].configuration }
    /// Where the one in force stands.
    var index: LogIndex { steps[steps.count - 1].index }

    /// Whether `member` votes in the newest committed configuration or in one after it.
    func mayNeed(_ member: MemberID, commit: LogIndex) -> Bool {
        for step in steps.reversed() {
            if step.configuration.isVoter(member) { return true }
            if step.index <= commit { return false }
        }
        return false
    }

    mutating func append(_ configuration: Configuration, at index: LogIndex) {
        invariant(index > self.index, "configuration at \(index) after \(self.index)")
        steps.append((index, configuration))
    }

    /// True when the one in force changed.
    mutating func truncate(from index: LogIndex) -> Bool {
        let before = steps.count
        while steps.count > 1, self.index >= index { steps.removeLast() }
        return steps.count != before
    }

    /// Forgets what cannot be asked for any more; the newest at or before `index` stays.
    mutating func compact(through index: LogIndex) {
        while steps.count > 1, steps[1].index <= index { steps.removeFirst() }
    }

    /// The configuration in force at `index`, if it is still known.
    func configuration(at index: LogIndex) -> Configuration? {
        steps.last { $0.index <= index }?.configuration
    }

    /// A snapshot brought `base`; what follows it in the log stays.
    mutating func rebase(_ base: Configuration, at index: LogIndex) {
        steps.removeAll { $0.index <= index }
        steps.insert((index, base), at: 0)
    }
}
