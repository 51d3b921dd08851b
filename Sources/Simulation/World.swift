// A whole ensemble with its clients in one thread, on virtual time. One seed gives one run: all
// chance comes from it, events are ordered by time and sequence, and nothing depends on the
// machine. The first violation ends the run.

import Ensemble
import Raft
import Znodes

package final class World {
    let seed: UInt64
    let options: WorldOptions
    let tuning: Tuning
    let weather: Weather
    let doors: DoorTuning
    var nowNs: UInt64 = 0
    /// Inputs handed to replicas.
    var events = 0
    var queue = EventQueue()
    var links: Links
    var members: [Member] = []
    var clients: [Client] = []

    /// Of the turn that ends.
    var effects = Effects()

    var consensus: ConsensusChecker
    var claims: LeaderClaims
    var oracle: Oracle
    var flipped: FlippedStates
    var history = HistoryChecker()
    var registers = Registers()
    var violation: Violation?
    var work = WorkDone()
    var marks = Marks()

    var faultRandom: RandomGenerator
    var shellRandom: RandomGenerator
    var clientRandom: RandomGenerator
    var doorRandom: RandomGenerator
    /// Of the faults that came later.
    var lateRandom: RandomGenerator
    /// Of the scrub, and of what it is to find.
    var scrubRandom: RandomGenerator
    var partitions: [[(from: Int, to: Int)]] = []
    /// Faults have ended; clients finish what they have begun.
    var isSettling = false
    /// When clients had been told of what.
    var witnessedAt: [(timeNs: UInt64, zxid: Zxid)] = []
    /// For `PlantedBug.staleReadIndex`.
    var firstReadIndex: LogIndex?

    private var traceHash: UInt64 = 0
    private var recent: [(timeNs: UInt64, event: Occurrence)] = []
    private var recentNext = 0
    private static let recentMax = 40
    /// Called with a line for each event.
    package var onTrace: ((String) -> Void)?

    package init(seed: UInt64, options: WorldOptions) {
        self.seed = seed
        self.options = options
        var root = RandomGenerator(seed: seed ^ 0x5EED_0F_A_C0FFEE)
        // Split in a fixed order, before anything is drawn.
        var weatherRandom = root.split()
        var tuningRandom = root.split()
        let linkRandom = root.split()
        faultRandom = root.split()
        shellRandom = root.split()
        clientRandom = root.split()
        var memberRandom = root.split()
        doorRandom = root.split()
        doors = DoorTuning(&doorRandom)
        lateRandom = root.split()
        scrubRandom = root.split()
        weather = Weather(
            options.profile, members: options.members, without: options.without, &weatherRandom)
        var drawn = Tuning(&tuningRandom, options.bug)
        // Without gateways all is as it was before there were any: the kept seeds hang on it.
        if !options.isDirect { drawn.replica.eventsPerTurnMax = doors.eventsPerTurnMax }
        tuning = drawn
        links = Links(count: options.members, weather: weather, random: linkRandom)
        consensus = ConsensusChecker(members: options.members)
        claims = LeaderClaims(members: options.members)
        oracle = Oracle()
        flipped = FlippedStates(members: options.members)
        for position in 0..<options.members {
            var random = memberRandom.split()
            let drift = weather[.drift]
            let clock = SimulatedClock(
                offsetNs: random.draw(1_000...100_000) * millisecondNs,
                driftPpm: drift == 0 ? 0 : random.draw(in: -drift...drift),
                wallOffsetMs: 1_700_000_000_000)
            members.append(Member(position: position, clock: clock, random: random))
            members[position].disk.cacheHidesFailedSyncs = weather[.staleCache] > 0
            members[position].disk.remembersOlder = weather[.olderRead] > 0
            members[position].disk.liesAboutSync = options.bug == .diskLiesAboutSync
            members[position].disk.liesAboutDirectory = options.bug == .diskLiesAboutDirectory
            queue.put(.start(member: position), atNs: shellRandom.draw(0...50_000_000))
        }
        for a in 0..<options.members {
            for b in (a + 1)..<max(a + 1, options.members) {
                queue.put(.connect(a, b), atNs: shellRandom.draw(50_000_000...100_000_000))
            }
        }
        makeClients()
        if options.profile != .calm {
            queue.put(.fault, atNs: 500 * millisecondNs)
        }
    }

    package func run() -> Report {
        while violation == nil,
            events < (didLittle ? options.eventsMost : options.eventsMax)
        {
            turn()
        }
        if violation == nil { settle() }
        if violation == nil { checking { () throws(Violation) in try registers.check() } }
        work.ordered = registers.judged
        work.acknowledgedWrites = history.acknowledgedCount
        work.committed = consensus.committedCount
        work.leaders = consensus.leaderCount
        if violation == nil, didLittle {
            violation = Violation(.quietRun, "\(work)")
        }
        return Report(
            seed: seed, events: events, virtualNs: nowNs, traceHash: traceHash, work: work,
            marks: marks,
            violation: violation, lastEvents: violation == nil ? [] : lastEvents(),
            replay: "aviary-simulate " + Self.arguments(seed: seed, options).joined(separator: " "))
    }

    private var didLittle: Bool {
        history.acknowledgedCount < options.acknowledgedMin || work.reads < 3
    }

    /// What this run has drawn for a kind of fault; 0: it does not happen.
    package func rate(of kind: FaultKind) -> Int { weather[kind] }

    /// Of the command that replays a run.
    package static func arguments(seed: UInt64, _ options: WorldOptions) -> [String] {
        var words = [
            "--seed", "\(seed)", "--members", "\(options.members)", "--profile",
            options.profile.rawValue, "--events", "\(options.eventsMax)",
        ]
        if options.isDirect { words.append("--direct") }
        if !options.without.isEmpty {
            words += ["--without", options.without.map { "\($0)" }.joined(separator: ",")]
        }
        if let workers = options.workers { words += ["--workers", "\(workers)"] }
        if let bug = options.bug { words += ["--bug", bug.rawValue] }
        return words
    }

    /// One event of the queue.
    func turn() {
        guard let (timeNs, event) = queue.pop() else {
            violation = Violation(.liveness, "nothing is going to happen any more")
            return
        }
        nowNs = max(nowNs, timeNs)
        remember(event)
        checking { () throws(Violation) in try handle(event) }
    }

    func checking(_ body: () throws(Violation) -> Void) {
        do throws(Violation) {
            try body()
        } catch {
            if violation == nil { violation = error }
        }
    }

    /// True: kept for later, or for nobody.
    func isHeldBack(_ event: Occurrence, _ position: Int, run: Int) -> Bool {
        let member = members[position]
        guard member.process != nil, member.run == run else { return true }
        guard member.isPaused else { return false }
        if member.deferred.count < 20_000 { member.deferred.append(event) }
        return true
    }

    private func handle(_ event: Occurrence) throws(Violation) {
        switch event {
        case .tick(let member, let run):
            if !isHeldBack(event, member, run: run) { try tick(members[member]) }
        case .deliver(let from, let to, let epoch, let bytes):
            guard links.isUp(from, to), links.epoch(from, to) == epoch,
                !isHeldBack(event, to, run: members[to].run)
            else { return }
            try deliver(bytes, from: from, to: members[to])
        case .peerLost(let member, let run, let peer):
            // The shell tells the loss of the last connection only: a new one may be up already.
            if isHeldBack(event, member, run: run) || links.isUp(member, peer) { return }
            try step(members[member], .peerLost(members[peer].id))
        case .refused(let member, let run, let other, let reason):
            guard !isHeldBack(event, member, run: run), let known = HelloRefusal(rawValue: reason)
            else { return }
            try step(members[member], .refused(by: members[other].id, known))
        case .connect(let a, let b): try connect(a, b)
        case .breakLink(let a, let b, let epoch):
            if links.epoch(a, b) == epoch { disconnect(a, b) }
        case .turnEnds(let member, let run):
            if !isHeldBack(event, member, run: run) { try endTurn(members[member]) }
        case .journalDone(let member, let run):
            if !isHeldBack(event, member, run: run) { try finishJournal(members[member]) }
        case .snapshotDone(let member, let run):
            if !isHeldBack(event, member, run: run) { try finishSnapshot(members[member]) }
        case .start(let member): try start(members[member])
        case .resume(let member, let run):
            if members[member].run == run { resume(members[member]) }
        case .clientTurn(let client): try turn(of: clients[client])
        case .clientRead(let client, let request): try read(clients[client], request)
        case .fault: try fault()
        case .clog(let from, let to, let untilNs):
            if !isSettling { links.clog(from: from, to: to, untilNs: untilNs) }
        case .exit(let member, let run):
            if !isHeldBack(event, member, run: run) { exit(members[member]) }
        case .room(let member, let disk): members[member].disk(disk)?.isFull = false
        case .heal(let partition):
            for (from, to) in partitions[partition] { links.block(from: from, to: to, false) }
        case .webArrives(let client, let connection, let count):
            try arrive(event, client: client, connection: connection, count: count)
        case .webReply(let client, let connection):
            try takeReply(event, client: client, connection: connection)
        case .webAnswered(let client, let connection, let count):
            try receive(client: client, connection: connection, count: count)
        }
    }

    // MARK: the trace

    func mix(_ value: UInt64) {
        traceHash = (traceHash ^ value) &* 0x9E37_79B9_7F4A_7C15
        traceHash ^= traceHash >> 32
    }

    private func remember(_ event: Occurrence) {
        mix(nowNs)
        mix(event.fingerprint)
        if recent.count < Self.recentMax {
            recent.append((nowNs, event))
        } else {
            recent[recentNext] = (nowNs, event)
            recentNext = (recentNext + 1) % Self.recentMax
        }
        if let onTrace { onTrace(event.line(atNs: nowNs)) }
    }

    private func lastEvents() -> [String] {
        let ordered = recent[recentNext...] + recent[..<recentNext]
        return ordered.map { $0.event.line(atNs: $0.timeNs) }
    }

    func trace(_ line: @autoclosure () -> String) {
        if let onTrace { onTrace("\(nowNs / 1_000) us      \(line())") }
    }
}
