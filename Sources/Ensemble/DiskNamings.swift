// Which disk each member is known with as of the end of this member's log: what is applied, and on
// top of it the entries that are not applied yet. Like a configuration, a disk's name is in force
// from the moment that its entry is in the log, and no longer when that is truncated: so whose word
// counts as a member's is a matter of the log alone. See docs/decisions/0013.

import Raft

struct DiskNamings {
    /// In the log and not applied, oldest first.
    private var pending: [(index: LogIndex, body: Proposal.Body)] = []
    private(set) var inForce = IdentityTable()

    /// All that the log says of disks is applied.
    var areApplied: Bool { pending.isEmpty }

    /// Whether an entry on its way has `disk` take the place of the one that its member had.
    func exchange(to disk: MemberStorage) -> Bool {
        pending.contains { naming in
            if case .disk(let new, replaces: _) = naming.body { new == disk } else { false }
        }
    }

    /// Entries came into the log, in the place of all from the first one on. True: something changed.
    mutating func appended(_ entries: [Entry], to applied: IdentityTable) -> Bool {
        guard let first = entries.first else { return false }
        let before = pending.count
        pending.removeAll { $0.index >= first.index }
        var isChanged = pending.count != before
        for entry in entries where entry.kind == .command {
            guard Proposal.mayNameDisks(entry.payload),
                let proposal = try? Proposal(decoding: entry.payload)
            else { continue }
            pending.append((entry.index, proposal.body))
            isChanged = true
        }
        if isChanged { follow(applied) }
        return isChanged
    }

    /// `applied` is the table after the entries up to `index`; the log ends at `lastIndex`.
    mutating func applied(_ applied: IdentityTable, through index: LogIndex, lastIndex: LogIndex) {
        pending.removeAll { $0.index <= index || $0.index > lastIndex }
        follow(applied)
    }

    private mutating func follow(_ applied: IdentityTable) {
        inForce = applied
        for naming in pending { inForce.apply(naming.body) }
    }
}
