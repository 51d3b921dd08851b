// `aviary dev`: a whole ensemble on this machine, as processes of this same program.

internal import ArgumentParser
internal import Server
internal import System

struct DevCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Run several members on this machine, to try Aviary out.",
        discussion: """
            Starts `aviary serve` processes on loopback: member N serves HTTP on PORT + N - 1 and \
            talks to the others on PORT + 1000 + N - 1. Prints each one's number, process and URL, \
            then `ready` once a leader serves. Their logs follow on standard error, each line with \
            its member's number. A member may be killed to see the others go on.

            Control-C, SIGTERM or SIGHUP stops all of them; another one, a second or more later, \
            does not wait. What follows -- is handed to each `aviary serve`, and so are AVIARY_ \
            variables but those that say which member it is and where.

            EXAMPLES
              aviary dev
              aviary dev --members 5 --data /tmp/aviary --port 9000 --restart
              aviary dev -- --log-level debug

            EXIT CODES
              0   stopped as asked
              1   a member could not be started, or all of them ended
              64  wrong flags or arguments
              73  the data directory cannot be created or locked
            """)

    @Option(help: "How many members.")
    var members = 3
    @Option(help: "The directory of their data directories; made if it is not there.")
    var data = "data"
    @Option(help: "The first member's HTTP port.")
    var port: UInt16 = 8080
    @Flag(help: "Start a member again when it ends, whatever the reason.")
    var restart = false
    @Argument(parsing: .postTerminator, help: "Options for each `aviary serve`.")
    var serveOptions: [String] = []

    func validate() throws {
        do throws(SettingError) {
            try MemberSettings.checkNames(ThisProcess.environment)
        } catch {
            throw ValidationError(error.description)
        }
        guard (1...DevEnsemble.membersMax).contains(members) else {
            throw ValidationError("--members should be from 1 to \(DevEnsemble.membersMax)")
        }
        guard port >= 1, Int(port) + DevEnsemble.peerPortOffset + members <= 65_536 else {
            throw ValidationError(
                "--port should be from 1 to \(65_536 - DevEnsemble.peerPortOffset - members)")
        }
    }

    func run() throws {
        do {
            let signals = try Signals()
            for setting in MemberSetting.ofOneMember {
                ThisProcess.forgetVariable(setting.variable)
            }
            // What is wrong for all of them is said once.
            let each = try ServeCommand.parse(["--data", data] + serveOptions).configuration()
            // Two of them on one directory would start each other's members.
            let storage = try DataDirectory(data)
            var ensemble = try DevEnsemble(
                count: members, data: data, port: port, restarts: restart, options: serveOptions,
                memberStopMs: Server.Member.stopMsMax(each))
            let code = try ensemble.run(signals)
            storage.release()
            ThisProcess.exit(code)
        } catch let failure as MemberFailure {
            StandardError.writeLine("aviary: \(failure)")
            throw ArgumentParser.ExitCode(failure.code.rawValue)
        } catch let error as SystemError {
            StandardError.writeLine(
                "aviary: \(error). If a port is taken, choose others with --port.")
            throw ArgumentParser.ExitCode(Server.ExitCode.failure.rawValue)
        }
    }
}
