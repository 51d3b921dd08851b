// Whether this member's tree is that of the others: digests at indexes that all members pass, and at
// wherever they happen to stand together. It must never conclude from fewer than a majority of the
// voters that somebody is wrong (docs/decisions/0014).

package import Raft

/// The digest of a member's tree when it had applied all up to `index`.
package struct DigestMark: Sendable, Equatable {
    package var index: LogIndex
    package var digest: UInt64
    package init(index: LogIndex, digest: UInt64) {
        self.index = index
        self.digest = digest
    }
}

/// What the digests of the members say of this member's state.
package enum StateVerdict: Sendable, Equatable {
    case agreed
    /// Another member holds another state there, and no majority of the voters tells which is right.
    case disputed(LogIndex)
    /// A majority of the voters agrees on another state there.
    case wrong(LogIndex)
    /// A snapshot's walk there met znodes that are not what was applied. The files are right.
    case corrupted(LogIndex)

    /// Nothing that others say changes it any more: the process ends.
    var isFinal: Bool {
        switch self {
        case .agreed, .disputed: false
        case .wrong, .corrupted: true
        }
    }
}

struct StateComparison {
    /// Of a member, its newest.
    static let marksMax = 16

    /// Oldest first.
    private(set) var own: [DigestMark] = []
    /// What the others said last, sorted by member; oldest first.
    private var others: [(member: MemberID, marks: [DigestMark])] = []
    /// Digests of others that were compared with one of this member's.
    private(set) var comparisons: UInt64 = 0

    mutating func note(_ mark: DigestMark) {
        if own.count == Self.marksMax { own.removeFirst() }
        own.append(mark)
    }

    /// The state is another one: what was noted is of the one before.
    mutating func forgetOwn() { own.removeAll() }

    mutating func heard(_ marks: [DigestMark], from member: MemberID, current: DigestMark) {
        forget(member)
        others.append((member, marks))
        others.sort { $0.member < $1.member }
        let mine = with(current)
        for mark in marks where mine.contains(where: { $0.index == mark.index }) {
            comparisons += 1
        }
    }

    /// It has started anew, and what it said was of another state.
    mutating func forget(_ member: MemberID) { others.removeAll { $0.member == member } }

    /// What the others are told. Why not what was noted at this very place: memory may have changed
    /// since.
    func with(_ current: DigestMark) -> [DigestMark] {
        own.filter { $0.index != current.index } + [current]
    }

    /// `voters`: those whose word counts; `majority`: so many of them tell what is right. `differing`:
    /// those whose state a majority, this member with it, does not share.
    func judge(
        voters: [MemberID], majority: Int, self id: MemberID, current: DigestMark
    ) -> (verdict: StateVerdict, differing: [MemberID]) {
        var disputed: LogIndex?
        var undecided: StateVerdict { disputed.map { .disputed($0) } ?? .agreed }
        // Of each other member only the newest place counts that both have passed: states may have
        // been mended since.
        var seen: [MemberID] = []
        for mine in with(current).reversed() {
            let found = others.compactMap { other in
                other.marks.first { $0.index == mine.index }.map { (other.member, $0.digest) }
            }
            if found.isEmpty { continue }
            func count(_ digest: UInt64) -> Int {
                found.count { voters.contains($0.0) && $0.1 == digest }
                    + (voters.contains(id) && mine.digest == digest ? 1 : 0)
            }
            if count(mine.digest) >= majority {
                return (undecided, found.filter { $0.1 != mine.digest }.map(\.0))
            }
            if found.contains(where: { $0.1 != mine.digest && count($0.1) >= majority }) {
                return (.wrong(mine.index), [])
            }
            for (member, digest) in found where !seen.contains(member) {
                seen.append(member)
                if digest != mine.digest, voters.contains(member) {
                    disputed = disputed ?? mine.index
                }
            }
        }
        return (undecided, [])
    }
}
