// One member's whole mind: consensus, the tree, and the promises made to clients, joined in a single
// step function. Inputs in, effects out; no clock, thread or I/O. Everything that depends on
// durability leaves only after the storage said so, whatever the shell does.

package import Journal
package import Raft
package import Znodes

/// What a member knows of itself before it starts.
package struct ReplicaIdentity: Sendable {
    package var member: MemberID
    package var storage: StorageID
    /// From the identity file; nil until an ensemble has taken this disk in.
    package var ensemble: EnsembleID?
    /// From the identity file, as above.
    package var isNewcomer = false
    package var httpAddress: [UInt8]
    package var peerAddress: [UInt8]
    package var version: [UInt8]
    /// The peer addresses of the members of the first configuration, this one included.
    package var ensembleAddresses: [(member: MemberID, peerAddress: [UInt8])]

    package init(
        member: MemberID, storage: StorageID, ensemble: EnsembleID?, httpAddress: [UInt8],
        peerAddress: [UInt8], version: [UInt8],
        ensembleAddresses: [(member: MemberID, peerAddress: [UInt8])], isNewcomer: Bool = false
    ) {
        self.member = member
        self.storage = storage
        self.ensemble = ensemble
        self.isNewcomer = isNewcomer
        self.httpAddress = httpAddress
        self.peerAddress = peerAddress
        self.version = version
        self.ensembleAddresses = ensembleAddresses
    }
}

