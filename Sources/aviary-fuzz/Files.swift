// Whole files, by the C library. What cannot be read or written ends the program.

import Glibc

enum Files {
    /// The input under way when there is no libFuzzer to keep it.
    static let lastInput = "fuzz-last-input"

    private static func fail(_ what: String) -> Never {
        unsafe perror(what)
        exit(74)
    }

    static func makeFolder(_ path: String) {
        if unsafe mkdir(path, 0o755) != 0, errno != EEXIST { fail(path) }
    }

    static func write(_ bytes: [UInt8], to path: String) {
        guard let file = unsafe fopen(path, "w") else { fail(path) }
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        if unsafe fclose(file) != 0 || count != bytes.count { fail(path) }
    }

    /// The file, or all files of the folder, with their names.
    static func read(_ path: String) -> [(name: String, bytes: [UInt8])] {
        guard let folder = unsafe opendir(path) else { return [(path, contents(path))] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { place in
                unsafe place.withMemoryRebound(to: CChar.self, capacity: 256) { text in
                    unsafe String(cString: text)
                }
            }
            if !name.hasPrefix(".") { names.append("\(path)/\(name)") }
        }
        return names.sorted().map { ($0, contents($0)) }
    }

    private static func contents(_ path: String) -> [UInt8] {
        guard let file = unsafe fopen(path, "r") else { fail(path) }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe fread(&piece, 1, piece.count, file)
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }
}
