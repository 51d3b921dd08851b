// Hundreds of small worlds, one a seed: losses, copies, reordering, partitions, crashes, slow
// disks, pauses, compaction, hand-overs, reads; invariants after each step, progress at the end.

import Raft
import Testing

private final class World {
    let network: TestNetwork
    var random: RandomGenerator
    var nowMs: UInt64 = 1_000
    /// The members of each side; messages do not cross.
    var sides: [MemberID: UInt64] = [:]
    var paused: [MemberID: UInt64] = [:]
    var nextRead: UInt64 = 1
    /// The greatest index known to be committed when the read was asked for.
    var readFloors: [UInt64: LogIndex] = [:]
    var answered = 0
    var proposed = 0
    let changesMembers: Bool
    let voters: [UInt64]

    init(seed: UInt64, changesMembers: Bool) {
        random = RandomGenerator(seed: seed)
        self.changesMembers = changesMembers
        voters = seed % 3 == 0 ? [1, 2, 3, 4, 5] : [1, 2, 3]
        let learners: [UInt64] = changesMembers || seed % 4 == 0 ? [6] : []
        var options = RaftOptions.test
        if seed % 5 == 0 {
            options.limits.appendBytesMax = 64
            options.limits.inflightMessagesMax = 2
            options.limits.committedBytesMax = 40
        }
        if seed % 7 == 0 { options.limits.uncommittedBytesMax = 100 }
        network = TestNetwork(voters: voters, learners: learners, options: options, seed: seed)
        for member in network.members { member.persistsAtOnce = false }
    }

    func chance(_ percent: UInt64) -> Bool { random.next(below: 100) < percent }

    func pick() -> TestMember {
        network.members[Int(random.next(below: UInt64(network.members.count)))]
    }

    func drain(_ member: TestMember) throws {
        let output = try network.drain(member)
        for ready in output.readsReady {
            answered += 1
            let floor = readFloors[ready.read.rawValue] ?? .zero
            #expect(ready.index >= floor, "read \(ready.read) at \(ready.index), below \(floor)")
        }
        for lagging in output.snapshotsWanted { try sendSnapshot(member, to: lagging) }
        try checkClaims()
    }

    /// While one member's claim holds, none leads in a later term.
    func checkClaims() throws {
        for member in network.members {
            guard let confirmed = member.node.quorumConfirmedMs,
                nowMs < confirmed + member.options.leaseMs
            else { continue }
            for other in network.members where other.id != member.id {
                guard other.node.role == .leader, other.node.term > member.node.term else {
                    continue
                }
                throw RaftViolation(
                    "\(member.id) claims term \(member.node.term), \(other.id) leads "
                        + "\(other.node.term) at \(nowMs), confirmed \(confirmed)")
            }
        }
    }

    func sendSnapshot(_ leader: TestMember, to id: MemberID) throws {
        guard let mark = leader.disk.snapshot, sides[leader.id] == sides[id], !chance(30) else {
            leader.node.snapshotFailed(to: id)
            return
        }
        let target = network[id.rawValue]
        try target.restore(mark)
        leader.node.snapshotSent(to: id, index: mark.index)
        try drain(target)
    }

    func deliver(lossPercent: UInt64) throws {
        guard !network.queue.isEmpty else { return }
        let place = chance(80) ? 0 : Int(random.next(below: UInt64(network.queue.count)))
        let message = network.queue.remove(at: place)
        if sides[message.from] != sides[message.to] || chance(lossPercent) { return }
        if chance(lossPercent) { network.queue.append(message) }
        let member = network[message.to.rawValue]
        if paused[member.id] != nil {
            network.queue.append(message)
            return
        }
        try member.step(message)
        try drain(member)
    }

    func tickAll() throws {
        nowMs += 10
        for member in network.members {
            if let left = paused[member.id] {
                paused[member.id] = left > 1 ? left - 1 : nil
                continue
            }
            try member.tick(nowMs: nowMs)
            try drain(member)
        }
    }

