// A data directory in memory that keeps what it is told and loses nothing. It counts operations, so
// that recovery without an end is found, and refuses to read more than any file holds, so that a
// length out of the bytes is never believed.

import Journal

final class MemoryStorage: JournalStorage {
    private(set) var files: [String: [UInt8]]
    /// Far more than any input takes.
    private var operationsLeft = 20_000
    /// A reader may ask for a bounded head or one byte more than there should be, no more.
    static let readBytesMax = 512 << 10
    /// The first thing that no reader of these files may do.
    private(set) var misdeed: String?

    init(_ files: [String: [UInt8]]) { self.files = files }

    private func count(_ operation: StorageError.Operation, _ name: String) throws(StorageError) {
        if operationsLeft == 0 {
            misdeed = misdeed ?? "operations without an end"
            throw StorageError(operation, name, .other(-1, "refused by the fuzzer's storage"))
        }
        operationsLeft -= 1
    }

    private func file(
        _ name: String, _ operation: StorageError.Operation
    ) throws(StorageError) -> [UInt8] {
        try count(operation, name)
        guard let bytes = files[name] else { throw StorageError(operation, name, .notFound) }
        return bytes
    }

    func list() throws(StorageError) -> [String] {
        try count(.list, "")
        return files.keys.sorted()
    }

    func create(_ name: String, zeroFilledTo bytes: Int) throws(StorageError) {
        try count(.create, name)
        files[name] = [UInt8](repeating: 0, count: bytes)
    }

    func size(_ name: String) throws(StorageError) -> Int { try file(name, .size).count }

    func read(
        _ name: String, at offset: Int, count: Int, into buffer: inout [UInt8]
    ) throws(StorageError) {
        let bytes = try file(name, .read)
        if offset < 0 || count < 0 || count > max(bytes.count, Self.readBytesMax) {
            misdeed = misdeed ?? "read \(count) bytes at \(offset) of \(bytes.count) of \(name)"
            throw StorageError(.read, name, .other(-1, "refused by the fuzzer's storage"))
        }
        guard offset < bytes.count else { return }
        buffer += bytes[offset..<min(bytes.count, offset + count)]
    }

    func write(_ name: String, at offset: Int, _ bytes: Span<UInt8>) throws(StorageError) {
        // Taken out, so that it is not copied as a whole.
        _ = try file(name, .write)
        var file = files.updateValue([], forKey: name) ?? []
        let end = offset + bytes.count
        if file.count < end { file += [UInt8](repeating: 0, count: end - file.count) }
        file.replaceSubrange(offset..<end, with: [UInt8](copying: bytes))
        files[name] = file
    }

    func sync(_ name: String) throws(StorageError) { _ = try file(name, .sync) }

    func rename(_ from: String, to: String) throws(StorageError) {
        let bytes = try file(from, .rename)
        files[from] = nil
        files[to] = bytes
    }

    func remove(_ name: String) throws(StorageError) {
        _ = try file(name, .remove)
        files[name] = nil
    }

    func syncDirectory() throws(StorageError) { try count(.syncDirectory, "") }
}
