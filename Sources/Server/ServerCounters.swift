// What event loops count, where other threads can read it. A loop counts in plain numbers of its
// own and publishes them once a turn.

package import Gateway
internal import Synchronization
internal import System

struct LoopCounts {
    var accepted = 0
    var refused = 0
    var requests = 0
    var inFlight = 0
    var bytesReceived = 0
    var bytesSent = 0
    var timeouts = 0
    var violations = 0
}

final class LoopCounters: Sendable {
    let accepted = Atomic<Int>(0)
    let refused = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let inFlight = Atomic<Int>(0)
    let bytesReceived = Atomic<Int>(0)
    let bytesSent = Atomic<Int>(0)
    let timeouts = Atomic<Int>(0)
    let violations = Atomic<Int>(0)
    let turnedMs = Atomic<UInt64>(0)

    func publish(_ counts: LoopCounts, nowMs: UInt64) {
        accepted.store(counts.accepted, ordering: .relaxed)
        refused.store(counts.refused, ordering: .relaxed)
        requests.store(counts.requests, ordering: .relaxed)
        inFlight.store(counts.inFlight, ordering: .relaxed)
        bytesReceived.store(counts.bytesReceived, ordering: .relaxed)
        bytesSent.store(counts.bytesSent, ordering: .relaxed)
        timeouts.store(counts.timeouts, ordering: .relaxed)
        violations.store(counts.violations, ordering: .relaxed)
        turnedMs.store(nowMs, ordering: .relaxed)
    }
}

package final class ServerCounters: Sendable {
    /// Connections of all loops, those that are being refused included.
    private let open = Atomic<Int>(0)
    /// Bytes of bodies that are not whole yet, of all loops.
    private let unfinishedBodyBytes = Atomic<Int>(0)
    private let unsentBytes = Atomic<Int>(0)
    let loops: [LoopCounters]
    /// When the replica's thread last turned; 0: it does not count.
    private let replicaTurnedMs = Atomic<UInt64>(0)
    private let startWallMs = Clock.wallMs()
    private let descriptorsMax: UInt64

    package init(loops: Int, descriptorsMax: UInt64) {
        self.loops = (0..<loops).map { _ in LoopCounters() }
        self.descriptorsMax = descriptorsMax
    }

    /// One connection more; gives how many there are now.
    func opened() -> Int { open.wrappingAdd(1, ordering: .relaxed).newValue }
    func closed() { open.wrappingSubtract(1, ordering: .relaxed) }

    /// A body grew by so many bytes; gives what all of them hold now.
    func bodyGrew(by bytes: Int) -> Int {
        unfinishedBodyBytes.wrappingAdd(bytes, ordering: .relaxed).newValue
    }
    func bodyEnded(bytes: Int) { unfinishedBodyBytes.wrappingSubtract(bytes, ordering: .relaxed) }

    /// What is kept of answers for slow readers grew by so many bytes, or shrank; gives all of it.
    package func unsentGrew(by bytes: Int) -> Int {
        unsentBytes.wrappingAdd(bytes, ordering: .relaxed).newValue
    }

    package var unsent: Int { unsentBytes.load(ordering: .relaxed) }

    /// By the replica's thread, once a tick.
    package func replicaTurned(atMs nowMs: UInt64) {
        replicaTurnedMs.store(nowMs, ordering: .relaxed)
    }

    /// Reads /proc: for `/metrics` and probes of liveness, not for every request.
    package func readings() -> ServerReadings {
        var sum = ServerReadings()
        if let process = try? ProcessReadings.take() {
            sum.residentBytes = process.residentBytes
            sum.cpuUserMs = process.cpuUserMs
            sum.cpuSystemMs = process.cpuSystemMs
            sum.threads = process.threads
            sum.descriptorsOpen = process.descriptorsOpen
        }
        sum.descriptorsMax = descriptorsMax
        sum.startWallMs = startWallMs
        sum.loops = UInt64(loops.count)
        sum.connectionsOpen = UInt64(max(open.load(ordering: .relaxed), 0))
        let nowMs = Clock.bootMs()
        for loop in loops {
            sum.connectionsAccepted += UInt64(loop.accepted.load(ordering: .relaxed))
            sum.connectionsRefused += UInt64(loop.refused.load(ordering: .relaxed))
            sum.requests += UInt64(loop.requests.load(ordering: .relaxed))
            sum.requestsInFlight += UInt64(max(loop.inFlight.load(ordering: .relaxed), 0))
            sum.bytesReceived += UInt64(loop.bytesReceived.load(ordering: .relaxed))
            sum.bytesSent += UInt64(loop.bytesSent.load(ordering: .relaxed))
            sum.timeouts += UInt64(loop.timeouts.load(ordering: .relaxed))
            sum.violations += UInt64(loop.violations.load(ordering: .relaxed))
            sum.noteTurn(atMs: loop.turnedMs.load(ordering: .relaxed), nowMs: nowMs)
        }
        sum.noteTurn(atMs: replicaTurnedMs.load(ordering: .relaxed), nowMs: nowMs)
        return sum
    }
}

extension ServerReadings {
    fileprivate mutating func noteTurn(atMs turnedMs: UInt64, nowMs: UInt64) {
        if turnedMs == 0 || nowMs < turnedMs { return }
        stalestTurnAgeMs = max(stalestTurnAgeMs, nowMs - turnedMs)
    }
}
