// What the replica's, the journal's and the snapshot thread count and sample, where any thread can
// read it. Relaxed: each number is right by itself, and none is decided by.

package import Gateway
internal import Journal
internal import Synchronization

package final class MemberCounters: Sendable {
    private let syncNsSum = Atomic<UInt64>(0)
    private let syncBuckets: [Bucket]
    private let entries = Atomic<UInt64>(0)
    private let snapshotsSaved = Atomic<UInt64>(0)
    private let snapshotsFailed = Atomic<UInt64>(0)
    private let scrubBytes = Atomic<UInt64>(0)
    private let scrubPasses = Atomic<UInt64>(0)
    private let scrubDamage = Atomic<UInt64>(0)
    /// `.max`: unknown.
    private let dataBytesFree = Atomic<UInt64>(.max)
    private let peerBytesSent = Atomic<UInt64>(0)
    private let peerBytesReceived = Atomic<UInt64>(0)
    private let peerFramesDropped = Atomic<UInt64>(0)
    private let peerLinksOpen = Atomic<UInt64>(0)

    private final class Bucket: Sendable {
        let count = Atomic<UInt64>(0)
    }

    package init() {
        syncBuckets = (0...ServerReadings.journalSyncBoundsUs.count).map { _ in Bucket() }
    }

    func synced(tookNs: UInt64) {
        syncNsSum.wrappingAdd(tookNs, ordering: .relaxed)
        let bounds = ServerReadings.journalSyncBoundsUs
        let position = bounds.firstIndex { tookNs <= $0 * 1_000 } ?? bounds.count
        syncBuckets[position].count.wrappingAdd(1, ordering: .relaxed)
    }

    func appended(_ count: Int) { entries.wrappingAdd(UInt64(count), ordering: .relaxed) }
    func savedSnapshot() { snapshotsSaved.wrappingAdd(1, ordering: .relaxed) }
    func failedSnapshot() { snapshotsFailed.wrappingAdd(1, ordering: .relaxed) }
    func scrubbed(_ step: ScrubStep) {
        scrubBytes.wrappingAdd(UInt64(step.bytes), ordering: .relaxed)
        if step.endsPass { scrubPasses.wrappingAdd(1, ordering: .relaxed) }
        if step.damage != nil { scrubDamage.wrappingAdd(1, ordering: .relaxed) }
    }
    func sampled(dataBytesFree: UInt64?) {
        self.dataBytesFree.store(dataBytesFree ?? .max, ordering: .relaxed)
    }
    func sentToPeers(_ bytes: Int) { peerBytesSent.wrappingAdd(UInt64(bytes), ordering: .relaxed) }
    func receivedFromPeers(_ bytes: Int) {
        peerBytesReceived.wrappingAdd(UInt64(bytes), ordering: .relaxed)
    }
    func droppedFrame() { peerFramesDropped.wrappingAdd(1, ordering: .relaxed) }
    func linksOpen(_ count: Int) { peerLinksOpen.store(UInt64(count), ordering: .relaxed) }

    package func add(to readings: inout ServerReadings) {
        readings.journalSyncNsSum = syncNsSum.load(ordering: .relaxed)
        readings.journalSyncBuckets = syncBuckets.map { $0.count.load(ordering: .relaxed) }
        readings.entriesAppended = entries.load(ordering: .relaxed)
        readings.snapshotsSaved = snapshotsSaved.load(ordering: .relaxed)
        readings.snapshotsFailed = snapshotsFailed.load(ordering: .relaxed)
        readings.scrubBytes = scrubBytes.load(ordering: .relaxed)
        readings.scrubPasses = scrubPasses.load(ordering: .relaxed)
        readings.scrubDamage = scrubDamage.load(ordering: .relaxed)
        let free = dataBytesFree.load(ordering: .relaxed)
        readings.dataBytesFree = free == .max ? nil : free
        readings.peerBytesSent = peerBytesSent.load(ordering: .relaxed)
        readings.peerBytesReceived = peerBytesReceived.load(ordering: .relaxed)
        readings.peerFramesDropped = peerFramesDropped.load(ordering: .relaxed)
        readings.peerLinksOpen = peerLinksOpen.load(ordering: .relaxed)
    }
}
