// `aviary status`: the members as one of them sees them.

internal import ArgumentParser
internal import FoundationEssentials
internal import Server
internal import System

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the members of an ensemble.",
        discussion: """
            Asks the first server that answers. Members tell each other twice a second what they \
            have applied: a lag is as old as AS OF says. * is the member that answered.

            EXAMPLES
              aviary status
              aviary status --server http://10.0.0.1:8080,http://10.0.0.2:8080
              aviary status --json

            EXIT CODES
              0   shown, and a leader is known
              1   no server answered
              2   shown, and no leader is known
              64  wrong flags or arguments
            """)

    @Option(help: "URL[,URL...] of members' HTTP doors.")
    var server = "http://127.0.0.1:8080"
    @Option(help: "Time for each server's answer.")
    var timeoutMs: UInt64 = 3_000
    @Flag(help: "Print /v1/members as it is.")
    var json = false

    private func servers() throws -> [HostAndPort] {
        var servers: [HostAndPort] = []
        for text in server.split(separator: ",") {
            do {
                servers.append(try MemberClient.server(String(text)))
            } catch {
                throw ValidationError("--server: \(error)")
            }
        }
        if servers.isEmpty { throw ValidationError("--server names no server") }
        return servers
    }

    func validate() throws { _ = try servers() }

    func run() throws {
        for server in try servers() {
            do {
                let answer = try MemberClient.get(server, "/v1/members", withinMs: timeoutMs)
                guard answer.status == 200 else {
                    throw MemberClient.Failure(description: "status \(answer.status)")
                }
                return try show(answer.body)
            } catch let error as MemberClient.Failure {
                StandardError.writeLine("aviary: \(server): \(error)")
            }
        }
        StandardError.writeLine("aviary: no server answered")
        throw ArgumentParser.ExitCode(1)
    }

    private func show(_ body: [UInt8]) throws {
        let list: MemberList
        do {
            list = try JSONDecoder().decode(MemberList.self, from: Data(body))
        } catch {
            throw MemberClient.Failure(description: "not a list of members: \(error)")
        }
        if json {
            StandardOutput.write(body.last == 0x0a ? body : body + [0x0a])
        } else {
            StandardOutput.write(Array(list.table.utf8))
        }
        if list.leader == nil { throw ArgumentParser.ExitCode(2) }
    }
}

/// `GET /v1/members`.
struct MemberList: Decodable {
    struct Member: Decodable {
        let id: Number
        let role: String?
        let voter: Bool
        let http: String?
        let peer: String?
        let zxid: Number?
        let lag: Number?
        let lagAgeMs: Number?
        let diskFull: Bool?
        let lastContactMs: Number?
        let version: String?
        let isSelf: Bool

        enum CodingKeys: String, CodingKey {
            case id, role, voter, http, peer, zxid, lag, version
            case lagAgeMs = "lag_age_ms"
            case diskFull = "disk_full"
            case lastContactMs = "last_contact_ms"
            case isSelf = "self"
        }

        /// Why it does not take part as the others do. A member loses its vote only when its disk is
        /// exchanged.
        var notes: String {
            var notes: [String] = []
            if !voter { notes.append("new disk, not yet caught up") }
            if diskFull == true { notes.append("disk full") }
            return notes.isEmpty ? "-" : notes.joined(separator: "; ")
        }
    }

    /// 64-bit numbers come as strings.
    struct Number: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                self.text = text
            } else {
                text = String(try value.decode(UInt64.self))
            }
        }
    }

    let ensemble: String?
    let leader: Number?
    let term: Number
    let failureTolerance: Int
    let members: [Member]

    enum CodingKeys: String, CodingKey {
        case ensemble, leader, term, members
        case failureTolerance = "failure_tolerance"
    }

    var table: String {
        var rows = [
            ["ID", "ROLE", "HTTP", "PEER", "ZXID", "LAG", "AS OF", "CONTACT", "VERSION", "NOTES"]
        ]
        for member in members {
            rows.append([
                member.id.text + (member.isSelf ? "*" : ""),
                (member.role ?? "unknown") + (member.voter ? "" : " (no vote)"),
                member.http ?? "-", member.peer ?? "-", member.zxid?.text ?? "-",
                member.lag?.text ?? "-",
                member.isSelf ? "now" : member.lagAgeMs.map { $0.text + " ms ago" } ?? "-",
                member.lastContactMs.map { $0.text + " ms" } ?? "-",
                member.version ?? "-", member.notes,
            ])
        }
        var text = TextTable.lines(rows)
        text += "ensemble \(ensemble ?? "not fixed yet"), term \(term.text), "
        text += leader.map { "leader \($0.text)" } ?? "no leader"
        return text + ", failures tolerated now: \(failureTolerance)\n"
    }
}
