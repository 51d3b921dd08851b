// The faults of a run and how it ends: at intervals something breaks for a while, by the rates of
// the weather; at the end all of it heals, and then the ensemble must come to rest within bounds.

import Ensemble
import Journal
import Raft
import Znodes

extension World {
    func fault() throws(Violation) {
        if isSettling { return }
        let gap = weather.faultGapMs
        let gapNs = faultRandom.draw(
            gap.lowerBound * millisecondNs...gap.upperBound * millisecondNs)
        // A run that goes on since they let little be done has more room between them.
        queue.put(.fault, atNs: nowNs + (events < options.eventsMax ? gapNs : 4 * gapNs))
        faultOfNetwork()
        let member = members[Int(faultRandom.next(below: UInt64(members.count)))]
        if hits(.wallJump) {
            marks.hit(.wallJumped)
            member.clock.wallOffsetMs += Int64(faultRandom.draw(in: -86_400_000...86_400_000))
        }
        faultOfDisk(member)
        if hits(.pause) { pause(member) }
        if hits(.stop) { try stop(member) }
        if hits(.crash), member.process != nil {
            marks.hit(.crashed)
            crash(
                member, faultRandom.pick([.none, .all, .some]), restartAfterNs: restartDelayNs())
        }
        if hits(.wipe) { wipe(member) }
        if hits(.blackout) { blackOut() }
        if lateRandom.chance(perMille: weather[.readError]) { member.disk.failsNextRead = true }
        if hits(.diskBack) { exchangeAgain() }
        if hits(.flip) { flip(member) }
        if hits(.flip) { flipQuietly(member) }
        if weather[.rotInUse] > 0 { rotInUse(member) }
    }

    private func blackOut() {
        marks.hit(.blackedOut)
        for member in members where member.process != nil {
            crash(
                member, faultRandom.pick([.none, .all, .some]), restartAfterNs: restartDelayNs())
        }
    }

    private func faultOfNetwork() {
        if hits(.partition) {
            marks.hit(.partitioned)
            partition(members.map { _ in faultRandom.coin() })
        }
        if hits(.leaderPartition) {
            marks.hit(.leaderPartitioned)
            partition(members.map { $0.process?.observation?.role == .leader })
        }
        if hits(.oneWayPartition) { partitionOneWay() }
        // Both still reach all others.
        if hits(.partialPartition), let (a, b) = somePair() {
            marks.hit(.partitionedPartly)
            block([(a, b), (b, a)])
        }
        if hits(.linkReset), let (a, b) = somePair() {
            marks.hit(.linkBroken)
            disconnect(a, b)
        }
        if hits(.clog), let (a, b) = somePair() {
            marks.hit(.clogged)
            links.clog(from: a, to: b, untilNs: nowNs + durationNs())
        }
        if hits(.swizzle) { swizzle() }
    }

    private func faultOfDisk(_ member: Member) {
        if hits(.powerCut), member.disk.changesUntilPowerCut == nil {
            member.disk.changesUntilPowerCut = Int(faultRandom.next(below: 40))
        }
        if hits(.writeError) { member.disk.failsNextWrite = true }
        if hits(.syncError) { member.disk.failsNextSync = true }
        if hits(.diskFull), !member.disk.isFull {
            member.disk.isFull = true
            queue.put(
                .room(member: member.position, disk: member.diskNumber),
                atNs: nowNs + 2 * durationNs())
        }
        if hits(.slowDisk) {
            marks.hit(.diskSlowed)
            member.slowUntilNs = nowNs + 2 * durationNs()
        }
    }

    func hits(_ kind: FaultKind) -> Bool { faultRandom.chance(perMille: weather[kind]) }

    private func durationNs() -> UInt64 {
        faultRandom.delayNs(50 * millisecondNs...1_000 * millisecondNs)
    }

    private func somePair() -> (Int, Int)? {
        guard members.count > 1 else { return nil }
        let a = Int(faultRandom.next(below: UInt64(members.count)))
        let b = Int(faultRandom.next(below: UInt64(members.count - 1)))
        return (a, b >= a ? b + 1 : b)
    }

    private func partition(_ isLeft: [Bool]) {
        var cut: [(from: Int, to: Int)] = []
        for a in members.indices {
            for b in members.indices where isLeft[a] != isLeft[b] { cut.append((a, b)) }
        }
        if !cut.isEmpty { block(cut) }
    }

    /// Directions are clogged one after the other, and let go one after the other in another order.
    private func swizzle() {
        marks.hit(.swizzled)
        var ways: [(from: Int, to: Int)] = []
        for a in members.indices {
            for b in members.indices where a != b && faultRandom.coin() { ways.append((a, b)) }
        }
        let gapNs = faultRandom.draw(1...50) * millisecondNs
        let order = ways.shuffled(using: &faultRandom)
        let untilNs = nowNs + gapNs * UInt64(ways.count)
        for (position, way) in order.shuffled(using: &faultRandom).enumerated() {
            guard let start = order.firstIndex(where: { $0 == way }) else { continue }
            queue.put(
                .clog(
                    from: way.from, to: way.to, untilNs: untilNs + gapNs * UInt64(position)),
                atNs: nowNs + gapNs * UInt64(start))
        }
    }

