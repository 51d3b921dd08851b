// The shell of a member in the simulated world: starts and crashes, ticks, and the step with all that
// is checked after it. The two threads that work for the disk are in `World+Storage`.

import Ensemble
import Journal
import Raft
import Znodes

extension World {
    // MARK: starts and ends

    func start(_ member: Member) throws(Violation) {
        guard member.process == nil, !member.isLost else { return }
        member.isStarting = false
        member.run += 1
        work.starts += 1
        rotAtRest(member)
        misdirectAtRest(member)
        readOlderAtStart(member)
        let filesBefore = member.disk.fileNames
        let recovered: ReplicaRecovery<SimulatedDisk>
        do throws(JournalError) {
            recovered = try member.recover(of: members.count, tuning)
        } catch {
            marks.hit(.recoveryFailed)
            return try recoveryFailed(member, error)
        }
        member.storages[member.diskNumber] = recovered.identity.storageID
        let hasBadSnapshots = !recovered.damagedSnapshots.isEmpty
        let hasBadLog = recovered.log.damage != nil
        let isDistrusted = recovered.log.damage == .distrusted
        noteOlderRead(member, foundDamage: !isDistrusted && (hasBadLog || hasBadSnapshots))
        let found = forgetting(recovered.log)
        if hasBadLog || hasBadSnapshots {
            trace("\(member.id) finds damage: \(found.damage?.finding ?? "snapshots only")")
        }
        if found.damage == .distrusted { marks.hit(.stateFetched) }
        mark(recovered.log, filesBefore: filesBefore)
        try consensus.restarted(
            member.position, hardState: found.hardState, snapshot: found.snapshot,
            entries: found.entries,
            claim: options.bug == .claimIgnored ? recovered.log.claim : found.claim)
        let process = member.process(
            from: recovered, found, of: options.members, tuning, gatewayOptions(), nowNs: nowNs)
        member.process = process
        try checkDigest(member, process, newFrom: process.replica.applied.rawValue)
        queue.put(.tick(member: member.position, run: member.run), atNs: nowNs + 1)
        trace("\(member.id) recovered to \(process.replica.observation)")
    }

    private func recoveryFailed(_ member: Member, _ error: JournalError) throws(Violation) {
        if !endsByOlderRead(member) { try diskFailed(member, error) }
    }

    /// What planted bugs lose of what recovery found.
    private func forgetting(_ log: RecoveredLog) -> RecoveredLog {
        let isFirst = log.damage != nil
        let forgetsClaim =
            options.bug == .claimIgnored || (options.bug == .rotForTorn && isFirst)
            || (options.bug == .claimNotRepeated && !isFirst)
        let forgetsVote = options.bug == .voteLostInRot && isFirst
        return RecoveredLog(
            hardState: forgetsVote ? .initial : log.hardState, snapshot: log.snapshot,
            entries: log.entries, droppedTail: log.droppedTail,
            claim: forgetsClaim ? nil : log.claim, damage: log.damage)
    }

    /// The process is gone; `loss` is what becomes of the unsynced part of its disk.
    func crash(_ member: Member, _ loss: SimulatedDisk.Loss, restartAfterNs: UInt64) {
        trace("\(member.id) crashes, losing \(loss)")
        member.process = nil
        member.isPaused = false
        member.deferred.removeAll()
        member.disk.crash(loss, &member.random)
        claims.end(member.position)
        for other in members where other !== member {
            if hangUp(member.position, other.position), other.process != nil {
                // A process that dies resets its connections, a machine without power does not.
                let delayNs =
                    loss == .none
                    ? shellRandom.draw(100_000...2_000_000)
                    : shellRandom.draw(1_000_000...1_500_000_000)
                queue.put(
                    .peerLost(member: other.position, run: other.run, peer: member.position),
                    atNs: nowNs + delayNs)
            }
        }
        for client in clients where client.open?.member == member.position { lose(client) }
        scheduleStart(member, afterNs: restartAfterNs)
    }

    func scheduleStart(_ member: Member, afterNs: UInt64) {
        guard !member.isStarting, !member.isLost else { return }
        member.isStarting = true
        queue.put(.start(member: member.position), atNs: nowNs + afterNs)
    }

    /// What the world has done to the disk ends the process; any other error is the journal's.
    func diskFailed(_ member: Member, _ error: JournalError) throws(Violation) {
        trace("\(member.id) ends: \(error)")
        if member.disk.isWithoutPower {
            marks.hit(.powerLost)
            return crash(
                member, shellRandom.coin() ? .some : .all, restartAfterNs: restartDelayNs())
        }
        guard member.disk.hasCaused(error) else {
            throw Violation(.recovery, "member \(member.id): \(error)")
        }
        markDisk(member)
        crash(member, .none, restartAfterNs: restartDelayNs())
    }

    func restartDelayNs() -> UInt64 {
        isSettling ? 20_000_000 : shellRandom.delayNs(10_000_000...500_000_000)
    }

    // MARK: the step

    func tick(_ member: Member) throws(Violation) {
        let position = member.position
        let jitter = UInt64(weather[.lateTicks]) * 1_000
        let delayNs = jitter == 0 ? 0 : shellRandom.draw(0...jitter)
        queue.put(
            .tick(member: position, run: member.run),
            atNs: nowNs + member.clock.trueNs(forMs: tuning.replica.tickMs) + delayNs)
        let wallMs = member.clock.wallMs(nowNs)
        let nowMs =
            options.bug == .wallClockForBootClock ? UInt64(wallMs) : member.clock.bootMs(nowNs)
        try step(member, .tick(nowMs: nowMs, wallMs: wallMs))
        if let process = member.process, !process.journalIsBusy { tendJournal(member, process) }
        try scrub(member)
    }

