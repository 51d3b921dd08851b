// Snapshots: this member's own, walked in bounded steps while the tree changes; the leader's on its
// way to a follower that is too far behind; and the one that a follower takes in. One is written at
// a time. A received one counts only once it is whole, decoded, durable and installed.

import Raft
import Znodes

struct OwnSnapshot {
    /// The newest durable one.
    var durable: SnapshotMark?
    var underWay: SnapshotMark?
    /// Its file stays for those it is being sent to, whatever takes its place. Why one is enough: it
    /// goes to its end, and what was newer then, and had to start anew, is the next to be kept.
    var kept: LogIndex?
    /// Of `Replica.bytesSinceSnapshot`, what the one under way stands for.
    var coversBytes = 0
    /// The walk is over; the file is being made durable.
    var finishing = false
    /// Given up when nothing was left to be written: each becomes durable all the same, in the place of
    /// the one before, and comes before what was begun later.
    var givenUpWhole: [(mark: SnapshotMark, coversBytes: Int)] = []
    /// Pieces given out and not yet written.
    var piecesAhead = 0
    var begunMs: UInt64 = 0
    var failedMs: UInt64 = 0
    /// After a failure, not before.
    var retryMs: UInt64 = 0
    /// The durable one was found damaged: another is due, and nobody is sent this one.
    var isUnreadable = false
    /// A received one that is durable, while its entries came by themselves and are being applied.
    var ahead: SnapshotMark?
}

struct OutgoingSnapshot {
    let member: MemberID
    let mark: SnapshotMark
    var offset: UInt64 = 0
    var awaitsRead = true
    var progressMs: UInt64
}

struct IncomingSnapshot: ~Copyable {
    var mark: SnapshotMark?
    var received: UInt64 = 0
    var decoder: SnapshotDecoder?
    /// Whole and decoded; being made durable.
    var restored: RestoredReplica?
    /// Pieces given out and not yet written. At `snapshotPiecesAhead` no more are asked for.
    var piecesAhead = 0
    /// The leader waits to be asked for more.
    var owesProgress = false
    /// When a piece came, or was written.
    var progressMs: UInt64 = 0
}

extension Replica {
    mutating func snapshotAppended(_ index: LogIndex, into effects: inout Effects) {
        if ownSnapshot.underWay?.index == index { ownSnapshot.piecesAhead -= 1 }
        guard incoming.mark?.index == index else { return }
        // Why not below zero: of one that was given up and began anew, old pieces may come first.
        incoming.piecesAhead = max(0, incoming.piecesAhead - 1)
        incoming.progressMs = nowMs
        if incoming.owesProgress { askForMore(into: &effects) }
    }

    mutating func snapshotSaved(_ index: LogIndex, into effects: inout Effects) {
        if let (mark, bytes) = takeGivenUp(index) {
            retainSnapshot(mark, covering: bytes, into: &effects)
        } else if incoming.mark?.index == index {
            install(into: &effects)
        } else if let mark = ownSnapshot.underWay, mark.index == index {
            ownSnapshot.underWay = nil
            retainSnapshot(mark, covering: ownSnapshot.coversBytes, into: &effects)
        }
    }

    private mutating func takeGivenUp(_ index: LogIndex) -> (SnapshotMark, coversBytes: Int)? {
        ownSnapshot.givenUpWhole.firstIndex { $0.mark.index == index }
            .map { ownSnapshot.givenUpWhole.remove(at: $0) }
    }

    mutating func tickSnapshots(into effects: inout Effects) {
        if let mark = ownSnapshot.ahead, mark.index.rawValue <= applied.rawValue {
            ownSnapshot.ahead = nil
            retainSnapshot(mark, covering: bytesSinceSnapshot, into: &effects)
        }
        tickClearing(into: &effects)
        if let mark = incoming.mark, incoming.restored == nil, isOver(incoming, mark) {
            effects.snapshots.append(.abandon(mark.index))
            incoming = IncomingSnapshot()
        }
        if ownSnapshot.underWay == nil, isSnapshotDue { beginSnapshot(into: &effects) }
        if let mark = ownSnapshot.underWay, !ownSnapshot.finishing { walk(mark, into: &effects) }
        for transfer in outgoing where nowMs >= transfer.progressMs + options.snapshotStallMs {
            raft.snapshotFailed(to: transfer.member)
        }
        outgoing.removeAll { nowMs >= $0.progressMs + options.snapshotStallMs }
        if let kept = ownSnapshot.kept, !isSent(kept) { keep(nil, into: &effects) }
    }

