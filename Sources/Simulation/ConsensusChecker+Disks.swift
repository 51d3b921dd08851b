// Whose disk counts, for the commits and votes that are judged: each disk under a number is a voter of
// its own, the new one only once a committed configuration has given it the member's vote.

import Raft

extension ConsensusChecker {
    /// Another disk of this number is in the member from now on: one that was in it before, or an
    /// empty one.
    package mutating func exchanged(_ member: Int, to disk: Int) {
        var next = Member(disk: disk, counts: false)
        if let place = former.firstIndex(where: { $0.member == member && $0.state.disk == disk }) {
            next = former.remove(at: place).state
        }
        former.append((member, members[member]))
        members[member] = next
    }

    /// The ensemble has named this disk for the member, in the place of another one.
    package mutating func named(_ member: Int, disk: Int) {
        members[member].isNamed = members[member].disk == disk
        for place in former.indices where former[place].member == member {
            former[place].state.isNamed = former[place].state.disk == disk
        }
    }

    /// A named disk counts from the commit of the configuration on that gives its member a vote.
    mutating func noteVoters(_ entry: Entry) {
        guard entry.kind == .configuration,
            let configuration = try? Configuration(decoding: entry.payload)
        else { return }
        func isVoter(_ member: Int) -> Bool {
            configuration.voters.contains(MemberID(UInt64(member + 1)))
        }
        for member in members.indices where members[member].isNamed && isVoter(member) {
            members[member].counts = true
        }
        for place in former.indices
        where former[place].state.isNamed && isVoter(former[place].member) {
            former[place].state.counts = true
        }
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
