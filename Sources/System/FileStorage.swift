// The journal's storage on a real directory. Everything is named relative to the directory's own
// descriptor, so that a rename of it cannot split the data. It must never sync twice after an error
// nor close a file whose writes are not synced: the kernel reports a lost page only once.

internal import Glibc
package import Journal

/// One handle on a data directory; a handle belongs to one thread at a time.
package struct FileStorage: ~Copyable, JournalStorage, Sendable {
    /// Held by the process that uses the directory, for as long as any handle lives.
    package static let lockName = "LOCK"
    private static let openFilesMax = 8
    private static let zerosBytes = 1 << 20

    private final class OpenFile: Sendable {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
        var number: Int32 { descriptor.number }
    }

    private struct CachedFile {
        var name: String
        let file: OpenFile
        var isSynced: Bool
    }

    /// As given, for messages.
    package let path: String
    private let directory: OpenFile
    private let lock: OpenFile
    /// Used last stands last.
    private var files: [CachedFile] = []
    private var zeros: [UInt8] = []

    /// Makes the directory if it is absent (mode 0700; its parent must be there) and locks it:
    /// `inUse` while another process has it.
    package init(directory path: String) throws(StorageError) {
        let isNew = unsafe mkdir(path, 0o700) == 0
        guard isNew || errno == EEXIST else { throw Self.error(errno, .create, path) }
        let directory = try Self.open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, .open)
        if isNew {
            let parent = try Self.open(directory.number, "..", O_RDONLY | O_DIRECTORY, .open)
            if fsync(parent.number) != 0 { throw Self.error(errno, .syncDirectory, path) }
        }
        let lock = try Self.open(directory.number, Self.lockName, O_RDWR | O_CREAT, .lock)
        if flock(lock.number, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EWOULDBLOCK { throw StorageError(.lock, path, .inUse) }
            throw Self.error(code, .lock, path)
        }
        self.init(path: path, directory: directory, lock: lock)
    }

    private init(path: String, directory: OpenFile, lock: OpenFile) {
        self.path = path
        self.directory = directory
        self.lock = lock
    }

    /// For another thread of this process: same directory, same lock, descriptors of its own.
    package func anotherHandle() throws(StorageError) -> FileStorage {
        let again = try Self.open(directory.number, ".", O_RDONLY | O_DIRECTORY, .open)
        return FileStorage(path: path, directory: again, lock: lock)
    }

    // MARK: JournalStorage

    package mutating func list() throws(StorageError) -> [String] {
        // A stream has a position: it gets a descriptor of its own.
        let number = unsafe openat(directory.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw Self.error(errno, .list, path) }
        guard let stream = unsafe fdopendir(number) else {
            let code = errno
            _ = Glibc.close(number)
            throw Self.error(code, .list, path)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            // Safe: the kernel ends the name with a zero byte, within the entry.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { text in
                    unsafe String(cString: text)
                }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        if errno != 0 { throw Self.error(errno, .list, path) }
        return names
    }

    package mutating func create(
        _ name: String, zeroFilledTo bytes: Int
    ) throws(StorageError) {
        forget(name)
        let file = try Self.open(directory.number, name, O_RDWR | O_CREAT | O_TRUNC, .create)
        keep(CachedFile(name: name, file: file, isSynced: false))
        if bytes > 0 && zeros.isEmpty { zeros = [UInt8](repeating: 0, count: Self.zerosBytes) }
        var offset = 0
        while offset < bytes {
            let span = zeros.span
            let count = min(zeros.count, bytes - offset)
            try Self.writeAll(file, name, at: offset, span.extracting(0..<count), .create)
            offset += count
        }
        // Megabytes of zeros are needed seldom.
        zeros = []
    }

    package mutating func size(_ name: String) throws(StorageError) -> Int {
        let file = try use(name, .size)
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else {
            throw Self.error(errno, .size, name)
        }
        return Int(status.st_size)
    }

    package mutating func read(
        _ name: String, at offset: Int, count: Int, into buffer: inout [UInt8]
    ) throws(StorageError) {
        let file = try use(name, .read)
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: count))
        var done = 0
        while done < count {
            // Safe: writes at most `count - done` bytes behind what is there, which were appended.
            let result = unsafe buffer.withUnsafeMutableBytes { bytes in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[(start + done)...])
                return unsafe pread(file.number, rest.baseAddress, rest.count, offset + done)
            }
            if result < 0 {
                let code = errno
                if code == EINTR { continue }
                buffer.removeLast(count - done)
                throw Self.error(code, .read, name)
            }
            if result == 0 { break }
            done += result
        }
        buffer.removeLast(count - done)
    }

    package mutating func write(
        _ name: String, at offset: Int, _ bytes: Span<UInt8>
    ) throws(StorageError) {
        let file = try use(name, .write)
        files[files.count - 1].isSynced = false
        try Self.writeAll(file, name, at: offset, bytes, .write)
    }

    package mutating func sync(_ name: String) throws(StorageError) {
        let file = try use(name, .sync)
        // Why no loop on EINTR: after any error the pages may be gone and count as clean.
        guard fdatasync(file.number) == 0 else { throw Self.error(errno, .sync, name) }
        files[files.count - 1].isSynced = true
    }

    package mutating func rename(_ from: String, to: String) throws(StorageError) {
        guard unsafe renameat(directory.number, from, directory.number, to) == 0 else {
            throw Self.error(errno, .rename, from)
        }
        forget(to)
        for position in files.indices where files[position].name == from {
            files[position].name = to
        }
    }

    package mutating func remove(_ name: String) throws(StorageError) {
        guard unsafe unlinkat(directory.number, name, 0) == 0 else {
            throw Self.error(errno, .remove, name)
        }
        forget(name)
    }

    package mutating func syncDirectory() throws(StorageError) {
        guard fsync(directory.number) == 0 else {
            throw Self.error(errno, .syncDirectory, path)
        }
    }

    /// An open file is closed, and opened again when it is needed.
    package mutating func letGo(_ name: String) {
        guard let file = files.first(where: { $0.name == name }), file.isSynced else { return }
        _ = posix_fadvise(file.file.number, 0, 0, POSIX_FADV_DONTNEED)
        forget(name)
    }

    // MARK: descriptors

    /// The open file, opened if need be; it stands last in `files` afterwards.
    private mutating func use(
        _ name: String, _ operation: StorageError.Operation
    ) throws(StorageError) -> OpenFile {
        if let last = files.last, last.name == name { return last.file }
        if let position = files.firstIndex(where: { $0.name == name }) {
            let found = files.remove(at: position)
            files.append(found)
            return found.file
        }
        let file = try Self.open(directory.number, name, O_RDWR, operation)
        // Pages that an earlier process failed to write count as clean and hide what is on the
        // disk; dropping them makes the next read see the disk itself. Only advice: no error.
        _ = posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED)
        keep(CachedFile(name: name, file: file, isSynced: true))
        return file
    }

    private mutating func keep(_ file: CachedFile) {
        files.append(file)
        if files.count > Self.openFilesMax,
            let idle = files.firstIndex(where: { $0.isSynced }), idle < files.count - 1
        {
            files.remove(at: idle)
        }
    }

    private mutating func forget(_ name: String) {
        files.removeAll { $0.name == name }
    }

    private static func open(
        _ directory: Int32, _ name: String, _ flags: Int32,
        _ operation: StorageError.Operation
    ) throws(StorageError) -> OpenFile {
        while true {
            let number = unsafe openat(directory, name, flags | O_CLOEXEC, 0o600)
            if number >= 0 { return OpenFile(FileDescriptor(owning: number)) }
            let code = errno
            if code != EINTR { throw error(code, operation, name) }
        }
    }

    private static func writeAll(
        _ file: OpenFile, _ name: String, at offset: Int, _ bytes: Span<UInt8>,
        _ operation: StorageError.Operation
    ) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            let rest = bytes.extracting(done..<bytes.count)
            // Safe: reads `rest.count` bytes within the closure only.
            let result = unsafe rest.withUnsafeBufferPointer { buffer in
                unsafe pwrite(file.number, buffer.baseAddress, buffer.count, offset + done)
            }
            if result < 0 {
                let code = errno
                if code == EINTR { continue }
                throw error(code, operation, name)
            }
            if result == 0 { throw StorageError(operation, name, .inputOutput) }
            done += result
        }
    }

    private static func error(
        _ code: Int32, _ operation: StorageError.Operation, _ name: String
    ) -> StorageError {
        let cause: StorageError.Cause =
            switch code {
            case ENOENT: .notFound
            case EIO: .inputOutput
            case ENOSPC, EDQUOT: .outOfSpace
            default: .other(code, ErrorCode(code).description)
            }
        return StorageError(operation, name, cause)
    }
}
