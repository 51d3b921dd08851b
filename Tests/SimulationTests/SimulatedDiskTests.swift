import Journal
import Raft
import Simulation
import Testing

@Suite("The simulated disk")
struct SimulatedDiskTests {
    private let ones = [UInt8](repeating: 1, count: 2_048)
    private let twos = [UInt8](repeating: 2, count: 2_048)

    private func disk(_ contents: [UInt8]) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        try disk.create("file", zeroFilledTo: 0)
        try disk.write("file", at: 0, contents.span)
        try disk.sync("file")
        try disk.syncDirectory()
        return disk
    }

    @Test("What was synced stays, whatever is lost")
    func durable() throws {
        for seed in UInt64(0)..<20 {
            var random = RandomGenerator(seed: seed)
            for loss in SimulatedDisk.Loss.allCases {
                let disk = try disk(ones)
                disk.crash(loss, &random)
                #expect(disk.contents("file") == ones)
            }
        }
    }

    @Test("A crash that loses all takes the unsynced writes, names and sizes")
    func losesAll() throws {
        var random = RandomGenerator(seed: 1)
        let disk = try disk(ones)
        try disk.write("file", at: 512, twos.span)
        try disk.create("other", zeroFilledTo: 512)
        try disk.sync("other")
        disk.crash(.all, &random)
        #expect(disk.contents("file") == ones)
        #expect(disk.fileNames == ["file"])
    }

    private func read(_ disk: SimulatedDisk, at offset: Int, count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try disk.read("file", at: offset, count: count, into: &bytes)
        return bytes
    }

    /// Ones, and then twos in the second sector.
    private func rewritten() throws -> SimulatedDisk {
        let disk = try disk(ones)
        disk.remembersOlder = true
        try disk.write("file", at: 512, twos.span.extracting(first: 512))
        #expect(disk.olderSectors("file").isEmpty)
        try disk.sync("file")
        return disk
    }

    @Test("One read of a sector shows what was durable there before, and the next one what is")
    func olderRead() throws {
        let disk = try rewritten()
        #expect(disk.olderSectors("file") == [1])
        // The same bytes again are no other content.
        try disk.write("file", at: 512, twos.span.extracting(first: 512))
        try disk.sync("file")
        #expect(disk.olderSectors("file") == [1])
        let now = disk.contents("file")
        disk.showOlder("file", 1, afterReads: 1)
        #expect(try read(disk, at: 0, count: 512) == Array(now[..<512]))
        #expect(try read(disk, at: 0, count: 2_048) == now)
        #expect(disk.shownOlder.isEmpty)
        #expect(try read(disk, at: 500, count: 24) == [UInt8](repeating: 1, count: 24))
        #expect(disk.shownOlder.map(\.sector) == [1])
        #expect(try read(disk, at: 0, count: 2_048) == now)
        #expect(disk.contents("file") == now)
    }

    @Test("What was written anew is not shown as it was before, nor what is forgotten or healed")
    func noOlderRead() throws {
        for way in 0..<3 {
            let disk = try rewritten()
            disk.showOlder("file", 1, afterReads: 0)
            switch way {
            case 0: try disk.write("file", at: 1_023, twos.span.extracting(first: 1))
            case 1: disk.forgetOlder()
            default: disk.heal()
            }
            #expect(try read(disk, at: 0, count: 2_048) == disk.contents("file"))
            #expect(disk.shownOlder.isEmpty)
        }
    }

    @Test("A killed process loses nothing, but a power cut after it may")
    func kill() throws {
        var random = RandomGenerator(seed: 1)
        let disk = try disk(ones)
        try disk.write("file", at: 0, twos.span)
        disk.crash(.none, &random)
        #expect(disk.contents("file") == twos)
        disk.crash(.all, &random)
        #expect(disk.contents("file") == ones)
    }

    @Test("Each sector is one of the states that it had, and all mixtures occur")
    func sectors() throws {
        var mixtures: Set<[UInt8]> = []
        let threes = [UInt8](repeating: 3, count: 2_048)
        for seed in UInt64(0)..<400 {
            var random = RandomGenerator(seed: seed)
            let disk = try disk(ones)
            try disk.write("file", at: 0, twos.span)
            try disk.write("file", at: 0, threes.span)
            disk.crash(.some, &random)
            let bytes = disk.contents("file")
            var mixture: [UInt8] = []
            for sector in 0..<4 {
                let part = bytes[(sector * 512)..<(sector * 512 + 512)]
                #expect(Set(part).count == 1)
                mixture.append(part.first ?? 0)
            }
            mixtures.insert(mixture)
        }
        #expect(mixtures.contains([1, 1, 1, 1]))
        #expect(mixtures.contains { $0[0] < $0[3] } && mixtures.contains { $0[0] > $0[3] })
        #expect(mixtures.count > 30)
    }

    @Test("A rename without a directory sync may be lost, one after it may not")
    func rename() throws {
        var outcomes: Set<[String]> = []
        for seed in UInt64(0)..<50 {
            var random = RandomGenerator(seed: seed)
            let disk = try disk(ones)
            try disk.rename("file", to: "new")
            if seed.isMultiple(of: 2) { try disk.syncDirectory() }
            disk.crash(.some, &random)
            if seed.isMultiple(of: 2) { #expect(disk.fileNames == ["new"]) }
            outcomes.insert(disk.fileNames)
        }
        #expect(outcomes == [["file"], ["new"]])
    }

    @Test("The power goes after so many changes and comes back with the crash")
    func powerCut() throws {
        var random = RandomGenerator(seed: 1)
        let disk = try disk(ones)
        disk.changesUntilPowerCut = 1
        try disk.write("file", at: 0, twos.span)
        #expect(throws: SimulatedDisk.powerCut) { try disk.sync("file") }
        #expect(disk.isWithoutPower)
        #expect(throws: SimulatedDisk.powerCut) { try disk.remove("file") }
        disk.crash(.all, &random)
        try disk.sync("file")
        #expect(disk.contents("file") == ones)
    }

    @Test("A disk that lies loses what it called durable")
    func lies() throws {
        var random = RandomGenerator(seed: 1)
        let disk = try disk(ones)
        disk.liesAboutSync = true
        try disk.write("file", at: 0, twos.span)
        try disk.sync("file")
        disk.crash(.all, &random)
        #expect(disk.contents("file") == ones)
    }

    @Test(
        "A cache that hides a failed sync shows the bytes until the power goes or they are rewritten"
    )
    func hiddenFailure() throws {
        var random = RandomGenerator(seed: 1)
        for isRewritten in [false, true] {
            let disk = try disk(ones)
            disk.cacheHidesFailedSyncs = true
            try disk.write("file", at: 512, [UInt8](repeating: 2, count: 512).span)
            disk.failsNextSync = true
            #expect(throws: StorageError.self) { try disk.sync("file") }
            disk.crash(.none, &random)
            let shown = disk.contents("file")
            #expect(shown[511] == 1 && shown[512] == 2 && disk.hasUnsynced)
            if isRewritten { try disk.write("file", at: 0, shown.span) }
            try disk.sync("file")
            disk.crash(.all, &random)
            #expect(disk.contents("file") == (isRewritten ? shown : ones))
        }
    }
}
