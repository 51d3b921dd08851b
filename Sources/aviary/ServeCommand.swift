// `aviary serve`: one member, until it is told to stop.

internal import ArgumentParser
internal import Server
internal import System

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run one member of an ensemble.",
        discussion: """
            Every option can also be given as an environment variable: AVIARY_ and the option's \
            name in capitals, with _ for -, such as AVIARY_DATA or AVIARY_ADVERTISE_HTTP. An \
            option wins over its variable. A variable of that form that is not known is refused, \
            unless it is what Kubernetes says of a Service, such as AVIARY_SERVICE_HOST.

            SIGTERM and SIGINT stop the member: it fails its readiness probe, ends all waits, \
            hands leadership over, answers what is under way and exits. Another one, a second or \
            more later, ends it at once.

            EXAMPLES
              aviary serve --data ./data
              aviary serve --data ./data --limit waits=1000,head-ms=5000
              aviary serve --id 1 --data /var/lib/aviary --http 127.0.0.1:8080 \\
                --ensemble 1=10.0.0.1:7000,2=10.0.0.2:7000,3=10.0.0.3:7000

            EXIT CODES
            \(ExitCode.table)
            """)

    @Option(
        help: """
            This member's number: 1 and up, its own for ever. With a lost disk it keeps it, and starts \
            on an empty directory. Required with --ensemble; a member that works alone is 1.
            """)
    var id: String?
    @Option(
        help: """
            Required: the directory that holds its log and snapshots; made if absent (not its \
            parents).
            """)
    var data: String?
    @Option(
        help: "HOST:PORT to serve HTTP on; port 0 takes a free one. (default: 127.0.0.1:8080)")
    var http: String?
    @Option(
        help: "HOST:PORT to take the other members' connections on. (default: its --ensemble entry)"
    )
    var peer: String?
    @Option(
        help: """
            All members as ID=HOST:PORT,..., by the addresses that they reach each other at. \
            (default: this member alone)
            """)
    var ensemble: String?
    @Option(
        help: """
            HOST:PORT of the HTTP door, as others are told. (default: --http; where that is every \
            address, with the host of its --ensemble entry)
            """)
    var advertiseHttp: String?
    @Option(help: "Event loops for HTTP. (default: one for each processor, at most 4)")
    var loops: String?
    @Option(help: "The leader's heartbeat. (default: 50)")
    var heartbeatMs: String?
    @Option(help: "MIN..MAX of the election time-out. (default: 250..500)")
    var electionMs: String?
    @Option(help: "Entries of the log from one snapshot to the next. (default: 200000)")
    var snapshotEntries: String?
    @Option(
        help: ArgumentHelp(
            """
            A limit, or several with commas between; may be given again. `aviary limits` lists \
            them with their defaults.
            """,
            valueName: "name=value"))
    var limit: [String] = []
    @Option(help: "Time for requests under way when stopping. (default: 5000)")
    var drainMs: String?
    @Option(
        help: "Origins whose web pages may change the tree, with commas between. (default: none)")
    var allowedOrigins: String?
    @Option(help: "Names that those pages may call this server by, with commas between.")
    var hostNames: String?
    @Option(help: "debug, info, warning or error. (default: info)")
    var logLevel: String?
    @Option(help: "text or json. (default: text)")
    var logFormat: String?

    private var flags: [MemberSetting: String] {
        let given: [(MemberSetting, String?)] = [
            (.id, id), (.data, data), (.http, http), (.peer, peer), (.ensemble, ensemble),
            (.advertiseHTTP, advertiseHttp), (.loops, loops), (.heartbeatMs, heartbeatMs),
            (.electionMs, electionMs), (.snapshotEntries, snapshotEntries),
            (.limit, limit.isEmpty ? nil : limit.joined(separator: ",")), (.drainMs, drainMs),
            (.allowedOrigins, allowedOrigins), (.hostNames, hostNames), (.logLevel, logLevel),
            (.logFormat, logFormat),
        ]
        return Dictionary(
            uniqueKeysWithValues: given.compactMap { setting, text in text.map { (setting, $0) } })
    }

    func configuration() throws -> MemberConfiguration {
        do throws(SettingError) {
            return try MemberSettings(flags: flags, environment: ThisProcess.environment)
                .configuration()
        } catch {
            throw ValidationError(error.description)
        }
    }

    func validate() throws { _ = try configuration() }

    func run() throws { ServeProcess.run(try configuration()) }
}
