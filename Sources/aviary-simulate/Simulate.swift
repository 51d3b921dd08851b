// Runs whole ensembles in a deterministic world, seed after seed, until one breaks a rule.

import ArgumentParser
import Glibc
import Simulation

@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aviary-simulate",
        abstract: "Simulates whole ensembles under faults; one seed is one run.")

    @Option(help: "One seed.") var seed: UInt64?
    @Option(help: "A range of seeds, as A..B, both included.") var seeds: String?
    @Option(help: "Go on with further seeds for so many minutes.") var minutes: Int?
    @Option(help: "1, 3 or 5; without it by seed.") var members: Int?
    @Option(help: "calm, network or everything.") var profile = "everything"
    @Option(help: "Events before the faults end.") var events = 12_000
    @Option(help: "A bug to plant, which should then be found.") var bug: String?
    @Flag(help: "Print every event.") var trace = false
    @Flag(help: "Run each seed twice and compare the hashes.") var twice = false

    func validate() throws {
        guard Profile(rawValue: profile) != nil else {
            throw ValidationError("profile is one of calm, network, everything")
        }
        if let members, ![1, 3, 5].contains(members) {
            throw ValidationError("members is 1, 3 or 5")
        }
        if let bug, PlantedBug(rawValue: bug) == nil {
            let known = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("bug is one of \(known)")
        }
        guard try range().lowerBound >= 0, events > 0 else {
            throw ValidationError("events must be above 0")
        }
    }

    private func range() throws -> ClosedRange<UInt64> {
        if let seed { return seed...seed }
        guard let seeds else { return minutes == nil ? 1...100 : 1...UInt64.max }
        let ends = seeds.split(separator: ".", omittingEmptySubsequences: true).map { UInt64($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else {
            throw ValidationError("seeds are given as A..B")
        }
        return first...last
    }

    private func options(_ seed: UInt64) -> WorldOptions {
        WorldOptions(
            members: members ?? WorldOptions.members(seed),
            profile: Profile(rawValue: profile) ?? .everything, eventsMax: events,
            bug: bug.flatMap(PlantedBug.init))
    }

    func run() throws {
        let clock = ContinuousClock()
        let start = clock.now
        let end = minutes.map { start + .seconds(60 * $0) }
        var lastLine = start
        var ran = 0
        var handed = 0
        var work = WorkDone()
        for seed in try range() {
            if let end, clock.now >= end { break }
            Traps.name(seed: seed, arguments: CommandLine.arguments)
            let world = World(seed: seed, options: options(seed))
            if trace { world.onTrace = { print($0) } }
            let report = world.run()
            ran += 1
            handed += report.events
            work.add(report.work)
            if report.violation != nil {
                print(report.text)
                throw ExitCode(1)
            }
            if twice {
                let again = World(seed: seed, options: options(seed)).run()
                guard again.traceHash == report.traceHash else {
                    print("seed \(seed): two runs differ")
                    throw ExitCode(1)
                }
            }
            if self.seed != nil {
                print("seed \(seed) hash \(String(report.traceHash, radix: 16))")
            }
            if lastLine.duration(to: clock.now) >= .seconds(5) {
                lastLine = clock.now
                print(Self.progress(seed, ran, handed, start.duration(to: clock.now)))
                fflush(nil)
            }
        }
        print(Self.progress(nil, ran, handed, start.duration(to: clock.now)))
        print(work.text)
    }

    private static func progress(_ seed: UInt64?, _ ran: Int, _ handed: Int, _ time: Duration)
        -> String
    {
        let ms = max(1, Int(time.components.seconds) * 1_000 + Int(time / .milliseconds(1)) % 1_000)
        let place = seed.map { "at seed \($0)" } ?? "done"
        return "\(place): \(ran) seeds, \(handed) events, \(ran * 1_000 / ms) seeds/s, "
            + "\(handed * 1_000 / ms) events/s"
    }
}
