// The two forms of a line, and what happens when nobody reads them.

import Server
import System
import Testing

@Suite struct LogTests {
    @Test("A line of text holds time, level, member, message and fields")
    func text() throws {
        let lines = LogLines()
        let log = try Log(level: .info, format: .text, member: 1, write: { lines.add($0) })
        log.info("role changed", ("role", "leader"), ("why", "a b\n\"c\""), ("empty", ""))
        log.debug("not written")
        log.close()
        let line = try #require(lines.all.first)
        #expect(lines.all.count == 1)
        #expect(
            line.wholeMatch(
                of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info member=1 msg="role changed" .*/)
                != nil)
        #expect(line.hasSuffix(#"role=leader why="a b\n\"c\"" empty="""#))
    }

    @Test("A line of JSON escapes what it must and stays one line")
    func json() throws {
        let lines = LogLines()
        let log = try Log(level: .debug, format: .json, member: 2, write: { lines.add($0) })
        log.warning("odd", ("value", "\"\\\u{1}\n\u{7f}é"), ("count", 3), ("digits", "4"))
        log.info("none", ("leader", nil as UInt64?))
        log.close()
        let line = try #require(lines.all.first)
        #expect(line.hasPrefix(#"{"time":""#))
        #expect(
            line.hasSuffix(
                #""level":"warning","member":2,"message":"odd","value":"\"\\\u0001\n\u007fé","#
                    + #""count":3,"digits":"4"}"#))
        #expect(lines.all.last?.hasSuffix(#""message":"none","leader":null}"#) == true)
    }

    @Test("Lines that nobody reads are dropped and counted, and nobody waits for them")
    func dropped() throws {
        let gate = PosixMutex(false)
        let lines = LogLines()
        let log = try Log(
            level: .info, format: .text, member: 1,
            write: { line in
                gate.withLock(when: { $0 }) { _ in }
                lines.add(line)
            })
        for number in 0..<10_000 { log.info("line", ("number", "\(number)")) }
        #expect(log.linesDropped > 0)
        gate.withLock { $0 = true }
        gate.signal()
        log.flush()
        log.close()
        #expect(lines.contains("log lines dropped"))
        #expect(lines.all.count + log.linesDropped >= 10_000)
    }
}
