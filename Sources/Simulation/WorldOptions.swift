// What a run is given from outside, and what its seed draws for the members: small segments, tiny
// batches, short histories, so that rare turns of the code are taken often.

import Ensemble
import Journal
import Raft
import Znodes

/// A bug planted at the edge of the simulated world, to show that the checks find such.
package enum PlantedBug: String, Sendable, CaseIterable {
    /// The shell answers `stored` when the bytes are written, before they are synced.
    case storedBeforeDurable
    /// The disk says that it has synced, and has not.
    case diskLiesAboutSync
    /// The disk says that it has synced the directory, and has not.
    case diskLiesAboutDirectory
    /// The network delivers the first ReadIndex answer's index again and again.
    case staleReadIndex
    /// The shell writes entries, never the hard state.
    case hardStateDropped
    /// A forwarded write comes twice, the second time under another id.
    case forwardedTwice
    /// The client reads the tree without waiting for its ticket.
    case readBeforeTicket
    /// `snapshotSaved` is answered before the snapshot is durable.
    case snapshotSavedEarly
    /// The last entry of a batch is not written.
    case lastEntryLost
    /// The wall clock is handed in as the boot-time clock.
    case wallClockForBootClock
    /// `outcomeUnknown` reaches the client as `noQuorum`.
    case unknownAsRefused
    /// An answer is given to the client twice.
    case answeredTwice
    /// A damaged log starts anew as if its end had been a torn tail.
    case rotForTorn
    /// The core is not told what the member had acknowledged before its log was damaged.
    case claimIgnored
    /// The claim of a damaged log is not there at the start after the next.
    case claimNotRepeated
    /// Term and vote of a damaged log are lost with it.
    case voteLostInRot
    /// The event loop puts the body of an earlier request before the next that comes in pieces.
    case bodyKept
    /// A write loses its condition on the way from the gateway to the replica.
    case conditionForgotten
    /// A long poll that ends quietly is answered by the gateway as one that saw a change.
    case changeMadeUp
    /// An exchanged disk says that it is the old one, so that what it acknowledges is counted.
    case newDiskForOld
    /// A member loses its vote to a new disk long before its own one has been silent for long enough.
    case exchangedAtOnce
    /// No member hears the others' digests.
    case digestsNotTold
    /// What the scrub finds never reaches the replica.
    case scrubUnheard
}

package struct WorldOptions: Sendable {
    /// 1, 2, 3, 5 or 7.
    package var members: Int
    package var profile: Profile
    /// Inputs handed to replicas before the faults end.
    package var eventsMax: Int
    /// The same for a run in which the faults have let little be done so far.
    var eventsMost: Int { eventsMax * 5 / 3 }
    package var bug: PlantedBug?
    /// Kinds of faults that do not happen, whatever the profile and the seed say.
    package var without: [FaultKind] = []
    /// No client speaks HTTP: each hands its requests to the replica itself.
    package var isDirect = false
    /// Clients that write and read; by the seed when none is given.
    package var workers: Int?
    /// Inputs handed in after the faults have ended, at most.
    package var settleEventsMax = 60_000
    package var settleNs: UInt64 = 60_000_000_000
    /// Fewer acknowledged writes than this make the run a failure. Of two members each fault of one
    /// stops both.
    package var acknowledgedMin: Int { members == 2 ? 3 : 10 }
    /// False: nothing is concluded from which zxid was known before another was asked for, so that
    /// what is stale is found by the search for linearizations or not at all.
    package var comparesRealTime = true

    /// The size of the ensemble that a seed runs with when none is asked for.
    package static func members(_ seed: UInt64) -> Int {
        [3, 5, 3, 1, 3, 7, 3, 5, 2, 3][Int(seed % 10)]
    }

    package init(
        members: Int = 3, profile: Profile = .swarm, eventsMax: Int = 12_000,
        bug: PlantedBug? = nil
    ) {
        self.members = members
        self.profile = profile
        self.eventsMax = eventsMax
        self.bug = bug
    }
}

