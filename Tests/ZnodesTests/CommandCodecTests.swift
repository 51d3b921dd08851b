// Commands as bytes: what was written is what is read, and nothing else is read.

import Testing
import Znodes

@Suite struct CommandCodecTests {
    static func encoded(_ command: Command) -> [UInt8] {
        var out: [UInt8] = []
        command.encode(into: &out)
        return out
    }

    @Test("What is encoded is decoded again, in every form")
    func roundTrip() throws {
        var commands = RandomCommands(seed: 9)
        for _ in 0..<2_000 {
            let command = commands.next().command
            let out = Self.encoded(command)
            #expect(try Command(decoding: out.span) == command)
        }
    }

    @Test("The layout of a put is fixed")
    func layout() throws {
        let put = Command.put(
            path: ZnodePath(trusted: bytes("/a")), data: [7], mode: .persistent, explicitMode: true,
            condition: .version(-1), makeParents: false)
        #expect(
            Self.encoded(put) == [
                1, 1, 0, 4, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0x2F, 0x61, 1, 0, 0, 0, 7,
            ])
        let delete = Command.delete(
            path: ZnodePath(trusted: bytes("/a")), condition: .mzxidAny([Zxid(5)]),
            recursive: true)
        #expect(
            Self.encoded(delete) == [
                3, 1, 3, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0x2F, 0x61,
            ])
    }

    @Test("Cut or longer bytes are malformed")
    func cut() {
        var commands = RandomCommands(seed: 10)
        for _ in 0..<200 {
            let out = Self.encoded(commands.next().command)
            for count in 0..<out.count {
                let part = Array(out[..<count])
                #expect(throws: CommandError.malformed) { try Command(decoding: part.span) }
            }
            let longer = out + [0]
            #expect(throws: CommandError.malformed) { try Command(decoding: longer.span) }
        }
    }

    @Test("Tags, flags, modes and conditions of later versions are unknown commands")
    func unknown() {
        for row: [UInt8] in [
            [0], [4], [99, 1], [1, 4, 0], [1, 0, 7], [3, 2], [3, 0, 5], [2, 9],
        ] {
            #expect(throws: CommandError.unknownCommand) { try Command(decoding: row.span) }
        }
    }

    @Test("Flipped and random bytes give a command or an error, and what is read reads back")
    func fuzz() throws {
        var commands = RandomCommands(seed: 11)
        var random = SeededGenerator(12)
        var read = 0
        for _ in 0..<20_000 {
            var out = Self.encoded(commands.next().command)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: out.indices, using: &random)
                out[at] = UInt8.random(in: 0...255, using: &random)
            }
            guard let command = try? Command(decoding: out.span) else { continue }
            read += 1
            #expect(Self.encoded(command) == out)
        }
        #expect(read > 1_000)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...40, using: &random)
            let noise = (0..<count).map { _ in UInt8.random(in: 0...4, using: &random) }
            _ = try? Command(decoding: noise.span)
        }
    }
}
