// The kinds of faults, each with its rate. A name here is what `--without` turns off and what a
// failing seed is minimized over. New ones come last: so the kept seeds draw what they drew.

package enum FaultKind: Int, CaseIterable, Sendable {
    // Of messages, per mille.
    /// No connections: messages overtake each other. Without it neither of the next two happens.
    case datagrams, loss, duplicates
    // Of the network, per mille of the fault events, as are those of the groups below.
    case partition, leaderPartition, oneWayPartition, partialPartition, linkReset, clog, swizzle
    // Of the disk.
    /// The power goes after the n-th change of the disk from now on.
    case powerCut
    /// A write or sync fails: the member ends, and what was not synced is lost in part.
    case writeError, syncError
    /// Nothing grows for a while.
    case diskFull
    /// All that is asked of the disk takes a hundred times as long, for a while.
    case slowDisk
    /// Single syncs take up to a second. Per mille of syncs.
    case hang
    /// An empty disk in the old one's place.
    case wipe
    // Of the process.
    case crash, crashInTurn, pause, stop
    // Of the clocks.
    case wallJump, drift, lateTicks
    // Of the disk again.
    /// Durable bytes of a stopped member have changed or vanished. Per mille of starts.
    case rot
    // Of the process again.
    /// The power goes for all members at once; they come back one by one.
    case blackout
    // Of the disk once more.
    /// Bytes that were to go to one place have gone to another, and the old ones stay where they
    /// should be. Found when the member starts; per mille of starts.
    case misdirectedWrite
    /// After a failed sync the page cache shows what the disk never got, until the power goes.
    case staleCache
    /// A read fails.
    case readError
    // Of the clocks again.
    /// The boot clock of a member that hung has gone on by more than the time that has passed.
    case bootLeap
    // Of the disk, for the last time.
    /// A member whose disk was exchanged has the old one again, or the new one again, or yet another.
    case diskBack
    // Of the memory.
    /// A znode of a running member changes by itself; or a bit of its memory flips, which no digest
    /// knows of.
    case flip
    // Of the disk, once more after all.
    /// Durable bytes of a running member change, in files that lie at rest. Its shell scrubs them.
    case rotInUse
    // Of the machines, when all else ends.
    /// Members up to a minority never come back, nor do their disks. Per mille of runs.
    case minorityLost
    // Of the disk, and again.
    /// A read shows what a sector held before its last durable write, once. Per mille of starts.
    case olderRead

    package init?(name: String) {
        guard let kind = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
        self = kind
    }

    enum Group { case network, disk, process, clock }

    var group: Group {
        switch self {
        case .datagrams, .loss, .duplicates, .partition, .leaderPartition, .oneWayPartition,
            .partialPartition, .linkReset, .clog, .swizzle:
            .network
        case .powerCut, .writeError, .syncError, .diskFull, .slowDisk, .hang, .wipe, .rot,
            .misdirectedWrite, .staleCache, .readError, .diskBack, .rotInUse, .olderRead:
            .disk
        case .crash, .crashInTurn, .pause, .stop, .blackout, .flip, .minorityLost: .process
        case .wallJump, .drift, .lateTicks, .bootLeap: .clock
        }
    }

    /// What a rate is drawn from; what it is a rate of is said above.
    package var rates: ClosedRange<UInt64> {
        switch self {
        case .datagrams: 1...1
        case .loss: 1...200
        case .duplicates: 1...300
        case .partition, .oneWayPartition, .linkReset: 20...250
        case .leaderPartition, .partialPartition: 10...100
        case .clog: 10...200
        case .swizzle: 5...60
        case .powerCut, .pause, .wallJump: 10...100
        case .writeError, .syncError: 3...30
        case .diskFull, .slowDisk: 5...40
        case .hang: 1...20
        case .wipe: 1...10
        case .crash: 10...150
        /// Per mille of a thousand turns.
        case .crashInTurn: 100...1_000
        case .stop: 5...60
        /// Parts per million.
        case .drift: 200...50_000
        /// Microseconds.
        case .lateTicks: 100...5_000
        case .rot: 20...400
        case .blackout: 5...40
        case .misdirectedWrite: 20...200
        case .staleCache: 1...1
        case .readError: 3...30
        /// Per mille of pauses.
        case .bootLeap: 100...1_000
        case .diskBack: 5...60
        case .flip: 5...100
        case .rotInUse: 20...300
        case .minorityLost: 200...1_000
        case .olderRead: 20...400
        }
    }
}