/// Confined to one thread; not copyable, since a copy would be a second member with one name.
package struct Replica: ~Copyable {
    let options: ReplicaOptions
    let identity: ReplicaIdentity
    let incarnation: UInt64
    var raft: RaftNode
    var tree: StateMachine
    var identityTable = IdentityTable()
    var namings = DiskNamings()
    var admission = DiskAdmission()
    var random: RandomGenerator

    var nowMs: UInt64
    var wallMs: Int64
    var ready = Ready()

    var writes = PendingWrites()
    var forwardsSeen = ForwardsSeen()
    var reads = PendingReads()
    var waits = OpenWaits()
    var fired: [WatchID] = []
    /// Of the open ones, those that wait to be served.
    var feeds = FeedQueue()
    var lastAppliedTerm: Term = .zero
    /// Applied since the newest durable snapshot.
    var bytesSinceSnapshot = 0
    /// What the identity file says, or has been told to say.
    var storedEnsemble: EnsembleID?
    var storedNewcomer: Bool
    /// Whether the disk was blank when an ensemble was first heard of, and is not named since; nil:
    /// none was heard of yet.
    var isNewcomer: Bool?

    var peers: Peers
    /// The term of an entry on its way that this member proposed for the ensemble, so that only
    /// one is.
    var identityProposedIn: Term?
    var limitsProposedIn: Term?
    var ownSnapshot = OwnSnapshot()
    var clearing = LogClearing()
    /// It has no room for what was asked of it.
    var journalIsFull = false
    /// It has room again, and takes no entries before a snapshot was tried.
    var snapshotGoesFirst = false
    var outgoing: [OutgoingSnapshot] = []
    var incoming = IncomingSnapshot()

    var role: Role = .follower
    var leaderSeen: MemberID?
    var lastTerm: Term = .zero
    /// When this member last had a leader, by heartbeat, append or confirmation; 0: never, so that
    /// nobody takes what an old disk holds for fresh.
    var lastLeaderContactMs: UInt64
    /// All that had been acknowledged to anybody before then is applied here, as a confirmed read
    /// index proved; 0: nothing is proven since the start.
    var freshAsOfMs: UInt64 = 0
    var leaderlessSinceMs: UInt64?
    var everHadLeader = false
    var stopping = false
    /// Damage was found at the start, and what it took is not all back.
    var isDamaged: Bool
    var repairs: UInt64 = 0
    var comparison = StateComparison()
    var stateVerdict = StateVerdict.agreed
    /// Since when no majority tells whose state is right; nil: one does, or nobody differs.
    var disputedSinceMs: UInt64?
    /// nil: it is asked for already, or nothing is given up.
    var givingUp: GivingUp?
    /// Found by a majority with this member in it, and told of.
    var membersThatDiffer: [MemberID] = []
    var stateDifferences: UInt64 = 0
    var elections: UInt64 = 0
    var leaderChanges: UInt64 = 0
    var proposals: UInt64 = 0
    var lastReportMs: UInt64 = 0

    /// `restored` comes from the snapshot that `log.snapshot` names, and is nil with it.
    package init(
        options: ReplicaOptions, identity: ReplicaIdentity, log: RecoveredLog,
        restored: consuming RestoredReplica?, nowMs: UInt64, wallMs: Int64, random: RandomGenerator
    ) {
        self.options = options
        self.identity = identity
        self.random = random
        incarnation = self.random.next()
        let hashSeed = self.random.next()
        self.nowMs = nowMs
        self.wallMs = wallMs
        tree = StateMachine(limits: ZnodeLimits(), hashSeed: hashSeed)
        tree.eventsScannedMax = options.eventsScannedMax
        if let restored = consume restored {
            identityTable = restored.head.identity
            tree.setLimits(restored.head.limits)
            tree.adopt(restored.tree)
        }
        let applied = LogIndex(tree.lastZxid.rawValue)
        invariant(
            applied == (log.snapshot?.index ?? .zero),
            "the snapshot restored \(applied), the log follows \(log.snapshot?.index ?? .zero)")
        let raftSeed = RandomGenerator(seed: self.random.next())
        var raftOptions = options.raft
        raftOptions.limits.uncommittedTicksMax = options.uncommittedTicksMax
        raft = RaftNode(
            id: identity.member, options: raftOptions, hardState: log.hardState,
            snapshot: log.snapshot,
            baseConfiguration: Configuration(voters: identity.ensembleAddresses.map(\.member)),
            entries: log.entries, claim: log.claim, applied: applied, nowMs: nowMs,
            random: raftSeed)
        _ = namings.appended(log.entries.filter { $0.index > applied }, to: identityTable)
        namings.applied(identityTable, through: applied, lastIndex: raft.lastIndex)
        isDamaged = log.damage != nil || log.claim != nil
        ownSnapshot.durable = log.snapshot
        lastAppliedTerm = log.snapshot?.term ?? .zero
        storedEnsemble = identity.ensemble
        storedNewcomer = identity.isNewcomer
        isNewcomer = identity.isNewcomer ? true : nil
        peers = Peers(self: identity.member, addresses: identity.ensembleAddresses)
        lastLeaderContactMs = 0
        leaderlessSinceMs = nowMs
    }

    /// For event loops: what they read the tree through. One for the life of the replica.
    package var publication: TreePublication { tree.publication }
    package var id: MemberID { identity.member }
    package var applied: Zxid { tree.lastZxid }
    package var digest: UInt64 { tree.digest }

    package func hello(to member: MemberID) -> Hello {
        Hello(
            ensemble: ensemble, member: identity.member, storage: identity.storage,
            to: member, incarnation: incarnation, httpAddress: identity.httpAddress,
            peerAddress: identity.peerAddress, version: identity.version)
    }

    /// The ensemble that this member belongs to, once it is known.
    var ensemble: EnsembleID? { identityTable.ensemble ?? identity.ensemble }

    /// One input and all that follows from it: `take`, then `settle`.
    package mutating func step(_ input: Input, into effects: inout Effects) {
        take(input, into: &effects)
        settle(into: &effects)
    }

    /// The only way in. Shells take all inputs of a turn before one `settle`: what they have in
    /// common, such as the entries of many writes, then goes out together.
    package mutating func take(_ input: Input, into effects: inout Effects) {
        switch input {
        case .tick(let nowMs, let wallMs):
            self.nowMs = max(self.nowMs, nowMs)
            self.wallMs = wallMs
            raft.tick(nowMs: self.nowMs)
            tick(into: &effects)
        case .hello(let hello): greet(hello, into: &effects)
        case .peerLost(let member):
            peers.disconnect(member)
            outgoing.removeAll { $0.member == member }
            raft.unreachable(member)
        case .refused(let member, let reason): turnedAway(by: member, reason)
        case .received(let message, let member): receive(message, from: member, into: &effects)
        case .stored(let token): raft.persisted(token)
        case .votesStored(let token): raft.votesPersisted(token)
        case .diskFull(let isFull): diskIsFull(isFull, into: &effects)
        case .snapshotAppended(let index): snapshotAppended(index, into: &effects)
        case .snapshotSaved(let index): snapshotSaved(index, into: &effects)
        case .snapshotRead(let piece): sendPiece(piece, into: &effects)
        case .snapshotNotSaved(let index, let lacksRoom):
            snapshotNotSaved(index, lacksRoom: lacksRoom, into: &effects)
        case .snapshotNotRead(let index): snapshotNotRead(index)
        case .logDamaged: logDamaged()
        case .request(let request, let ask): take(ask, request, into: &effects)
        case .cancel(let request): cancel(request)
        case .stop: stop(into: &effects)
        }
    }

    /// Gives out what the core wants, until it wants nothing more, then what feeds get this turn.
    package mutating func settle(into effects: inout Effects) {
        noteLeadership(into: &effects)
        var turns = 0
        while raft.hasReady {
            turns += 1
            invariant(turns < Self.turnsMax, "the core never comes to rest")
            var round = Ready()
            swap(&round, &ready)
            round.reset()
            raft.takeReady(into: &round)
            settle(round, into: &effects)
            swap(&round, &ready)
        }
        serveFeeds(into: &effects)
    }

    private static let turnsMax = 1_000_000
    /// Pieces of memory that readers have left, freed a tick, so that no tick is long.
    private static let reclaimedPerTick = 4_096

    private mutating func settle(_ round: borrowing Ready, into effects: inout Effects) {
        if let storage = round.storage {
            if namings.appended(storage.entries, to: identityTable) {
                storeIdentity(into: &effects)
                turnStrangersAway(into: &effects)
            }
            effects.storage.append(
                .append(
                    token: storage.token, hardState: storage.hardState, entries: storage.entries))
        }
        for message in round.messages { send(.raft(message), to: message.to, into: &effects) }
        for member in round.snapshotsWanted { startSending(to: member, into: &effects) }
        noteLeadership(into: &effects)
        if !round.committed.isEmpty { apply(round.committed, into: &effects) }
        for (read, index) in round.readsReady { reads.awaitApplied(read, index: index) }
        for read in round.readsFailed { reads.noteUnconfirmed(read) }
        serveAppliedReads(into: &effects)
    }

    private mutating func tick(into effects: inout Effects) {
        tickLeadership(into: &effects)
        tickRoom(into: &effects)
        tickWrites(into: &effects)
        tickReads(into: &effects)
        tickWaits(into: &effects)
        tickRepair(into: &effects)
        storeIdentity(into: &effects)
        tickIdentity()
        tickAdmission(into: &effects)
        tickLimits()
        tickSnapshots(into: &effects)
        tickComparison(into: &effects)
        tree.reclaim(piecesMax: Self.reclaimedPerTick)
        if nowMs >= lastReportMs + options.reportMs {
            lastReportMs = nowMs
            sendReports(into: &effects)
            for member in peers.connected { tellDigests(to: member, into: &effects) }
        }
    }

    func send(_ message: PeerMessage, to member: MemberID, into effects: inout Effects) {
        effects.sends.append((member, message))
    }

    private mutating func stop(into effects: inout Effects) {
        guard !stopping else { return }
        stopping = true
        for request in waits.requests {
            endWait(request, with: .refused(.shuttingDown), into: &effects)
        }
        handOver(into: &effects)
    }
}
