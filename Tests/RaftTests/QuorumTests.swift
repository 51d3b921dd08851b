import Raft
import Testing

@Suite("Quorum against a second, naive implementation")
struct QuorumTests {
    /// Sorts all and takes the one at the majority's place.
    private func naive(_ voters: [MemberID], _ values: [MemberID: UInt64]) -> UInt64? {
        let sorted = voters.map { values[$0] ?? 0 }.sorted(by: >)
        return sorted.isEmpty ? nil : sorted[voters.count / 2]
    }

    /// Tries all that the silent ones could say.
    private func naiveDecision(_ voters: [MemberID], _ votes: [MemberID: Bool]) -> Quorum.Decision {
        let silent = voters.filter { votes[$0] == nil }
        var outcomes: Set<Bool> = []
        for pattern in 0..<(1 << silent.count) {
            var yes = voters.filter { votes[$0] == true }.count
            for bit in silent.indices where pattern & (1 << bit) != 0 { yes += 1 }
            outcomes.insert(yes * 2 > voters.count)
        }
        return outcomes == [true] ? .won : outcomes == [false] ? .lost : .pending
    }

    private func set(_ random: inout RandomGenerator, atLeast: Int) -> [MemberID] {
        var ids = (1...9).map { MemberID($0) }
        while ids.count > atLeast, random.next(below: 3) != 0 {
            ids.remove(at: Int(random.next(below: UInt64(ids.count))))
        }
        return ids
    }

    @Test("The value that a majority reached is the one that sorting finds")
    func reached() {
        var random = RandomGenerator(seed: 11)
        for _ in 0..<3_000 {
            let voters = set(&random, atLeast: 1)
            let outgoing = random.next(below: 2) == 0 ? [] : set(&random, atLeast: 1)
            var values: [MemberID: UInt64] = [:]
            for id in 1...9 { values[MemberID(UInt64(id))] = random.next(below: 6) }
            let configuration = Configuration(voters: voters, outgoingVoters: outgoing)
            let found = Quorum.reached(in: configuration) { values[$0] ?? 0 }
            let expected =
                outgoing.isEmpty
                ? naive(voters, values)
                : zip([naive(voters, values)], [naive(outgoing, values)]).compactMap { a, b in
                    a.flatMap { a in b.map { min(a, $0) } }
                }.first
            #expect(found == expected)
        }
    }

    @Test("An election is decided exactly when no silent member can change it")
    func decided() {
        var random = RandomGenerator(seed: 12)
        for _ in 0..<3_000 {
            let voters = set(&random, atLeast: 1)
            let outgoing = random.next(below: 2) == 0 ? [] : set(&random, atLeast: 1)
            var votes: [MemberID: Bool] = [:]
            for id in 1...9 {
                let answer = random.next(below: 3)
                if answer < 2 { votes[MemberID(UInt64(id))] = answer == 1 }
            }
            let configuration = Configuration(voters: voters, outgoingVoters: outgoing)
            let found = Quorum.decide(in: configuration) { votes[$0] }
            let first = naiveDecision(voters, votes)
            let second = outgoing.isEmpty ? first : naiveDecision(outgoing, votes)
            let expected: Quorum.Decision =
                first == .lost || second == .lost
                ? .lost : first == .won && second == .won ? .won : .pending
            #expect(found == expected)
        }
    }

    @Test("Nobody has reached anything where nobody votes")
    func empty() {
        let nobody = Configuration(voters: [])
        #expect(Quorum.reached(in: nobody) { _ in LogIndex(3) } == nil)
        #expect(Quorum.decide(in: nobody) { _ in true } != .won)
    }
}

@Suite("Configuration")
struct ConfigurationTests {
    private let joint = Configuration(
        voters: [1, 2, 4].map { MemberID($0) }, outgoingVoters: [1, 2, 3].map { MemberID($0) },
        learners: [7].map { MemberID($0) }, nextLearners: [3].map { MemberID($0) })

    @Test("Encoded and decoded it is the same")
    func roundTrip() throws {
        #expect(try Configuration(decoding: joint.encoded()) == joint)
        let empty = Configuration(voters: [])
        #expect(try Configuration(decoding: empty.encoded()) == empty)
    }

    @Test("Each shorter or longer form is refused")
    func strict() {
        let bytes = joint.encoded()
        for count in 0..<bytes.count {
            #expect(throws: ConfigurationError.truncated) {
                try Configuration(decoding: Array(bytes[..<count]))
            }
        }
        #expect(throws: ConfigurationError.trailingBytes) {
            try Configuration(decoding: bytes + [0])
        }
        #expect(throws: ConfigurationError.unknownFormat(9)) {
            try Configuration(decoding: [9] + bytes.dropFirst())
        }
        #expect(throws: ConfigurationError.tooManyMembers(65_535)) {
            try Configuration(decoding: [1, 255, 255])
        }
    }

    @Test("A member in two lists, twice in one or out of order is refused")
    func invalid() {
        let bad = [
            Configuration(voters: [MemberID(1), MemberID(1)]),
            Configuration(voters: [MemberID(1)], learners: [MemberID(1)]),
            Configuration(voters: [], outgoingVoters: [MemberID(1)]),
            Configuration(voters: [MemberID(1)], nextLearners: [MemberID(2)]),
        ]
        for configuration in bad {
            #expect(throws: ConfigurationError.invalid) {
                try Configuration(decoding: configuration.encoded())
            }
        }
    }

    @Test("A voter that becomes a learner is one only after the joint phase")
    func demotion() {
        let now = Configuration(voters: [1, 2, 3].map { MemberID($0) })
        let target = Configuration(
            voters: [1, 2].map { MemberID($0) }, learners: [3].map { MemberID($0) })
        let step = now.step(towards: target)
        #expect(step.isValid && step.isJoint)
        #expect(!step.isLearner(MemberID(3)))
        #expect(step.leavingJoint == target)
    }

    @Test("Learners alone change without a joint phase")
    func learnersOnly() {
        let now = Configuration(voters: [MemberID(1)])
        let target = Configuration(voters: [MemberID(1)], learners: [MemberID(2)])
        #expect(now.step(towards: target) == target)
    }
}

@Suite("RandomGenerator")
struct RandomGeneratorTests {
    @Test("The first numbers are those of the published SplitMix64")
    func reference() {
        var random = RandomGenerator(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
    }

    @Test("Draws stay in their range and reach both ends")
    func range() {
        var random = RandomGenerator(seed: 5)
        var seen: Set<Int> = []
        for _ in 0..<1_000 { seen.insert(random.draw(in: 26...30)) }
        #expect(seen == [26, 27, 28, 29, 30])
    }
}
