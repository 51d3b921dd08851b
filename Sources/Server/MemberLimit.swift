// The one table of limits that a member can be started with: `--limit NAME=VALUE`. Names say their
// unit last; defaults stand where each limit is used. docs/operations.md shows the same table, and
// a test holds the two together.

internal import Ensemble
internal import Gateway
internal import HTTP
internal import Journal
internal import Raft
internal import System
internal import Znodes

/// One limit: its name, where its value is kept, what it may be, and what happens beyond it.
package struct MemberLimit: Sendable {
    package let name: String
    package let range: ClosedRange<UInt64>
    /// What is limited, and what a client is told beyond it.
    package let help: String
    private let value: @Sendable (MemberConfiguration) -> UInt64
    private let assign: @Sendable (UInt64, inout MemberConfiguration) -> Void

    init<Value: FixedWidthInteger & SendableMetatype>(
        _ name: String, _ path: any WritableKeyPath<MemberConfiguration, Value> & Sendable,
        _ range: ClosedRange<UInt64>, _ help: String
    ) {
        self.name = name
        self.range = range
        self.help = help
        value = { UInt64($0[keyPath: path]) }
        assign = { value, configuration in configuration[keyPath: path] = Value(value) }
    }

    package func value(in configuration: MemberConfiguration) -> UInt64 { value(configuration) }

    package var defaultValue: UInt64 {
        value(MemberConfiguration(id: MemberID(1), dataDirectory: "", http: .nowhere, ensemble: []))
    }

    /// `value` is in `range`.
    package func set(_ value: UInt64, in configuration: inout MemberConfiguration) {
        assign(value, &configuration)
    }

    package static func named(_ name: some StringProtocol) -> MemberLimit? {
        all.first { $0.name == name }
    }

    package static let all = replicated + requests + connections + queues + files + pages + peers

    private static let msMost: UInt64 = 3_600_000
    private static let countMost: UInt64 = 10_000_000
    private static let bytesMost: UInt64 = 1 << 40
    private static let headBytesMost = UInt64(HTTPLimits.headBytesMost)
    private static let frameBytesMost = UInt64(PeerCodec.frameBytesMax)

    /// Outcomes depend on these: the leader's values hold for all members, as entries of the log.
    private static let replicated = [
        // Most: a write and its head must fit a frame between members.
        MemberLimit(
            "data-bytes", \.replica.znodes.dataBytesMax, 1...(frameBytesMost / 2),
            "Data of one znode; more is 413."),
        MemberLimit(
            "store-bytes", \.replica.znodes.storeBytesMax, 1...bytesMost,
            "Paths and data of all znodes; a write that needs more is 507 store_full."),
        MemberLimit(
            "deleted-znodes", \.replica.znodes.deletedZnodesMax, 1...100_000,
            "Znodes of one recursive delete; more is 413."),
        MemberLimit(
            "deleted-bytes", \.replica.znodes.deletedBytesMax, 4_096...(64 << 20),
            "Paths of one recursive delete; more is 413."),
        MemberLimit(
            "history-bytes", \.replica.znodes.historyBytesMax, 1_024...bytesMost,
            "Events that are remembered; a feed from before them is 410 history_compacted."),
    ]

    // Least: what the probes of curl, HAProxy, Kubernetes and Prometheus need.
    private static let requests = [
        MemberLimit(
            "request-line-bytes", \.server.http.requestLineBytesMax, 256...headBytesMost,
            "The request line; a longer one is 414."),
        MemberLimit(
            "field-line-bytes", \.server.http.fieldLineBytesMax, 512...headBytesMost,
            "One field line of a head; a longer one is 431."),
        MemberLimit(
            "fields", \.server.http.fieldsMax, 16...1_000,
            "Field lines of a head; more are 431, in trailers 400."),
        MemberLimit(
            "head-bytes", \.server.http.headBytesMax, 1_024...headBytesMost,
            "The whole head; a longer one is 431, with trailers 400."),
        MemberLimit(
            "chunk-extension-bytes", \.server.http.chunkExtensionBytesMax, 0...headBytesMost,
            "Extensions of one chunk; more are 400."),
        MemberLimit(
            "body-extension-bytes", \.server.http.bodyExtensionBytesMax, 0...headBytesMost,
            "Extensions of all chunks of a body; more are 400."),
        MemberLimit(
            "unwanted-body-bytes", \.gateway.droppedBodyBytesMax, 0...(frameBytesMost / 2),
            "A body that the request has no use for; more is 413."),
        MemberLimit(
            "head-ms", \.server.headMs, 100...msMost,
            "From a head's first byte to its end; slower is 408."),
        MemberLimit(
            "body-ms", \.server.bodyMs, 1...msMost,
            "A body that brings nothing, or is behind body-bytes-per-second; longer is 408."),
        MemberLimit(
            "body-bytes-per-second", \.server.bodyBytesPerSecondMin, 1...(1 << 30),
            "The least pace of a body; see body-ms."),
        MemberLimit(
            "write-ms", \.replica.writeTimeoutMs, 10...msMost,
            "Until a write is decided; longer is 504 outcome_unknown."),
        MemberLimit(
            "leaderless-request-ms", \.replica.leaderlessRequestMs, 10...msMost,
            "A write or read that finds no leader; longer is 503 no_quorum."),
        MemberLimit(
            "leaderless-wait-ms", \.replica.leaderlessWaitMs, 10...msMost,
            "An open wait that has lost its leader; longer is 503 no_quorum."),
    ]

    private static let connections = [
        MemberLimit(
            "connections", \.server.connectionsMax, 1...1_000_000,
            "Connections at once; one more is 503 overloaded."),
        MemberLimit(
            "connection-refusals", \.server.refusalsMax, 0...10_000,
            "Connections above the limit that are told so at once; more are closed."),
        MemberLimit(
            "requests-per-connection", \.server.requestsPerConnectionMax, 1...(1 << 40),
            "Requests of one connection; the last answer says Connection: close."),
        MemberLimit(
            "idle-ms", \.server.idleMs, 100...msMost,
            "A connection between requests; then it is closed."),
        MemberLimit(
            "write-stall-ms", \.server.writeStallMs, 1...msMost,
            "Answers of which the client takes nothing; then it is reset."),
        MemberLimit(
            "unacknowledged-ms", \.server.unacknowledgedMs, 1...msMost,
            "Sent bytes that the client's host does not acknowledge; then it is reset."),
        MemberLimit(
            "linger-ms", \.server.lingerMs, 1...msMost,
            "From the last answer until the client closes; then it is reset."),
        MemberLimit(
            "linger-bytes", \.server.lingerBytesMax, 0...bytesMost,
            "What a client still sends after the last answer; then it is reset."),
        MemberLimit(
            "pipeline-bytes", \.server.gatheredBytesMax, 1...(1 << 30),
            "Answers of a pipeline before they are sent; its rest waits."),
    ]

    private static let queues = [
        MemberLimit(
            "waits", \.replica.waitsMax, 0...countMost,
            "Long polls at once, one a connection; one more is 503 overloaded."),
        MemberLimit(
            "pending-writes", \.replica.pendingWritesMax, 1...countMost,
            "Writes taken and not decided; one more is 503 overloaded."),
        MemberLimit(
            "pending-write-bytes", \.replica.pendingWriteBytesMax, 1...bytesMost,
            "Their bytes; once reached, the next write is 503 overloaded."),
        // One is the member's own, by which it proves that it is caught up.
        MemberLimit(
            "pending-reads", \.replica.pendingReadsMax, 2...countMost,
            "Linearizable reads under way; one more is 503 overloaded."),
        MemberLimit(
            "queued-requests", \.queuedRequestsMax, 1...countMost,
            "Requests not yet taken by the replica; one more is 503 overloaded."),
        MemberLimit(
            "uncommitted-bytes", \.replica.raft.limits.uncommittedBytesMax, 1...bytesMost,
            "A leader's entries not committed or not on its disk; more is 503 overloaded."),
        MemberLimit(
            "log-kept-bytes", \.replica.retention.bytes, 0...bytesMost,
            "The log behind a snapshot, kept for members that are away."),
        MemberLimit(
            "log-catch-up-bytes", \.replica.retention.catchUpBytes, 0...bytesMost,
            "The same for members that are being brought along; one behind it takes a snapshot."),
        MemberLimit(
            "unfinished-body-bytes", \.server.unfinishedBodyBytesMax, 1...bytesMost,
            "Bodies that are not whole yet; one above is 503 overloaded."),
        MemberLimit(
            "unsent-bytes", \.server.unsentBytesMax, 1...bytesMost,
            "Answers that clients have not taken; above, a feed is 503 and a connection reset."),
    ]

    private static let files = [
        MemberLimit(
            "log-segment-bytes", \.journal.segmentBytes, 65_536...(1 << 30),
            "A new file of the log."),
        MemberLimit(
            "scrub-bytes-per-second", \.scrub.bytesPerSecondMax, 0...(1 << 30),
            "Files at rest are read again, to find damage, no faster than this; 0: never."),
        MemberLimit(
            "scrub-pause-ms", \.scrub.pauseMs, 1...(168 * msMost),
            "From the start, and from one reading of all of them to the next."),
    ]

    private static let pages = [
        MemberLimit(
            "page-names", \.gateway.pageNamesMax, 1...100_000,
            "Names in a page of children; a greater limit= is 400."),
        MemberLimit(
            "feed-events", \.gateway.feedEventsMax, 1...100_000,
            "Events in a page of a feed, but for those of one zxid."),
        MemberLimit(
            "feed-scanned-events", \.replica.eventsScannedMax, 1...countMost,
            "Events that a feed looks at for a page; then it ends as far as it came."),
        MemberLimit(
            "wait-ms", \.gateway.waitMsMax, 0...(24 * msMost),
            "A wait; a longer one is cut to it."),
    ]

    private static let peers = [
        MemberLimit(
            "peer-output-bytes", \.peers.outputBytesMax, (2 * frameBytesMost)...bytesMost,
            "Waiting to be sent to a member; above, its link starts anew."),
        MemberLimit(
            "peer-dial-output-bytes", \.peers.dialOutputBytesMax, 0...bytesMost,
            "The same while the link is being opened; more is dropped."),
        // Most: the descriptors that are kept free of HTTP connections.
        MemberLimit(
            "peer-ungreeted", \.peers.ungreetedMax, 1...64,
            "Connections that have not said which member they are; then the oldest goes."),
        MemberLimit(
            "peer-greeting-ms", \.peers.greetingMs, 10...msMost,
            "Until a member has said who it is; then the link is closed."),
        MemberLimit(
            "peer-silence-ms", \.peers.silenceMs, 1_000...msMost,
            "Without a word of a member; then the link is closed."),
        MemberLimit(
            "peer-connect-ms", \.peers.connectMs, 1...msMost,
            "An attempt to connect to a member."),
        MemberLimit(
            "peer-unacknowledged-ms", \.peers.unacknowledgedMs, 1...msMost,
            "Sent bytes that a member's host does not acknowledge; then the link is closed."),
    ]
}
