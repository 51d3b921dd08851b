// The seam below the journal: a flat directory of files with short names. Real disks and simulated
// ones stand behind the same protocol. It must never promise more than a disk keeps: a write is
// durable only after `sync`, a name only after `syncDirectory`.

/// One data directory. A handle belongs to one thread; threads use separate handles.
package protocol JournalStorage: ~Copyable {
    /// The names in the directory, in any order.
    mutating func list() throws(StorageError) -> [String]
    /// Makes an empty file, or empties the one there, and writes zeros up to `zeroFilledTo`.
    mutating func create(_ name: String, zeroFilledTo bytes: Int) throws(StorageError)
    mutating func size(_ name: String) throws(StorageError) -> Int
    /// Appends to `buffer` at most `count` bytes from `offset` on; fewer only at the file's end.
    mutating func read(
        _ name: String, at offset: Int, count: Int, into buffer: inout [UInt8]
    ) throws(StorageError)
    /// All of `bytes`, in one call if the disk takes it; extends the file where needed.
    mutating func write(
        _ name: String, at offset: Int, _ bytes: Span<UInt8>
    ) throws(StorageError)
    /// Contents and size are durable when it returns (fdatasync). An error must never be retried:
    /// the page cache may lie after it.
    mutating func sync(_ name: String) throws(StorageError)
    /// Replaces `to` in one step; durable after `syncDirectory`.
    mutating func rename(_ from: String, to: String) throws(StorageError)
    mutating func remove(_ name: String) throws(StorageError)
    /// Names made, renamed and removed so far are durable when it returns.
    mutating func syncDirectory() throws(StorageError)
    /// What of this file is cached may go, so that what is read next comes from the disk itself.
    mutating func letGo(_ name: String)
}

extension JournalStorage where Self: ~Copyable {
    package mutating func letGo(_ name: String) {}
}

/// An operation on a data directory that failed, with the system's reason.
package struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Operation: String, Sendable {
        case open, lock, list, create, size, read, write, sync, rename, remove, syncDirectory
    }

    /// The reasons that callers tell apart; numbers as in Linux's errno.
    package enum Cause: Equatable, Sendable {
        case notFound
        case inputOutput
        /// No block or no quota left.
        case outOfSpace
        /// Another process holds the data directory.
        case inUse
        /// With the system's words: this floor has no system to ask.
        case other(Int32, String)
    }

    package let operation: Operation
    package let name: String
    package let cause: Cause

    package init(_ operation: Operation, _ name: String, _ cause: Cause) {
        self.operation = operation
        self.name = name
        self.cause = cause
    }

    package var description: String {
        let reason =
            switch cause {
            case .notFound: "no such file (ENOENT)"
            case .inputOutput: "input/output error (EIO)"
            case .outOfSpace: "no space left on the device (ENOSPC, EDQUOT)"
            case .inUse: "another process uses this data directory"
            case .other(_, let words): words
            }
        return "\(operation.rawValue) \(name): \(reason)"
    }
}
