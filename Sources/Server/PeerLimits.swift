// Every limit of the links between members, by name, units last.

package struct PeerLimits: Sendable, Equatable {
    /// Between two dials to a member, doubled from the least to the most, with jitter.
    package var dialPauseMsMin: UInt64 = 50
    package var dialPauseMsMax: UInt64 = 1_000
    /// A connection attempt to one address.
    package var connectMs: UInt64 = 1_000
    /// From connected to greeted, either way.
    package var greetingMs: UInt64 = 5_000
    /// A greeted member reports every `ReplicaOptions.reportMs`; one that says nothing for so
    /// long is gone.
    package var silenceMs: UInt64 = 10_000
    /// TCP_USER_TIMEOUT: sent and not acknowledged for so long ends a link.
    package var unacknowledgedMs: UInt32 = 5_000

    /// Waiting to be sent on one open link; beyond it the link is dropped.
    package var outputBytesMax = 64 << 20
    /// Waiting while a link to a member that is heard is being opened.
    package var dialOutputBytesMax = 1 << 20
    /// Connections that have not said who they are.
    package var ungreetedMax = 64
    /// What such a one may send.
    package var greetingBytesMax = 4_096
    /// One receive.
    package var receiveBytes = 256 << 10
    package var eventsPerTurnMax = 256
    package var acceptsPerTurnMax = 16
    /// After the system ran out of descriptors or memory.
    package var acceptPauseMs: UInt64 = 100
    package var listenBacklog = 128

    package init() {}
}
