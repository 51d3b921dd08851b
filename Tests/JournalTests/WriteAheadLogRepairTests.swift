// A damaged log whose member has peers: it starts all the same, with all that it had promised, and
// without what it is not sure of.

import Journal
import Raft
import Testing

@Suite("A damaged log with peers")
struct WriteAheadLogRepairTests {
    static let limits = JournalLimits(segmentBytes: 4096, reserveBytes: 0)
    static let end = LogPosition(index: LogIndex(10), term: Term(10))

    static func open(
        _ disk: SimulatedDisk, snapshot: SnapshotMark? = nil, damaged: [String] = []
    ) throws -> WriteAheadLog<SimulatedDisk> {
        try WriteAheadLog.recover(
            storage: disk, limits: limits, freshLogID: LogID(high: 3, low: 4), snapshot: snapshot,
            damagedSnapshots: damaged, logMustExist: true, hasPeers: true)
    }

    static func entry(_ index: UInt64, _ term: UInt64, bytes: Int = 30) -> Entry {
        Entry(
            index: LogIndex(index), term: Term(term), kind: .command,
            payload: [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: bytes))
    }

    static func mark(_ index: UInt64, _ term: UInt64) -> SnapshotMark {
        SnapshotMark(
            index: LogIndex(index), term: Term(term),
            configuration: Configuration(voters: [MemberID(1)]))
    }

    /// nil when all that was promised is there; else what is not.
    static func complaint(_ disk: SimulatedDisk, damageIsNew: Bool) throws -> String? {
        var log = try open(disk)
        let found = log.takeRecovered()
        if (found.damage != nil) != damageIsNew {
            return "damage: \(String(describing: found.damage))"
        }
        if found.claim != end { return "claim: \(String(describing: found.claim))" }
        if !found.entries.isEmpty { return "\(found.entries.count) entries" }
        let state = HardState(term: Term(10), vote: MemberID(2), commit: .zero)
        return found.hardState == state ? nil : "\(found.hardState)"
    }

    enum Harm: CaseIterable { case flip, zero, garble }

