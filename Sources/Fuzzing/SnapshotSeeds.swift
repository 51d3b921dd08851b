// Snapshots to begin with: bodies of small trees, and files around them.

import Ensemble
import Journal
import Raft
import Znodes

enum SnapshotSeeds {
    static var bodies: [FuzzSeed] {
        let some = body(commands: 9)
        var greatLimit = some
        // Of the record: layout 4, ensemble 1 and 16, count 4 and no storages; then the limits.
        for place in 0..<4 { greatLimit.put(.max >> 1, at: 4 + 25 + 8 * place, bytes: 8) }
        var strayFlag = some
        strayFlag.put(2, at: 8, bytes: 1)
        return [
            FuzzSeed("empty-tree", body(commands: 0)), FuzzSeed("one", body(commands: 1)),
            FuzzSeed("some", some), FuzzSeed("many", body(commands: 40)),
            FuzzSeed("cut", Array(some.dropLast(20))), FuzzSeed("longer", some + [1]),
            FuzzSeed("great-limits", greatLimit), FuzzSeed("stray-flag", strayFlag),
            FuzzSeed("empty", []),
            FuzzSeed("record-too-long", [0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0]),
            FuzzSeed("storages", body(commands: 2, storages: 3)),
        ]
    }

    static var files: [FuzzSeed] {
        let some = body(commands: 6)
        let whole = file(some, blockBytes: 100)
        var wrongBlock = whole
        wrongBlock.put(whole.number(150, bytes: 1) ^ 1, at: 150, bytes: 1)
        var tinyBlocks = whole
        tinyBlocks.put(0, at: 32, bytes: 4)
        var greatIndex = whole
        greatIndex.put(.max, at: 16, bytes: 8)
        return [
            FuzzSeed("blocks", whole), FuzzSeed("one-block", file(some, blockBytes: 256 << 10)),
            FuzzSeed("exact", file(Array(some.prefix(200)), blockBytes: 100)),
            FuzzSeed("no-body", file([], blockBytes: 100)),
            FuzzSeed("one-byte", file([7], blockBytes: 1)),
            FuzzSeed("damaged", wrongBlock), FuzzSeed("no-blocks", tinyBlocks),
            FuzzSeed("cut", Array(whole.dropLast(1))), FuzzSeed("index-max", greatIndex),
            FuzzSeed("header-only", Array(whole.prefix(60))), FuzzSeed("empty", []),
        ]
    }

    private static func path(_ text: String) -> ZnodePath { ZnodePath(trusted: Array(text.utf8)) }

    private static func body(commands: UInt64, storages: UInt64 = 0) -> [UInt8] {
        var machine = StateMachine(limits: ZnodeLimits(), hashSeed: 3)
        for zxid in 1...max(commands, 1) where zxid <= commands {
            _ = machine.apply(command(zxid), zxid: Zxid(zxid), timeMs: 1_000 + Int64(zxid))
        }
        var record: [UInt8] = []
        record.add(1, bytes: 4)
        record.add(1, bytes: 1)
        for word in [0x11, 0x22] as [UInt64] { record.add(word, bytes: 8) }
        record.add(storages, bytes: 4)
        for member in 0..<storages {
            for word in [member + 1, 0x33, member] { record.add(word, bytes: 8) }
        }
        let limits = ZnodeLimits()
        for limit in [
            limits.dataBytesMax, limits.storeBytesMax, limits.deletedZnodesMax,
            limits.historyBytesMax,
        ] { record.add(UInt64(limit), bytes: 8) }
        var bytes: [UInt8] = []
        bytes.add(UInt64(record.count), bytes: 4)
        bytes += record
        machine.beginSnapshot()
        while machine.nextSnapshotBytes(into: &bytes, bytesTarget: 4_096) == .more {}
        return bytes
    }

    private static func command(_ number: UInt64) -> Command {
        let parent = path("/p\(number % 3)")
        switch number % 4 {
        case 0:
            return .createSequential(
                parent: parent, prefix: Array("s-".utf8), data: [1, 2], mode: .persistentSequential)
        case 3 where number > 8:
            return .delete(path: parent, condition: .none, recursive: true)
        default:
            return .put(
                path: parent.appending(Array("c\(number)/é".utf8)),
                data: Array("data \(number)".utf8),
                mode: .persistent, explicitMode: false, condition: .none, makeParents: true)
        }
    }

    private static func file(_ body: [UInt8], blockBytes: Int) -> [UInt8] {
        let storage = MemoryStorage([:])
        let mark = SnapshotMark(
            index: LogIndex(6), term: Term(2),
            configuration: Configuration(
                voters: [MemberID(1), MemberID(2), MemberID(3)], learners: [MemberID(4)]))
        do throws(JournalError) {
            var store = try SnapshotStore.open(
                storage: storage, limits: JournalLimits(snapshotBlockBytes: blockBytes))
            try store.begin(mark)
            try store.append(body)
            try store.finish()
        } catch {
            return []
        }
        return storage.files.values.first ?? []
    }
}
