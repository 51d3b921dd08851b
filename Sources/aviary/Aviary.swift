// The command line. It reads flags and environment variables and hands over to the server; nothing
// about znodes, members or files is decided here.

internal import ArgumentParser
internal import Server

@main
struct Aviary: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aviary",
        abstract: "A coordination service: one small, replicated tree of znodes, served as REST.",
        discussion: """
            EXAMPLES
              aviary dev                     three members on this machine, to try it out
              aviary serve --data ./data     one member that works alone
              aviary serve --id 1 --data /var/lib/aviary \\
                --ensemble 1=10.0.0.1:7000,2=10.0.0.2:7000,3=10.0.0.3:7000
              aviary status --server http://localhost:8080
              curl -X PUT localhost:8080/v1/znodes/app -d hello
            """,
        version: Version.text,
        subcommands: [ServeCommand.self, DevCommand.self, StatusCommand.self, LimitsCommand.self])
}
