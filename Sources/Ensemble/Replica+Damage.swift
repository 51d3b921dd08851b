// Damage that is found on the disk while this member runs. It has lost nothing: what the files said is
// in memory. So a snapshot of it takes their place, and they go. It must never let the log go before
// such a snapshot is durable, and the snapshot never stands for what is not committed.

import Raft
import Znodes

extension Replica {
    /// A segment that is not written any more is damaged. What it holds of the log that counts does not
    /// go beyond the log's present end.
    mutating func logDamaged() { ownSnapshot.logDamagedThrough = raft.lastIndex }

    /// All that the damaged files hold is applied, so that a snapshot can take their place.
    var isSnapshotDueForDamage: Bool {
        ownSnapshot.isUnreadable
            || (ownSnapshot.logDamagedThrough.map { $0.rawValue <= applied.rawValue } ?? false)
    }

    /// Once a snapshot stands for it, the log through the damage goes, whatever is to be kept.
    mutating func tickDamage(into effects: inout Effects) {
        guard let damaged = ownSnapshot.logDamagedThrough else { return }
        // A leader may have replaced the end of it: by entries in later segments.
        let through = min(damaged, raft.lastIndex)
        ownSnapshot.logDamagedThrough = through
        guard let mark = ownSnapshot.durable, mark.index >= through, !ownSnapshot.isUnreadable
        else { return }
        ownSnapshot.logDamagedThrough = nil
        raft.compact(through: through)
        effects.storage.append(.prune(through: through))
        effects.events.append(.healed(through))
    }
}
