// A few replicas whose messages, storage and clock a test drives by hand. Messages cross as bytes
// through the real codec; storage completes at once unless a test holds it.

import Ensemble
import Journal
import Raft
import Testing
import Znodes

/// What a stopped replica leaves on its disk.
struct Disk {
    var hardState = HardState.initial
    var entries: [Entry] = []
    var snapshot: SnapshotMark?
    var snapshotBody: [UInt8] = []
    /// An older one that is still there.
    var keptSnapshot: (index: LogIndex, body: [UInt8])?
    var ensemble: EnsembleID?
    var isNewcomer = false
    var storage: StorageID
    /// What damage took: the journal's part, which it forgets once met.
    var claim: LogPosition?
    var isDistrusted = false

    mutating func append(_ hardState: HardState?, _ new: [Entry]) {
        if let hardState { self.hardState = hardState }
        if let first = new.first { entries.removeAll { $0.index >= first.index } }
        entries += new
    }

    mutating func reset(to mark: SnapshotMark) {
        let follows = entries.contains { $0.index == mark.index && $0.term == mark.term }
        entries.removeAll { !follows || $0.index <= mark.index }
    }
}

final class Node {
    let id: MemberID
    let options: ReplicaOptions
    var disk: Disk
    var replica: Replica
    var effects = Effects()
    var written: [UInt8] = []
    var writing: SnapshotMark?
    var keeps: LogIndex?
    var replies: [UInt64: [ClientReply]] = [:]
    var refusals: [HelloRefusal] = []
    var events: [ReplicaEvent] = []
    var startsAnew = false

    init(
        _ id: MemberID, of members: [MemberID], options: ReplicaOptions, disk: Disk, nowMs: UInt64,
        seed: UInt64
    ) throws {
        self.id = id
        self.options = options
        self.disk = disk
        var restored: RestoredReplica?
        if disk.snapshot != nil {
            var decoder = SnapshotDecoder(hashSeed: seed)
            try decoder.consume(disk.snapshotBody.span)
            restored = try decoder.finish()
        }
        let base = disk.snapshot?.index ?? .zero
        replica = Replica(
            options: options,
            identity: ReplicaIdentity(
                member: id, storage: disk.storage, ensemble: disk.ensemble,
                httpAddress: [UInt8]("http-\(id)".utf8), peerAddress: [UInt8]("peer-\(id)".utf8),
                version: [UInt8]("0".utf8),
                ensembleAddresses: members.map { ($0, [UInt8]("peer-\($0)".utf8)) },
                isNewcomer: disk.isNewcomer),
            log: RecoveredLog(
                hardState: disk.hardState, snapshot: disk.snapshot,
                entries: disk.entries.filter { $0.index > base }, claim: disk.claim),
            restored: restored, nowMs: nowMs, wallMs: 1_700_000_000_000,
            random: RandomGenerator(seed: seed))
    }
}

final class Cluster {
    var nodes: [Node?] = []
    let members: [MemberID]
    var options: ReplicaOptions
    var nowMs: UInt64 = 1_000
    /// Pairs (from, to): nothing arrives in this direction.
    var cut: Set<[Int]> = []
    var inFlight: [(from: Int, to: Int, bytes: [UInt8])] = []
    /// Members whose storage completions are held back.
    var slowDisks: Set<Int> = []
    var heldStored: [(node: Int, token: StorageToken)] = []
    /// Members whose disks take no entries and no snapshots, and what waits for room there.
    var fullDisks: Set<Int> = []
    private var waiting: [Int: [StorageRequest]] = [:]
    var noRoomForSnapshots: Set<Int> = []
    /// Snapshots that found no room.
    var failedBegins = 0
    /// Pieces of snapshots that the slow disks have not written yet.
    var heldAppended: [(node: Int, index: LogIndex)] = []
    /// Snapshots that no read finds intact, and how often one was tried.
    var unreadable: Set<LogIndex> = []
    var failedReads = 0
    /// Members that take their time to make a whole snapshot durable.
    var slowFinish: Set<Int> = []
    var heldFinish: [(node: Int, index: LogIndex)] = []
    /// Members that were turned away ask again each so many ticks; 0: never.
    var asksAgainTicks: UInt64 = 0
    private var turnedAway: Set<[Int]> = []
    var nextRequest: UInt64 = 0
    var seed: UInt64 = 42

    init(_ count: Int = 3, options: ReplicaOptions = ReplicaOptions()) throws {
        self.options = options
        members = (1...count).map { MemberID(UInt64($0)) }
        for position in 0..<count {
            let storage = StorageID(high: 7, low: UInt64(position + 1))
            nodes.append(nil)
            try start(position, disk: Disk(storage: storage))
        }
    }

    func start(_ position: Int, disk: Disk) throws {
        seed += 1
        nodes[position] = try Node(
            members[position], of: members, options: options, disk: disk, nowMs: nowMs, seed: seed)
        for other in nodes.indices where other != position && nodes[other] != nil {
            greet(position, other)
            greet(other, position)
        }
    }

