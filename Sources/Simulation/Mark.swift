// Rare turns that a run has taken: each must be taken somewhere over the fixed seeds, or it is tested
// by nobody. All are seen from outside, in what goes into members and comes out of them, so the core
// knows nothing of them.

package enum Mark: Int, CaseIterable, Sendable {
    // Elections, from the sight of the one who acts.
    case preVoteAsked, preVoteGranted, preVoteRefused, preVoteLost, voteAsked, voteGranted,
        voteRefused, electionWon, electionLost, electionAgain, leaderDeposed, leaderDoubted,
        transferTold, transferVoteAsked, transferGivenUp, lowerTermAnswered
    // Replication.
    case entriesSent, manyEntriesSent, probeSent, appendRejected, conflictTruncated,
        manyTruncated, olderTermCommitted, manyCommitted
    // Linearizable reads.
    case readAsked, readAskedAgain, readIndexGiven, readIndexDenied, roundByHeartbeat
    // Writes on their way to the leader.
    case forwarded, forwardedAgain, forwardedElsewhere, forwardDenied, forwardOverloaded,
        forwardNoRoom
    // Snapshots and the log behind them.
    case snapshotStarted, snapshotSaved, snapshotNotSaved, snapshotSending, chunkSent,
        lastChunkSent, chunkAskedAgain, snapshotInstalled, snapshotAbandoned, snapshotNotRead,
        logReset, logPruned
    // A full disk.
    case readOnlyBegan, readOnlyEnded, fullLeaderHandedOver, voteWithoutRoom, writeNoRoom
    // What a start finds.
    case recoveredNothing, recoveredLog, recoveredSnapshot, recoveredTornTail,
        recoveredLaterFile, recoveryFailed
    // What becomes of writes.
    case created, set, deleted, deletedMany, noNode, nodeExists, badVersion, badVersionAbsent,
        notEmpty, tooManyZnodes, storeFull, invalidPath
    // What clients are told else.
    case writeNoQuorum, writeUnknown, writeOverloaded, writeStopping, readNoQuorum,
        readOverloaded, readAhead, waitNoQuorum, waitOverloaded, waitAhead, waitStopping,
        changedAtOnce, changedLater, unchanged, pageAtOnce, pageLater, emptyPage,
        historyCompacted, cancelled
    // What clients hear over HTTP, by status and kind.
    case http200, http201, http204, http304, http400, http404, http408, http409, http410,
        http412, http413, http503, http504, http507
    case heardQuorum, heardOverload, heardNoRoom, heardStop, heardAhead, notBegun, heardBefore,
        leaderTold
    // How it comes to them.
    case keptAlive, closed, hungUp, continued, doorFull, askedAgain
    /// More feeds had something to tell than a turn serves.
    case feedsLeft
    // Who is let in.
    case ensembleFixed, refusedOtherStorage, diskMissed, diskNamed, diskCounts
    // Faults that took place.
    case partitioned, leaderPartitioned, partitionedOneWay, partitionedPartly, linkBroken,
        clogged, swizzled, paused, powerLost, writeFailed, syncFailed, noRoom, diskSlowed,
        syncHung, wiped, crashed, blackedOut, crashedInTurn, crashedAfterSync, stopped, wallJumped,
        rotted, repaired, misdirected, bootLeapt, readFailed,
        wipedAgain, oldDiskBack, newDiskBack, rottedInUse, minorityLost,
        olderReadFound, olderReadHarmless, olderReadEndsStart
    // States that differ.
    case stateFlipped, stateWrong, stateDisputed, stateSettled, otherStateDiffers, stateFetched,
        stateCorrupted, stateSpread
    // What the scrub finds in files of a running member, and what becomes of it.
    case scrubFoundLog, scrubFoundSnapshot, scrubHealed
}

package struct Marks: Sendable {
    private var counts = Array(repeating: 0, count: Mark.allCases.count)

    package init() {}

    package subscript(mark: Mark) -> Int { counts[mark.rawValue] }

    mutating func hit(_ mark: Mark) { counts[mark.rawValue] += 1 }

    package mutating func add(_ other: Marks) {
        for position in counts.indices { counts[position] += other.counts[position] }
    }

    package var missed: [Mark] { Mark.allCases.filter { self[$0] == 0 } }

    /// All of them, and the rarest.
    package var text: String {
        let all = Mark.allCases.map { "\($0) \(self[$0])" }.joined(separator: ", ")
        let rarest = Mark.allCases.enumerated()
            .sorted { (self[$0.element], $0.offset) < (self[$1.element], $1.offset) }
            .prefix(10).map { "\($0.element) \(self[$0.element])" }.joined(separator: ", ")
        return
            "marks: \(all)\n\(missed.count) of \(counts.count) marks missed; the rarest: \(rarest)"
    }
}
