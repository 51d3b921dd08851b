// What lies on a member's disk, by the format's description and not by the code that is judged.

import Journal

/// A group of a log file.
struct GroupOnDisk {
    let file: String
    let offset: Int
    let bytes: Int
    let sequence: UInt64
    let mark: UInt64

    static func all(in file: String, _ bytes: [UInt8]) -> [GroupOnDisk] {
        var found: [GroupOnDisk] = []
        var offset = JournalLimits.sectorBytes
        while offset + 104 <= bytes.count {
            func number(_ at: Int, _ count: Int) -> UInt64 {
                (0..<count).reduce(0) { $0 | UInt64(bytes[offset + at + $1]) << UInt64(8 * $1) }
            }
            if number(0, 4) == 0x5047_5641 {
                let covered = Array(bytes[(offset + 8)..<(offset + 104)])
                if number(4, 4) == UInt64(CRC32C.checksum(covered.span)) {
                    found.append(
                        GroupOnDisk(
                            file: file, offset: offset, bytes: 104 + Int(number(56, 4)),
                            sequence: number(24, 8), mark: number(32, 8)))
                }
            }
            offset += JournalLimits.sectorBytes
        }
        return found
    }
}

/// The files that bear their names, and what groups of the log can be read.
struct FilesOnDisk {
    let logs: [String]
    let snapshots: [String]
    let groups: [GroupOnDisk]

    init(_ disk: SimulatedDisk) {
        func named(_ start: String) -> [String] {
            disk.fileNames.filter { $0.hasPrefix(start) && !$0.hasSuffix(".tmp") }
        }
        logs = named("log-")
        snapshots = named("snapshot-")
        groups = logs.flatMap { GroupOnDisk.all(in: $0, disk.contents($0)) }
    }

    var last: GroupOnDisk? { groups.max { $0.sequence < $1.sequence } }
}