    func act() throws {
        let member = pick()
        guard paused[member.id] == nil else { return }
        switch random.next(below: 100) {
        case 0..<30:
            proposed += 1
            _ = member.node.propose([UInt8(proposed & 255)])
        case 30..<55:
            readFloors[nextRead] = network.checker.invariants.committedIndex
            member.node.requestRead(ReadID(rawValue: nextRead))
            nextRead += 1
        case 55..<82:
            try member.persist(Int(random.next(below: 3)))
        case 82..<84:
            try member.persist(Int(random.next(below: 3)))
            try member.crashAndRestart(nowMs: nowMs)
        case 84..<87:
            let applied = member.node.applied
            if applied >= member.node.firstIndex { try member.compact(through: applied) }
        case 87..<88:
            _ = member.node.transferLeadership(to: chance(50) ? pick().id : nil)
        case 88..<89:
            for other in network.members { sides[other.id] = random.next(below: 2) }
        case 89..<92:
            sides = [:]
        case 92..<93:
            paused[member.id] = random.next(below: 25) + 1
        case 93..<95:
            member.node.unreachable(pick().id)
        default:
            if changesMembers, let leader = network.leader, paused[leader.id] == nil {
                try changeMembers(leader)
                try drain(leader)
            }
        }
        try drain(member)
    }

    func changeMembers(_ member: TestMember) throws {
        let all = network.members.map(\.id)
        let chosen = all.filter { _ in chance(70) }
        guard !chosen.isEmpty else { return }
        let learners = all.filter { !chosen.contains($0) && chance(80) }
        let before = member.node.configuration
        let result = member.node.proposeConfiguration(
            Configuration(voters: chosen, learners: learners))
        if case .appended = result { return }
        #expect(member.node.configuration == before)
    }

    /// What is committed is durable at a majority.
    func checkDurable(_ floor: inout LogIndex) {
        guard !changesMembers else { return }
        let committed = network.checker.invariants.committedIndex
        while floor < committed {
            floor = floor.next
            let holders = network.members.filter { member in
                voters.contains(member.id.rawValue)
                    && (member.disk.snapshot.map { $0.index >= floor } ?? false
                        || member.disk.entries.contains { $0.index == floor })
            }
            #expect(holders.count > voters.count / 2, "\(floor) is durable at \(holders.map(\.id))")
        }
    }

    func run(steps: Int) throws {
        var durable = LogIndex.zero
        for step in 0..<steps {
            if step % 4 == 0 { try tickAll() }
            for _ in 0..<random.next(below: 8) { try deliver(lossPercent: 4) }
            try act()
            checkDurable(&durable)
        }
    }

    /// Faults end: a leader is found, what it takes is applied everywhere, and reads are answered.
    func heal() throws {
        sides = [:]
        paused = [:]
        for member in network.members {
            member.persistsAtOnce = true
            try member.persist()
            try drain(member)
        }
        for _ in 0..<120 {
            try tickAll()
            while !network.queue.isEmpty { try deliver(lossPercent: 0) }
        }
        let leader = try #require(network.leader, "no leader after the faults ended")
        guard case .appended(let index, _) = leader.node.propose([7]) else {
            Issue.record("the leader takes nothing")
            return
        }
        let before = answered
        readFloors[nextRead] = network.checker.invariants.committedIndex
        leader.node.requestRead(ReadID(rawValue: nextRead))
        nextRead += 1
        try drain(leader)
        for _ in 0..<40 {
            try tickAll()
            while !network.queue.isEmpty { try deliver(lossPercent: 0) }
        }
        #expect(answered > before, "the read got no answer")
        for member in network.members where leader.node.configuration.contains(member.id) {
            #expect(member.node.applied >= index, "\(member.id) is at \(member.node.applied)")
        }
    }
}

@Suite("Randomized networks")
struct RandomizedTests {
    @Test(
        "Whatever fails, invariants hold, reads are fresh, claims are exclusive and service returns",
        arguments: Array(stride(from: UInt64(1), through: 181, by: 20)))
    func fixedMembers(first: UInt64) throws {
        var committed: LogIndex = .zero
        for seed in first..<first + 20 {
            let world = World(seed: seed, changesMembers: false)
            do {
                try world.run(steps: 400)
                try world.heal()
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
            committed = max(committed, world.network.checker.invariants.committedIndex)
            #expect(world.answered > 0, "seed \(seed) answered no read")
        }
        #expect(committed > LogIndex(15), "the worlds did hardly any work")
    }

    @Test(
        "The same while members come, go and change sides",
        arguments: Array(stride(from: UInt64(1_001), through: 1_081, by: 20)))
    func changingMembers(first: UInt64) throws {
        var changes = 0
        for seed in first..<first + 20 {
            let world = World(seed: seed, changesMembers: true)
            do {
                try world.run(steps: 400)
                try world.heal()
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
            for member in world.network.members {
                changes += member.appliedEntries.count { $0.kind == .configuration }
            }
        }
        #expect(changes > 10, "configurations hardly changed")
    }
}
