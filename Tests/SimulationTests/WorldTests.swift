// Whole runs: no seed breaks a rule, and a seed is the same run each time, in each process.

import Foundation
import Simulation
import Testing

/// AVIARY_SEEDS gives the number of seeds of each profile.
let seedsOverride = ProcessInfo.processInfo.environment["AVIARY_SEEDS"].flatMap(UInt64.init)

@Suite("The simulated world")
struct WorldTests {
    private func count(_ seeds: UInt64) -> UInt64 { max(1, seedsOverride ?? seeds) }

    private func check(_ profile: Profile, _ seeds: UInt64, events: Int) -> (WorkDone, Marks) {
        var work = WorkDone()
        var marks = Marks()
        for seed in 1...count(seeds) {
            let options = WorldOptions(
                members: WorldOptions.members(seed), profile: profile, eventsMax: events)
            let report = World(seed: seed, options: options).run()
            work.add(report.work)
            marks.add(report.marks)
            if report.violation != nil { Issue.record("\(report.text)") }
        }
        return (work, marks)
    }

    @Test("A calm world breaks no rule and leads with one leader")
    func calm() {
        let (work, _) = check(.calm, 50, events: 3_000)
        #expect(work.acknowledgedWrites > 300)
        // One in each run, and no second.
        #expect(work.leaders == Int(count(50)))
    }

    @Test("No fault of the network breaks a rule")
    func network() {
        let (work, _) = check(.network, 80, events: 4_000)
        #expect(work.partitions > 30 && work.leaders > 25)
    }

    @Test("No fault of a disk breaks a rule")
    func disk() {
        let (work, marks) = check(.disk, 80, events: 4_000)
        #expect(work.starts > 100 && marks[.powerLost] > 10 && marks[.noRoom] > 10)
    }

    @Test("All faults at once break no rule")
    func everything() {
        let (work, _) = check(.everything, 50, events: 10_000)
        #expect(work.acknowledgedWrites > 500 && work.ordered > 500)
    }

