// The network: one connection for each pair of members, which can break, and each direction of it
// with its own blocks, delays and losses. It decides what becomes of bytes, never what they mean.

import Raft

struct Links {
    enum Fate {
        case lost
        /// The connection is broken by it, and one of the two will notice then.
        case lostForGood(noticedAtNs: UInt64)
        case delivered(atNs: [UInt64])
    }

    private struct Direction {
        var isBlocked = false
        /// In order only: something was lost, so nothing more may come through.
        var isBroken = false
        var clogUntilNs: UInt64 = 0
        var lastDeliveryNs: UInt64 = 0
    }

    let count: Int
    let weather: Weather
    private var isCalm = false
    private let lossPerMille: Int
    private let duplicatesPerMille: Int
    private let isDatagram: Bool
    private var random: RandomGenerator
    private var directions: [Direction]
    private var isUp: [Bool]
    private var epochs: [Int]

    init(count: Int, weather: Weather, random: RandomGenerator) {
        self.count = count
        self.weather = weather
        lossPerMille = weather[.loss]
        duplicatesPerMille = weather[.duplicates]
        isDatagram = weather.isDatagram
        self.random = random
        directions = Array(repeating: Direction(), count: count * count)
        isUp = Array(repeating: false, count: count * count)
        epochs = Array(repeating: 0, count: count * count)
    }

    private func pair(_ a: Int, _ b: Int) -> Int { min(a, b) * count + max(a, b) }

    func isUp(_ a: Int, _ b: Int) -> Bool { isUp[pair(a, b)] }
    func epoch(_ a: Int, _ b: Int) -> Int { epochs[pair(a, b)] }
    func isBlocked(from a: Int, to b: Int) -> Bool { directions[a * count + b].isBlocked }

    func canConnect(_ a: Int, _ b: Int) -> Bool {
        !isUp(a, b) && !isBlocked(from: a, to: b) && !isBlocked(from: b, to: a)
    }

    mutating func connect(_ a: Int, _ b: Int, nowNs: UInt64) {
        isUp[pair(a, b)] = true
        epochs[pair(a, b)] += 1
        for (from, to) in [(a, b), (b, a)] {
            directions[from * count + to].isBroken = false
            directions[from * count + to].lastDeliveryNs = nowNs
        }
    }

    /// False: it was down already.
    mutating func disconnect(_ a: Int, _ b: Int) -> Bool {
        let was = isUp[pair(a, b)]
        isUp[pair(a, b)] = false
        epochs[pair(a, b)] += 1
        return was
    }

    mutating func block(from a: Int, to b: Int, _ isBlocked: Bool) {
        directions[a * count + b].isBlocked = isBlocked
    }

    mutating func clog(from a: Int, to b: Int, untilNs: UInt64) {
        directions[a * count + b].clogUntilNs = untilNs
    }

    /// All faults end.
    mutating func calm() {
        isCalm = true
        for position in directions.indices {
            directions[position].isBlocked = false
            directions[position].clogUntilNs = 0
        }
    }

    mutating func send(from a: Int, to b: Int, nowNs: UInt64) -> Fate {
        guard isUp(a, b) else { return .lost }
        let direction = directions[a * count + b]
        if direction.isBroken { return .lost }
        if isDatagram {
            if direction.isBlocked || (!isCalm && random.chance(perMille: lossPerMille)) {
                return .lost
            }
            var times = [arrival(direction, nowNs)]
            if !isCalm, random.chance(perMille: duplicatesPerMille) {
                times.append(arrival(direction, nowNs) + random.draw(0...50_000_000))
            }
            return .delivered(atNs: times)
        }
        if direction.isBlocked {
            directions[a * count + b].isBroken = true
            return .lostForGood(noticedAtNs: nowNs + random.draw(200_000_000...2_000_000_000))
        }
        let at = max(arrival(direction, nowNs), direction.lastDeliveryNs + 1)
        directions[a * count + b].lastDeliveryNs = at
        return .delivered(atNs: [at])
    }

    private mutating func arrival(_ direction: Direction, _ nowNs: UInt64) -> UInt64 {
        max(nowNs, direction.clogUntilNs) + random.delayNs(weather.delayNs)
    }
}
