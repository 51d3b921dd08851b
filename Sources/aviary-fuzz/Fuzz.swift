// Looks for bytes that break a property of `Fuzzing`. Built with the compiler's fuzzer it searches
// guided by coverage, with libFuzzer's options; built without, it changes seeds at random.

import Fuzzing
import Glibc

#if FUZZER
    /// libFuzzer's main loop, with the arguments of a program.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<Int32>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
    ) -> Int32
#endif

@main
enum Fuzz {
    static let usage = """
        usage: aviary-fuzz TARGET [--seconds N] [--seed S] [FILE or FOLDER...]
               aviary-fuzz seeds FOLDER
        Without --seconds each file is only looked at once. Built by `make fuzz`, TARGET is followed
        by libFuzzer's options and folders. Targets:
        """

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "seeds", arguments.count == 2 { return writeSeeds(arguments[1]) }
        guard let name = arguments.first, let target = FuzzTarget(rawValue: name) else {
            print(usage, FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))
            exit(64)
        }
        #if FUZZER
            search(target)
        #else
            run(target, Array(arguments.dropFirst()))
        #endif
    }

    /// The end of the process: libFuzzer and the backtrace say where it was.
    private static func look(_ target: FuzzTarget, _ bytes: [UInt8], _ origin: String) {
        do throws(BrokenProperty) {
            try target.check(bytes)
        } catch {
            fatalError("\(target.rawValue), \(origin): \(error)")
        }
    }

    private static func writeSeeds(_ folder: String) {
        for target in FuzzTarget.allCases {
            Files.makeFolder("\(folder)/\(target.rawValue)")
            for seed in target.seeds {
                Files.write(seed.bytes, to: "\(folder)/\(target.rawValue)/\(seed.name)")
            }
        }
    }

    #if FUZZER
        // Written before the loop begins; libFuzzer calls back without a context.
        nonisolated(unsafe) private static var searched = FuzzTarget.http

        private static func search(_ target: FuzzTarget) {
            unsafe searched = target
            // The target's name goes, the program's stays.
            var count = CommandLine.argc - 1
            var arguments = unsafe CommandLine.unsafeArgv + 1
            unsafe arguments[0] = CommandLine.unsafeArgv[0]
            let code = unsafe withUnsafeMutablePointer(to: &arguments) { place in
                unsafe place.withMemoryRebound(
                    to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.self, capacity: 1
                ) { place in
                    unsafe runDriver(&count, place) { pointer, count in
                        let buffer = unsafe UnsafeBufferPointer(start: pointer, count: count)
                        unsafe Fuzz.look(Fuzz.searched, [UInt8](buffer), "this input")
                        return 0
                    }
                }
            }
            exit(code)
        }
    #else
        private static func run(_ target: FuzzTarget, _ arguments: [String]) {
            var options = ["--seconds": UInt64(0), "--seed": UInt64(1)]
            var paths: [String] = []
            var place = 0
            while place < arguments.count {
                let argument = arguments[place]
                place += 1
                guard argument.hasPrefix("--") else {
                    paths.append(argument)
                    continue
                }
                guard options[argument] != nil, place < arguments.count,
                    let number = UInt64(arguments[place])
                else {
                    print(usage, FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))
                    exit(64)
                }
                options[argument] = number
                place += 1
            }
            let corpus =
                paths.isEmpty
                ? target.seeds.map { (name: $0.name, bytes: $0.bytes) } : paths.flatMap(Files.read)
            for (name, bytes) in corpus { look(target, bytes, name) }
            change(
                target, corpus.map(\.bytes), seconds: options["--seconds"] ?? 0,
                seed: options["--seed"] ?? 1)
        }

        private static func change(
            _ target: FuzzTarget, _ corpus: [[UInt8]], seconds: UInt64, seed: UInt64
        ) {
            let end = ContinuousClock.now + .seconds(Int(seconds))
            var mutator = Mutator(corpus, seed: seed)
            var runs = 0
            while ContinuousClock.now < end {
                let bytes = mutator.next()
                runs += 1
                // Written first: a trap leaves no time for it.
                Files.write(bytes, to: Files.lastInput)
                look(target, bytes, Files.lastInput)
            }
            print("\(target.rawValue): \(corpus.count) files, \(runs) mutants of seed \(seed)")
        }
    #endif
}