    @Test("No mixture of faults breaks a rule, and every rare turn is taken by some seed")
    func swarm() {
        let (work, marks) = check(.swarm, 300, events: 8_000)
        #expect(work.starts > 200 && work.snapshotsInstalled > 5 && work.pauses > 30)
        if seedsOverride == nil { #expect(marks.missed.isEmpty, "\(marks.missed)") }
    }

    @Test("Neighbouring seeds draw each kind of fault by themselves")
    func draws() {
        let seeds = UInt64(1)...300
        let worlds = seeds.map { World(seed: $0, options: WorldOptions(members: 3)) }
        // By kind and seed.
        let drawn = FaultKind.allCases.map { kind in worlds.map { $0.rate(of: kind) > 0 } }
        let half = (seeds.count * 35 / 100)...(seeds.count * 65 / 100)
        for (kind, isOn) in zip(FaultKind.allCases, drawn) {
            #expect(half.contains(isOn.count { $0 }), "\(kind)")
            for distance in [1, 2, 10] {
                let same = zip(isOn, isOn.dropFirst(distance)).count { $0 == $1 }
                #expect(half.contains(same), "\(kind), \(distance) seeds apart")
            }
            for (other, isOther) in zip(FaultKind.allCases, drawn) where other != kind {
                #expect(half.contains(zip(isOn, isOther).count { $0 == $1 }), "\(kind), \(other)")
            }
            // How bad it is, where it is.
            let rates = worlds.map { $0.rate(of: kind) }.filter { $0 > 0 }
            let range = kind.rates
            if range.upperBound - range.lowerBound > 100 {
                #expect(Set(rates).count > rates.count / 3, "\(kind)")
            }
        }
    }

    @Test("A kind of fault that is turned off does not happen, and the others are drawn the same")
    func without() {
        var others = 0
        for seed in UInt64(1)...12 {
            var options = WorldOptions(members: 3, profile: .everything, eventsMax: 1_500)
            options.without = [.crash, .crashInTurn, .pause, .swizzle]
            let world = World(seed: seed, options: options)
            let whole = World(
                seed: seed,
                options: WorldOptions(members: 3, profile: .everything, eventsMax: 1_500))
            for kind in FaultKind.allCases {
                let isOff = options.without.contains(kind)
                #expect(world.rate(of: kind) == (isOff ? 0 : whole.rate(of: kind)))
            }
            let marks = world.run().marks
            for mark in [Mark.crashed, .crashedInTurn, .paused, .swizzled] {
                #expect(marks[mark] == 0, "\(seed) \(mark)")
            }
            others += marks[.partitioned] + marks[.linkBroken]
        }
        #expect(others > 12)
    }

    @Test("When a minority is lost for good, the others come to rest and serve")
    func minorityLost() {
        var lost = 0
        for seed in UInt64(1)...40 {
            var options = WorldOptions(
                members: WorldOptions.members(seed), profile: .swarm, eventsMax: 3_000)
            // Where states have differed nobody is lost.
            options.without = [.flip]
            let report = World(seed: seed, options: options).run()
            if report.violation != nil { Issue.record("\(report.text)") }
            lost += report.marks[.minorityLost]
        }
        #expect(lost >= 4, "\(lost)")
    }

    @Test("A recovery that is shown an older sector finds it or loses nothing")
    func olderReads() {
        var marks = Marks()
        for seed in UInt64(1)...25 {
            var options = WorldOptions(members: 3, profile: .disk, eventsMax: 10_000)
            // Then what is found is nothing else.
            options.without = [.rot, .misdirectedWrite, .rotInUse]
            let report = World(seed: seed, options: options).run()
            if report.violation != nil { Issue.record("\(report.text)") }
            marks.add(report.marks)
        }
        #expect(marks[.olderReadFound] >= 4, "\(marks[.olderReadFound])")
        #expect(marks[.rotted] == 0)
    }

    @Test("Without gateways nobody hears a status of HTTP; with them most kinds of answer come")
    func gateways() {
        var heard = Marks()
        for seed in UInt64(1)...20 {
            var options = WorldOptions(members: 3, profile: .calm, eventsMax: 2_000)
            heard.add(World(seed: seed, options: options).run().marks)
            options.isDirect = true
            let report = World(seed: seed, options: options).run()
            #expect(report.violation == nil)
            for mark in [Mark.http200, .http201, .http404, .keptAlive] {
                #expect(report.marks[mark] == 0)
            }
        }
        for mark in [Mark.http200, .http201, .http204, .http304, .http404, .http412, .http413] {
            #expect(heard[mark] > 10, "\(mark)")
        }
    }

    @Test("A seed is one run")
    func deterministic() {
        for seed in UInt64(1)...6 {
            let options = WorldOptions(members: 3, profile: .swarm, eventsMax: 3_000)
            let first = World(seed: seed, options: options).run()
            let second = World(seed: seed, options: options).run()
            #expect(first.traceHash == second.traceHash)
            #expect(first.events == second.events)
            let other = World(seed: seed + 100, options: options).run()
            #expect(first.traceHash != other.traceHash)
        }
    }

    @Test("A seed is the same run in two processes")
    func twoProcesses() throws {
        let simulate = try #require(Self.executable)
        for seed in 1...3 {
            let first = try Self.output(simulate, seed)
            let second = try Self.output(simulate, seed)
            #expect(first.contains("hash"))
            #expect(first == second)
        }
    }

    /// Beside the test bundle, when it has been built.
    private static var executable: URL? {
        for argument in CommandLine.arguments {
            let beside = URL(filePath: argument).deletingLastPathComponent()
                .appending(path: "aviary-simulate")
            if FileManager.default.isExecutableFile(atPath: beside.path()) { return beside }
        }
        return nil
    }

    private static func output(_ executable: URL, _ seed: Int) throws -> String {
        let process = Process()
        process.executableURL = executable
        process.arguments = ["--seed", "\(seed)", "--members", "3", "--events", "2500"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        return lines.first.map(String.init) ?? ""
    }
}

@Suite("Seeds that once found something")
struct SeedTests {
    struct Kept: Sendable, CustomStringConvertible {
        let seed: UInt64
        let members: Int
        let profile: Profile
        let events: Int
        /// The last kind of fault that there was.
        let newest: FaultKind
        var description: String { "\(seed) \(members) \(profile) \(events)" }

        var options: WorldOptions {
            var options = WorldOptions(members: members, profile: profile, eventsMax: events)
            options.without = FaultKind.allCases.filter { $0.rawValue > newest.rawValue }
            // Gateways came between these two.
            options.isDirect = options.without.contains(.misdirectedWrite)
            return options
        }
    }

    static var lines: [Substring] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Seeds.txt")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    static var kept: [Kept] {
        lines.compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 5, let seed = UInt64(words[0]), let members = Int(words[1]),
                let profile = Profile(rawValue: String(words[2])), let events = Int(words[3]),
                let newest = FaultKind(name: String(words[4]))
            else { return nil }
            return Kept(
                seed: seed, members: members, profile: profile, events: events, newest: newest)
        }
    }

    @Test("There are such seeds, and each line of the file is one")
    func some() {
        #expect(Self.kept.count >= 3)
        #expect(Self.kept.count == Self.lines.count)
    }

