// A snapshot by force: something of the log must leave the disk, and goes with all before it as soon as
// a snapshot stands for it, whatever was to be kept for members that are behind. Damage forces one, and
// a disk without room. It must never let the log go before such a snapshot is durable, and the snapshot
// never stands for what is not committed.

import Raft
import Znodes

/// What must leave the disk.
struct LogClearing {
    /// Up to here at most; nil: nothing must.
    var through: LogIndex?
    /// Damage is among it. It has lost nothing: what the files said is in memory.
    var heals = false
}

extension Replica {
    /// A segment that is not written any more is damaged. What it holds of the log that counts does not
    /// go beyond the log's present end.
    mutating func logDamaged() { clear(through: raft.lastIndex, heals: true) }

    /// There is no room: of what a snapshot stands for nothing is kept, from now on; and another one is
    /// due for the rest, if it takes less than it lets go.
    mutating func clearForRoom(into effects: inout Effects) {
        if let mark = ownSnapshot.durable, !ownSnapshot.isUnreadable {
            dropLog(through: mark.index, into: &effects)
        }
        tickRoomClearing()
    }

    /// While the disk is full.
    mutating func tickRoomClearing() {
        guard clearing.through == nil, isSnapshotWorthwhile else { return }
        clear(through: LogIndex(applied.rawValue), heals: false)
    }

    private mutating func clear(through index: LogIndex, heals: Bool) {
        clearing.through = max(index, clearing.through ?? .zero)
        if heals { clearing.heals = true }
    }

    /// It would let go as much of the log as it takes, or is due in any case.
    var isSnapshotWorthwhile: Bool {
        isSnapshotDueBySize()
            || (applied.rawValue > (ownSnapshot.durable?.index.rawValue ?? 0)
                && bytesSinceSnapshot >= tree.storeBytes)
    }

    /// All that must go is applied, so that a snapshot can take its place.
    var isSnapshotForced: Bool {
        ownSnapshot.isUnreadable
            || raft.owesNewerSnapshot
            || (clearing.through.map { $0.rawValue <= applied.rawValue } ?? false)
    }

    /// Nothing of the log is kept for others behind the snapshot that comes next.
    var keepsNoLog: Bool { journalIsFull || (clearing.through != nil && !clearing.heals) }

    /// Once a snapshot stands for what must go.
    mutating func tickClearing(into effects: inout Effects) {
        guard let wanted = clearing.through else { return }
        // A leader may have replaced the end of it: by entries in later segments.
        let through = min(wanted, raft.lastIndex)
        clearing.through = through
        guard let mark = ownSnapshot.durable, mark.index >= through, !ownSnapshot.isUnreadable
        else { return }
        if clearing.heals { effects.events.append(.healed(through)) }
        dropLog(through: through, into: &effects)
        clearing = LogClearing()
    }

    /// On the disk there may be more of it than in memory: what a start read past.
    mutating func dropLog(through index: LogIndex, into effects: inout Effects) {
        raft.compact(through: index)
        effects.storage.append(.prune(through: index))
    }
}
