// How a member whose disk was exchanged counts again without a person: the leader takes its vote
// away, names the new disk, and gives the vote back once the member has caught up. Each step is an
// entry, and the next is begun only when it is applied, so a leader that falls is followed by one
// that goes on. It must never count what the new disk says before. See docs/decisions/0013.

import Journal
import Raft

/// What a leader has noticed of exchanged disks; gone with its leadership, but for the count.
struct DiskAdmission {
    private struct Knock {
        let disk: MemberStorage
        let sinceTick: UInt64
        var lastTick: UInt64
        /// Said once that nothing can be done for it.
        var isHopeless = false
    }

    private var tick: UInt64 = 0
    /// Sorted by member, one for each.
    private var knocks: [Knock] = []
    /// What a member must hold to count again: the entry that named its disk, and all before.
    private(set) var floor: LogIndex = .zero

    /// For metrics: those that got their members' votes back.
    var admitted: UInt64 = 0

    var isIdle: Bool { knocks.isEmpty }

    /// The leadership begins with a log that ends at `index`.
    mutating func begin(at index: LogIndex) {
        knocks.removeAll()
        floor = index
    }

    mutating func passTick() { tick += 1 }

    mutating func named(at index: LogIndex) { floor = max(floor, index) }

    /// A blank disk asked to be let in. It asks at least once in `patienceTicks` while it is there.
    mutating func knocked(_ disk: MemberStorage, patienceTicks: Int) {
        if let place = knocks.firstIndex(where: { $0.disk == disk }),
            tick - knocks[place].lastTick <= UInt64(patienceTicks)
        {
            knocks[place].lastTick = tick
            return
        }
        knocks.removeAll { $0.disk.member == disk.member }
        knocks.append(Knock(disk: disk, sinceTick: tick, lastTick: tick))
        knocks.sort { $0.disk.member < $1.disk.member }
    }

    /// The disk that is named is alive.
    mutating func heard(_ member: MemberID) { knocks.removeAll { $0.disk.member == member } }

    /// Those that have knocked for `patienceTicks` and still do.
    func patient(_ patienceTicks: Int) -> [MemberStorage] {
        knocks.filter {
            tick - $0.sinceTick >= UInt64(patienceTicks)
                && tick - $0.lastTick <= UInt64(patienceTicks) && $0.lastTick > $0.sinceTick
        }
        .map(\.disk)
    }

    /// True once for each.
    mutating func giveUp(_ disk: MemberStorage) -> Bool {
        guard let place = knocks.firstIndex(where: { $0.disk == disk && !$0.isHopeless }) else {
            return false
        }
        knocks[place].isHopeless = true
        return true
    }
}

extension Replica {
    /// Whether the disk that says this is the one that the log names for its member, or none is named.
    func isNamedDisk(_ hello: Hello) -> Bool {
        namings.inForce.storage(of: hello.member).map { $0 == hello.storage } ?? true
    }

    /// As leader: whether it may be connected, so that what it says counts. A learner's disk only when
    /// the entry that names it is applied: so no disk has that entry before it is committed.
    func letsIn(_ hello: Hello) -> Bool {
        isNamedDisk(hello)
            && (!raft.configuration.isLearner(hello.member)
                || identityTable.storage(of: hello.member) == hello.storage)
    }

    /// As leader: those that are connected with another disk than the one that counts now.
    mutating func turnStrangersAway(into effects: inout Effects) {
        guard raft.role == .leader else { return }
        for hello in peers.hellos {
            if let reason = objection(to: hello) { turnAway(hello, reason, into: &effects) }
        }
    }

    /// A blank disk asks for another one's place. One that was of the ensemble already does not: it
    /// was replaced, or is a copy.
    mutating func noteKnock(_ hello: Hello) {
        guard raft.role == .leader, hello.ensemble == nil, !letsIn(hello) else { return }
        admission.knocked(
            MemberStorage(member: hello.member, storage: hello.storage),
            patienceTicks: options.exchangedDiskTicks)
    }

