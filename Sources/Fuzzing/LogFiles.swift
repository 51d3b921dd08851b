// A log's files and what recovery is told beside them, packed into one string of bytes that a fuzzer
// can change anywhere: every string unpacks to something.
//
//   u8   bits 0 and 1: the first segment's number less 1; bit 2: the log must exist; bit 3: there
//        are other members
//   u8   index of the snapshot, 0 for none
//   u8   its term
//   then for each file: u16 count of bytes, u8 sectors of zeros behind them, the bytes

import Journal
import Raft

struct LogFiles {
    static let filesMax = 6
    static let zeroSectorsMax = 16

    var firstNumber: UInt64 = 1
    var mustExist = false
    var hasPeers = false
    var snapshotIndex: UInt8 = 0
    var snapshotTerm: UInt8 = 0
    var files: [[UInt8]] = []

    init() {}

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 3 else { return nil }
        firstNumber = UInt64(bytes[0] & 3) + 1
        mustExist = bytes[0] & 4 != 0
        hasPeers = bytes[0] & 8 != 0
        snapshotIndex = bytes[1]
        snapshotTerm = bytes[2]
        var position = 3
        while position + 3 <= bytes.count, files.count < Self.filesMax {
            let count = Int(bytes.number(position, bytes: 2))
            let zeros = min(Int(bytes[position + 2]), Self.zeroSectorsMax)
            let end = min(position + 3 + count, bytes.count)
            files.append(
                bytes[(position + 3)..<end]
                    + [UInt8](repeating: 0, count: zeros * JournalLimits.sectorBytes))
            position = end
        }
    }

    var packed: [UInt8] {
        let flags: UInt8 = (mustExist ? 4 : 0) | (hasPeers ? 8 : 0)
        var bytes = [UInt8(firstNumber - 1) | flags, snapshotIndex, snapshotTerm]
        for file in files {
            var count = file.count
            var zeros = 0
            while count >= JournalLimits.sectorBytes, zeros < Self.zeroSectorsMax,
                file[(count - JournalLimits.sectorBytes)..<count].allSatisfy({ $0 == 0 })
            {
                count -= JournalLimits.sectorBytes
                zeros += 1
            }
            bytes.add(UInt64(count), bytes: 2)
            bytes.append(UInt8(zeros))
            bytes += file[..<count]
        }
        return bytes
    }

    static func name(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return "log-" + String(repeating: "0", count: 10 - digits.count) + digits
    }

    var named: [String: [UInt8]] {
        var named: [String: [UInt8]] = [:]
        for (position, file) in files.enumerated() {
            named[Self.name(firstNumber + UInt64(position))] = file
        }
        return named
    }

    /// What the log must follow.
    var mark: SnapshotMark? {
        snapshotIndex == 0
            ? nil
            : SnapshotMark(
                index: LogIndex(UInt64(snapshotIndex)), term: Term(UInt64(snapshotTerm)),
                configuration: Configuration(voters: [MemberID(1), MemberID(2), MemberID(3)]))
    }

    /// Checksums and chain put right; what they cover stays.
    mutating func seal() {
        var chain: UInt64 = 0
        for position in files.indices { Self.seal(&files[position], &chain) }
    }

    private static func seal(_ file: inout [UInt8], _ chain: inout UInt64) {
        let sector = JournalLimits.sectorBytes
        guard file.count >= sector else { return }
        file.put(checksum(file, 0..<(sector - 4)), at: sector - 4, bytes: 4)
        var offset = sector
        while offset + 104 <= file.count {
            guard file.number(offset, bytes: 4) == 0x5047_5641 else {
                offset += sector
                continue
            }
            let payload = Int(file.number(offset + 56, bytes: 4))
            let group = (104 + payload + sector - 1) / sector * sector
            let isWhole = group <= file.count - offset
            if isWhole {
                let sum = checksum(file, (offset + 104)..<(offset + group))
                file.put(sum, at: offset + 64, bytes: 4)
            }
            file.put(chain, at: offset + 68, bytes: 4)
            chain = checksum(file, (offset + 8)..<(offset + 104))
            file.put(chain, at: offset + 4, bytes: 4)
            offset += isWhole ? group : sector
        }
    }
}

func checksum(_ bytes: [UInt8], _ range: Range<Int>, seed: UInt64 = 0) -> UInt64 {
    let span = bytes.span
    return UInt64(CRC32C.checksum(span.extracting(range), seed: UInt32(truncatingIfNeeded: seed)))
}
