// The corpus, and a few mutants of it, against the properties of `Fuzzing`: what a fuzzer found once
// stays found. `make fuzz` searches for more.

import Foundation
import Fuzzing
import Testing

private struct CorpusFile: CustomStringConvertible {
    let description: String
    let bytes: [UInt8]

    static func all(of target: FuzzTarget) throws -> [CorpusFile] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Corpus").appendingPathComponent(target.rawValue)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.map { name in
            let bytes = try Data(contentsOf: folder.appendingPathComponent(name))
            return CorpusFile(description: "\(target.rawValue)/\(name)", bytes: [UInt8](bytes))
        }
    }
}

@Test(
    "Every file of the corpus keeps the properties of its target, which takes some and not others",
    arguments: FuzzTarget.allCases)
func corpusHolds(_ target: FuzzTarget) throws {
    var accepted = 0
    let files = try CorpusFile.all(of: target)
    for file in files {
        do {
            if try target.check(file.bytes) { accepted += 1 }
        } catch {
            Issue.record("\(file): \(error)")
        }
    }
    #expect(accepted > 2)
    #expect(accepted < files.count)
}

@Test("What the targets' own seeds are lies in the corpus", arguments: FuzzTarget.allCases)
func seedsAreInTheCorpus(_ target: FuzzTarget) throws {
    let files = try CorpusFile.all(of: target)
    for seed in target.seeds {
        let name = "\(target.rawValue)/\(seed.name)"
        let file = files.first { $0.description == name }
        let isThere = file?.bytes == seed.bytes
        #expect(isThere, "\(name): aviary-fuzz seeds Tests/Fuzz/Corpus")
    }
}

@Test("Mutants of the corpus keep the properties of their target", arguments: FuzzTarget.allCases)
func mutantsHold(_ target: FuzzTarget) throws {
    var mutator = Mutator(try CorpusFile.all(of: target).map(\.bytes), seed: 1)
    for number in 0..<400 {
        let bytes = mutator.next()
        do {
            try target.check(bytes)
        } catch {
            Issue.record("mutant \(number): \(error): \(bytes)")
            return
        }
    }
}