    /// As leader, one step at a time, each begun when the one before is applied.
    mutating func tickAdmission(into effects: inout Effects) {
        admission.passTick()
        let configuration = raft.configuration
        guard raft.role == .leader, !stopping, raft.hasCommittedInTerm,
            !admission.isIdle || !configuration.learners.isEmpty,
            namings.areApplied, identityProposedIn != raft.term
        else { return }
        // Those that were demoted: there are no other learners.
        for learner in configuration.learners where isCaughtUp(learner) {
            var whole = configuration
            whole.learners.removeAll { $0 == learner }
            whole.voters = (whole.voters + [learner]).sorted()
            if change(to: whole) {
                admission.admitted += 1
                effects.events.append(.diskCounts(learner))
            }
            return
        }
        let waiting = admission.patient(options.exchangedDiskTicks)
        if let disk = waiting.first(where: { configuration.isLearner($0.member) }) {
            return name(disk, into: &effects)
        }
        // One after the other: not while another one is being brought along. Whose disk is full takes
        // nothing in, and holds nobody up.
        if configuration.learners.contains(where: {
            peers.isConnected($0) && peers[$0]?.report?.isFull != true
        }) {
            return
        }
        for disk in waiting where configuration.isVoter(disk.member) {
            guard canSpare(disk.member) else {
                if admission.giveUp(disk) { effects.events.append(.diskNotAdmitted(disk.member)) }
                continue
            }
            var rest = configuration
            rest.voters.removeAll { $0 == disk.member }
            rest.learners = (rest.learners + [disk.member]).sorted()
            if change(to: rest) { effects.events.append(.diskMissed(disk.member)) }
            return
        }
    }

    private mutating func change(to configuration: Configuration) -> Bool {
        if case .appended = raft.proposeConfiguration(configuration) { true } else { false }
    }

    private mutating func name(_ disk: MemberStorage, into effects: inout Effects) {
        guard let replaced = identityTable.storage(of: disk.member), replaced != disk.storage,
            case .appended(_, let term) = append(
                Proposal.encode(disk, replaces: replaced, origin: ownOrigin), isOwn: true)
        else { return }
        identityProposedIn = term
        effects.events.append(.diskNamed(disk.member))
    }

    /// In this term, from its present process: a match of before its start is forgotten at its hello.
    private func isCaughtUp(_ member: MemberID) -> Bool {
        guard peers.isConnected(member), let progress = raft.followerStatus(of: member),
            progress.state == .replicate, progress.match >= admission.floor,
            let ticks = progress.contactTicks, ticks <= UInt64(options.raft.electionTicksMin)
        else { return false }
        return progress.match.rawValue + options.admittedEntriesBehindMax >= raft.commit.rawValue
    }

    /// Whether the others that are there are a majority of the voters with it, and so of those
    /// without it: nothing is left to its disk, neither the new one nor the old.
    private func canSpare(_ member: MemberID) -> Bool {
        let voters = raft.configuration.voters
        let there = voters.filter { voter in
            if voter == member { return false }
            if voter == identity.member { return true }
            guard peers.isConnected(voter), let progress = raft.followerStatus(of: voter) else {
                return false
            }
            return progress.contactTicks.map { $0 <= UInt64(options.raft.electionTicksMax) }
                ?? false
        }
        return there.count >= Quorum.majority(of: voters.count)
    }

    /// What keeps this member from counting; nil: it counts.
    var admissionState: AdmissionState? {
        let named = namings.inForce.storage(of: identity.member)
        if let named, named != identity.storage {
            return storedEnsemble == nil || isNewcomer == true ? .unnamed : .replaced
        }
        if raft.configuration.isLearner(identity.member) { return .catchingUp }
        return isNewcomer == true ? .unnamed : nil
    }
}
