// A rule that the run broke. The first one ends the run.

package enum Rule: String, Sendable, CaseIterable {
    case electionSafety, oneVote, wipedVote, diskAdmission, logMatching, leaderCompleteness,
        committedOnce
    case ownTermCommit, durableQuorum, promiseBeforeDurable, recovery, raftStep
    case digest, outcome
    case acknowledgedWrite, refusedWrite, appliedOnce, zxidOrder
    case staleRead, wrongRead, readOrder
    case linearizability, searchTooHard
    case missedChange, spuriousChange, feed, answer
    case leaderClaim, queueBound, codec
    case liveness, quietRun
}

package struct Violation: Error, Sendable, CustomStringConvertible {
    package let rule: Rule
    package let detail: String

    package init(_ rule: Rule, _ detail: String) {
        self.rule = rule
        self.detail = detail
    }

    package var description: String { "\(rule.rawValue): \(detail)" }
}

func expect(
    _ condition: Bool, _ rule: Rule, _ detail: @autoclosure () -> String
) throws(Violation) {
    if !condition { throw Violation(rule, detail()) }
}