    func step(_ member: Member, _ input: Input) throws(Violation) {
        guard let process = member.process else { return }
        events += 1
        process.replica.take(input, into: &process.effects)
        if shellRandom.chance(perMille: tuning.sharedTurns) {
            if process.turnIsOpen { return }
            process.turnIsOpen = true
            return queue.put(
                .turnEnds(member: member.position, run: member.run),
                atNs: nowNs + shellRandom.draw(1_000...200_000))
        }
        try endTurn(member)
    }

    /// Everything that was taken is settled, judged and handed out.
    func endTurn(_ member: Member) throws(Violation) {
        guard let process = member.process else { return }
        process.turnIsOpen = false
        process.replica.settle(into: &process.effects)
        // Nothing below comes back here.
        effects.reset()
        swap(&effects, &process.effects)
        try noteStorage(member, process)
        try observe(member, process)
        var handedOut = effectsUntilCrash()
        for (to, message) in effects.sends where handedOut > 0 {
            handedOut -= 1
            mark(message, from: process)
            if options.bug == .digestsNotTold, case .digests = message { continue }
            try checkPromises(of: message, from: member)
            send(message, from: member, to: to)
        }
        for (other, reason) in effects.refusals {
            if reason == .otherStorage { marks.hit(.refusedOtherStorage) }
            refuse(other, by: member, reason)
        }
        for event in effects.events { note(event, member) }
        for request in effects.snapshots where handedOut > 0 {
            handedOut -= 1
            if case .abandon = request { marks.hit(.snapshotAbandoned) }
            enqueue(request, member, process)
        }
        for (request, reply) in effects.replies where handedOut > 0 {
            handedOut -= 1
            try answer(request, reply, member, process)
            if options.bug == .answeredTwice { try answer(request, reply, member, process) }
        }
        if handedOut == 0 {
            marks.hit(.crashedInTurn)
            return crash(member, .some, restartAfterNs: restartDelayNs())
        }
        try checkOpenWaits(member, process)
        if process.replica.hasFeedsToServe, !process.turnIsOpen {
            marks.hit(.feedsLeft)
            process.turnIsOpen = true
            queue.put(
                .turnEnds(member: member.position, run: member.run),
                atNs: nowNs + lateRandom.draw(1_000...50_000))
        }
        if member.process === process { startJournal(member, process) }
    }

    /// So many effects of this turn are carried out before the process dies; mostly all.
    private func effectsUntilCrash() -> Int {
        let rate = weather[.crashInTurn]
        guard rate > 0, !isSettling, faultRandom.next(below: 1_000_000) < UInt64(rate) else {
            return .max
        }
        let count = effects.sends.count + effects.snapshots.count + effects.replies.count
        return Int(faultRandom.next(below: UInt64(count + 1)))
    }

    private func noteStorage(_ member: Member, _ process: Process) throws(Violation) {
        for request in effects.storage {
            mark(request, member)
            switch request {
            case .append(let token, let hardState, let entries):
                try consensus.asked(token, hardState, entries, by: member.position)
                try checkAdmissions(in: entries, by: process)
            case .resetLog(let mark): try consensus.askedReset(to: mark, by: member.position)
            case .prune, .identity, .distrust, .startAnew: break
            }
            process.journalQueue.append(request)
        }
    }

    private func observe(_ member: Member, _ process: Process) throws(Violation) {
        let now = process.replica.observation
        try TurnChecks.step(from: process.observation, to: now)
        // Why not as candidate: a vote for itself that is neither durable nor counted may be lost.
        if now.role == .leader, process.observation?.role != now.role {
            try consensus.voted(member.position, in: now.term, for: member.id, isDurable: false)
        }
        if let before = process.observation { mark(before, now, process) }
        process.observation = now
        let new = try consensus.observe(
            now.role, in: now.term, commit: now.commit, member.position)
        mark(committed: new, now)
        for entry in new {
            let tag = try oracle.apply(entry)
            try history.applied(tag, at: Zxid(entry.index.rawValue))
            noteNaming(in: entry)
        }
        let applied = process.replica.applied
        if applied != process.applied {
            try expect(
                applied > process.applied, .zxidOrder,
                "member \(member.id) goes back from \(process.applied) to \(applied)")
            process.applied = applied
            mix(applied.rawValue)
            var newFrom: UInt64?
            for case .snapshotInstalled(let index) in effects.events where newFrom == nil {
                newFrom = index.rawValue
                process.memoryIsCorrupted = false
            }
            try checkDigest(member, process, newFrom: newFrom)
        }
        try checkFreshness(member, process)
        if now.role == .leader || process.claims {
            let untilMs = process.replica.claimedUntilMs
            process.claims = untilMs > 0
            try claims.claim(
                member.position, untilNs: untilMs == 0 ? 0 : member.clock.trueNs(bootMs: untilMs),
                nowNs: nowNs)
        }
        if events % 256 == 0 { try checkBounds(member, process) }
    }

    private func checkBounds(_ member: Member, _ process: Process) throws(Violation) {
        let status = process.replica.status()
        try TurnChecks.bounds(
            member.id, pendingWrites: status.pendingWrites, waits: status.waits,
            snapshotRequests: process.snapshotQueue.count, tuning.replica)
    }
}
