// Who votes and who only listens. An entry of the log carries it; joint consensus (thesis 4.3)
// is a second set of voters, empty outside a change.

/// All lists are sorted by id and hold no id twice. Invariant: a learner is in neither voter list.
package struct Configuration: Sendable, Equatable {
    package var voters: [MemberID]
    /// The old voters while a joint change is under way; decisions then need both majorities.
    package var outgoingVoters: [MemberID]
    package var learners: [MemberID]

    package init(voters: [MemberID], outgoingVoters: [MemberID] = [], learners: [MemberID] = []) {
        self.voters = voters.sorted()
        self.outgoingVoters = outgoingVoters.sorted()
        self.learners = learners.sorted()
    }
}
