// Reads that must have seen something: linearizable ones through ReadIndex (thesis 6.4), and those
// that name a zxid. The client reads the published tree itself as soon as it may. A wait begins as
// a linearizable read, so that what answers it is never older than what was known when it was asked.

import Raft
import Znodes

extension Replica {
    mutating func take(_ ask: ClientRequest, _ request: RequestID, into effects: inout Effects) {
        if stopping { return answer(request, .refused(.shuttingDown), into: &effects) }
        if !stateIsTrusted { return answer(request, .refused(.stateDiffers), into: &effects) }
        switch ask {
        case .write(let command): takeWrite(command, request, into: &effects)
        case .read(.linearizable(let atLeast)):
            confirm(.read(atLeast: atLeast), request, into: &effects)
        case .read(.atLeast(let zxid)):
            if zxid <= applied {
                answer(request, .readable, into: &effects)
            } else {
                confirm(.read(atLeast: zxid), request, into: &effects)
            }
        case .wait(let wait):
            if wait.local, wait.after <= applied {
                open(wait, request, into: &effects)
            } else {
                confirm(.wait(wait), request, into: &effects)
            }
        case .feed(let feed):
            if feed.local, feed.query.after <= applied {
                open(feed, request, into: &effects)
            } else {
                confirm(.feed(feed), request, into: &effects)
            }
        }
    }

    /// The client went away. A write goes on, since it may be in a log; all else is freed.
    mutating func cancel(_ request: RequestID) {
        reads.cancel(request)
        forgetWait(request)
        writes.abandon(request)
    }

    private mutating func confirm(
        _ purpose: ReadPurpose, _ request: RequestID, into effects: inout Effects
    ) {
        guard reads.count < options.pendingReadsMax else {
            return answer(request, .refused(.overloaded), into: &effects)
        }
        raft.requestRead(
            reads.add(
                request, purpose, askedMs: nowMs,
                deadlineMs: nowMs + options.leaderlessRequestMs))
    }

    mutating func serveAppliedReads(into effects: inout Effects) {
        while let (id, index) = reads.popApplied(through: LogIndex(applied.rawValue)) {
            guard let read = reads.remove(id) else { continue }
            freshAsOfMs = max(freshAsOfMs, read.askedMs)
            let confirmed = Zxid(index.rawValue)
            if !stateIsTrusted, read.request != PendingReads.ownRequest {
                answer(read.request, .refused(.stateDiffers), into: &effects)
                continue
            }
            if let atLeast = read.purpose.atLeast, atLeast > confirmed, atLeast > applied {
                answer(read.request, .refused(.zxidAhead(confirmed: confirmed)), into: &effects)
                continue
            }
            switch read.purpose {
            case .read: answer(read.request, .readable, into: &effects)
            case .wait(let wait): open(wait, read.request, into: &effects)
            case .feed(let feed): open(feed, read.request, into: &effects)
            // It was for `freshAsOfMs`.
            case .catchUp: break
            }
        }
    }

    mutating func tickReads(into effects: inout Effects) {
        while let read = reads.popExpired(nowMs: nowMs) {
            if read.request == PendingReads.ownRequest { continue }
            answer(read.request, .refused(.noQuorum), into: &effects)
        }
        if reads.forgetGone() {
            let open = reads
            raft.keepReads { open.contains($0) }
        }
        for read in reads.takeUnconfirmed() { raft.requestRead(read) }
        // A leader has its heartbeats: see `noteOwnFreshness`.
        if raft.role == .leader, raft.hasCommittedInTerm { return }
        if nowMs >= freshAsOfMs + options.catchUpProofMs,
            !reads.isOpen(PendingReads.ownRequest), reads.count < options.pendingReadsMax
        {
            confirm(.catchUp, PendingReads.ownRequest, into: &effects)
        }
    }

    /// As leader each heartbeat proves it: what had been acknowledged before it was sent is committed.
    mutating func noteOwnFreshness() {
        guard raft.role == .leader, raft.hasCommittedInTerm,
            let confirmedMs = raft.quorumConfirmedMs, applied.rawValue >= raft.commit.rawValue
        else { return }
        freshAsOfMs = max(freshAsOfMs, confirmedMs)
    }

    /// Whether this member lately had everything that was committed. Why a proof and not the commit
    /// index: a member that was away knows only an old one until the leader has brought it along.
    var caughtUp: Bool {
        freshAsOfMs != 0 && nowMs <= freshAsOfMs + options.catchUpValidMs
    }
}
