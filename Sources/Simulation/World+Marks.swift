// Which marks an observation, a message or an answer hits. It looks and counts; it must never change
// what happens.

import Ensemble
import Journal
import Raft
import Znodes

extension World {
    /// From one turn of a member to the next.
    func mark(_ before: RaftObservation, _ now: RaftObservation, _ process: Process) {
        if before.role == now.role, before.term == now.term { return }
        switch (before.role, now.role) {
        case (.preCandidate, .follower) where before.term == now.term && now.leader == nil:
            marks.hit(.preVoteLost)
        case (.candidate, .leader): marks.hit(.electionWon)
        case (.candidate, .follower) where before.term == now.term && now.leader == nil:
            marks.hit(.electionLost)
        case (.candidate, .preCandidate), (.candidate, .candidate): marks.hit(.electionAgain)
        case (.leader, .leader): break
        case (.leader, _) where now.term > before.term: marks.hit(.leaderDeposed)
        case (.leader, _): marks.hit(process.isStopping ? .transferGivenUp : .leaderDoubted)
        case (.follower, _), (.preCandidate, _), (.candidate, _), (.learner, _): break
        }
    }

    /// Entries are committed for the first time.
    func mark(committed entries: [Entry], _ now: RaftObservation) {
        guard let first = entries.first else { return }
        if now.role == .leader, first.term < now.term { marks.hit(.olderTermCommitted) }
        if entries.count > 8 { marks.hit(.manyCommitted) }
    }

    func mark(_ request: StorageRequest, _ member: Member) {
        switch request {
        case .append(_, _, let entries):
            guard let first = entries.first else { return }
            let lost = consensus.askedLast(member.position) - Int(first.index.rawValue) + 1
            if lost > 0 { marks.hit(.conflictTruncated) }
            if lost > 1 { marks.hit(.manyTruncated) }
        case .resetLog: marks.hit(.logReset)
        case .prune: marks.hit(.logPruned)
        case .identity, .distrust, .startAnew: break
        }
    }

    func mark(_ message: PeerMessage, from process: Process) {
        switch message {
        case .raft(let message): mark(message, from: process)
        case .forward(let id, let term, _):
            if id.counter > process.forwardedLast {
                process.forwardedLast = id.counter
                marks.hit(.forwarded)
            } else {
                marks.hit(term == process.forwardedIn ? .forwardedAgain : .forwardedElsewhere)
            }
            process.forwardedIn = term
        case .forwardRefused(_, _, .overloaded): marks.hit(.forwardOverloaded)
        case .forwardRefused(_, _, .notLeader): marks.hit(.forwardDenied)
        case .forwardRefused(_, _, .diskFull): marks.hit(.forwardNoRoom)
        case .snapshotChunk(_, _, _, _, let last): marks.hit(last ? .lastChunkSent : .chunkSent)
        case .snapshotProgress(_, _, let offset, let done):
            if offset == 0, !done { marks.hit(.chunkAskedAgain) }
        case .report, .digests: break
        }
    }

    private func mark(_ message: Message, from process: Process) {
        switch message.body {
        case .preVoteRequest: marks.hit(.preVoteAsked)
        case .preVoteReply(let granted): marks.hit(granted ? .preVoteGranted : .preVoteRefused)
        case .voteRequest(_, _, let transfer):
            marks.hit(transfer ? .transferVoteAsked : .voteAsked)
        case .voteReply(let granted): marks.hit(granted ? .voteGranted : .voteRefused)
        case .append(_, _, let entries, _, _):
            switch entries.count {
            case 0: marks.hit(.probeSent)
            case 1: marks.hit(.entriesSent)
            default: marks.hit(.manyEntriesSent)
            }
        case .appendRejection(.zero, .zero, .zero, 0): marks.hit(.lowerTermAnswered)
        case .appendRejection: marks.hit(.appendRejected)
        case .heartbeat(_, let context, _): if context != nil { marks.hit(.roundByHeartbeat) }
        case .readIndexRequest:
            marks.hit(process.asksForReadIndex ? .readAskedAgain : .readAsked)
            process.asksForReadIndex = true
        case .readIndexReply(_, let index):
            marks.hit(index == nil ? .readIndexDenied : .readIndexGiven)
        case .timeoutNow: marks.hit(.transferTold)
        case .appendReply, .heartbeatReply: break
        }
    }

    func note(_ event: ReplicaEvent, _ member: Member) {
        trace("\(member.id) \(event)")
        if let process = member.process { mark(event, process) }
        switch event {
        case .snapshotSaved: work.snapshotsSaved += 1
        case .snapshotInstalled: work.snapshotsInstalled += 1
        case .repaired: work.repairs += 1
        case .stateJudged(let verdict): checkVerdict(verdict, member)
        case .roleChanged, .handingOver, .ensembleFixed, .snapshotStarted, .snapshotSending,
            .diskFull, .diskHasRoom, .healed, .diskMissed, .diskNamed, .diskCounts,
            .diskNotAdmitted,
            .otherStateDiffers:
            break
        }
    }