    /// Nobody will send the rest: its entries came by themselves, from another leader; or its own file
    /// takes the room for those that would come.
    private func isOver(_ incoming: borrowing IncomingSnapshot, _ mark: SnapshotMark) -> Bool {
        mark.index <= raft.commit
            || (!raft.hasRoom && nowMs >= incoming.progressMs + options.snapshotStallMs)
    }

    private func isSent(_ index: LogIndex) -> Bool { outgoing.contains { $0.mark.index == index } }

    /// Another one is about to take the place of the newest.
    private mutating func keepWhatIsSent(into effects: inout Effects) {
        if let kept = ownSnapshot.kept, isSent(kept) { return }
        keep(ownSnapshot.durable.map(\.index).flatMap { isSent($0) ? $0 : nil }, into: &effects)
    }

    private mutating func keep(_ index: LogIndex?, into effects: inout Effects) {
        guard ownSnapshot.kept != index else { return }
        ownSnapshot.kept = index
        effects.snapshots.append(.keep(index))
    }

    /// An older file makes room for the next one: those it was sent to get that one.
    private mutating func giveUpKept(into effects: inout Effects) {
        guard let kept = ownSnapshot.kept, kept != ownSnapshot.durable?.index else { return }
        stopSending(kept)
        keep(nil, into: &effects)
    }

    private mutating func stopSending(_ index: LogIndex) {
        for transfer in outgoing where transfer.mark.index == index {
            raft.snapshotFailed(to: transfer.member)
        }
        outgoing.removeAll { $0.mark.index == index }
    }

    private var isSnapshotDue: Bool {
        mayBeginSnapshot && nowMs >= ownSnapshot.retryMs
            && (isSnapshotForced || isSnapshotDueBySize())
    }

    private var mayBeginSnapshot: Bool {
        (entriesSinceSnapshot > 0 || ownSnapshot.isUnreadable) && incoming.mark == nil
            && ownSnapshot.ahead == nil
            && (outgoing.isEmpty || isSnapshotForced
                || isSnapshotDueBySize(times: options.snapshotPatience))
    }

    private var entriesSinceSnapshot: Int {
        Int(applied.rawValue - (ownSnapshot.durable?.index.rawValue ?? 0))
    }

    func isSnapshotDueBySize(times: Int = 1) -> Bool {
        entriesSinceSnapshot / times >= options.snapshotEntries
            || bytesSinceSnapshot / times >= options.snapshotLogBytes
    }

    /// One that is forced is under way, or will be as soon as it is tried again.
    var isSnapshotImminent: Bool {
        ownSnapshot.underWay != nil
            || (isSnapshotForced && mayBeginSnapshot
                && nowMs + options.snapshotRetryMs >= ownSnapshot.retryMs)
    }

    /// What there is room for may have changed. One that took long to fail is not tried in a row all
    /// the same: it takes the room that there is.
    mutating func retrySnapshotSoon() {
        guard ownSnapshot.retryMs != .max else { return }
        let tookMs = ownSnapshot.failedMs - min(ownSnapshot.begunMs, ownSnapshot.failedMs)
        ownSnapshot.retryMs = min(
            ownSnapshot.retryMs, ownSnapshot.failedMs + options.snapshotRetryTimes * tookMs)
    }

    private mutating func beginSnapshot(into effects: inout Effects) {
        let index = LogIndex(applied.rawValue)
        let mark = SnapshotMark(
            index: index, term: lastAppliedTerm,
            configuration: raft.configuration(at: index) ?? raft.configuration)
        let head = ReplicaSnapshot.encode(
            ReplicaSnapshot.Head(identity: identityTable, limits: tree.limits))
        tree.beginSnapshot()
        keepWhatIsSent(into: &effects)
        ownSnapshot.coversBytes = bytesSinceSnapshot
        ownSnapshot.underWay = mark
        ownSnapshot.begunMs = nowMs
        ownSnapshot.finishing = false
        ownSnapshot.piecesAhead = 1
        effects.snapshots.append(.begin(mark))
        effects.snapshots.append(.append(head))
        effects.events.append(.snapshotStarted(mark.index))
    }

    /// A few pieces each tick, and never far ahead of the disk.
    private mutating func walk(_ mark: SnapshotMark, into effects: inout Effects) {
        for _ in 0..<options.snapshotPiecesPerTick {
            guard ownSnapshot.piecesAhead < options.snapshotPiecesAhead else { return }
            var piece: [UInt8] = []
            piece.reserveCapacity(options.snapshotPieceBytes + 4_096)
            let step = tree.nextSnapshotBytes(
                into: &piece, bytesTarget: options.snapshotPieceBytes)
            if step == .corrupted {
                ownSnapshot.underWay = nil
                ownSnapshot.retryMs = .max
                effects.snapshots.append(.abandon(mark.index))
                return memoryFailed(at: mark.index, into: &effects)
            }
            ownSnapshot.piecesAhead += 1
            effects.snapshots.append(.append(piece))
            if step == .last {
                ownSnapshot.finishing = true
                effects.snapshots.append(.finish(mark.index))
                return
            }
        }
    }

