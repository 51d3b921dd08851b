// `GET /metrics` in Prometheus' text format 0.0.4: one table of names with their help, in base
// units, counters ending in `_total`. Values are read when they are asked for; nothing is counted
// here.

import Ensemble
import HTTP
import Znodes

private enum Reading {
    case count(UInt64)
    case flag(Bool)
    /// Written as seconds; nil as without end.
    case milliseconds(UInt64?)
}

private struct Metric {
    var name: StaticString
    var help: StaticString
    var isCounter = false
    var reading: Reading

    init(_ name: StaticString, _ help: StaticString, _ reading: Reading) {
        self.name = name
        self.help = help
        self.reading = reading
    }

    init(counter name: StaticString, _ help: StaticString, _ reading: Reading) {
        self.init(name, help, reading)
        isCounter = true
    }

    func append(to out: inout ByteWriter) {
        out.append("# HELP ")
        out.append(name)
        out.append(" ")
        out.append(help)
        out.append("\n# TYPE ")
        out.append(name)
        out.append(isCounter ? " counter\n" : " gauge\n")
        out.append(name)
        out.append(" ")
        switch reading {
        case .count(let count): out.append(decimal: count)
        case .flag(let flag): out.append(flag ? "1" : "0")
        case .milliseconds(let milliseconds?):
            out.append(secondsOfNs: milliseconds * 1_000_000)
        case .milliseconds(nil): out.append("+Inf")
        }
        out.append("\n")
    }
}

extension ByteWriter {
    /// Seconds, with as many digits behind the point as there are.
    fileprivate mutating func append(secondsOfNs ns: UInt64) {
        append(decimal: ns / 1_000_000_000)
        var rest = ns % 1_000_000_000
        if rest == 0 { return }
        append(".")
        var digit: UInt64 = 100_000_000
        while rest > 0 {
            append(decimal: rest / digit)
            rest %= digit
            digit /= 10
        }
    }
}

enum Metrics {
    static func append(
        _ context: borrowing RequestContext, _ readings: ServerReadings, version: [UInt8],
        into out: inout ByteWriter
    ) {
        out.append("# HELP aviary_info What runs here.\n# TYPE aviary_info gauge\n")
        out.append("aviary_info{member=\"")
        out.append(decimal: context.status.number)
        out.append("\",version=\"")
        out.appendJSONEscaped(version.span)
        out.append("\"} 1\n")
        for metric in ensemble(context) { metric.append(to: &out) }
        for metric in tree(context.status) { metric.append(to: &out) }
        for metric in room(context.status, readings) { metric.append(to: &out) }
        for metric in storage(readings) { metric.append(to: &out) }
        appendSyncs(readings, into: &out)
        for metric in server(readings) { metric.append(to: &out) }
        for metric in process(readings) { metric.append(to: &out) }
    }

