// `/leader` answers 200 at one member at most, at every instant. Judged in true time, by each
// member's own clock as it runs on, also while its process hangs.

package struct LeaderClaims {
    /// True time until which each member says that it leads.
    private var untilNs: [UInt64]

    package init(members: Int) { untilNs = Array(repeating: 0, count: members) }

    package mutating func claim(_ member: Int, untilNs until: UInt64, nowNs: UInt64)
        throws(Violation)
    {
        untilNs[member] = until
        guard until > nowNs else { return }
        for (other, end) in untilNs.enumerated() where other != member {
            try expect(
                end <= nowNs, .leaderClaim,
                "members \(other + 1) and \(member + 1) both claim to lead at \(nowNs) ns, "
                    + "until \(end) and \(until)")
        }
    }

    /// A client of `member` was told that it leads.
    package func told(_ member: Int, nowNs: UInt64) throws(Violation) {
        for (other, end) in untilNs.enumerated() where other != member {
            try expect(
                end <= nowNs, .leaderClaim,
                "member \(member + 1) tells a client at \(nowNs) ns that it leads, "
                    + "member \(other + 1) claims to until \(end)")
        }
    }

    package mutating func end(_ member: Int) { untilNs[member] = 0 }
}