    static func harm(_ disk: SimulatedDisk, _ name: String, sector: Int, _ harm: Harm) {
        var bytes = disk.bytes(name)
        let range = sector * 512..<(sector + 1) * 512
        switch harm {
        case .flip: bytes[sector * 512 + (sector * 97 + 60) % 512] ^= 4
        case .zero: bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: 512))
        case .garble: for place in range { bytes[place] = UInt8((place * 7 + 3) % 256) }
        }
        disk.replace(name, with: bytes)
    }

    @Test("knows its term, its vote and its log's end whichever of its sectors is damaged")
    func everySector() throws {
        let (disk, _, lastOffset) = try WriteAheadLogRotTests.makeDisk()
        for (name, used) in [("log-0000000001", 4096), ("log-0000000002", lastOffset)] {
            for sector in 0..<(used / 512) {
                for harm in Harm.allCases {
                    let copy = disk.copy()
                    Self.harm(copy, name, sector: sector, harm)
                    if copy.bytes(name) == disk.bytes(name) { continue }
                    let first = try Self.complaint(copy, damageIsNew: true)
                    #expect(first == nil, "\(name) sector \(sector) \(harm)")
                    #expect(copy.fileNames == ["log-0000000004"])
                    #expect(try Self.complaint(copy, damageIsNew: false) == nil)
                }
            }
        }
    }

    @Test("knows them when a file is gone or short, as long as a later one holds groups")
    func files() throws {
        let (disk, _, _) = try WriteAheadLogRotTests.makeDisk()
        for length in stride(from: 0, to: 4096, by: 37) {
            let copy = disk.copy()
            copy.replace("log-0000000001", with: Array(disk.bytes("log-0000000001")[..<length]))
            #expect(try Self.complaint(copy, damageIsNew: true) == nil, "\(length)")
        }
        let copy = disk.copy()
        copy.delete("log-0000000001")
        #expect(try Self.complaint(copy, damageIsNew: true) == nil)
        // Behind these no group is left that could say what the lost ones promised.
        for name in ["log-0000000002", "log-0000000003"] {
            for length in stride(from: 0, to: 4096, by: 37) {
                let copy = disk.copy()
                copy.replace(name, with: Array(disk.bytes(name)[..<length]))
                #expect {
                    _ = try Self.open(copy)
                } throws: { error in
                    guard case JournalError.rot(name, length, _) = error else { return false }
                    return true
                }
            }
        }
        let prepared = disk.copy()
        prepared.delete("log-0000000001")
        prepared.delete("log-0000000002")
        #expect(throws: JournalError.self) { _ = try Self.open(prepared) }
        let other = disk.copy()
        other.delete("log-0000000002")
        #expect(throws: JournalError.missing(file: "log-0000000002")) { _ = try Self.open(other) }
    }

    @Test("is refused when no intact header tells which log it was")
    func oneFile() throws {
        let disk = SimulatedDisk()
        var log = try WriteAheadLogRotTests.open(disk)
        try log.append(hardState: nil, entries: [Self.entry(1, 1)])
        try log.sync()
        try log.carryMark()
        disk.flip("log-0000000001", at: 20)
        #expect {
            _ = try Self.open(disk)
        } throws: { error in
            guard case JournalError.rot("log-0000000001", 0, _) = error else { return false }
            return true
        }
        try log.prepareNextSegment()
        var again = try Self.open(disk)
        #expect(again.takeRecovered().claim == LogPosition(index: LogIndex(1), term: Term(1)))
    }

    @Test(
        "knows them after a crash at any operation of the repair, and one more in the next")
    func crashes() throws {
        let (whole, _, _) = try WriteAheadLogRotTests.makeDisk()
        for sector in 1..<6 {
            for budget in 0..<16 {
                for kind in SimulatedDisk.CrashKind.allCases {
                    for second in [nil, 0, 3, 5, 7, 9, 11] as [Int?] {
                        let disk = whole.copy()
                        Self.harm(disk, "log-0000000001", sector: sector, .garble)
                        var random = SplitMix(seed: UInt64(budget * 100 + sector))
                        for budget in [budget, second] {
                            disk.budget = budget
                            _ = try? Self.open(disk)
                            disk.crash(kind, &random)
                            disk.budget = nil
                        }
                        var log = try Self.open(disk)
                        let found = log.takeRecovered()
                        #expect(
                            found.claim == Self.end && found.hardState.term == Term(10)
                                && found.hardState.vote == MemberID(2) && found.entries.isEmpty,
                            "sector \(sector), \(budget), \(kind), \(second ?? -1)")
                    }
                }
            }
        }
    }

    @Test("keeps its claim over segments, pruning and restarts until its log has reached it")
    func claimStays() throws {
        let (disk, _, _) = try WriteAheadLogRotTests.makeDisk()
        Self.harm(disk, "log-0000000001", sector: 2, .flip)
        var log = try Self.open(disk)
        #expect(log.takeRecovered().damage != nil)
        for index in UInt64(1)...9 {
            try log.append(
                hardState: nil, entries: [Self.entry(index, index < 9 ? 5 : 10, bytes: 1500)])
            try log.sync()
            if index % 2 == 0 { try log.carryMark() }
            if index == 7 { try log.prune(through: LogIndex(6)) }
            let copy = disk.copy()
            var again = try Self.open(copy, snapshot: index < 7 ? nil : Self.mark(6, 5))
            let found = again.takeRecovered()
            #expect(found.claim == Self.end && found.damage == nil, "after entry \(index)")
        }
        try log.append(hardState: nil, entries: [Self.entry(10, 10)])
        var again = try Self.open(disk, snapshot: Self.mark(6, 5))
        let found = again.takeRecovered()
        #expect(found.claim == nil && found.entries.last?.index == LogIndex(10))
    }

    @Test("that a received snapshot of a later term replaces has no claim any more")
    func metBySnapshot() throws {
        let (disk, _, _) = try WriteAheadLogRotTests.makeDisk()
        Self.harm(disk, "log-0000000002", sector: 1, .zero)
        var log = try Self.open(disk)
        try log.reset(to: Self.mark(8, 9))
        var again = try Self.open(disk, snapshot: Self.mark(8, 9))
        #expect(again.takeRecovered().claim == Self.end)
        try again.reset(to: Self.mark(9, 11))
        var third = try Self.open(disk, snapshot: Self.mark(9, 11))
        #expect(third.takeRecovered().claim == nil)
    }

    @Test(
        "of which a write that went astray left a group first in another segment, intact as it is")
    func firstElsewhere() throws {
        let disk = SimulatedDisk()
        var log = try WriteAheadLogRotTests.open(disk)
        try log.append(hardState: nil, entries: [Self.entry(1, 1)])
        try log.sync()
        try log.reset(to: Self.mark(25, 5))
        try log.carryMark()
        // Into the next segment, and what stands behind it says that it is durable.
        try log.append(hardState: nil, entries: [Self.entry(26, 5, bytes: 2_600)])
        try log.sync()
        try log.append(hardState: nil, entries: [Self.entry(27, 5)])
        try log.sync()
        var (oldest, next) = (disk.bytes("log-0000000002"), disk.bytes("log-0000000003"))
        let group = 512..<(512 + 3_072)
        #expect(next[group.upperBound...].starts(with: [UInt8]("AVGP".utf8)))
        oldest.replaceSubrange(group, with: next[group])
        next.replaceSubrange(group, with: [UInt8](repeating: 0, count: group.count))
        disk.replace("log-0000000002", with: oldest)
        disk.replace("log-0000000003", with: next)
        var again = try Self.open(disk, snapshot: Self.mark(25, 5))
        let found = again.takeRecovered()
        #expect(found.damage != nil && found.entries.isEmpty)
        #expect(found.claim == LogPosition(index: LogIndex(27), term: Term(5)))
    }

    @Test("of which the last group went astray, to any place, has promised what that one says")
    func lastElsewhere() throws {
        let (disk, _, last) = try WriteAheadLogRotTests.makeDisk()
        let group = last..<(last + 512)
        for name in disk.fileNames {
            for target in stride(from: 512, to: disk.bytes(name).count, by: 512)
            where name != "log-0000000002" || target != last {
                let copy = disk.copy()
                var source = copy.bytes("log-0000000002")
                let written = source[group]
                source.replaceSubrange(group, with: [UInt8](repeating: 0, count: 512))
                copy.replace("log-0000000002", with: source)
                var bytes = copy.bytes(name)
                bytes.replaceSubrange(target..<(target + 512), with: written)
                copy.replace(name, with: bytes)
                let first = try Self.complaint(copy, damageIsNew: true)
                #expect(first == nil, "\(name) at \(target)")
                #expect(try Self.complaint(copy, damageIsNew: false) == nil)
            }
        }
    }

    @Test("begins anew behind the newest intact snapshot")
    func behindSnapshot() throws {
        let (whole, _, _) = try WriteAheadLogRotTests.makeDisk()
        for snapshot in [Self.mark(4, 4), Self.mark(10, 10)] {
            let disk = whole.copy()
            Self.harm(disk, "log-0000000001", sector: 3, .garble)
            var log = try Self.open(disk, snapshot: snapshot)
            let found = log.takeRecovered()
            #expect(found.snapshot == snapshot && found.entries.isEmpty)
            #expect(
                found.hardState.commit == snapshot.index && log.firstIndex == snapshot.index.next)
            #expect(found.claim == (snapshot.index == LogIndex(10) ? nil : Self.end))
            try log.append(hardState: nil, entries: [Self.entry(snapshot.index.rawValue + 1, 11)])
            try log.sync()
            var again = try Self.open(disk, snapshot: snapshot)
            #expect(again.takeRecovered().entries.count == 1)
        }
    }

    @Test("whose snapshot is damaged or gone begins from nothing, and claims its end")
    func gap() throws {
        for damaged in [[], ["snapshot-000000000000001e-0000000000000003"]] {
            let disk = SimulatedDisk()
            var log = try WriteAheadLogRotTests.open(disk)
            try log.append(
                hardState: HardState(term: Term(3), vote: MemberID(1), commit: .zero), entries: [])
            try log.reset(to: Self.mark(30, 3))
            try log.append(hardState: nil, entries: [Self.entry(31, 3)])
            try log.sync()
            var again = try Self.open(disk, damaged: damaged)
            let found = again.takeRecovered()
            guard case .gap? = found.damage else {
                Issue.record("\(String(describing: found.damage))")
                return
            }
            #expect(found.claim == LogPosition(index: LogIndex(31), term: Term(3)))
            #expect(found.entries.isEmpty && again.firstIndex == LogIndex(1))
            #expect(found.hardState == HardState(term: Term(3), vote: MemberID(1), commit: .zero))
        }
    }

    @Test("claims what a damaged snapshot stood for, which the log does not reach")
    func claimFromSnapshot() throws {
        let disk = SimulatedDisk()
        var log = try WriteAheadLogRotTests.open(disk)
        try log.append(hardState: nil, entries: [Self.entry(1, 1)])
        try log.sync()
        let names = ["snapshot-0000000000000014-0000000000000002"]
        let claim = LogPosition(index: LogIndex(20), term: Term(2))
        #expect(throws: JournalError.self) {
            _ = try WriteAheadLog.recover(
                storage: disk.copy(), limits: Self.limits, freshLogID: LogID(high: 3, low: 4),
                snapshot: nil, damagedSnapshots: names, logMustExist: true, hasPeers: false)
        }
        var again = try Self.open(disk, damaged: names)
        let found = again.takeRecovered()
        #expect(found.claim == claim && found.entries.count == 1 && found.damage == nil)
        // The damaged file may go now.
        var third = try Self.open(disk)
        #expect(third.takeRecovered().claim == claim)
    }

    @Test(
        "that was written, cut and crashed at random has promised no more than it knows again")
    func manySeeds() throws {
        var repaired = 0
        for seed in UInt64(1)...1_500 {
            var driver = LogDriver(disk: SimulatedDisk(), limits: Self.limits, seed: seed)
            driver.disk.budget = 20 + driver.random.below(120)
            if try WriteAheadLogCrashTests.run(&driver, steps: 30) { driver.disk.budget = nil }
            driver.log = nil
            driver.disk.crash(.keepSome, &driver.random)
            driver.disk.budget = nil
            let groups = GroupOnDisk.all(of: driver.disk)
            guard let last = groups.max(by: { $0.sequence < $1.sequence }) else { continue }
            let durable = groups.filter { $0.sequence <= last.mark }
            guard !durable.isEmpty else { continue }
            let group = durable[driver.random.below(durable.count)]
            Self.harm(
                driver.disk, group.file, sector: group.sector,
                Harm.allCases[driver.random.below(3)])
            let promised = driver.states[driver.acknowledged]
            var log = try Self.open(driver.disk, snapshot: driver.snapshot)
            let found = log.takeRecovered()
            repaired += found.damage == nil ? 0 : 1
            let end = LogPosition(index: promised.last, term: promised.lastTerm)
            let own = LogPosition(
                index: driver.snapshot?.index ?? .zero, term: driver.snapshot?.term ?? .zero)
            #expect(found.damage != nil && found.entries.isEmpty, "seed \(seed)")
            #expect(max(found.claim ?? .zero, own) >= end, "seed \(seed)")
            let best = promised.hardState
            #expect(
                found.hardState.term > best.term
                    || (found.hardState.term == best.term
                        && (best.vote == nil || found.hardState.vote == best.vote)),
                "seed \(seed): \(found.hardState) after \(best)")
        }
        #expect(repaired > 800)
    }
}

/// A group as the format's description tells it, read without the code under test.
struct GroupOnDisk {
    let file: String
    let sector: Int
    let sequence: UInt64
    let mark: UInt64

    static func all(of disk: SimulatedDisk) -> [GroupOnDisk] {
        var found: [GroupOnDisk] = []
        for file in disk.fileNames where file.hasPrefix("log-") && !file.hasSuffix(".tmp") {
            let bytes = disk.bytes(file)
            for sector in 1..<max(1, bytes.count / 512) {
                let head = Array(bytes[sector * 512..<sector * 512 + 104])
                func number(_ at: Int, _ count: Int) -> UInt64 {
                    (0..<count).reduce(0) { $0 | UInt64(head[at + $1]) << UInt64(8 * $1) }
                }
                let covered = Array(head[8...])
                guard number(0, 4) == 0x5047_5641,
                    number(4, 4) == UInt64(CRC32C.checksum(covered.span))
                else { continue }
                found.append(
                    GroupOnDisk(
                        file: file, sector: sector, sequence: number(24, 8), mark: number(32, 8)))
            }
        }
        return found
    }
}
