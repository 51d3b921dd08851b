// The slow reader of what lies at rest: the durable snapshot and the segments of the log that are not
// written any more. It says what to read next, a bounded stretch a step, and what a finding means; when
// a step is due its owner knows. It must never write, touch what is being written, or call damaged
// what is only gone: files are pruned and replaced while it reads.

package import Raft

/// What was found in a file that the member still counts on.
package enum ScrubDamage: Sendable, Equatable {
    /// Of the durable snapshot at that index.
    case snapshot(LogIndex, JournalError)
    /// Of a segment of the log.
    case segment(JournalError)

    package var finding: String {
        switch self {
        case .snapshot(_, let error), .segment(let error): error.finding
        }
    }
}

package struct ScrubStep: Sendable, Equatable {
    /// That were read.
    package var bytes = 0
    package var damage: ScrubDamage?
    /// All of it has been read once; the next step begins anew.
    package var endsPass = false
}

/// One pass after the other over the files of one data directory.
package struct Scrub: Sendable {
    /// At most so many are read in a step, but for the block of a snapshot.
    package static let stepBytes = 256 << 10

    private var isUnderWay = false
    private var snapshot: SnapshotVerification?
    private var segment: SegmentCheck?
    /// To be looked at in this pass, oldest first.
    private var waiting: [UInt64] = []
    private var before: SegmentCheck.End?
    /// Found damaged, and not gone yet: each is said once.
    private var damaged: [UInt64] = []
    private var damagedSnapshot: String?

    package init() {}

    /// Another file may bear the name of the snapshot that is being read.
    package mutating func forgetSnapshot() { snapshot = nil }

    /// A snapshot was found intact since, maybe of the same name as a damaged one.
    package mutating func forgetDamagedSnapshot() { damagedSnapshot = nil }

    /// `newest`: the name of the durable snapshot. The snapshot comes first: when damage to the log is
    /// found, it is known whether it stands in for it.
    mutating func step<Storage: JournalStorage & ~Copyable>(
        newest: String?, bytesMax: Int, storage: inout Storage
    ) -> ScrubStep {
        var step = ScrubStep()
        if !isUnderWay {
            begin(newest, &step, &storage)
        } else if let verification = snapshot, verification.name == newest {
            verify(verification, bytesMax: bytesMax, &step, &storage)
        } else {
            snapshot = nil
            readSegment(bytesMax: bytesMax, &step, &storage)
        }
        return step
    }

    // MARK: the pass

    private mutating func begin<Storage: JournalStorage & ~Copyable>(
        _ newest: String?, _ step: inout ScrubStep, _ storage: inout Storage
    ) {
        isUnderWay = true
        segment = nil
        before = nil
        let there = numbers(&storage) ?? []
        damaged.removeAll { !there.contains($0) }
        // The last one may be prepared and unused, then the one before it takes the appends.
        waiting = there.dropLast(2).filter { !damaged.contains($0) }
        guard let newest, newest != damagedSnapshot else { return }
        storage.letGo(newest)
        do throws(JournalError) {
            let reader = try SnapshotReader(newest, storage: &storage)
            step.bytes = reader.frameBytes
            snapshot = SnapshotVerification(reader)
        } catch {
            note(error, ofSnapshot: newest, &step)
        }
    }

    private mutating func verify<Storage: JournalStorage & ~Copyable>(
        _ verification: SnapshotVerification, bytesMax: Int, _ step: inout ScrubStep,
        _ storage: inout Storage
    ) {
        var verification = verification
        snapshot = nil
        let blocks = max(1, bytesMax / verification.blockBytes)
        step.bytes = min(blocks * verification.blockBytes, verification.bytesLeft)
        do throws(JournalError) {
            if try !verification.step(blocksMax: blocks, storage: &storage) {
                snapshot = verification
            } else {
                storage.letGo(verification.name)
            }
        } catch {
            note(error, ofSnapshot: verification.name, &step)
        }
    }

    private mutating func readSegment<Storage: JournalStorage & ~Copyable>(
        bytesMax: Int, _ step: inout ScrubStep, _ storage: inout Storage
    ) {
        guard let number = segment?.number ?? waiting.first else {
            isUnderWay = false
            step.endsPass = true
            return
        }
        let opened = segment.take()
        if opened == nil { waiting.removeFirst() }
        do throws(JournalError) {
            var check: SegmentCheck
            if let opened {
                check = opened
            } else {
                check = try SegmentCheck(number, after: before, storage: &storage)
            }
            let start = check.offset
            let isWhole = try check.step(bytesMax: bytesMax, storage: &storage)
            step.bytes = check.offset - start
            if isWhole { before = check.end } else { segment = check }
        } catch {
            storage.letGo(SegmentName.name(number))
            // Pruned ones are gone, and nobody needs them.
            guard error.isDamage, numbers(&storage)?.contains(number) == true else { return }
            damaged.append(number)
            step.damage = .segment(error)
        }
    }

    /// Ascending; nil when the directory cannot be read.
    private func numbers<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage
    ) -> [UInt64]? {
        try? storage.list().compactMap(SegmentName.number).sorted()
    }

    /// The durable snapshot is there until another one takes its place, so a missing one is damage.
    private mutating func note(
        _ error: JournalError, ofSnapshot name: String, _ step: inout ScrubStep
    ) {
        guard error.isDamage || error.isAbsence, let place = SnapshotName.position(name) else {
            return
        }
        damagedSnapshot = name
        step.damage = .snapshot(place.index, error)
    }
}

extension JournalError {
    /// Of a file that can be opened. An error that is not the disk's says nothing of it.
    fileprivate var isDamage: Bool {
        if case .storage(let error) = self { error.cause == .inputOutput } else { true }
    }

    fileprivate var isAbsence: Bool {
        if case .storage(let error) = self { error.cause == .notFound } else { false }
    }
}
