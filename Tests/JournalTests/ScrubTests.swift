import Journal
import Raft
import Testing

@Suite("The scrub")
struct ScrubTests {
    /// Several segments that are full, the one that takes the appends and a prepared one.
    private static func makeDisk() throws -> (disk: SimulatedDisk, sealed: [String]) {
        let disk = SimulatedDisk()
        var log = try WriteAheadLogRotTests.open(disk)
        for index in 1...30 {
            // The eleventh is larger than a segment.
            try log.append(
                hardState: nil,
                entries: [
                    Entry(
                        index: LogIndex(UInt64(index)), term: Term(1), kind: .command,
                        payload: [UInt8](
                            repeating: UInt8(index), count: index == 11 ? 6_000 : 300 + 20 * index))
                ])
            try log.sync()
        }
        try log.carryMark()
        try log.prepareNextSegment()
        return (disk, Array(disk.fileNames.dropLast(2)))
    }

    private static func note(_ step: ScrubStep, _ found: inout [ScrubDamage]) {
        if let damage = step.damage { found.append(damage) }
    }

    /// One pass over all of it.
    private static func pass(
        _ store: inout SnapshotStore<SimulatedDisk>, _ scrub: inout Scrub, bytesMax: Int = 4_096
    ) -> (found: [ScrubDamage], bytes: Int) {
        var found: [ScrubDamage] = []
        var bytes = 0
        for _ in 0..<10_000 {
            let step = store.scrub(&scrub, bytesMax: bytesMax)
            note(step, &found)
            bytes += step.bytes
            if step.endsPass { return (found, bytes) }
        }
        Issue.record("the pass has no end")
        return (found, bytes)
    }

    private static func pass(_ disk: SimulatedDisk, bytesMax: Int = 4_096) throws -> [ScrubDamage] {
        var store = try SnapshotStoreTests.open(disk)
        var scrub = Scrub()
        return pass(&store, &scrub, bytesMax: bytesMax).found
    }

    @Test("finds nothing in intact files, in steps of any size, and reads all that lies at rest")
    func intact() throws {
        let (disk, sealed) = try Self.makeDisk()
        #expect(sealed.count >= 3)
        for bytesMax in [512, 1_024, 4_096, 1 << 20] {
            var store = try SnapshotStoreTests.open(disk)
            var scrub = Scrub()
            for _ in 0..<2 {
                let (found, bytes) = Self.pass(&store, &scrub, bytesMax: bytesMax)
                #expect(found == [])
                #expect(bytes == sealed.map { disk.bytes($0).count }.reduce(0, +))
            }
        }
    }

    @Test("finds every byte of a full segment that has changed, and names its place, once")
    func everyByte() throws {
        let (disk, sealed) = try Self.makeDisk()
        for name in sealed {
            for offset in disk.bytes(name).indices {
                let copy = disk.copy()
                copy.flip(name, at: offset, mask: UInt8(1 << (offset % 8)))
                var store = try SnapshotStoreTests.open(copy)
                var scrub = Scrub()
                let (found, _) = Self.pass(&store, &scrub, bytesMax: 1_024)
                guard found.count == 1, case .segment(.rot(name, let place, _)) = found[0] else {
                    Issue.record("\(name) at \(offset): \(found)")
                    return
                }
                #expect(place <= offset && offset - place < 7_000, "\(offset): \(place)")
                if offset % 97 == 0 { #expect(Self.pass(&store, &scrub).found == []) }
            }
        }
    }

    @Test("finds groups that are missing, wrong, or behind the file's end")
    func wholeGroups() throws {
        let (disk, sealed) = try Self.makeDisk()
        let (first, second) = (sealed[0], sealed[1])
        let bytes = disk.bytes(first)
        let end = (bytes.lastIndex { $0 != 0 } ?? 0) / 512 * 512
        func found(_ changed: [UInt8], _ name: String) throws -> [ScrubDamage] {
            let copy = disk.copy()
            copy.replace(name, with: changed)
            return try Self.pass(copy)
        }
        // The last group of the first one: only the next one tells.
        let cut = (512...).first { bytes[(end - $0)...].starts(with: [UInt8]("AVGP".utf8)) } ?? 0
        let start = bytes[end...].starts(with: [UInt8]("AVGP".utf8)) ? end : end - cut
        #expect(
            try found(
                Array(bytes[..<start]) + [UInt8](repeating: 0, count: bytes.count - start), first
            ).count == 1)
        for count in [0, 100, 512, 600, start, bytes.count - 1] {
            #expect(try found(Array(bytes[..<count]), first).count == 1, "\(count)")
        }
        #expect(try found(disk.bytes(second), first).count == 1)
        #expect(try found([UInt8](repeating: 0, count: bytes.count), first).count == 1)
        // A group that went astray to where nothing stands, its checksums right.
        let astray =
            Array(bytes[..<(bytes.count - 512)]) + Array(disk.bytes(second)[512..<1_024])
        #expect(try found(astray, first).count == 1)
    }

