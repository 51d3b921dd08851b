// Why a data directory is refused. Each message says which file, what was found there and what to
// do; none of them is ever answered by trying the same again.

package enum JournalError: Error, Equatable, Sendable {
    case storage(StorageError)
    /// Bytes that were durable have changed or vanished; a crash does not do that.
    case rot(file: String, offset: Int, found: String)
    /// Intact bytes that this version cannot have written.
    case malformed(file: String, offset: Int, found: String)
    case unsupportedVersion(file: String, version: UInt32)
    /// An intact file that belongs to another log or was renamed.
    case foreign(file: String, found: String)
    /// A segment between others, or the whole log, is not there.
    case missing(file: String)
    /// The log starts after `logBase`, and no intact snapshot reaches that far.
    case gap(snapshot: UInt64, logBase: UInt64, damagedSnapshots: [String])
    /// Log and snapshot name different terms for a place that both call decided.
    case contradiction(index: UInt64, logTerm: UInt64, snapshotTerm: UInt64)
    case identityMismatch(found: UInt64, expected: UInt64)
    /// The directory was made for another set of members.
    case ensembleMismatch(found: [UInt64], expected: [UInt64])
    /// There is a log, but nothing that says whose.
    case identityMissing(file: String)
    /// No snapshot is there at the index asked for (a newer one replaced it).
    case snapshotAbsent(index: UInt64)
    /// `DistrustMark` is there.
    case distrusted
}

extension JournalError: CustomStringConvertible {
    private static let replace =
        "Do not start this member on this directory: move it away and keep it. If there are other "
        + "members, they go on while a majority of them is there, and admit this one with an empty "
        + "directory; see docs/operations.md, damaged disk."

    /// What was found, without what to do about it.
    package var finding: String {
        switch self {
        case .rot(let file, let offset, let found):
            return "\(file) is damaged at offset \(offset): \(found)"
        case .missing(let file):
            return "\(file) is missing"
        case .gap(let snapshot, let logBase, let damaged):
            let why =
                damaged.isEmpty
                ? "the snapshot that it follows is missing"
                : "the snapshot that it follows is damaged (\(damaged.joined(separator: ", ")))"
            return "the log starts after index \(logBase), but the newest intact snapshot ends at "
                + "\(snapshot): \(why)"
        case .distrusted:
            return
                "\(DistrustMark.name) is there: this member's state was found to differ from that "
                + "of the other members"
        case .storage, .malformed, .unsupportedVersion, .foreign, .contradiction,
            .identityMismatch, .ensembleMismatch, .identityMissing, .snapshotAbsent:
            return description
        }
    }

    package var description: String {
        switch self {
        case .storage(let error):
            return error.description
        case .rot:
            return "\(finding). These bytes were durable before, so it is no trace of a crash. "
                + Self.replace
        case .malformed(let file, let offset, let found):
            return "\(file) makes no sense at offset \(offset): \(found), though its checksum is "
                + "right. It was written by a faulty or newer program. \(Self.replace)"
        case .unsupportedVersion(let file, let version):
            return "\(file) has format version \(version), which this program does not know. "
                + "Start the program that wrote it, or a newer one."
        case .foreign(let file, let found):
            return "\(file) does not belong here: \(found). Put back the files that belong to "
                + "this data directory, or move the directory away. \(Self.replace)"
        case .missing:
            return "\(finding). Put it back. If it is lost: \(Self.replace)"
        case .gap:
            return "\(finding). \(Self.replace)"
        case .contradiction(let index, let logTerm, let snapshotTerm):
            return "log and snapshot differ about the decided entry \(index): term \(logTerm) and "
                + "term \(snapshotTerm). \(Self.replace)"
        case .identityMismatch(let found, let expected):
            return "this data directory belongs to member \(found), not to member \(expected). "
                + "Start it with --id \(found), or name another directory."
        case .ensembleMismatch(let found, let expected):
            func list(_ members: [UInt64]) -> String {
                members.map(String.init).joined(separator: ", ")
            }
            return "this data directory belongs to an ensemble of the members \(list(found)), and "
                + "was started for \(list(expected)). Name the same members, or another directory."
        case .identityMissing(let file):
            return "this data directory holds \(file) but no identity file. Put the identity file "
                + "back. If it is lost: \(Self.replace)"
        case .distrusted:
            return "\(finding). There are no others to fetch it from: if nobody but you made that "
                + "file, remove it."
        case .snapshotAbsent(let index):
            return "there is no snapshot at index \(index)"
        }
    }
}

/// Runs an operation on the storage and gives its error a place among the journal's.
func storing<Value: ~Copyable>(
    _ body: () throws(StorageError) -> Value
) throws(JournalError) -> Value {
    do { return try body() } catch { throw .storage(error) }
}
