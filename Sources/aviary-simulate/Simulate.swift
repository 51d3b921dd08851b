// Runs whole ensembles in a deterministic world, seed after seed, until one breaks a rule. It must
// never call a run quiet or good that did little: what was done is counted and printed.

import ArgumentParser
import Glibc
import Simulation

@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aviary-simulate",
        abstract: "Simulates whole ensembles under faults; one seed is one run.")

    @Option(help: "One seed.") var seed: UInt64?
    @Option(help: "A range of seeds, as A..B, both included; without any 1..100.")
    var seeds: String?
    @Option(help: "End after so many minutes; without --seeds from seed 1 on.") var minutes: Int?
    @OptionGroup var conditions: Conditions
    @Flag(help: "Print every event.") var trace = false
    @Flag(help: "Run each seed again in another process and compare the hashes.")
    var twice = false
    @Flag(help: "Find the least that still breaks the rule, for one seed.") var minimize = false

    func validate() throws {
        _ = try range()
        if seed != nil, seeds != nil || minutes != nil {
            throw ValidationError("--seed is one run, and goes with neither --seeds nor --minutes")
        }
        guard (1...1_000_000).contains(minutes ?? 1) else {
            throw ValidationError("minutes is 1 to 1000000")
        }
        if minimize || trace, seed == nil {
            throw ValidationError("--minimize and --trace are for one --seed")
        }
    }

    private func range() throws -> ClosedRange<UInt64> {
        if let seed { return seed...seed }
        guard let seeds else { return minutes == nil ? 1...100 : 1...UInt64.max }
        let ends = seeds.split(separator: ".", omittingEmptySubsequences: false)
        guard ends.count == 3, ends[1].isEmpty, let first = UInt64(ends[0]),
            let last = UInt64(ends[2]), first <= last
        else { throw ValidationError("seeds are given as A..B, and A is at most B") }
        return first...last
    }

    func run() throws {
        if minimize, let seed {
            return try Minimization(seed: seed, conditions: conditions).run()
        }
        let clock = ContinuousClock()
        let start = clock.now
        let end = minutes.map { start + .seconds(60 * $0) }
        var lastLine = start
        var tally = Tally()
        for seed in try range() {
            if let end, clock.now >= end { break }
            Traps.name(seed: seed)
            let world = World(seed: seed, options: conditions.options(seed))
            if trace { world.onTrace = { print($0) } }
            let report = world.run()
            tally.add(report)
            if report.violation != nil {
                print(report.text)
                throw ExitCode(1)
            }
            let hash = "seed \(seed) hash \(String(report.traceHash, radix: 16))"
            if twice, try OtherProcess.firstLine(of: seed, conditions) != hash {
                print("seed \(seed): two processes differ")
                throw ExitCode(1)
            }
            if self.seed != nil { print(hash) }
            if lastLine.duration(to: clock.now) >= .seconds(5) {
                lastLine = clock.now
                print(tally.line("at seed \(seed)", start.duration(to: clock.now)))
                fflush(nil)
            }
        }
        print(tally.line("done", start.duration(to: clock.now)))
        print(tally.work.text)
        print(tally.marks.text)
    }
}

/// What a run depends on besides its seed.
struct Conditions: ParsableArguments {
    @Option(help: "1, 2, 3, 5 or 7; without it by seed.") var members: Int?
    @Option(help: "calm, network, disk, everything or swarm.") var profile = "swarm"
    @Option(help: "Events before the faults end, 20,000 at most; more where little was done.")
    var events = 12_000
    @Option(help: "Kinds of faults that do not happen, with commas between them; ? lists them.")
    var without: String?
    @Flag(help: "No client speaks HTTP: each hands its requests to the replica itself.")
    var direct = false
    @Option(help: "Clients that write and read; without it by seed.") var workers: Int?
    @Option(help: "A bug to plant, which should then be found; ? lists them.") var bug: String?

    func validate() throws {
        guard Profile(rawValue: profile) != nil else {
            let known = Profile.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("profile is one of \(known)")
        }
        if let members, ![1, 2, 3, 5, 7].contains(members) {
            throw ValidationError("members is 1, 2, 3, 5 or 7")
        }
        if let bug, PlantedBug(rawValue: bug) == nil {
            let known = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("bug is one of \(known)")
        }
        guard (1...20_000).contains(events) else {
            throw ValidationError("events is 1 to 20000")
        }
        guard (1...6).contains(workers ?? 1) else { throw ValidationError("workers is 1 to 6") }
        for name in withoutNames where FaultKind(name: name) == nil {
            let known = FaultKind.allCases.map { "\($0)" }.joined(separator: ", ")
            throw ValidationError("\(name) is no kind of fault; there are \(known)")
        }
    }

    private var withoutNames: [String] { without?.split(separator: ",").map(String.init) ?? [] }

    func options(_ seed: UInt64) -> WorldOptions {
        var options = WorldOptions(
            members: members ?? WorldOptions.members(seed),
            profile: Profile(rawValue: profile) ?? .swarm, eventsMax: events,
            bug: bug.flatMap(PlantedBug.init))
        options.without = withoutNames.compactMap(FaultKind.init(name:))
        options.isDirect = direct
        options.workers = workers
        return options
    }
}

/// What the runs so far have done.
struct Tally {
    private var ran = 0
    private var events = 0
    private(set) var work = WorkDone()
    private(set) var marks = Marks()

    mutating func add(_ report: Report) {
        ran += 1
        events += report.events
        work.add(report.work)
        marks.add(report.marks)
    }

    func line(_ place: String, _ time: Duration) -> String {
        let ms = max(1, Int(time / .milliseconds(1)))
        return "\(place): \(ran) seeds, \(events) events, \(ran * 1_000 / ms) seeds/s, "
            + "\(events * 1_000 / ms) events/s"
    }
}
