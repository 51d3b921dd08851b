// `aviary limits`: the table of what `aviary serve --limit` takes.

internal import ArgumentParser
internal import Server
internal import System

struct LimitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "List the limits of a member, with their defaults.",
        discussion: """
            Each is given to `aviary serve` as --limit NAME=VALUE or in AVIARY_LIMIT. A name ends \
            with its unit: bytes, ms, or what is counted.

            EXAMPLES
              aviary limits
              aviary serve --data ./data --limit waits=1000 --limit head-ms=5000
            """)

    func run() {
        var rows = [["NAME", "DEFAULT", "FROM", "TO", "WHAT"]]
        for limit in MemberLimit.all {
            rows.append([
                limit.name, "\(limit.defaultValue)", "\(limit.range.lowerBound)",
                "\(limit.range.upperBound)", limit.help,
            ])
        }
        StandardOutput.write(Array(TextTable.lines(rows).utf8))
    }
}
