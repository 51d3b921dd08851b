// The table of limits: it is what docs/operations.md says, and each name moves its own value.

import Ensemble
import Foundation
import HTTP
import Server
import System
import Testing

@Suite struct MemberLimitTests {
    private func configuration(
        _ flag: String?, variable: String = ""
    ) throws -> MemberConfiguration {
        var flags: [MemberSetting: String] = [.data: "d"]
        flags[.limit] = flag
        return try MemberSettings(flags: flags, environment: ["AVIARY_LIMIT": variable])
            .configuration()
    }

    @Test("docs/operations.md shows every limit with its default and what happens beyond it")
    func documented() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appendingPathComponent("docs/operations.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter {
            $0.wholeMatch(of: /\| `[a-z-]+` \| \d+ \| .*/) != nil
        }
        #expect(
            rows.map(String.init)
                == MemberLimit.all.map { "| `\($0.name)` | \($0.defaultValue) | \($0.help) |" })
    }

    @Test("Each limit has a name of its own and moves no other; its default is allowed")
    func apart() throws {
        #expect(Set(MemberLimit.all.map(\.name)).count == MemberLimit.all.count)
        for limit in MemberLimit.all {
            #expect(limit.range.contains(limit.defaultValue), "\(limit.name)")
            let least = limit.range.lowerBound
            let value = limit.defaultValue == least ? least + 1 : least
            let changed = try configuration("\(limit.name)=\(value)")
            for other in MemberLimit.all {
                #expect(
                    other.value(in: changed)
                        == (other.name == limit.name ? value : other.defaultValue),
                    "\(other.name) by \(limit.name)")
            }
        }
    }

    @Test("A flag wins over the variable, limit by limit")
    func precedence() throws {
        let changed = try configuration("waits=1,fields=7", variable: "waits=2,idle-ms=3")
        #expect(changed.replica.waitsMax == 1)
        #expect(changed.server.http.fieldsMax == 7)
        #expect(changed.server.idleMs == 3)
    }

    @Test("A wrong name or value is refused by where it was written; all names are listed")
    func refused() {
        let wrongName = #expect(throws: SettingError.self) {
            try configuration(nil, variable: "wait=1")
        }
        let words = wrongName?.description ?? ""
        #expect(words.hasPrefix("AVIARY_LIMIT names the limit \"wait\""))
        for limit in MemberLimit.all { #expect(words.contains(limit.name)) }
        let wrongValue = #expect(throws: SettingError.self) { try configuration("waits=-1") }
        #expect(
            wrongValue?.description
                == "--limit gives the limit waits \"-1\", and should give: a number from 0 to 10000000"
        )
    }

    @Test(
        "A variable that is not known is refused, with the nearest that is",
        arguments: [
            ("AVIARY_ENSEMBEL", "AVIARY_ENSEMBLE"), ("AVIARY_LIMITS", "AVIARY_LIMIT"),
            ("AVIARY_DATA_DIR", "AVIARY_DATA"), ("AVIARY_id", "AVIARY_ID"),
        ])
    func unknownVariable(name: String, nearest: String) {
        let error = #expect(throws: SettingError.self) {
            try MemberSettings(flags: [.data: "d"], environment: [name: "x"]).configuration()
        }
        #expect(
            error?.description
                == "the environment variable \(name) is not known; the nearest that is: \(nearest)")
    }

    @Test("Variables of other programs, and empty ones, are nobody's business")
    func otherVariables() throws {
        _ = try MemberSettings(
            flags: [.data: "d"], environment: ["AVIARY": "x", "AVIARYX_ID": "x", "AVIARY_NAME": ""]
        ).configuration()
    }
}
