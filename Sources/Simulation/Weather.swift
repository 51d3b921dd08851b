// Which faults a run has, and how often. Drawn once per seed: first a coin for each kind, then its
// rate (swarm testing: runs that lack some faults reach states that a mixture of all never does).

import Raft

/// How bad the world is.
package enum Profile: String, Sendable, CaseIterable {
    /// Delays only.
    case calm
    /// Loss, duplicates, reordering, partitions, broken connections.
    case network
    /// That, and crashes, power cuts, pauses, skewed and jumping clocks, slow disks, a wiped disk.
    case everything
}

/// Rates are per mille: of messages, or of the fault events that come every `faultGapMs`.
struct Weather {
    var delayNs: ClosedRange<UInt64> = 50_000...500_000
    /// False: connections as TCP has them, in order, with an unknown suffix lost when they break.
    var isDatagram = false
    var lossPerMille = 0
    var duplicatePerMille = 0
    var faultGapMs: ClosedRange<UInt64> = 20...200
    var partition = 0
    var oneWayPartition = 0
    var linkReset = 0
    var clog = 0
    var crash = 0
    var powerCut = 0
    var pause = 0
    var wallJump = 0
    var wipe = 0
    var driftPpmMax = 0
    var tickJitterNs: UInt64 = 0
    var journalDelayNs: ClosedRange<UInt64> = 50_000...400_000
    /// Of journal batches: the disk hangs for up to a second.
    var hang = 0

    init() {}

    init(_ profile: Profile, members: Int, _ random: inout RandomGenerator) {
        delayNs = random.pick([20_000...100_000, 50_000...500_000, 200_000...5_000_000])
        journalDelayNs = random.pick([20_000...100_000, 50_000...400_000, 1_000_000...10_000_000])
        if profile == .calm { return }
        func rate(_ range: ClosedRange<UInt64>) -> Int {
            let isOn = random.coin()
            let value = Int(random.draw(range))
            return isOn ? value : 0
        }
        isDatagram = random.coin()
        lossPerMille = rate(1...200)
        duplicatePerMille = rate(1...300)
        if random.chance(perMille: 250) { delayNs = 1_000_000...30_000_000 }
        partition = rate(30...300)
        oneWayPartition = rate(30...250)
        linkReset = rate(20...300)
        clog = rate(10...200)
        if profile == .network { return }
        crash = rate(10...150)
        powerCut = rate(10...100)
        pause = rate(10...100)
        wallJump = rate(10...100)
        wipe = members >= 3 ? rate(1...10) : 0
        driftPpmMax = random.pick([0, 200, 10_000, 50_000])
        tickJitterNs = random.pick([0, 500_000, 5_000_000])
        hang = rate(1...20)
    }
}
