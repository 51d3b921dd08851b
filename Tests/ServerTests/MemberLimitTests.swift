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
        let changed = try configuration("waits=1,fields=17", variable: "waits=2,idle-ms=300")
        #expect(changed.replica.waitsMax == 1)
        #expect(changed.server.http.fieldsMax == 17)
        #expect(changed.server.idleMs == 300)
    }

    @Test(
        "With every limit of a head at its least, probes are understood",
        arguments: [
            "GET /health/ready HTTP/1.1\r\nHost: aviary-2.aviary.default.svc.cluster.local:8080\r\n"
                + "User-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n",
            "GET /leader HTTP/1.0\r\nHost: aviary\r\nUser-Agent: HAProxy\r\n\r\n",
            "GET /health/live HTTP/1.1\r\nHost: 10.244.0.17:8080\r\nUser-Agent: kube-probe/1.34\r\n"
                + "Accept: */*\r\nConnection: close\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: 10.244.0.17:8080\r\nUser-Agent: Prometheus/3.7.3\r\n"
                + "Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
                + "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\n"
                + "Accept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n",
        ])
    func probesAtTheLeast(probe: String) throws {
        let names = ["request-line-bytes", "field-line-bytes", "fields", "head-bytes"]
        let least = try names.map { name in
            "\(name)=\(try #require(MemberLimit.named(name)).range.lowerBound)"
        }
        let limits = try configuration(least.joined(separator: ",")).server.http
        let bytes = Array(probe.utf8)
        var parser = RequestParser()
        guard case .head(_, let length) = parser.parseHead(bytes.span, limits: limits) else {
            Issue.record("refused: \(probe)")
            return
        }
        #expect(length == bytes.count)
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
        "A variable that is not known is refused, and those that are are listed",
        arguments: ["AVIARY_ENSEMBEL", "AVIARY_LIMITS", "AVIARY_DATA_DIR", "AVIARY_id"])
    func unknownVariable(name: String) {
        let error = #expect(throws: SettingError.self) {
            try MemberSettings(flags: [.data: "d"], environment: [name: "x"]).configuration()
        }
        let known = MemberSetting.allCases.map(\.variable).joined(separator: ", ")
        #expect(error?.description == "the environment variable \(name) is none of: \(known)")
    }

    @Test("Variables of other programs, and empty ones, are nobody's business")
    func otherVariables() throws {
        _ = try MemberSettings(
            flags: [.data: "d"], environment: ["AVIARY": "x", "AVIARYX_ID": "x", "AVIARY_NAME": ""]
        ).configuration()
    }
}