    /// Power is lost: what was not durable is gone.
    func crash(_ position: Int) -> Disk? {
        let disk = nodes[position]?.disk
        nodes[position] = nil
        inFlight.removeAll { $0.from == position || $0.to == position }
        heldStored.removeAll { $0.node == position }
        heldAppended.removeAll { $0.node == position }
        for other in nodes.indices where other != position {
            step(other, .peerLost(members[position]))
        }
        return disk
    }

    func greet(_ from: Int, _ to: Int) {
        guard let hello = nodes[from]?.replica.hello(to: members[to]) else { return }
        turnedAway.remove([from, to])
        step(to, .hello(hello))
    }

    func step(_ position: Int, _ input: Input) {
        guard let node = nodes[position] else { return }
        node.effects.reset()
        node.replica.step(input, into: &node.effects)
        carryOut(position)
    }

    private func carryOut(_ position: Int) {
        guard let node = nodes[position] else { return }
        let effects = node.effects
        for (to, message) in effects.sends {
            var bytes: [UInt8] = []
            PeerCodec.encode(.message(message), into: &bytes)
            if let target = members.firstIndex(of: to) {
                inFlight.append((position, target, bytes))
            }
        }
        for (request, reply) in effects.replies {
            node.replies[request.rawValue, default: []].append(reply)
        }
        node.refusals += effects.refusals.map(\.reason)
        node.events += effects.events
        for request in effects.storage { store(request, position) }
        for request in effects.snapshots { snapshot(request, position) }
        for (member, reason) in effects.refusals {
            if let target = members.firstIndex(of: member) {
                turnedAway.insert([target, position])
                step(target, .refused(by: node.id, reason))
            }
        }
    }

    private func store(_ request: StorageRequest, _ position: Int) {
        guard let node = nodes[position] else { return }
        switch request {
        case .append(let token, let hardState, let entries):
            let isWaiting = waiting[position]?.isEmpty == false
            if fullDisks.contains(position), isWaiting || !entries.isEmpty {
                waiting[position, default: []].append(request)
                if !isWaiting { step(position, .diskFull(true)) }
                guard let hardState else { return }
                node.disk.append(hardState, [])
                return step(position, .votesStored(token))
            }
            node.disk.append(hardState, entries)
            if slowDisks.contains(position) {
                heldStored.append((position, token))
            } else {
                step(position, .stored(token))
            }
        case .prune(let through): node.disk.entries.removeAll { $0.index <= through }
        case .resetLog(let mark): node.disk.reset(to: mark)
        case .identity(let ensemble, let isNewcomer):
            node.disk.ensemble = ensemble
            node.disk.isNewcomer = isNewcomer
        case .distrust: node.disk.isDistrusted = true
        case .startAnew: node.startsAnew = true
        }
    }

    private func snapshot(_ request: SnapshotRequest, _ position: Int) {
        guard let node = nodes[position] else { return }
        switch request {
        case .begin(let mark)
        where fullDisks.contains(position) || noRoomForSnapshots.contains(position):
            failedBegins += 1
            step(position, .snapshotNotSaved(mark.index, lacksRoom: true))
        case .begin(let mark):
            // A whole one comes to be, whatever follows it.
            let held = heldFinish.filter { $0.node == position }
            heldFinish.removeAll { $0.node == position }
            for (_, index) in held { finish(index, node, position) }
            node.writing = mark
            node.written = []
        case .append(let bytes):
            node.written += bytes
            guard let mark = node.writing else { return }
            if slowDisks.contains(position) {
                heldAppended.append((position, mark.index))
            } else {
                step(position, .snapshotAppended(mark.index))
            }
        case .finish(let index):
            guard node.writing?.index == index else { return }
            if slowFinish.contains(position) { return heldFinish.append((position, index)) }
            finish(index, node, position)
        case .abandon(let index): if node.writing?.index == index { node.writing = nil }
        case .keep(let index):
            node.keeps = index
            if node.disk.keptSnapshot?.index != index { node.disk.keptSnapshot = nil }
        case .read(let index, let offset, let count):
            let kept = node.disk.keptSnapshot.flatMap { $0.index == index ? $0.body : nil }
            let newest = node.disk.snapshot?.index == index ? node.disk.snapshotBody : nil
            guard let body = kept ?? newest, !unreadable.contains(index) else {
                failedReads += 1
                return step(position, .snapshotNotRead(index))
            }
            let end = min(Int(offset) + count, body.count)
            step(
                position,
                .snapshotRead(
                    SnapshotPiece(
                        index: index, offset: offset,
                        bytes: Array(body[Int(offset)..<end]), last: end == body.count)))
        }
    }

    private func finish(_ index: LogIndex, _ node: Node, _ position: Int) {
        guard let mark = node.writing, mark.index == index else { return }
        if let old = node.disk.snapshot, old.index == node.keeps, old.index != mark.index {
            node.disk.keptSnapshot = (old.index, node.disk.snapshotBody)
        }
        node.disk.snapshot = mark
        node.disk.snapshotBody = node.written
        node.writing = nil
        step(position, .snapshotSaved(index))
    }