/// Equal for all members of the run.
struct Tuning {
    var replica = ReplicaOptions()
    var journal = JournalLimits()
    var journalBatchMax = Int.max
    /// Each `stored` is answered, not only the last of a batch.
    var answersEachToken = false
    /// Of inputs: more are taken in the same turn of the shell.
    var sharedTurns = 0
    /// The event history keeps all of the run.
    var remembersAll: Bool { replica.znodes.historyBytesMax >= 1 << 20 }

    /// `ReplicaOptions.exchangedDiskTicks`, whatever a planted bug makes of it.
    private(set) var exchangedTicks = 0

    init(_ random: inout RandomGenerator, _ bug: PlantedBug?) {
        draw(&random)
        // No draws of their own: the seeds of before keep their worlds.
        if replica.writeTimeoutMs == 400 { replica.exchangedDiskTicks = 60 }
        if replica.forwardAgainMs == 30 { replica.admittedEntriesBehindMax = 20 }
        exchangedTicks = replica.exchangedDiskTicks
        if bug == .exchangedAtOnce { replica.exchangedDiskTicks = 30 }
    }

    private mutating func draw(_ random: inout RandomGenerator) {
        sharedTurns = random.pick([0, 0, 300, 900])
        let isStrange = random.chance(perMille: 700)
        var draws = random.split()
        journal = JournalLimits(
            segmentBytes: draws.pick([4_096, 8_192, 65_536]),
            groupBytesMax: draws.pick([256, 2_048, 8 << 20]), entryBytesMax: 1 << 20,
            snapshotBlockBytes: draws.pick([128, 1_024, 65_536]),
            snapshotSyncBytes: draws.pick([256, 1 << 20]))
        replica.snapshotEntries = draws.pick([7, 40, 150, 200_000])
        replica.retention.entries = draws.pick([0, 5, 60, 10_000])
        // No draws of their own: the seeds of before keep their worlds.
        if replica.retention.entries == 60 { replica.retention.bytes = 2_000 }
        if replica.retention.entries == 5 { replica.retention.catchUpBytes = 1_000 }
        replica.snapshotPieceBytes = draws.pick([200, 1_000, 20_000])
        replica.snapshotStallMs = 2_000
        guard isStrange else { return }
        replica.snapshotPiecesPerTick = draws.pick([1, 4])
        replica.snapshotPiecesAhead = draws.pick([1, 8])
        replica.pendingWritesMax = draws.pick([1, 3, 4_096])
        replica.waitsMax = draws.pick([1, 200_000])
        replica.pendingReadsMax = draws.pick([2, 65_536])
        replica.writeTimeoutMs = draws.pick([400, 3_000])
        replica.forwardAgainMs = draws.pick([30, 200])
        replica.znodes.historyBytesMax = draws.pick([300, 2_000, 64 << 20])
        replica.znodes.deletedZnodesMax = draws.pick([2, 10_000])
        replica.znodes.storeBytesMax = draws.pick([2_000, 4 << 30])
        // No draw of its own: the seeds of before keep their worlds.
        if replica.znodes.storeBytesMax == 2_000 { replica.znodes.deletedBytesMax = 12 }
        replica.raft.limits.appendBytesMax = draws.pick([100, 1_000, 1 << 20])
        replica.raft.limits.inflightMessagesMax = draws.pick([1, 2, 128])
        replica.raft.limits.committedBytesMax = draws.pick([100, 4 << 20])
        replica.raft.limits.uncommittedBytesMax = draws.pick([1_000, 64 << 20])
        replica.raft.limits.readRoundsMax = draws.pick([1, 2])
        journalBatchMax = draws.pick([1, 4, Int.max])
        answersEachToken = draws.coin()
        replica.digestEntries = draws.pick([1, 8, 50])
    }
}
