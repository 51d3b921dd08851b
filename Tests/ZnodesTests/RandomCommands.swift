// Random commands on few names, so that they meet: a seed gives one sequence.

import Znodes

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

struct RandomCommands {
    var random: SeededGenerator
    var zxid: UInt64 = 0

    static let names = [
        "a", "b", "a!", "a.b", "ab", "caf\u{E9}", "cafe\u{301}", "zookeeper", "lock-", "\u{D7FF}",
    ]

    init(seed: UInt64) { random = SeededGenerator(seed) }

    mutating func path() -> ZnodePath {
        var path = ZnodePath.root
        let depth = [0, 1, 1, 2, 2, 2, 3, 3, 4].randomElement(using: &random) ?? 1
        for _ in 0..<depth {
            let limit = Int.random(in: 1...Self.names.count, using: &random)
            path = path.appending(bytes(Self.names[Int.random(in: 0..<limit, using: &random)]))
        }
        return path
    }

    mutating func data() -> [UInt8] {
        let count = Int.random(in: 0...30, using: &random)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    mutating func condition() -> Condition {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: .absent
        case 1: .exists
        case 2: .mzxidAny((0..<3).map { _ in Zxid(UInt64.random(in: 0...zxid, using: &random)) })
        case 3: .version(Int32.random(in: -1...3, using: &random))
        default: .none
        }
    }

    mutating func next() -> (command: Command, zxid: UInt64, timeMs: Int64) {
        zxid += Int.random(in: 0..<4, using: &random) == 0 ? 3 : 1
        let timeMs = Int64(zxid) * 10 + Int64.random(in: -30...30, using: &random)
        let command: Command =
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<12:
                .put(
                    path: path(), data: data(), mode: .persistent,
                    explicitMode: Bool.random(using: &random), condition: condition(),
                    makeParents: Int.random(in: 0..<3, using: &random) == 0)
            case 12..<15:
                .createSequential(
                    parent: path(),
                    prefix: bytes(["", "lock-", "a/b"].randomElement(using: &random) ?? ""),
                    data: data(), mode: .persistentSequential)
            case 15:
                .put(
                    path: path(), data: data(), mode: .ephemeral, explicitMode: true,
                    condition: .none, makeParents: false)
            default:
                .delete(
                    path: path(), condition: condition(),
                    recursive: Int.random(in: 0..<3, using: &random) == 0)
            }
        return (command, zxid, timeMs)
    }
}

/// What a test wants to know of a znode.
struct SeenZnode: Equatable {
    var stat: Stat
    var data: [UInt8]
    var children: [[UInt8]]
}

extension ZnodeView {
    func seen(pageOf limit: Int = 1_000) -> SeenZnode {
        var names: [[UInt8]] = []
        var more = true
        while more {
            let last = names.last
            if let last {
                more = children(after: last.span, limit: limit) { names.append($0.array) }
            } else {
                more = children(after: nil, limit: limit) { names.append($0.array) }
            }
        }
        let data = data
        return SeenZnode(stat: stat, data: data.array, children: names)
    }
}

extension Span<UInt8> {
    var array: [UInt8] { indices.map { self[$0] } }
}

extension StateMachine {
    borrowing func seen(_ path: [UInt8], pageOf limit: Int = 1_000) -> SeenZnode? {
        withState { $0.find(path.span)?.seen(pageOf: limit) }
    }

    /// A whole snapshot of the state now.
    mutating func wholeSnapshot(bytesTarget: Int = 1 << 16) -> [UInt8] {
        beginSnapshot()
        var out: [UInt8] = []
        while nextSnapshotBytes(into: &out, bytesTarget: bytesTarget) == .more {}
        return out
    }
}

func restore(_ snapshot: [UInt8], limits: ZnodeLimits = ZnodeLimits(), pieces: [Int]? = nil)
    throws(SnapshotError) -> RestoredState
{
    var restorer = StateRestorer(limits: limits, hashSeed: 77)
    var at = 0
    var turn = 0
    while at < snapshot.count {
        let size = pieces.map { max(1, $0[turn % $0.count]) } ?? snapshot.count
        let end = min(at + size, snapshot.count)
        let piece = Array(snapshot[at..<end])
        try restorer.consume(piece.span)
        at = end
        turn += 1
    }
    return try restorer.finish()
}