    /// A snapshot at `mark` is durable: the log behind it may go, but for what followers need.
    private mutating func retainSnapshot(
        _ mark: SnapshotMark, covering bytes: Int, into effects: inout Effects
    ) {
        bytesSinceSnapshot -= min(bytes, bytesSinceSnapshot)
        noteDurable(mark, into: &effects)
        raft.setSnapshot(mark)
        effects.events.append(.snapshotSaved(mark.index))
        let through =
            keepsNoLog
            ? mark.index
            : raft.lastSpare(
                before: mark.index, keeping: options.retention,
                sending: outgoing.map(\.mark.index).min())
        snapshotGoesFirst = false
        if through >= raft.firstIndex { dropLog(through: through, into: &effects) }
        tickClearing(into: &effects)
    }

    private mutating func noteDurable(_ mark: SnapshotMark, into effects: inout Effects) {
        if ownSnapshot.isUnreadable { effects.events.append(.healed(mark.index)) }
        ownSnapshot.durable = mark
        ownSnapshot.isUnreadable = false
    }

    mutating func snapshotNotSaved(
        _ index: LogIndex, lacksRoom: Bool, into effects: inout Effects
    ) {
        if takeGivenUp(index) != nil { return }
        if incoming.mark?.index == index { incoming = IncomingSnapshot() }
        if ownSnapshot.underWay?.index == index {
            tree.abandonSnapshot()
            raft.forgetSnapshotsOwed()
            ownSnapshot.underWay = nil
            ownSnapshot.failedMs = nowMs
            let tookMs = nowMs - ownSnapshot.begunMs
            ownSnapshot.retryMs =
                nowMs
                + (lacksRoom
                    ? max(options.snapshotRetryMs, options.snapshotRetryTimes * tookMs)
                    : options.snapshotStallMs)
            snapshotGoesFirst = false
            if lacksRoom { giveUpKept(into: &effects) }
        }
        if lacksRoom { clearForRoom(into: &effects) }
    }

    mutating func snapshotNotRead(_ index: LogIndex) {
        if ownSnapshot.durable?.index == index { ownSnapshot.isUnreadable = true }
        // It has taken the place of the durable one, and is told of once.
        if ownSnapshot.ahead?.index == index {
            ownSnapshot.ahead = nil
            ownSnapshot.isUnreadable = true
        }
        stopSending(index)
    }

    // MARK: To a follower

    mutating func startSending(to member: MemberID, into effects: inout Effects) {
        guard !outgoing.contains(where: { $0.member == member }) else { return }
        guard let mark = ownSnapshot.durable, !ownSnapshot.isUnreadable, peers.isConnected(member),
            !stateVerdict.isFinal
        else {
            return raft.snapshotFailed(to: member)
        }
        comparison.forget(member)
        outgoing.append(OutgoingSnapshot(member: member, mark: mark, progressMs: nowMs))
        effects.events.append(.snapshotSending(mark.index, to: member))
        effects.snapshots.append(
            .read(index: mark.index, offset: 0, count: options.snapshotPieceBytes))
    }

    mutating func sendPiece(_ piece: SnapshotPiece, into effects: inout Effects) {
        // What is known to be wrong goes to nobody: with it, there could be a majority for it.
        guard !stateVerdict.isFinal,
            let position = outgoing.firstIndex(where: {
                $0.mark.index == piece.index && $0.offset == piece.offset && $0.awaitsRead
            })
        else { return }
        outgoing[position].awaitsRead = false
        let transfer = outgoing[position]
        send(
            .snapshotChunk(
                mark: transfer.mark, term: raft.term, offset: piece.offset, bytes: piece.bytes,
                last: piece.last), to: transfer.member, into: &effects)
    }

    mutating func receiveProgress(
        _ index: LogIndex, term: Term, offset: UInt64, done: Bool, from member: MemberID,
        into effects: inout Effects
    ) {
        guard term == raft.term,
            let position = outgoing.firstIndex(where: {
                $0.member == member && $0.mark.index == index
            })
        else { return }
        if done {
            outgoing.remove(at: position)
            return raft.snapshotSent(to: member, index: index)
        }
        guard !outgoing[position].awaitsRead else { return }
        outgoing[position].offset = offset
        outgoing[position].awaitsRead = true
        outgoing[position].progressMs = nowMs
        effects.snapshots.append(
            .read(index: index, offset: offset, count: options.snapshotPieceBytes))
    }

