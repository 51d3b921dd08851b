// Which faults a run has, and how often. Drawn once per seed. In a swarm first a coin for each kind,
// then its rate: runs that lack some faults reach states that a mixture of all never does.

import Raft

/// How bad the world is.
package enum Profile: String, Sendable, CaseIterable {
    /// Delays only.
    case calm
    /// All that a network does.
    case network
    /// All that a disk does, and what it takes to see it: crashes.
    case disk
    /// Every kind of fault at once, some as rare as can be.
    case everything
    /// A coin for each kind of fault.
    case swarm
}

struct Weather {
    var delayNs: ClosedRange<UInt64>
    /// Of the time between two fault events.
    let faultGapMs: ClosedRange<UInt64> = 20...200
    var journalDelayNs: ClosedRange<UInt64>
    /// By the order of `FaultKind.allCases`.
    private var rates: [Int]

    /// Connections as TCP has them, in order, with an unknown suffix lost when they break; or not.
    var isDatagram: Bool { self[.datagrams] > 0 }

    subscript(kind: FaultKind) -> Int { rates[kind.rawValue] }

    /// Without faults.
    init() {
        delayNs = 50_000...500_000
        journalDelayNs = 50_000...400_000
        rates = Array(repeating: 0, count: FaultKind.allCases.count)
    }

    init(
        _ profile: Profile, members: Int, without: [FaultKind] = [],
        _ random: inout RandomGenerator
    ) {
        self.init()
        delayNs = random.pick([20_000...100_000, 50_000...500_000, 200_000...5_000_000])
        journalDelayNs = random.pick([20_000...100_000, 50_000...400_000, 1_000_000...10_000_000])
        let isSlow = random.chance(perMille: 250)
        if isSlow, profile != .calm { delayNs = 1_000_000...30_000_000 }
        // Each kind draws the same whatever becomes of the others.
        for kind in FaultKind.allCases {
            let isOn = random.coin()
            let rate = Int(random.draw(kind.rates))
            switch profile {
            case .calm: break
            case .network where kind.group == .network: rates[kind.rawValue] = isOn ? rate : 0
            case .disk where kind.group == .disk || kind == .crash:
                rates[kind.rawValue] = isOn || kind == .crash ? rate : 0
            case .network, .disk: break
            case .everything: rates[kind.rawValue] = isOn ? rate : Int(kind.rates.lowerBound)
            case .swarm: rates[kind.rawValue] = isOn ? rate : 0
            }
        }
        if members < 3 {
            rates[FaultKind.wipe.rawValue] = 0
            rates[FaultKind.rot.rawValue] = 0
            rates[FaultKind.misdirectedWrite.rawValue] = 0
            rates[FaultKind.diskBack.rawValue] = 0
            rates[FaultKind.flip.rawValue] = 0
            rates[FaultKind.rotInUse.rawValue] = 0
            rates[FaultKind.minorityLost.rawValue] = 0
            rates[FaultKind.olderRead.rawValue] = 0
        }
        for kind in without { rates[kind.rawValue] = 0 }
    }
}