    func mark(_ event: ReplicaEvent, _ process: Process) {
        switch event {
        case .snapshotStarted: marks.hit(.snapshotStarted)
        case .snapshotSaved: marks.hit(.snapshotSaved)
        case .snapshotSending: marks.hit(.snapshotSending)
        case .snapshotInstalled: marks.hit(.snapshotInstalled)
        case .ensembleFixed: marks.hit(.ensembleFixed)
        case .repaired: marks.hit(.repaired)
        case .healed: marks.hit(.scrubHealed)
        case .diskFull:
            marks.hit(.noRoom)
            marks.hit(.readOnlyBegan)
        case .diskHasRoom: marks.hit(.readOnlyEnded)
        case .handingOver: if !process.replica.hasRoom { marks.hit(.fullLeaderHandedOver) }
        case .diskMissed: marks.hit(.diskMissed)
        case .diskNamed: marks.hit(.diskNamed)
        case .diskCounts: marks.hit(.diskCounts)
        case .stateJudged(.wrong): marks.hit(.stateWrong)
        case .stateJudged(.corrupted): marks.hit(.stateCorrupted)
        case .stateJudged(.disputed): marks.hit(.stateDisputed)
        case .stateJudged(.agreed): marks.hit(.stateSettled)
        case .otherStateDiffers: marks.hit(.otherStateDiffers)
        case .roleChanged, .diskNotAdmitted: break
        }
    }

    func mark(_ recovered: RecoveredLog, filesBefore: [String]) {
        if recovered.snapshot != nil { marks.hit(.recoveredSnapshot) }
        if !recovered.entries.isEmpty { marks.hit(.recoveredLog) }
        if recovered.snapshot == nil, recovered.entries.isEmpty { marks.hit(.recoveredNothing) }
        if let tail = recovered.droppedTail {
            let isLast = filesBefore.allSatisfy { !$0.hasPrefix("log-") || $0 <= tail.file }
            marks.hit(isLast ? .recoveredTornTail : .recoveredLaterFile)
        }
    }

    func markDisk(_ member: Member) {
        guard let failure = member.disk.failure else { return }
        switch (failure.operation, failure.cause) {
        case (_, .outOfSpace): marks.hit(.noRoom)
        case (.sync, _): marks.hit(.syncFailed)
        case (.read, _): marks.hit(.readFailed)
        default: marks.hit(.writeFailed)
        }
    }

    /// `later`: it waited before it was answered.
    func mark(_ reply: ClientReply, to ask: ClientRequest, later: Bool) {
        switch (ask, reply) {
        case (_, .decided(let outcome, _)): mark(outcome)
        case (_, .refused(let refusal)): mark(refusal, of: ask)
        case (_, .changed): marks.hit(later ? .changedLater : .changedAtOnce)
        case (_, .unchanged): marks.hit(.unchanged)
        case (_, .events(let page)):
            marks.hit(page.events.isEmpty ? .emptyPage : later ? .pageLater : .pageAtOnce)
        case (_, .historyCompacted): marks.hit(.historyCompacted)
        case (_, .readable): break
        }
    }

    /// What a client hears over HTTP.
    func mark(_ answer: HeardAnswer, _ code: String?) {
        if answer.isLast { marks.hit(.closed) }
        let statuses: [(Int, Mark)] = [
            (200, .http200), (201, .http201), (204, .http204), (304, .http304), (400, .http400),
            (404, .http404), (408, .http408), (409, .http409), (410, .http410), (412, .http412),
            (413, .http413), (503, .http503), (504, .http504), (507, .http507),
        ]
        if let (_, mark) = statuses.first(where: { $0.0 == answer.status }) { marks.hit(mark) }
        switch code {
        case "no_quorum": marks.hit(.heardQuorum)
        case "overloaded": marks.hit(.heardOverload)
        case "disk_full": marks.hit(.heardNoRoom)
        case "shutting_down": marks.hit(.heardStop)
        case "zxid_ahead": marks.hit(.heardAhead)
        default: break
        }
    }

    private func mark(_ outcome: Outcome) {
        switch outcome {
        case .created: marks.hit(.created)
        case .set: marks.hit(.set)
        case .deleted(let count): marks.hit(count > 1 ? .deletedMany : .deleted)
        case .failed(.noNode): marks.hit(.noNode)
        case .failed(.nodeExists): marks.hit(.nodeExists)
        case .failed(.badVersion(_, let absent)):
            marks.hit(absent ? .badVersionAbsent : .badVersion)
        case .failed(.notEmpty): marks.hit(.notEmpty)
        case .failed(.tooManyZnodes): marks.hit(.tooManyZnodes)
        case .failed(.storeFull): marks.hit(.storeFull)
        case .failed(.invalidPath): marks.hit(.invalidPath)
        case .failed(.noChildrenForEphemerals), .failed(.dataTooLarge), .failed(.unknownCommand):
            break
        }
    }

    private func mark(_ refusal: Refusal, of ask: ClientRequest) {
        switch (ask, refusal) {
        case (.write, .noQuorum): marks.hit(.writeNoQuorum)
        case (.write, .outcomeUnknown): marks.hit(.writeUnknown)
        case (.write, .overloaded): marks.hit(.writeOverloaded)
        case (.write, .diskFull): marks.hit(.writeNoRoom)
        case (.write, .shuttingDown): marks.hit(.writeStopping)
        case (.read, .noQuorum): marks.hit(.readNoQuorum)
        case (.read, .overloaded): marks.hit(.readOverloaded)
        case (.read, .zxidAhead): marks.hit(.readAhead)
        case (.wait, .noQuorum), (.feed, .noQuorum): marks.hit(.waitNoQuorum)
        case (.wait, .overloaded), (.feed, .overloaded): marks.hit(.waitOverloaded)
        case (.wait, .zxidAhead), (.feed, .zxidAhead): marks.hit(.waitAhead)
        case (.wait, .shuttingDown), (.feed, .shuttingDown): marks.hit(.waitStopping)
        case (.write, _), (.read, _), (.wait, _), (.feed, _): break
        }
    }
}
