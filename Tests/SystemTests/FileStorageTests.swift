import Foundation
import Glibc
import Journal
import Raft
import System
import Testing

@Suite("Files on a real directory")
struct FileStorageTests {
    /// A fresh directory that is gone after the body.
    static func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/aviary-storage-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return false }
            return unsafe mkdtemp(base) != nil
        }
        try #require(made)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { remove(path) }
        try body(path)
    }

    static func remove(_ path: String) {
        if let stream = unsafe opendir(path) {
            while let entry = unsafe readdir(stream) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { text in
                        unsafe String(cString: text)
                    }
                }
                if name == "." || name == ".." { continue }
                if unsafe unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
            }
            unsafe closedir(stream)
        }
        _ = unsafe rmdir(path)
    }

    static func mode(_ path: String) -> UInt32 {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test("write, read, rename and remove what they say")
    func operations() throws {
        try Self.withDirectory { path in
            var storage = try FileStorage(directory: path)
            try storage.create("a", zeroFilledTo: 3_000_000)
            #expect(try storage.size("a") == 3_000_000)
            let bytes: [UInt8] = [1, 2, 3, 4]
            try storage.write("a", at: 2_999_998, bytes.span)
            try storage.sync("a")
            #expect(try storage.size("a") == 3_000_002)
            var found: [UInt8] = [9]
            try storage.read("a", at: 2_999_997, count: 100, into: &found)
            #expect(found == [9, 0, 1, 2, 3, 4])
            try storage.create("b", zeroFilledTo: 1)
            try storage.rename("a", to: "b")
            try storage.syncDirectory()
            #expect(try storage.size("b") == 3_000_002)
            #expect(try storage.list().sorted() == ["LOCK", "b"])
            try storage.create("b", zeroFilledTo: 0)
            #expect(try storage.size("b") == 0)
            try storage.remove("b")
            #expect(throws: StorageError(.size, "b", .notFound)) { _ = try storage.size("b") }
            #expect(throws: StorageError(.remove, "b", .notFound)) { try storage.remove("b") }
            #expect(throws: StorageError(.rename, "b", .notFound)) {
                try storage.rename("b", to: "c")
            }
        }
    }

    @Test("go on with more files than stay open")
    func manyFiles() throws {
        try Self.withDirectory { path in
            var storage = try FileStorage(directory: path)
            for number in 0..<30 {
                try storage.create("f\(number)", zeroFilledTo: number)
                if number % 2 == 0 { try storage.sync("f\(number)") }
            }
            for number in (0..<30).reversed() { #expect(try storage.size("f\(number)") == number) }
        }
    }

    @Test("that are let go are closed, unless a write is not synced, and open again by themselves")
    func letGo() throws {
        try Self.withDirectory { path in
            func isOpen(_ name: String) -> Bool {
                (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.contains {
                    let file = try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/self/fd/\($0)")
                    return file == "\(path)/\(name)"
                } ?? false
            }
            var storage = try FileStorage(directory: path)
            try storage.create("a", zeroFilledTo: 10)
            try storage.write("a", at: 3, [7, 8].span)
            // What a later sync of this very descriptor would tell must not be missed.
            storage.letGo("a")
            #expect(isOpen("a"))
            try storage.sync("a")
            storage.letGo("a")
            #expect(!isOpen("a"))
            storage.letGo("a")
            storage.letGo("absent")
            var bytes: [UInt8] = []
            try storage.read("a", at: 2, count: 4, into: &bytes)
            #expect(bytes == [0, 7, 8, 0] && isOpen("a"))
            storage.letGo("a")
            try storage.write("a", at: 0, [1].span)
            try storage.sync("a")
            #expect(try storage.size("a") == 10)
        }
    }

    @Test("are made for their owner only, in a directory made on demand")
    func modes() throws {
        try Self.withDirectory { path in
            var storage = try FileStorage(directory: "\(path)/data")
            try storage.create("a", zeroFilledTo: 10)
            #expect(Self.mode("\(path)/data") == 0o700)
            #expect(Self.mode("\(path)/data/a") == 0o600)
            #expect(Self.mode("\(path)/data/LOCK") == 0o600)
            #expect(throws: StorageError(.create, "\(path)/no/data", .notFound)) {
                _ = try FileStorage(directory: "\(path)/no/data")
            }
        }
    }

    @Test("are locked while any handle lives, and free after the last")
    func lock() throws {
        try Self.withDirectory { path in
            let inUse = StorageError(.lock, path, .inUse)
            do {
                var second: FileStorage
                do {
                    let first = try FileStorage(directory: path)
                    #expect(throws: inUse) { _ = try FileStorage(directory: path) }
                    second = try first.anotherHandle()
                }
                #expect(throws: inUse) { _ = try FileStorage(directory: path) }
                try second.create("a", zeroFilledTo: 1)
                #expect(inUse.description.contains("another process uses this data directory"))
            }
            var third = try FileStorage(directory: path)
            #expect(try third.size("a") == 1)
        }
    }

    @Test("say when the device is full, and what else went wrong")
    func errors() throws {
        try Self.withDirectory { path in
            var storage = try FileStorage(directory: path)
            // A device that is always full, under a name in the directory.
            #expect(unsafe symlink("/dev/full", "\(path)/full") == 0)
            let bytes: [UInt8] = [1]
            #expect(throws: StorageError(.write, "full", .outOfSpace)) {
                try storage.write("full", at: 0, bytes.span)
            }
            #expect(throws: StorageError(.create, "full", .outOfSpace)) {
                try storage.create("full", zeroFilledTo: 512)
            }
            #expect(unsafe mkdir("\(path)/folder", 0o700) == 0)
            #expect(
                throws: StorageError(
                    .write, "folder", .other(EISDIR, ErrorCode(EISDIR).description))
            ) {
                try storage.write("folder", at: 0, bytes.span)
            }
            // A special file that cannot be synced.
            #expect(
                throws: StorageError(.sync, "full", .other(EINVAL, ErrorCode(EINVAL).description))
            ) {
                try storage.sync("full")
            }
        }
    }

    @Test("carry a log, its snapshots and its identity from one process to the next")
    func journal() throws {
        try Self.withDirectory { path in
            let limits = JournalLimits(segmentBytes: 4096)
            func open() throws -> WriteAheadLog<FileStorage> {
                try WriteAheadLog.recover(
                    storage: try FileStorage(directory: path), limits: limits,
                    freshLogID: LogID(high: 1, low: 2), snapshot: nil, logMustExist: false,
                    hasPeers: false)
            }
            do {
                var log = try open()
                for index in UInt64(1)...30 {
                    try log.append(
                        hardState: nil,
                        entries: [
                            Entry(
                                index: LogIndex(index), term: Term(1), kind: .command,
                                payload: [UInt8](repeating: 7, count: 500))
                        ])
                }
                try log.sync()
                #expect(log.segmentCount > 2)
            }
            var again = try open()
            #expect(again.takeRecovered().entries.count == 30)
        }
    }
}