    @Test("Their worlds have no kind of fault that came later, and all that came before")
    func kinds() throws {
        let oldest = try #require(Self.kept.min { $0.newest.rawValue < $1.newest.rawValue })
        #expect(oldest.newest == .lateTicks && oldest.options.isDirect)
        #expect(oldest.options.without.first == .rot && oldest.options.without.contains(.rotInUse))
        let newest = try #require(Self.kept.max { $0.newest.rawValue < $1.newest.rawValue })
        #expect(!newest.options.isDirect && !newest.options.without.contains(.rotInUse))
    }

    @Test("They find nothing any more", arguments: kept)
    func quiet(kept: Kept) {
        let report = World(seed: kept.seed, options: kept.options).run()
        if report.violation != nil { Issue.record("\(report.text)") }
    }
}

@Suite("Planted bugs")
struct PlantedBugTests {
    @Test(
        "Stale reads are found without a look at zxids",
        arguments: [PlantedBug.staleReadIndex, .readBeforeTicket])
    func withoutZxids(bug: PlantedBug) {
        for seed in UInt64(1)...100 {
            var options = WorldOptions(
                members: WorldOptions.members(seed), profile: .swarm, eventsMax: 6_000,
                bug: bug)
            options.comparesRealTime = false
            guard let violation = World(seed: seed, options: options).run().violation else {
                continue
            }
            #expect(violation.rule == .linearizability, "\(violation)")
            return
        }
        Issue.record("\(bug) is not found")
    }

    /// The rules of which one must be what is broken.
    static let rules: [PlantedBug: Set<Rule>] = [
        .storedBeforeDurable: [.promiseBeforeDurable, .durableQuorum, .recovery],
        .diskLiesAboutSync: [.recovery],
        .diskLiesAboutDirectory: [.recovery],
        .staleReadIndex: [.staleRead],
        .hardStateDropped: [.recovery, .oneVote],
        .forwardedTwice: [.appliedOnce],
        .readBeforeTicket: [.staleRead],
        // One that was never made does not heal the rotten one that it is said to replace.
        .snapshotSavedEarly: [.recovery, .liveness],
        .lastEntryLost: [.recovery, .logMatching],
        // Both what it claims and how fresh it says to be go by that clock.
        .wallClockForBootClock: [.leaderClaim, .staleRead, .liveness],
        // Deletes of a register carry no tag: only the search sees one that was refused and done.
        .unknownAsRefused: [.refusedWrite, .linearizability],
        .answeredTwice: [.answer],
        .rotForTorn: [.recovery],
        .claimIgnored: [.leaderCompleteness, .committedOnce, .durableQuorum],
        .claimNotRepeated: [.recovery],
        .voteLostInRot: [.recovery, .oneVote],
        .newDiskForOld: [.durableQuorum, .liveness],
        .exchangedAtOnce: [.diskAdmission],
        .scrubUnheard: [.liveness],
        .bodyKept: [.acknowledgedWrite, .appliedOnce, .refusedWrite],
        .conditionForgotten: [.acknowledgedWrite],
        .changeMadeUp: [.spuriousChange],
        .digestsNotTold: [.liveness],
    ]

    /// An exchange must meet a member that is slow, not gone, or a write that only one other holds.
    static let rare: Set<PlantedBug> = [.exchangedAtOnce, .newDiskForOld]

    /// For the rare ones: all faults at once, but for those that keep members down. With a coin for
    /// each kind one seed in eighty has what it takes, here one in eight.
    private func options(_ bug: PlantedBug, _ seed: UInt64) -> WorldOptions {
        guard Self.rare.contains(bug) else {
            return WorldOptions(
                members: WorldOptions.members(seed), profile: .swarm, eventsMax: 7_000, bug: bug)
        }
        var options = WorldOptions(
            members: 3, profile: .everything, eventsMax: 7_000, bug: bug)
        options.without = [
            .crash, .crashInTurn, .blackout, .rot, .misdirectedWrite, .powerCut, .writeError,
            .syncError,
        ]
        return options
    }

    @Test(
        "Each one is found within forty seeds, the rarest within 100, by a rule that is about it",
        arguments: PlantedBug.allCases)
    func found(bug: PlantedBug) throws {
        for seed in UInt64(1)...(Self.rare.contains(bug) ? 100 : 40) {
            let report = World(seed: seed, options: options(bug, seed)).run()
            guard let violation = report.violation, violation.rule != .quietRun else { continue }
            let expected = try #require(Self.rules[bug])
            #expect(expected.contains(violation.rule), "\(violation)")
            #expect(report.text.contains("--seed \(seed)"))
            #expect(!report.lastEvents.isEmpty)
            return
        }
        Issue.record("\(bug) is not found")
    }
}
