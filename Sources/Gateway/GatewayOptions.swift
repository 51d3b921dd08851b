// What a gateway is told once, at its making: limits by name, and who may ask. The defaults are the
// contract of the interface. It must not hold anything that changes while requests are served.

package struct GatewayLimits: Sendable, Equatable {
    /// A body that no route wants is read and dropped up to here.
    package var droppedBodyBytesMax = 64 << 10
    /// Names in one page of children.
    package var pageNamesMax = 1_000
    /// Events in one page of a feed, but for those of one zxid, which are never split.
    package var feedEventsMax = 1_000
    /// Longer waits are cut to this.
    package var waitMsMax: UInt64 = 300_000
    /// Taken off the end of a wait at random, in thousandths, so that waits do not end together.
    package var waitJitterThousandthsMax: UInt64 = 50
    /// `/health/ready` stays 200 through an election shorter than this.
    package var leaderlessReadyMsMax: UInt64 = 1_000
    /// `/health/live` fails when a thread has not turned for so long.
    package var turnAgeMsMax: UInt64 = 5_000
    /// Of what a client sent, in `detail`.
    package var echoBytesMax = 64
    package var retryAfterSeconds: UInt64 = 1

    package init() {}
}

package struct GatewayOptions: Sendable {
    package var limits = GatewayLimits()
    /// A znode's data; more is 413 here, before the tree is asked. The member's own
    /// `ZnodeLimits.dataBytesMax`, where that of the leader decides (docs/decisions/0002).
    package var dataBytesMax: Int
    /// The program's version, such as `0.1.0`.
    package var version: [UInt8]
    /// Origins whose pages may change the tree, such as `https://ops.example.com`.
    package var allowedOrigins: [[UInt8]] = []
    /// Names of this server besides loopback names and addresses, without port.
    package var hostNames: [[UInt8]] = []
    /// Another one for each event loop.
    package var jitterSeed: UInt64

    package init(version: [UInt8], jitterSeed: UInt64, dataBytesMax: Int) {
        self.version = version
        self.dataBytesMax = dataBytesMax
        self.jitterSeed = jitterSeed
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): spreads the ends of waits; nothing secret hangs on it.
struct JitterGenerator: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// At most `limit`, which is below `UInt64.max`.
    mutating func next(through limit: UInt64) -> UInt64 {
        next() % (limit + 1)
    }
}
