// Counts majorities, of one set of voters or of both in a joint phase (thesis 4.3). No state, no
// allocation; learners are never asked.

package enum Quorum {
    package enum Decision: Sendable, Equatable { case won, lost, pending }

    package static func majority(of count: Int) -> Int { count / 2 + 1 }

    /// The greatest value that a majority has reached; nil without voters.
    package static func reached<Value: Comparable>(
        by voters: [MemberID], _ value: (MemberID) -> Value
    ) -> Value? {
        let needed = majority(of: voters.count)
        var best: Value?
        // Why: sets are small (3 to 7), so counting pairs beats sorting a copy.
        for voter in voters {
            let candidate = value(voter)
            if let best, candidate <= best { continue }
            var count = 0
            for other in voters where value(other) >= candidate { count += 1 }
            if count >= needed { best = candidate }
        }
        return best
    }

    /// The same for a configuration: in a joint phase both majorities must have reached it.
    package static func reached<Value: Comparable>(
        in configuration: Configuration, _ value: (MemberID) -> Value
    ) -> Value? {
        guard let incoming = reached(by: configuration.voters, value) else { return nil }
        guard configuration.isJoint else { return incoming }
        guard let outgoing = reached(by: configuration.outgoingVoters, value) else { return nil }
        return min(incoming, outgoing)
    }

    /// `vote` is nil for a member that has not answered.
    package static func decide(
        in configuration: Configuration, _ vote: (MemberID) -> Bool?
    ) -> Decision {
        let incoming = decide(configuration.voters, vote)
        guard configuration.isJoint else { return incoming }
        let outgoing = decide(configuration.outgoingVoters, vote)
        if incoming == .lost || outgoing == .lost { return .lost }
        return incoming == .won && outgoing == .won ? .won : .pending
    }

    private static func decide(_ voters: [MemberID], _ vote: (MemberID) -> Bool?) -> Decision {
        let needed = majority(of: voters.count)
        var granted = 0
        var refused = 0
        for voter in voters {
            guard let answer = vote(voter) else { continue }
            if answer { granted += 1 } else { refused += 1 }
        }
        if granted >= needed { return .won }
        return voters.count - refused < needed ? .lost : .pending
    }
}