    @Test("lets go of each file before it is read, and again when all of it was")
    func letsGo() throws {
        let (disk, sealed) = try Self.makeDisk()
        var store = try SnapshotStoreTests.open(disk)
        try SnapshotStoreTests.write(&store, 5, bytes: 400)
        let snapshot = try #require(disk.fileNames.last { $0.hasPrefix("snapshot-") })
        let rotten = sealed[1]
        let file = disk.copy()
        file.flip(rotten, at: 700)
        for disk in [disk, file] {
            var store = try SnapshotStoreTests.open(disk)
            var scrub = Scrub()
            let before = disk.reads.count
            _ = Self.pass(&store, &scrub, bytesMax: 1_024)
            let looked = disk.reads[before...]
            #expect(Set(looked.map(\.name)) == Set([snapshot] + sealed))
            for name in [snapshot] + sealed {
                let turns = looked.filter { $0.name == name }.map(\.isLetGo)
                #expect(turns.first == true && turns.last == true, "\(name): \(turns)")
                #expect(turns.count { $0 } == 2 && turns.contains(false), "\(name): \(turns)")
            }
        }
    }

    @Test("takes no look at what is being written: a torn live tail is none of its business")
    func liveTail() throws {
        let (disk, sealed) = try Self.makeDisk()
        for name in disk.fileNames where !sealed.contains(name) {
            for offset in stride(from: 0, to: disk.bytes(name).count, by: 37) {
                let copy = disk.copy()
                copy.flip(name, at: offset)
                #expect(try Self.pass(copy) == [])
            }
        }
    }

    @Test("A segment that is pruned under it is no finding, nor are those that go with it")
    func pruned() throws {
        let (disk, sealed) = try Self.makeDisk()
        for steps in 0..<20 {
            let copy = disk.copy()
            copy.flip(sealed[1], at: 3_000)
            var store = try SnapshotStoreTests.open(copy)
            var scrub = Scrub()
            var found: [ScrubDamage] = []
            for _ in 0..<steps { Self.note(store.scrub(&scrub, bytesMax: 512), &found) }
            let isFound = !found.isEmpty
            for name in sealed { copy.delete(name) }
            #expect(Self.pass(&store, &scrub, bytesMax: 512).found == [])
            #expect(found.count == (isFound ? 1 : 0))
        }
    }