    private static func ensemble(_ context: borrowing RequestContext) -> [Metric] {
        let status = context.status
        let leads = status.isLeader && context.nowMs < status.leaderConfirmedUntilMs
        return [
            Metric("aviary_is_leader", "A quorum confirms that this member leads.", .flag(leads)),
            Metric(
                "aviary_has_leader", "A leader with a quorum is known here.",
                .flag(status.leaderlessSinceMs == nil)),
            Metric("aviary_term", "The term of the consensus.", .count(status.termNumber)),
            Metric(
                "aviary_failure_tolerance", "Voters that may fail before the quorum is lost.",
                .count(UInt64(max(0, status.failureTolerance)))),
            Metric(
                "aviary_caught_up", "What was committed is applied here.",
                .flag(status.caughtUp)),
            Metric(
                "aviary_leader_contact_age_seconds", "Time since the leader was last heard.",
                .milliseconds(context.leaderSilentMs)),
            Metric(
                "aviary_staleness_seconds",
                "Time since all that was committed was last proven to be here.",
                .milliseconds(context.stalenessMs)),
            Metric(
                "aviary_commit_zxid", "The newest zxid known as committed.",
                .count(status.commit.rawValue)),
            Metric(
                "aviary_log_first_index", "The first entry in the log.",
                .count(status.logFirstNumber)),
            Metric(
                "aviary_log_last_index", "The last entry in the log.",
                .count(status.logLastNumber)),
            Metric(
                "aviary_snapshot_index", "The last entry in the newest durable snapshot.",
                .count(status.snapshotNumber)),
            Metric(
                "aviary_is_admitted", "This member's disk is the one that counts.",
                .flag(status.admission == nil && status.refusedBy == nil)),
            Metric(
                counter: "aviary_disks_admitted_total",
                "Exchanged disks that this member, as leader, gave their members' votes back to.",
                .count(status.disksAdmitted)),
            Metric(
                "aviary_storage_repairing", "Damage was found, and what it took is not all back.",
                .flag(status.repairingThroughNumber != nil)),
            Metric(
                counter: "aviary_storage_repairs_total",
                "Damaged storage made whole by the others.",
                .count(status.repairs)),
            Metric(
                "aviary_state_differs", "Another member holds another state, or a majority does.",
                .flag(status.differsAtNumber != nil)),
            Metric(
                counter: "aviary_state_comparisons_total",
                "Digests of other members compared with this member's own.",
                .count(status.stateComparisons)),
            Metric(
                counter: "aviary_state_differences_total",
                "Times that this member's state was found to differ.",
                .count(status.stateDifferences)),
            Metric(
                counter: "aviary_elections_total", "Elections that this member began.",
                .count(status.elections)),
            Metric(
                counter: "aviary_leader_changes_total", "Leaders that this member came to follow.",
                .count(status.leaderChanges)),
            Metric(
                counter: "aviary_proposals_total", "Writes that clients of this member asked for.",
                .count(status.proposals)),
        ]
    }

    private static func tree(_ status: ReplicaStatus) -> [Metric] {
        [
            Metric(
                "aviary_applied_zxid", "The newest zxid applied to the tree.",
                .count(status.applied.rawValue)),
            Metric("aviary_znodes", "Znodes in the tree.", .count(UInt64(status.znodes))),
            Metric(
                "aviary_store_bytes", "Paths and data of all znodes.",
                .count(UInt64(status.storeBytes))),
            // 53 bits are what a sample holds without rounding.
            Metric(
                "aviary_tree_digest", "Digest of the tree, equal on members at the same zxid.",
                .count(status.digest & (1 << 53 - 1))),
            Metric("aviary_waits", "Open waits and feeds.", .count(UInt64(status.waits))),
            Metric(
                "aviary_pending_writes", "Writes of clients that are not decided yet.",
                .count(UInt64(status.pendingWrites))),
        ]
    }

    private static func room(
        _ status: borrowing ReplicaStatus, _ readings: ServerReadings
    ) -> [Metric] {
        let isFull = Metric(
            "aviary_disk_full", "The disk is full: this member takes no changes.",
            .flag(status.diskIsFull))
        guard let free = readings.dataBytesFree else { return [isFull] }
        return [
            isFull,
            Metric(
                "aviary_data_free_bytes", "Free space of the data directory's file system.",
                .count(free)),
        ]
    }

    private static func storage(_ readings: ServerReadings) -> [Metric] {
        [
            Metric(
                counter: "aviary_journal_entries_total", "Entries written to the log.",
                .count(readings.entriesAppended)),
            Metric(
                counter: "aviary_snapshots_saved_total", "Snapshots made durable.",
                .count(readings.snapshotsSaved)),
            Metric(
                counter: "aviary_snapshots_failed_total", "Snapshots given up.",
                .count(readings.snapshotsFailed)),
            Metric(
                counter: "aviary_scrub_bytes_total", "Bytes of files at rest read again.",
                .count(readings.scrubBytes)),
            Metric(
                counter: "aviary_scrub_passes_total", "Times that all of them were read.",
                .count(readings.scrubPasses)),
            Metric(
                counter: "aviary_scrub_damage_total", "Damage found so, and healed since or soon.",
                .count(readings.scrubDamage)),
            Metric(
                counter: "aviary_peer_sent_bytes_total", "Bytes sent to other members.",
                .count(readings.peerBytesSent)),
            Metric(
                counter: "aviary_peer_received_bytes_total", "Bytes received from other members.",
                .count(readings.peerBytesReceived)),
            Metric(
                counter: "aviary_peer_frames_dropped_total",
                "Messages for which no link to the member was open.",
                .count(readings.peerFramesDropped)),
            Metric(
                "aviary_peer_links", "Open links to other members.",
                .count(readings.peerLinksOpen)),
            Metric(
                counter: "aviary_log_lines_dropped_total", "Log lines that had no room.",
                .count(readings.logLinesDropped)),
        ]
    }

