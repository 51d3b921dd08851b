// Changes of the configuration (thesis 4): an entry of the log, in force when appended, through
// both majorities when voters change. One change at a time; it must never begin before the leader
// has committed an entry of its own term (Ongaro, raft-dev, July 2015).

package enum ConfigurationResult: Sendable, Equatable {
    case appended(LogIndex, Term)
    /// Not leader, or handing leadership over.
    case notLeader
    /// The leader has not yet committed an entry of its own term.
    case termNotCommitted
    /// Another change is not yet committed, or its joint phase not over.
    case changeUnderWay
    /// No voters, a member in two lists, or outgoing voters given.
    case invalid
    /// The leader's disk is full.
    case noRoom
    /// A new voter must first be a learner that has caught up (thesis 4.2.1).
    case notCaughtUp(MemberID)
}

extension RaftNode {
    /// `target` is the configuration to end in; the joint phase on the way is the core's.
    package mutating func proposeConfiguration(_ target: Configuration) -> ConfigurationResult {
        guard standing == .leader, transfer == nil else { return .notLeader }
        guard hasRoom else { return .noRoom }
        guard hasCommittedInTerm else { return .termNotCommitted }
        guard configurations.index <= commit, !configuration.isJoint else { return .changeUnderWay }
        guard target.isValid, !target.isJoint, !target.voters.isEmpty else { return .invalid }
        for voter in target.voters where !configuration.isVoter(voter) {
            guard let slot = slot(of: voter), progresses[slot].state == .replicate,
                lastIndex - progresses[slot].match <= options.limits.catchUpEntriesMax
            else { return .notCaughtUp(voter) }
        }
        return .appended(appendConfiguration(configuration.step(towards: target)), term)
    }

    @discardableResult
    private mutating func appendConfiguration(_ configuration: Configuration) -> LogIndex {
        let index = appendOwn(.configuration, configuration.encoded())
        configurations.append(configuration, at: index)
        configurationChanged()
        return index
    }

    /// The configuration in force is another one, by an append, a truncation or a snapshot.
    mutating func configurationChanged() {
        guard standing == .leader else { return }
        followConfiguration()
        // A smaller quorum may have reached more.
        commitByCounting()
    }

    /// One progress for each member that gets the log, sorted by id. A leader that is not in the
    /// configuration keeps none for itself, and so does not count (thesis 4.2.2).
    mutating func followConfiguration() {
        let members = configuration.members
        progresses.removeAll { !members.contains($0.member) }
        for member in members where slot(of: member) == nil {
            var progress = Progress(member: member, next: lastIndex.next, tick: tickCount)
            if member == id { progress.advanceOwn(match: ledger.durableIndex) }
            progresses.append(progress)
        }
        progresses.sort { $0.member < $1.member }
    }

    /// The commit moved: a joint phase ends, or a leader that is no voter any more goes.
    mutating func configurationMayBeCommitted() {
        guard configurations.index <= commit else { return }
        if configuration.isJoint {
            // While leadership is handed over the next leader does it.
            if transfer == nil { appendConfiguration(configuration.leavingJoint) }
        } else if !configuration.isVoter(id) {
            resign()
        }
    }

    /// Thesis 4.2.2: it led until the configuration without it was committed. It tells the commit
    /// and lets the best voter follow at once.
    private mutating func resign() {
        var batch = EntryBatch()
        replicate(&batch)
        if let successor = bestSuccessor() { send(.timeoutNow, to: successor) }
        becomeFollower(term: term, leader: nil)
    }
}