    @Test("A read that fails is damage of that file")
    func unreadable() throws {
        let (disk, sealed) = try Self.makeDisk()
        var store = try SnapshotStoreTests.open(disk)
        try SnapshotStoreTests.write(&store, 12, bytes: 950)
        let newest = store.newestName
        let name = try #require(newest)
        disk.unreadable = [sealed[2], name]
        var scrub = Scrub()
        #expect(
            Self.pass(&store, &scrub).found == [
                .snapshot(
                    LogIndex(12), .storage(StorageError(.read, name, .inputOutput))),
                .segment(.storage(StorageError(.read, sealed[2], .inputOutput))),
            ])
    }

    @Test("finds every byte of the durable snapshot that has changed, and a snapshot that is gone")
    func everyByteOfSnapshot() throws {
        let disk = SimulatedDisk()
        var store = try SnapshotStoreTests.open(disk)
        try SnapshotStoreTests.write(&store, 12, bytes: 950)
        let newest = store.newestName
        let name = try #require(newest)
        let bytes = disk.bytes(name)
        var scrub = Scrub()
        func isFound(_ changed: [UInt8]?) -> Bool {
            // What is damaged already is not said again.
            scrub = Scrub()
            if let changed { disk.replace(name, with: changed) } else { disk.delete(name) }
            let found = Self.pass(&store, &scrub, bytesMax: 200).found
            guard found.count == 1, case .snapshot(LogIndex(12), _) = found[0] else { return false }
            return true
        }
        #expect(Self.pass(&store, &scrub, bytesMax: 200).found == [])
        for offset in bytes.indices {
            var changed = bytes
            changed[offset] ^= UInt8(1 << (offset % 8))
            #expect(isFound(changed), "\(offset)")
            if offset % 7 == 0 { #expect(isFound(Array(bytes[..<offset])), "cut at \(offset)") }
        }
        #expect(isFound(nil))
        disk.replace(name, with: bytes)
        #expect(Self.pass(&store, &scrub, bytesMax: 200).found == [])
    }

    @Test("A snapshot that is replaced under it is no finding, by the same name or another")
    func replaced() throws {
        for (index, steps) in [(UInt64(12), 3), (20, 3), (12, 1), (20, 1)] {
            let disk = SimulatedDisk()
            var store = try SnapshotStoreTests.open(disk)
            try SnapshotStoreTests.write(&store, 12, bytes: 950)
            let newest = store.newestName
            let name = try #require(newest)
            var scrub = Scrub()
            for _ in 0..<steps {
                #expect(store.scrub(&scrub, bytesMax: 100).damage == nil)
            }
            disk.flip(name, at: 700)
            scrub.forgetSnapshot()
            try SnapshotStoreTests.write(&store, index, bytes: 450)
            #expect(Self.pass(&store, &scrub, bytesMax: 100).found == [])
            #expect(Self.pass(&store, &scrub, bytesMax: 100).found == [])
        }
    }

    @Test("What is damaged is said once until it is healed, and does not hide what comes behind it")
    func saidOnce() throws {
        let (disk, sealed) = try Self.makeDisk()
        var store = try SnapshotStoreTests.open(disk)
        try SnapshotStoreTests.write(&store, 12, bytes: 950)
        let newest = store.newestName
        let name = try #require(newest)
        for place in [3, 700] {
            disk.flip(name, at: place)
            var scrub = Scrub()
            #expect(Self.pass(&store, &scrub, bytesMax: 512).found.count == 1)
            for _ in 0..<3 { #expect(Self.pass(&store, &scrub, bytesMax: 512).found == []) }
            let copy = disk.bytes(sealed[1])
            disk.flip(sealed[1], at: 3_000)
            #expect(Self.pass(&store, &scrub, bytesMax: 512).found.count == 1)
            for _ in 0..<3 { #expect(Self.pass(&store, &scrub, bytesMax: 512).found == []) }
            disk.replace(sealed[1], with: copy)
            // Another one of its name takes its place, and rots as well.
            try SnapshotStoreTests.write(&store, 12, bytes: 950)
            scrub.forgetDamagedSnapshot()
            #expect(Self.pass(&store, &scrub, bytesMax: 512).found == [])
            disk.flip(name, at: place)
            #expect(Self.pass(&store, &scrub, bytesMax: 512).found.count == 1)
            try SnapshotStoreTests.write(&store, 12, bytes: 950)
        }
    }

    @Test("What it found is gone once the log is pruned, and the log starts whole")
    func healed() throws {
        let (disk, sealed) = try Self.makeDisk()
        var log = try WriteAheadLogRotTests.open(disk)
        _ = log.takeRecovered()
        var store = try SnapshotStoreTests.open(disk)
        disk.flip(sealed[1], at: 3_000)
        var scrub = Scrub()
        #expect(Self.pass(&store, &scrub).found.count == 1)
        let mark = SnapshotMark(
            index: LogIndex(30), term: Term(1),
            configuration: Configuration(voters: [MemberID(1)]))
        try store.begin(mark)
        try store.finish()
        while try !store.verify() {}
        try log.prune(through: mark.index)
        #expect(!disk.fileNames.contains(sealed[1]))
        #expect(Self.pass(&store, &scrub).found == [])
        var again = try WriteAheadLog.recover(
            storage: disk, limits: WriteAheadLogRotTests.limits,
            freshLogID: LogID(high: 1, low: 1), snapshot: mark, logMustExist: true, hasPeers: false)
        #expect(again.takeRecovered().damage == nil)
    }
}