    private func partitionOneWay() {
        guard let (a, b) = somePair() else { return }
        marks.hit(.partitionedOneWay)
        // From one member to one other, or to all, or from all.
        let others = members.indices.filter { $0 != a }
        switch faultRandom.next(below: 3) {
        case 0: block([(a, b)])
        case 1: block(others.map { (a, $0) })
        default: block(others.map { ($0, a) })
        }
    }

    private func block(_ cut: [(from: Int, to: Int)]) {
        work.partitions += 1
        for (from, to) in cut { links.block(from: from, to: to, true) }
        partitions.append(cut)
        queue.put(.heal(partitions.count - 1), atNs: nowNs + durationNs())
    }

    private func pause(_ member: Member) {
        guard member.process != nil, !member.isPaused else { return }
        work.pauses += 1
        marks.hit(.paused)
        member.isPaused = true
        queue.put(
            .resume(member: member.position, run: member.run), atNs: nowNs + 2 * durationNs())
    }

    /// As SIGTERM does it: the leader hands over, nobody is served any more, and after a while the
    /// process ends.
    private func stop(_ member: Member) throws(Violation) {
        guard let process = member.process, !member.isPaused, !process.isStopping else { return }
        process.isStopping = true
        marks.hit(.stopped)
        queue.put(
            .exit(member: member.position, run: member.run),
            atNs: nowNs + faultRandom.draw(10...1_500) * millisecondNs)
        try step(member, .stop)
    }

    func exit(_ member: Member) { crash(member, .none, restartAfterNs: restartDelayNs()) }

    func resume(_ member: Member) {
        guard member.isPaused else { return }
        member.isPaused = false
        leap(member)
        for event in member.deferred { queue.put(event, atNs: nowNs) }
        member.deferred.removeAll()
    }

    /// More time has passed by its clock than for the others, as for a guest that was put away.
    private func leap(_ member: Member) {
        guard !isSettling, lateRandom.chance(perMille: weather[.bootLeap]) else { return }
        marks.hit(.bootLeapt)
        member.clock.leap(ms: lateRandom.draw(1...10_000))
        // What it claims by that clock ends the sooner.
        guard let untilMs = member.process?.replica.claimedUntilMs, untilMs > 0 else { return }
        checking { () throws(Violation) in
            try claims.claim(
                member.position, untilNs: member.clock.trueNs(bootMs: untilMs), nowNs: nowNs)
        }
    }

    // MARK: the end

    /// Faults stop, everything heals but what is lost for good. Then: one leader, every request
    /// answered, equal states; and every member that is there serves again.
    func settle() {
        loseMinority()
        isSettling = true
        links.calm()
        for member in membersThere {
            member.disk.heal()
            member.shelf?.disk.heal()
            member.slowUntilNs = 0
            resume(member)
            // Flipped bits are found by the next snapshot, which may not be due any more.
            if let process = member.process, process.isStopping || process.memoryIsCorrupted {
                exit(member)
            }
            if member.process == nil {
                member.isStarting = false
                scheduleStart(member, afterNs: 1_000_000)
            }
        }
        guard comesToRest("after the last fault") else { return }
        for client in clients { startProbe(client) }
        guard comesToRest("after the last requests") else { return }
        checking { () throws(Violation) in try checkEnd() }
    }

    private func comesToRest(_ when: String) -> Bool {
        let eventsLimit = events + options.settleEventsMax
        let timeLimitNs = nowNs + options.settleNs
        while violation == nil {
            for _ in 0..<32 where violation == nil { turn() }
            returnNamedDisks()
            if violation == nil, isAtRest { return true }
            if violation == nil, events > eventsLimit || nowNs > timeLimitNs {
                violation = Violation(.liveness, "no rest \(when): \(unrest)")
            }
        }
        return false
    }

    private var isAtRest: Bool {
        clients.allSatisfy { $0.isIdle }
            && membersThere.allSatisfy { !isOut($0) && $0.process?.applied == oracle.last }
            && membersThere.filter { $0.process?.observation?.role == .leader }.count == 1
            && membersThere.allSatisfy { member in
                let leader = member.process?.observation?.leader
                return membersThere.contains { $0.id == leader }
            }
            && membersThere.allSatisfy { $0.process?.observation?.claim == nil }
            && flipped.allAgree
            && membersThere.allSatisfy(isScrubbed)
            && membersThere.allSatisfy(holdsNothing)
    }

    /// What a client has left behind is given up in time as well.
    private func holdsNothing(_ member: Member) -> Bool {
        guard let status = member.process?.replica.status() else { return false }
        return status.pendingWrites == 0 && status.waits == 0
    }

    private var unrest: String {
        let states = members.map { member in
            member.process.map { process in
                let status = process.replica.status()
                return
                    "\(member.id): \(process.replica.observation), \(status.pendingWrites) writes, "
                    + "\(status.waits) waits"
            }
                ?? "\(member.id): \(member.isLost ? "lost" : "down")"
        }
        let open = clients.filter { !$0.isIdle }.map { "client \($0.number): \($0.described)" }
        return "committed \(oracle.last); " + (states + open).joined(separator: "; ")
    }

    private func checkEnd() throws(Violation) {
        for member in membersThere {
            guard let process = member.process else { continue }
            try checkDigest(member, process)
            let status = process.replica.status()
            mix(status.digest)
        }
    }
}
