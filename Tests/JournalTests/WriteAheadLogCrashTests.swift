import Journal
import Raft
import Testing

@Suite("A crash of the log")
struct WriteAheadLogCrashTests {
    static let limits = JournalLimits(segmentBytes: 4096)

    /// Runs the workload of `seed` until the budget of operations is used up; gives back the
    /// operations used when it never was.
    static func run(
        _ driver: inout LogDriver, steps: Int
    ) throws -> Bool {
        do {
            if driver.log == nil { try driver.open() }
            for _ in 0..<steps { try driver.step() }
            return true
        } catch let error as StorageError where error == SimulatedDisk.PowerCut.error {
            return false
        } catch JournalError.storage(let error) where error == SimulatedDisk.PowerCut.error {
            return false
        }
    }

    /// Recovers, with a crash during recovery as long as `crashes` lasts.
    static func recover(
        _ driver: inout LogDriver, kind: SimulatedDisk.CrashKind, crashes: Int
    ) throws {
        var left = crashes
        while true {
            driver.disk.crash(kind, &driver.random)
            if left > 0 { driver.disk.budget = driver.random.below(12) }
            left -= 1
            if try run(&driver, steps: 0) { break }
            driver.log = nil
        }
        driver.disk.budget = nil
    }

    @Test("at any operation of a workload loses nothing acknowledged and makes nothing up")
    func everyOperation() throws {
        for seed in UInt64(1)...6 {
            var whole = LogDriver(disk: SimulatedDisk(), limits: Self.limits, seed: seed)
            #expect(try Self.run(&whole, steps: 40))
            for cut in 0..<whole.disk.operationCount {
                for kind in SimulatedDisk.CrashKind.allCases {
                    var driver = LogDriver(disk: SimulatedDisk(), limits: Self.limits, seed: seed)
                    driver.disk.budget = cut
                    #expect(try !Self.run(&driver, steps: 40))
                    driver.log = nil
                    try Self.recover(&driver, kind: kind, crashes: 0)
                    let complaint = driver.complaint()
                    #expect(complaint == nil, "seed \(seed) cut \(cut) \(kind)")
                }
            }
        }
    }

    @Test(
        "at random, again and again, during recovery too, keeps to the list model")
    func manySeeds() throws {
        for seed in UInt64(1)...2_500 {
            var driver = LogDriver(disk: SimulatedDisk(), limits: Self.limits, seed: seed)
            if seed % 3 == 0 { driver.payloadBytesMax = 40 }
            for round in 0..<4 {
                driver.disk.budget = driver.random.below(60)
                if try Self.run(&driver, steps: 5 + driver.random.below(40)) {
                    driver.disk.budget = nil
                }
                driver.log = nil
                let kinds = SimulatedDisk.CrashKind.allCases
                let kind = kinds[driver.random.below(kinds.count)]
                try Self.recover(&driver, kind: kind, crashes: driver.random.below(3))
                // A second recovery finds what the first one found.
                let first = try Self.found(driver.disk, driver.snapshot)
                let second = try Self.found(driver.disk, driver.snapshot)
                #expect(first.entries == second.entries && first.hardState == second.hardState)
                if let complaint = driver.complaint() {
                    Issue.record("seed \(seed) round \(round) \(kind): \(complaint)")
                    return
                }
            }
        }
    }

    static func found(
        _ disk: SimulatedDisk, _ snapshot: SnapshotMark?
    ) throws -> RecoveredLog {
        var log = try WriteAheadLog.recover(
            storage: disk, limits: limits, freshLogID: LogID(high: 1, low: 2),
            snapshot: snapshot, logMustExist: true, hasPeers: false)
        return log.takeRecovered()
    }
}
