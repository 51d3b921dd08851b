// A file without content: log and snapshots of this directory are not to be believed, only what they
// say of this member's promises. Set by a member that found its state to differ from that of a
// majority, or by a person who knows it; the next start gives both up and removes it.

package enum DistrustMark {
    package static let name = "distrusted"

    /// Durable when it returns.
    package static func set<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage
    ) throws(StorageError) {
        try storage.create(name, zeroFilledTo: 0)
        try storage.sync(name)
        try storage.syncDirectory()
    }

    package static func isSet<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage
    ) throws(JournalError) -> Bool {
        try storing { () throws(StorageError) in try storage.list().contains(name) }
    }

    /// Durable when it returns.
    package static func clear<Storage: JournalStorage & ~Copyable>(
        _ storage: inout Storage
    ) throws(JournalError) {
        try storing { () throws(StorageError) in
            try storage.remove(name)
            try storage.syncDirectory()
        }
    }
}
