// What a run gives back.

package struct WorkDone: Sendable {
    package var acknowledgedWrites = 0
    package var reads = 0
    package var localReads = 0
    /// Operations that the search for linearizations has put in order.
    package var ordered = 0
    package var changes = 0
    package var quietWaits = 0
    package var pages = 0
    package var refusals = 0
    package var unknownWrites = 0
    package var committed = 0
    package var leaders = 0
    package var starts = 0
    package var pauses = 0
    package var partitions = 0
    package var snapshotsSaved = 0
    package var snapshotsInstalled = 0
    /// Damage done to disks, and members that were whole again after it.
    package var damages = 0
    package var repairs = 0

    package init() {}
}

package struct Report: Sendable {
    package let seed: UInt64
    /// Inputs handed to replicas.
    package let events: Int
    package let virtualNs: UInt64
    /// Over all that happened, in order: equal runs have equal hashes.
    package let traceHash: UInt64
    package let work: WorkDone
    package let marks: Marks
    package let violation: Violation?
    /// The last events before the end, oldest first; only after a violation.
    package let lastEvents: [String]
    package let replay: String

    package var text: String {
        guard let violation else { return "seed \(seed): ok" }
        var lines = [
            "seed \(seed): VIOLATION of \(violation)",
            "  after \(events) events, at \(virtualNs / 1_000) us; the last events:",
        ]
        lines += lastEvents.map { "    \($0)" }
        lines.append("  replay: \(replay)")
        return lines.joined(separator: "\n")
    }
}

extension WorkDone {
    package mutating func add(_ other: WorkDone) {
        acknowledgedWrites += other.acknowledgedWrites
        reads += other.reads
        localReads += other.localReads
        ordered += other.ordered
        changes += other.changes
        quietWaits += other.quietWaits
        pages += other.pages
        refusals += other.refusals
        unknownWrites += other.unknownWrites
        committed += other.committed
        leaders += other.leaders
        starts += other.starts
        pauses += other.pauses
        partitions += other.partitions
        snapshotsSaved += other.snapshotsSaved
        snapshotsInstalled += other.snapshotsInstalled
        damages += other.damages
        repairs += other.repairs
    }

    package var text: String {
        "\(acknowledgedWrites) writes acknowledged, \(unknownWrites) unknown, "
            + "\(refusals) refusals, \(reads) reads, \(localReads) local reads, "
            + "\(ordered) operations put in order, "
            + "\(changes) changes, \(quietWaits) quiet waits, \(pages) pages; \(committed) entries committed, "
            + "\(leaders) leaders, \(starts) starts, \(pauses) pauses, \(partitions) partitions, "
            + "\(snapshotsSaved) snapshots saved, \(snapshotsInstalled) installed, "
            + "\(damages) disks damaged, \(repairs) repaired"
    }
}
