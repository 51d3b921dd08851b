// What a run draws for the HTTP doors of its members, and for the clients that come through them.

import Raft

struct DoorTuning {
    /// Per mille of the clients that come through them; the others ask the replica themselves.
    var clients = 0
    var feedEventsMax = 1_000
    var dataBytesMax = 1 << 20
    var eventsPerTurnMax = 16_384
    /// Per mille of the requests.
    var broken = 0
    var turnedAway = 0
    var before = 0
    /// For so long a reply of the replica may lie before its loop takes it.
    var replyDelayNs: ClosedRange<UInt64> = 1_000...100_000
    /// Bytes arrive in so many pieces, at most.
    var piecesMax: UInt64 = 1

    init(_ random: inout RandomGenerator) {
        clients = random.pick([0, 300, 700, 1_000])
        feedEventsMax = random.pick([1, 7, 1_000])
        dataBytesMax = random.pick([1_000, 1 << 20, 1 << 20])
        broken = random.pick([0, 10])
        turnedAway = random.pick([0, 10])
        before = random.pick([0, 50])
        replyDelayNs = random.pick([
            1_000...100_000, 1_000...100_000, 10_000...5_000_000,
        ])
        piecesMax = random.pick([1, 2, 6])
        eventsPerTurnMax = random.pick([1, 200, 16_384, 16_384])
    }
}
