// From a failing seed to the least that fails in the same way: the gateways go, kinds of faults are
// turned off one by one, clients are counted up from one, then events are halved. Each try is another
// process, since some end in a trap.

import ArgumentParser
import Simulation

struct Minimization {
    let seed: UInt64
    let conditions: Conditions

    func run() throws {
        var options = conditions.options(seed)
        guard let wanted = try failure(options) else {
            print("seed \(seed) breaks no rule")
            return
        }
        print("seed \(seed) breaks \(wanted)")
        func stillFails(_ changed: WorldOptions) throws -> Bool {
            try failure(changed) == wanted
        }
        if !options.isDirect {
            var fewer = options
            fewer.isDirect = true
            if try stillFails(fewer) { options = fewer }
        }
        for kind in FaultKind.allCases where !options.without.contains(kind) {
            var fewer = options
            fewer.without.append(kind)
            if try stillFails(fewer) { options = fewer }
        }
        var workers = 1
        while workers < 6 {
            var fewer = options
            fewer.workers = workers
            if try stillFails(fewer) {
                options = fewer
                break
            }
            workers += 1
        }
        // The fewest events for which it fails, as far as halving finds it. Any run is quiet that is
        // short enough.
        var low = wanted == Rule.quietRun.rawValue ? options.eventsMax : 0
        while options.eventsMax - low > 10 {
            var fewer = options
            fewer.eventsMax = (low + options.eventsMax) / 2
            if try stillFails(fewer) {
                options = fewer
            } else {
                low = fewer.eventsMax
            }
        }
        let kept = FaultKind.allCases.filter { !options.without.contains($0) }
        print(
            "it takes \(kept.isEmpty ? "no fault" : kept.map { "\($0)" }.joined(separator: ", "))")
        let words = World.arguments(seed: seed, options).joined(separator: " ")
        print("replay: aviary-simulate \(words)")
        throw ExitCode(1)
    }

    /// The rule that breaks, or `trap`; nil: none does.
    private func failure(_ options: WorldOptions) throws -> String? {
        let output = try OtherProcess.run(World.arguments(seed: seed, options))
        if output.isTrapped { return "trap" }
        let mark = "VIOLATION of "
        for line in output.text.split(separator: "\n") where line.contains(mark) {
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(of: "of"), place + 1 < words.count else { continue }
            return String(words[place + 1].prefix { $0 != ":" })
        }
        return nil
    }
}