    func makeRoom(_ position: Int) {
        fullDisks.remove(position)
        for case .append(let token, _, let entries) in waiting.removeValue(forKey: position) ?? [] {
            nodes[position]?.disk.append(nil, entries)
            step(position, .stored(token))
        }
        step(position, .diskFull(false))
    }

    func finishHeld() {
        let held = heldFinish
        heldFinish = []
        for (position, index) in held {
            if let node = nodes[position] { finish(index, node, position) }
        }
    }

    /// They hear nothing of each other.
    func part(_ one: Int, _ other: Int) { cut.formUnion([[one, other], [other, one]]) }

    /// Delivers what is in flight, and what that makes, until nothing is, or `isEnough`.
    func deliver(until isEnough: () -> Bool = { false }) throws {
        while !inFlight.isEmpty, !isEnough() {
            let (from, to, bytes) = inFlight.removeFirst()
            guard !cut.contains([from, to]), nodes[to] != nil,
                !turnedAway.contains([from, to]), !turnedAway.contains([to, from])
            else { continue }
            let decoded = try #require(try PeerCodec.decode(bytes.span))
            guard case .message(let message) = decoded.frame else { continue }
            step(to, .received(message, from: members[from]))
        }
    }

    func tick(_ count: Int = 1) throws {
        for _ in 0..<count {
            tickAll()
            try deliver()
        }
    }

    /// Those that were turned away ask again, unless they were replaced by a start since.
    private func askAgain() {
        let asking = turnedAway
        turnedAway = []
        for pair in asking.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard !cut.contains(pair), nodes[pair[0]] != nil else {
                turnedAway.insert(pair)
                continue
            }
            greet(pair[1], pair[0])
            greet(pair[0], pair[1])
        }
    }

    /// Without a delivery.
    func tickAll() {
        nowMs += options.tickMs
        if asksAgainTicks > 0, nowMs / options.tickMs % asksAgainTicks == 0 { askAgain() }
        for position in nodes.indices {
            step(position, .tick(nowMs: nowMs, wallMs: 1_700_000_000_000 + Int64(nowMs)))
        }
    }

    /// Ticks until `condition` holds, at most `ticks` times.
    func run(
        _ ticks: Int = 500, sourceLocation: SourceLocation = #_sourceLocation,
        until condition: () -> Bool
    ) throws {
        for _ in 0..<ticks {
            if condition() { return }
            try tick()
        }
        try #require(condition(), "not within \(ticks) ticks", sourceLocation: sourceLocation)
    }

    var leader: Int? {
        nodes.indices.first { position in
            guard let status = nodes[position]?.replica.status() else { return false }
            return status.role == .leader && status.leaderConfirmedUntilMs > nowMs
        }
    }

    func awaitLeader() throws -> Int {
        try run { leader != nil && nodes.allSatisfy { $0?.replica.status().caughtUp ?? true } }
        return try #require(leader)
    }

    /// Hands a request in; its replies are under the number that is returned.
    func ask(_ position: Int, _ request: ClientRequest) -> UInt64 {
        nextRequest += 1
        step(position, .request(RequestID(rawValue: nextRequest), request))
        return nextRequest
    }

    /// Hands several in before one settling, as a shell does in a turn.
    func ask(_ position: Int, together requests: [ClientRequest]) -> [UInt64] {
        guard let node = nodes[position] else { return [] }
        node.effects.reset()
        let asked = requests.map { request in
            nextRequest += 1
            node.replica.take(
                .request(RequestID(rawValue: nextRequest), request), into: &node.effects)
            return nextRequest
        }
        node.replica.settle(into: &node.effects)
        carryOut(position)
        return asked
    }

    func reply(_ position: Int, _ request: UInt64) -> ClientReply? {
        nodes[position]?.replies[request]?.first
    }

    func put(
        _ position: Int, _ path: String, _ data: String = "", condition: Condition = .none
    ) -> UInt64 {
        ask(
            position,
            .write(
                .put(
                    path: ZnodePath(trusted: [UInt8](path.utf8)), data: [UInt8](data.utf8),
                    mode: .persistent, explicitMode: false, condition: condition,
                    makeParents: true)))
    }

    func applied(_ position: Int) -> Zxid { nodes[position]?.replica.applied ?? .zero }

    func data(_ position: Int, _ path: String) -> String? {
        guard let node = nodes[position] else { return nil }
        var reader = node.replica.publication.registerReader()
        reader.online()
        let found = reader.read { state -> [UInt8]? in
            guard let view = state.find(ZnodePath(trusted: [UInt8](path.utf8))) else { return nil }
            let data = view.data
            return data.indices.map { data[$0] }
        }
        reader.offline()
        return found?.result.map { String(decoding: $0, as: UTF8.self) }
    }
}

func path(_ text: String) -> ZnodePath { ZnodePath(trusted: [UInt8](text.utf8)) }

func isCreated(_ reply: ClientReply?) -> Bool {
    if case .decided(.created, _) = reply { return true }
    return false
}
