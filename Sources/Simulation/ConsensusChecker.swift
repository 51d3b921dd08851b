// What must hold of all members together (Raft thesis figure 3.2), judged by what they asked their
// disks to keep and by what the disks hold, not by what they believe. A log is one hash for each
// place, which covers all before it.

import Journal
package import Raft

package struct ConsensusChecker {
    struct Log {
        /// Of index 1 and up.
        var hashes: [UInt64] = []
        var terms: [UInt64] = []
        var hardState = HardState.initial

        var last: Int { hashes.count }
        func hash(_ index: Int) -> UInt64? {
            index == 0 ? 0 : index <= hashes.count ? hashes[index - 1] : nil
        }
        mutating func cut(to count: Int) {
            hashes.removeLast(max(0, hashes.count - count))
            terms.removeLast(max(0, terms.count - count))
        }
    }
    /// What was asked of a disk and not confirmed yet.
    enum Write {
        case append(token: StorageToken, HardState?, first: Int, hashes: [UInt64], terms: [UInt64])
        case reset(Int)
    }
    private struct Place {
        let term: UInt64
        let hash: UInt64
        let entry: Entry
    }
    private struct Grant: Hashable {
        let member: Int
        let disk: Int
        let term: UInt64
    }
    struct Member {
        var asked = Log()
        /// What the log's files hold.
        var durable = Log()
        /// A durable snapshot stands for all up to here.
        var snapshot = 0
        var writes: [Write] = []
        var commit = 0
        /// Its disk was damaged since the last start, and not mended since.
        var isDamaged = false
        /// What it must not vote below until its log has reached it again.
        var claim: LogPosition?
        /// What damage has taken of what it held when it made that claim.
        var lost: [(log: Log, snapshot: Int)] = []
        /// Which of the member's disks this is: each is a voter of its own.
        var disk = 0
    }

    var members: [Member]
    /// What disks hold that are not in their member now.
    var former: [(member: Int, state: Member)] = []
    /// By member: the disk that the ensemble has named for it.
    var namedDisks: [Int]
    /// All that were ever in a log.
    var configurations: [(index: Int, hash: UInt64, configuration: Configuration)] = []
    /// By index: all entries ever seen there.
    private var places: [[Place]] = []
    private var leaders: [UInt64: Int] = [:]
    private var grants: [Grant: UInt64] = [:]
    /// By index from 1 on; written once.
    var committedHashes: [UInt64] = []
    var committedTerms: [UInt64] = []
    /// The term of the member that first showed it committed: not below the true one.
    private var committedIn: [UInt64] = []

    package init(members: Int) {
        self.members = Array(repeating: Member(), count: members)
        namedDisks = Array(repeating: 0, count: members)
    }

    /// The end of the log that the member last asked for.
    func askedLast(_ member: Int) -> Int { members[member].asked.last }
    package var committedCount: Int { committedHashes.count }
    package var leaderCount: Int { leaders.count }

    // MARK: what a member asks for

    /// Entries replace all from the first one on.
    package mutating func asked(
        _ token: StorageToken, _ hardState: HardState?, _ entries: [Entry], by member: Int
    ) throws(Violation) {
        if let hardState { try askHardState(hardState, member) }
        let first = entries.first.map { Int($0.index.rawValue) } ?? 0
        var hashes: [UInt64] = []
        var terms: [UInt64] = []
        if !entries.isEmpty {
            var log = Log()
            swap(&log, &members[member].asked)
            try put(entries, first: first, &log, member, committed: members[member].commit)
            swap(&log, &members[member].asked)
            hashes = Array(members[member].asked.hashes[(first - 1)...])
            terms = Array(members[member].asked.terms[(first - 1)...])
        }
        members[member].writes.append(
            .append(token: token, hardState, first: first, hashes: hashes, terms: terms))
    }

    private mutating func askHardState(_ state: HardState, _ member: Int) throws(Violation) {
        let before = members[member].asked.hardState
        try expect(
            state.term > before.term
                || (state.term == before.term && (before.vote == nil || before.vote == state.vote)),
            .oneVote, "member \(member + 1) goes from \(before) to \(state)")
        members[member].asked.hardState = state
    }

    mutating func put(
        _ entries: [Entry], first: Int, _ log: inout Log, _ member: Int, committed: Int
    ) throws(Violation) {
        try expect(
            first >= 1 && first <= log.last + 1, .logMatching,
            "member \(member + 1) stores \(first) after \(log.last)")
        let replaced = log.hash(committed)
        log.cut(to: first - 1)
        var hash = log.hash(first - 1) ?? 0
        for (position, entry) in entries.enumerated() {
            let index = first + position
            try expect(
                Int(entry.index.rawValue) == index, .logMatching,
                "member \(member + 1) stores \(entry.index) for \(index)")
            hash = Self.hash(after: hash, entry)
            log.hashes.append(hash)
            log.terms.append(entry.term.rawValue)
            try note(entry, hash, index, member)
        }
        if first <= committed {
            try expect(
                log.hash(committed) == replaced, .committedOnce,
                "member \(member + 1) replaces \(first), committed there up to \(committed)")
        }
    }

    private mutating func note(
        _ entry: Entry, _ hash: UInt64, _ index: Int, _ member: Int
    ) throws(Violation) {
        while places.count < index { places.append([]) }
        let term = entry.term.rawValue
        if let known = places[index - 1].first(where: { $0.term == term }) {
            try expect(
                known.hash == hash, .logMatching,
                "entry \(index) of term \(term) at member \(member + 1) is another one")
        } else {
            places[index - 1].append(Place(term: term, hash: hash, entry: entry))
            if entry.kind == .configuration,
                let configuration = try? Configuration(decoding: entry.payload)
            {
                configurations.append((index, hash, configuration))
            }
        }
    }

    /// A received snapshot stands for the log up to `mark`.
    package mutating func askedReset(to mark: SnapshotMark, by member: Int) throws(Violation) {
        let index = Int(mark.index.rawValue)
        try checkCommitted(mark, member)
        var log = Log()
        swap(&log, &members[member].asked)
        reset(&log, index)
        swap(&log, &members[member].asked)
        members[member].writes.append(.reset(index))
    }

    func checkCommitted(_ mark: SnapshotMark, _ member: Int) throws(Violation) {
        let index = Int(mark.index.rawValue)
        try expect(
            index <= committedCount && committedTerms[index - 1] == mark.term.rawValue,
            .committedOnce,
            "member \(member + 1) has a snapshot of uncommitted \(mark.index) in term \(mark.term)")
    }

    func reset(_ log: inout Log, _ index: Int) {
        if log.hash(index) == committedHashes[index - 1] { return }
        log.hashes = Array(committedHashes[..<index])
        log.terms = Array(committedTerms[..<index])
    }

    // MARK: what its disk holds

    /// All that was asked for up to `token` is durable.
    package mutating func durable(through token: StorageToken, at member: Int) {
        var done = 0
        for (position, write) in members[member].writes.enumerated() {
            if case .append(let asked, _, _, _, _) = write, asked <= token { done = position + 1 }
        }
        for write in members[member].writes[..<done] {
            var log = Log()
            swap(&log, &members[member].durable)
            carryOut(write, &log)
            swap(&log, &members[member].durable)
        }
        members[member].writes.removeFirst(done)
        if let claim = members[member].claim, end(members[member].durable) >= claim {
            members[member].claim = nil
            members[member].lost.removeAll()
        }
    }

    /// Term and vote of what was asked for up to `token` are durable, the entries may not be.
    package mutating func durableVotes(through token: StorageToken, at member: Int) {
        for position in members[member].writes.indices {
            guard
                case .append(let asked, let hardState?, let first, let hashes, let terms) =
                    members[member].writes[position], asked <= token
            else { continue }
            members[member].durable.hardState = hardState
            members[member].writes[position] = .append(
                token: asked, nil, first: first, hashes: hashes, terms: terms)
        }
    }

    func carryOut(_ write: Write, _ log: inout Log) {
        switch write {
        case .append(_, let hardState, let first, let hashes, let terms):
            if let hardState { log.hardState = hardState }
            guard !hashes.isEmpty else { return }
            log.cut(to: first - 1)
            log.hashes += hashes
            log.terms += terms
        case .reset(let index): reset(&log, index)
        }
    }

    /// A snapshot is durable under its name.
    package mutating func durableSnapshot(_ mark: SnapshotMark, at member: Int) throws(Violation) {
        try checkCommitted(mark, member)
        members[member].snapshot = max(members[member].snapshot, Int(mark.index.rawValue))
    }

    /// The hash of what log and snapshot hold together at `index`.
    func durableHash(_ member: Int, _ index: Int) -> UInt64? {
        durableHash(members[member], index)
    }

    func durableHash(_ member: Member, _ index: Int) -> UInt64? {
        let snapshot = member.snapshot
        if index <= snapshot { return index == 0 ? 0 : committedHashes[index - 1] }
        let log = member.durable
        guard snapshot == 0 || log.hash(snapshot) == committedHashes[snapshot - 1] else {
            return nil
        }
        return log.hash(index)
    }

    /// Bytes on its disk that were durable have changed.
    package mutating func damaged(_ member: Int) { members[member].isDamaged = true }

    /// Its disk has all again that was committed when it was damaged, and claims nothing.
    package mutating func mended(_ member: Int) { members[member].isDamaged = false }

    func end(_ log: Log) -> LogPosition {
        LogPosition(
            index: LogIndex(UInt64(log.last)), term: Term(log.terms.last ?? 0))
    }

    // MARK: what it says

    /// A vote for `candidate` leaves the member, or it leads by its own.
    package mutating func voted(
        _ member: Int, in term: Term, for candidate: MemberID, isDurable: Bool
    ) throws(Violation) {
        let grant = Grant(member: member, disk: members[member].disk, term: term.rawValue)
        if let other = grants[grant] {
            try expect(
                other == candidate.rawValue, .oneVote,
                "member \(member + 1) votes in term \(term) for \(other) and \(candidate)")
        }
        grants[grant] = candidate.rawValue
        guard isDurable else { return }
        let state = members[member].durable.hardState
        try expect(
            state.term > term || (state.term == term && state.vote == candidate),
            .promiseBeforeDurable,
            "member \(member + 1) votes for \(candidate) in \(term), its disk says \(state)")
    }

    /// The member tells a leader that it holds everything up to `index`.
    package func acknowledged(_ index: LogIndex, by member: Int) throws(Violation) {
        try expect(
            durableHash(member, Int(index.rawValue)) != nil, .promiseBeforeDurable,
            "member \(member + 1) acknowledges \(index), its disk holds "
                + "\(members[member].snapshot) and \(members[member].durable.last)")
    }

    // MARK: what it knows

    /// After each step, once its storage requests were told. Gives the entries that are committed
    /// for the first time.
    package mutating func observe(
        _ role: Role, in term: Term, commit: LogIndex, _ member: Int
    ) throws(Violation) -> [Entry] {
        if role == .leader { try lead(term.rawValue, member) }
        let through = Int(commit.rawValue)
        guard through > members[member].commit else { return [] }
        members[member].commit = through
        try expect(
            through <= members[member].asked.last, .committedOnce,
            "member \(member + 1) commits \(through) of \(members[member].asked.last)")
        try expect(
            role != .leader || members[member].asked.terms[through - 1] == term.rawValue,
            .ownTermCommit,
            "leader \(member + 1) of \(term) commits \(through) of an older term by counting")
        let known = min(through, committedCount)
        if known > 0 {
            try expect(
                members[member].asked.hash(known) == committedHashes[known - 1], .committedOnce,
                "member \(member + 1) committed another entry up to \(known)")
        }
        var new: [Entry] = []
        while committedCount < through {
            let index = committedCount + 1
            let hash = members[member].asked.hashes[index - 1]
            try checkQuorum(index, hash, by: member)
            committedHashes.append(hash)
            committedTerms.append(members[member].asked.terms[index - 1])
            committedIn.append(term.rawValue)
            if let place = places[index - 1].first(where: { $0.hash == hash }) {
                new.append(place.entry)
            }
        }
        return new
    }

    private mutating func lead(_ term: UInt64, _ member: Int) throws(Violation) {
        if let other = leaders[term] {
            return try expect(
                other == member, .electionSafety,
                "term \(term) has leaders \(other + 1) and \(member + 1)")
        }
        leaders[term] = member
        var index = committedCount
        while index > 0, committedIn[index - 1] >= term { index -= 1 }
        try expect(
            index == 0 || members[member].asked.hash(index) == committedHashes[index - 1],
            .leaderCompleteness,
            "leader \(member + 1) of term \(term) lacks what was committed up to \(index)")
    }
}
