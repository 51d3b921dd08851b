// Whose disk counts, for the commits that are judged: each disk under a number is a voter of its own,
// the one that the ensemble has named for the member, wherever it is, and no other; and whether its
// member votes says the configuration that the leader's log has (docs/decisions/0013).

import Raft

extension ConsensusChecker {
    /// Another disk of this number is in the member from now on: one that was in it before, or an
    /// empty one.
    package mutating func exchanged(_ member: Int, to disk: Int) {
        var next = Member(disk: disk)
        if let place = former.firstIndex(where: { $0.member == member && $0.state.disk == disk }) {
            next = former.remove(at: place).state
        }
        former.append((member, members[member]))
        members[member] = next
    }

    /// The ensemble has named this disk for the member, in the place of another one.
    package mutating func named(_ member: Int, disk: Int) { namedDisks[member] = disk }

    /// Counts the disks, not the beliefs.
    func checkQuorum(_ index: Int, _ hash: UInt64, by member: Int) throws(Violation) {
        let holders = members.indices.filter { holds($0, index, hash) }
            .map { MemberID(UInt64($0 + 1)) }
        func isMajority(_ voters: [MemberID]) -> Bool {
            holders.count { voters.contains($0) } > voters.count / 2
        }
        let inForce = inForce(at: index, members[member].asked)
        try expect(
            inForce.contains {
                isMajority($0.voters) && (!$0.isJoint || isMajority($0.outgoingVoters))
            }, .durableQuorum,
            "member \(member + 1) commits \(index), which the disks of \(holders) hold, of "
                + "\(inForce.last?.voters ?? [])")
    }

    /// The disk that is named for the member has the entry. A damaged one counts by its claim: nobody
    /// without the entry gets its vote. One that is not in its member counts as one that is down.
    private func holds(_ member: Int, _ index: Int, _ hash: UInt64) -> Bool {
        let named = namedDisks[member]
        let state =
            members[member].disk == named
            ? members[member]
            : former.first { $0.member == member && $0.state.disk == named }?.state
        guard let state else { return false }
        return durableHash(state, index) == hash
            || state.lost.contains { $0.log.hash(index) == hash || index <= $0.snapshot }
    }

    /// Those by which a leader with this log may have counted the entry: the one that the entry ends
    /// with, and, unless that is the entry itself, later ones. A configuration follows another one only
    /// once that is committed.
    private func inForce(at index: Int, _ log: Log) -> [Configuration] {
        var found = (index: 0, configurations: [founders])
        for known in configurations.sorted(by: { $0.index < $1.index })
        where log.hash(known.index) == known.hash {
            if known.index <= index {
                found = (known.index, [known.configuration])
            } else if found.index < index {
                found.configurations.append(known.configuration)
            }
        }
        return found.configurations
    }

    private var founders: Configuration {
        Configuration(voters: members.indices.map { MemberID(UInt64($0 + 1)) })
    }

    /// A member votes on a disk that is not named for it; `replacedAt` is the entry that named another
    /// one in its place, nil if it never was named.
    package func checkUnnamedVoter(_ member: Int, replacedAt index: UInt64?) throws(Violation) {
        try expect(
            index.map { !holdsCommitted(Int($0), member) } ?? false, .wipedVote,
            "member \(member + 1) votes on a disk that does not count")
    }

    private func holdsCommitted(_ index: Int, _ member: Int) -> Bool {
        index <= committedCount && durableHash(member, index) == committedHashes[index - 1]
    }

    /// What log and snapshot on the disk that is in the member reach to.
    func durableLast(_ member: Int) -> Int {
        max(members[member].snapshot, members[member].durable.last)
    }
}