    mutating func abandonOutgoingSnapshots() { outgoing.removeAll() }

    // MARK: From the leader

    mutating func receiveChunk(
        _ mark: SnapshotMark, term: Term, offset: UInt64, bytes: [UInt8], last: Bool,
        from member: MemberID, into effects: inout Effects
    ) {
        guard term == raft.term, member == raft.leader else { return }
        noteLeaderContact()
        func progress(_ offset: UInt64, done: Bool) {
            send(
                .snapshotProgress(index: mark.index, term: term, offset: offset, done: done),
                to: member, into: &effects)
        }
        if mark.index <= raft.commit { return progress(0, done: true) }
        if incoming.restored != nil { return }
        if incoming.mark != mark {
            guard offset == 0 else { return progress(0, done: false) }
            beginIncoming(mark, into: &effects)
        }
        guard offset == incoming.received, incoming.piecesAhead < options.snapshotPiecesAhead else {
            return askForMore(into: &effects)
        }
        guard takeIn(bytes, last: last, into: &effects) else {
            effects.snapshots.append(.abandon(mark.index))
            incoming = IncomingSnapshot()
            return
        }
        if last {
            effects.snapshots.append(.finish(mark.index))
        } else {
            askForMore(into: &effects)
        }
    }

    /// At once, or as soon as the disk has kept up.
    private mutating func askForMore(into effects: inout Effects) {
        guard let mark = incoming.mark, let leader = raft.leader else { return }
        incoming.owesProgress = incoming.piecesAhead >= options.snapshotPiecesAhead
        if incoming.owesProgress { return }
        send(
            .snapshotProgress(
                index: mark.index, term: raft.term, offset: incoming.received, done: false),
            to: leader, into: &effects)
    }

    private mutating func beginIncoming(_ mark: SnapshotMark, into effects: inout Effects) {
        if let own = ownSnapshot.underWay {
            tree.abandonSnapshot()
            ownSnapshot.underWay = nil
            snapshotGoesFirst = false
            if ownSnapshot.finishing {
                ownSnapshot.givenUpWhole.append((own, ownSnapshot.coversBytes))
            } else {
                effects.snapshots.append(.abandon(own.index))
            }
        }
        if let earlier = incoming.mark { effects.snapshots.append(.abandon(earlier.index)) }
        incoming = IncomingSnapshot()
        incoming.mark = mark
        incoming.progressMs = nowMs
        incoming.decoder = SnapshotDecoder(hashSeed: random.next())
        effects.snapshots.append(.begin(mark))
    }

    /// False: the bytes are no snapshot of this kind.
    private mutating func takeIn(_ bytes: [UInt8], last: Bool, into effects: inout Effects) -> Bool
    {
        guard var decoder = incoming.decoder.take() else { return false }
        do throws(ReplicaSnapshotError) {
            try decoder.consume(bytes.span)
            incoming.received += UInt64(bytes.count)
            incoming.piecesAhead += 1
            incoming.progressMs = nowMs
            effects.snapshots.append(.append(bytes))
            if last {
                incoming.restored = try decoder.finish()
            } else {
                incoming.decoder = consume decoder
            }
            return true
        } catch {
            return false
        }
    }

    private mutating func install(into effects: inout Effects) {
        guard let mark = incoming.mark, let restored = incoming.restored.take() else { return }
        incoming = IncomingSnapshot()
        // Never go back: when entries came meanwhile they stand, and the file serves as our own.
        guard raft.restore(mark) else {
            ownSnapshot.ahead = mark
            return
        }
        identityTable = restored.head.identity
        namings.applied(identityTable, through: mark.index, lastIndex: raft.lastIndex)
        tree.setLimits(restored.head.limits)
        tree.adopt(restored.tree)
        comparison.forgetOwn()
        invariant(
            tree.lastZxid.rawValue == mark.index.rawValue,
            "the snapshot at \(mark.index) restored \(tree.lastZxid)")
        effects.storage.append(.resetLog(to: mark))
        noteDurable(mark, into: &effects)
        ownSnapshot.ahead = nil
        lastAppliedTerm = mark.term
        bytesSinceSnapshot = 0
        effects.events.append(.snapshotInstalled(mark.index))
        storeIdentity(into: &effects)
        failWritesAfterJump(into: &effects)
        wakeAllWaits(into: &effects)
        if let leader = raft.leader {
            send(
                .snapshotProgress(index: mark.index, term: raft.term, offset: 0, done: true),
                to: leader, into: &effects)
        }
    }
}