    /// A histogram: each bucket counts all that were no longer than its bound.
    private static func appendSyncs(_ readings: ServerReadings, into out: inout ByteWriter) {
        out.append("# HELP aviary_journal_sync_seconds Time of an fdatasync of the log.\n")
        out.append("# TYPE aviary_journal_sync_seconds histogram\n")
        let buckets = readings.journalSyncBuckets
        var count: UInt64 = 0
        for (index, boundUs) in ServerReadings.journalSyncBoundsUs.enumerated() {
            if index < buckets.count { count += buckets[index] }
            out.append("aviary_journal_sync_seconds_bucket{le=\"")
            out.append(secondsOfNs: boundUs * 1_000)
            out.append("\"} ")
            out.append(decimal: count)
            out.append("\n")
        }
        count = buckets.reduce(0, +)
        out.append("aviary_journal_sync_seconds_bucket{le=\"+Inf\"} ")
        out.append(decimal: count)
        out.append("\naviary_journal_sync_seconds_sum ")
        out.append(secondsOfNs: readings.journalSyncNsSum)
        out.append("\naviary_journal_sync_seconds_count ")
        out.append(decimal: count)
        out.append("\n")
    }

    private static func server(_ readings: ServerReadings) -> [Metric] {
        [
            Metric("aviary_event_loops", "Event loops.", .count(readings.loops)),
            Metric(
                "aviary_stalest_turn_age_seconds", "Time since the least lively thread turned.",
                .milliseconds(readings.stalestTurnAgeMs)),
            Metric(
                "aviary_http_connections", "Open HTTP connections.",
                .count(readings.connectionsOpen)),
            Metric(
                counter: "aviary_http_connections_accepted_total", "HTTP connections accepted.",
                .count(readings.connectionsAccepted)),
            Metric(
                counter: "aviary_http_connections_refused_total",
                "HTTP connections turned away at a limit.",
                .count(readings.connectionsRefused)),
            Metric(
                counter: "aviary_http_requests_total", "HTTP requests taken.",
                .count(readings.requests)),
            Metric(
                "aviary_http_requests_in_flight", "HTTP requests that wait for the replica.",
                .count(readings.requestsInFlight)),
            Metric(
                counter: "aviary_http_received_bytes_total", "Bytes received over HTTP.",
                .count(readings.bytesReceived)),
            Metric(
                counter: "aviary_http_sent_bytes_total", "Bytes sent over HTTP.",
                .count(readings.bytesSent)),
            Metric(
                counter: "aviary_http_timeouts_total", "HTTP connections that were too slow.",
                .count(readings.timeouts)),
            Metric(
                counter: "aviary_http_malformed_requests_total", "HTTP requests refused unread.",
                .count(readings.violations)),
        ]
    }

    /// Names as the client libraries of Prometheus give them.
    private static func process(_ readings: ServerReadings) -> [Metric] {
        [
            Metric(
                "process_resident_memory_bytes", "Resident memory.",
                .count(readings.residentBytes)),
            Metric(
                counter: "process_cpu_seconds_total", "User and system time used.",
                .milliseconds(readings.cpuUserMs + readings.cpuSystemMs)),
            Metric("process_threads", "Threads.", .count(readings.threads)),
            Metric("process_open_fds", "Open descriptors.", .count(readings.descriptorsOpen)),
            Metric("process_max_fds", "Descriptors allowed.", .count(readings.descriptorsMax)),
            Metric(
                "process_start_time_seconds", "Start of the process since 1970.",
                .milliseconds(UInt64(max(0, readings.startWallMs)))),
        ]
    }
}
