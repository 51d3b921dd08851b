// What carries out a replica's snapshot requests: the snapshot files. Owned by one thread. A snapshot
// that cannot be written is given up and said so: the log still has everything. It must never say
// that one is saved before it has been read again. In between it scrubs what lies at rest.

package import Journal
package import Raft

/// What the owner tells the replica, and logs.
package enum SnapshotOutcome: Sendable {
    case appended(LogIndex)
    /// Durable, and found intact.
    case saved(LogIndex)
    case notSaved(LogIndex, JournalError)
    case read(SnapshotPiece)
    case notRead(LogIndex, JournalError)
    /// Given up or kept no more as asked, but a file stays until the next start.
    case notRemoved(LogIndex, JournalError)
    /// The scrub found it, at rest.
    case damaged(ScrubDamage)

    /// nil: nothing that the replica waits for.
    package var input: Input? {
        switch self {
        case .appended(let index): .snapshotAppended(index)
        case .saved(let index): .snapshotSaved(index)
        case .notSaved(let index, let error): .snapshotNotSaved(index, lacksRoom: error.lacksRoom)
        case .notRead(let index, _): .snapshotNotRead(index)
        case .read(let piece): .snapshotRead(piece)
        case .notRemoved: nil
        case .damaged(.snapshot(let index, _)): .snapshotNotRead(index)
        case .damaged(.segment): .logDamaged
        }
    }
}

package struct ReplicaSnapshotFiles<Storage: JournalStorage & ~Copyable>: ~Copyable {
    private var store: SnapshotStore<Storage>
    /// The one being written; nil after it failed, so that the rest of it is skipped.
    package private(set) var underWay: LogIndex?
    /// Written, and being read again.
    private var verifying: LogIndex?
    private var scrub = Scrub()

    package init(_ store: consuming SnapshotStore<Storage>) { self.store = store }

    package var newest: SnapshotMark? { store.newest }
    package var newestName: String? { store.newestName }
    /// `verify` has work.
    package var isVerifying: Bool { verifying != nil }

    package mutating func carryOut(
        _ request: SnapshotRequest, into outcomes: inout [SnapshotOutcome]
    ) {
        switch request {
        case .begin(let mark):
            while isVerifying { verify(into: &outcomes) }
            underWay = mark.index
            writing(mark.index, into: &outcomes) { store throws(JournalError) in
                try store.begin(mark)
            }
        case .append(let bytes):
            guard let index = underWay else { return }
            writing(index, into: &outcomes) { store throws(JournalError) in
                try store.append(bytes)
            }
            if underWay != nil { outcomes.append(.appended(index)) }
        case .finish(let index):
            guard underWay == index else { return }
            scrub.forgetSnapshot()
            writing(index, into: &outcomes) { store throws(JournalError) in try store.finish() }
            verifying = underWay
            underWay = nil
        case .abandon(let index):
            guard underWay == index else { return }
            abandon(into: &outcomes)
        case .keep(let index):
            do throws(JournalError) {
                try store.keep(index)
            } catch {
                outcomes.append(.notRemoved(index ?? .zero, error))
            }
        case .read(let index, let offset, let count):
            read(index, offset, count, into: &outcomes)
        }
    }

    private mutating func writing(
        _ index: LogIndex, into outcomes: inout [SnapshotOutcome],
        _ body: (inout SnapshotStore<Storage>) throws(JournalError) -> Void
    ) {
        do throws(JournalError) {
            try body(&store)
        } catch {
            outcomes.append(.notSaved(index, error))
            underWay = nil
            // What is left of it is removed at the latest at the next start.
            try? store.abandon()
        }
    }

    private mutating func read(
        _ index: LogIndex, _ offset: UInt64, _ count: Int,
        into outcomes: inout [SnapshotOutcome]
    ) {
        var bytes: [UInt8] = []
        do throws(JournalError) {
            let last = try store.read(index: index, at: offset, count: count, into: &bytes)
            outcomes.append(
                .read(SnapshotPiece(index: index, offset: offset, bytes: bytes, last: last)))
        } catch {
            outcomes.append(.notRead(index, error))
        }
    }

    /// Reads some more of what was written last; for the time between requests.
    package mutating func verify(
        blocksMax: Int = 64, into outcomes: inout [SnapshotOutcome]
    ) {
        guard let index = verifying else { return }
        do throws(JournalError) {
            guard try store.verify(blocksMax: blocksMax) else { return }
            scrub.forgetDamagedSnapshot()
            outcomes.append(.saved(index))
        } catch {
            outcomes.append(.notSaved(index, error))
        }
        verifying = nil
    }

    /// Reads some more of the files at rest, those of the log included; for the time when nothing else
    /// is to be done.
    package mutating func scrub(
        bytesMax: Int = Scrub.stepBytes, into outcomes: inout [SnapshotOutcome]
    ) -> ScrubStep {
        let step = store.scrub(&scrub, bytesMax: bytesMax)
        if let damage = step.damage { outcomes.append(.damaged(damage)) }
        return step
    }

    /// Gives up the one being written.
    package mutating func abandon(into outcomes: inout [SnapshotOutcome]) {
        guard let index = underWay.take() else { return }
        do throws(JournalError) {
            try store.abandon()
        } catch {
            outcomes.append(.notRemoved(index, error))
        }
    }
}

extension JournalError {
    /// The disk was full, and nothing else has happened.
    package var lacksRoom: Bool {
        if case .storage(let error) = self { error.cause == .outOfSpace } else { false }
    }
}

extension ReplicaSnapshotFiles: Sendable where Storage: ~Copyable & Sendable {}
