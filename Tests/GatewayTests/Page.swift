// A page of requests and answers, read and played like a script. Lines:
//
//   # a sentence           what is shown
//   > PUT /v1/znodes/a     a request; its fields and, behind an empty line, its body follow
//   ! now 12000            something happens to the member or to time
//   < 201 Created          what came of it: status, fields, an empty line, the body
//
// HTTP/1.1, Host and Content-Length are added to a request. The fields that every answer carries
// are checked and left out. \xNN stands for a byte that cannot be shown. AVIARY_REWRITE_PAGES=1 in the
// environment writes the pages anew: read the difference before believing it.

import Ensemble
import Foundation
import Gateway
import HTTP
import Journal
import Raft
import Testing
import Znodes

struct Page {
    let name: String
    let url: URL
    let lines: [String]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Pages")

    static func all() throws -> [Page] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try names.filter { $0.hasSuffix(".txt") }.sorted().map { name in
            let url = folder.appendingPathComponent(name)
            let text = try String(contentsOf: url, encoding: .utf8)
            return Page(name: name, url: url, lines: text.components(separatedBy: "\n"))
        }
    }

    var requestCount: Int { steps.filter(\.isRequest).count }

    struct Step {
        var titles: [String] = []
        var commands: [String] = []
        var isRequest: Bool { commands.first?.hasPrefix(">") == true }
    }

    /// A step ends where something else than the answer follows the answer.
    var steps: [Step] {
        var steps: [Step] = []
        var step = Step()
        func flush() {
            if !step.titles.isEmpty || !step.commands.isEmpty { steps.append(step) }
            step = Step()
        }
        for line in lines {
            if line.hasPrefix("#") {
                if !step.commands.isEmpty { flush() }
                step.titles.append(line)
            } else if line.hasPrefix(">") || line.hasPrefix("!") {
                let startsRequest = line.firstMatch(of: /^> [A-Z]+ [ \/*]/) != nil
                let sameRequest = step.isRequest && line.hasPrefix(">") && !startsRequest
                if !step.commands.isEmpty, !sameRequest { flush() }
                step.commands.append(line)
            } else if line.hasPrefix("<") || line.isEmpty {
                if !step.commands.isEmpty { flush() }
            } else {
                Issue.record("\(name): a line that is nothing: \(line)")
            }
        }
        flush()
        return steps
    }

    /// The page as it comes out when it is played.
    func played() -> String {
        let player = Player()
        var text = ""
        for step in steps {
            for title in step.titles { text += title + "\n" }
            for command in step.commands { text += command + "\n" }
            for line in player.play(step.commands) { text += ("< " + line).trimmedEnd + "\n" }
            text += "\n"
        }
        return String(text.dropLast())
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        var copy = self
        while copy.last == " " { copy.removeLast() }
        return copy
    }
}

private final class Player {
    var member = OneMember()

    func play(_ commands: [String]) -> [String] {
        guard let first = commands.first else { return [] }
        if first.hasPrefix(">") { return show(member.ask(request(commands))) }
        return happen(first.dropFirst(2).split(separator: " ").map(String.init))
    }

    private func request(_ commands: [String]) -> [UInt8] {
        let lines = commands.map { $0.count > 2 ? String($0.dropFirst(2)) : "" }
        let end = lines.firstIndex(of: "") ?? lines.count
        let body = unescaped(lines.dropFirst(end + 1).joined(separator: "\n"))
        var head = lines[..<end].map { $0 }
        if !head[0].hasSuffix("HTTP/1.0") { head[0] += " HTTP/1.1" }
        if !head.contains(where: { $0.hasPrefix("Host:") }) {
            head.insert("Host: localhost:8080", at: 1)
        }
        if !body.isEmpty { head.append("Content-Length: \(body.count)") }
        return unescaped(head.joined(separator: "\r\n") + "\r\n\r\n") + body
    }

    private func unescaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x5C, rest.first == 0x78, rest.count >= 3,
                let hex = String(decoding: rest.dropFirst().prefix(2), as: UTF8.self) as String?,
                let value = UInt8(hex, radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private func show(_ asked: OneMember.Asked) -> [String] {
        switch asked {
        case .answer(let bytes): show(bytes)
        case .waits(.wait(let wait)):
            [
                "waits for \(wait.view) of \(wait.path) after \(wait.after) until "
                    + "\(wait.deadlineMs)\(wait.local ? ", local" : "")"
            ]
        case .waits(.feed(let feed)):
            [
                "waits for events of \(feed.query.path) after \(feed.query.after) until "
                    + "\(feed.deadlineMs)\(feed.local ? ", local" : "")"
            ]
        case .waits(let other): ["waits for \(other)"]
        }
    }

    private static let everywhere = [
        "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
    ]

    private func show(_ bytes: [UInt8]) -> [String] {
        var text = ""
        for byte in bytes {
            switch byte {
            case 0x0A, 0x0D, 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        guard let end = text.range(of: "\r\n\r\n") else { return ["no end of the head: \(text)"] }
        var head = text[..<end.lowerBound].components(separatedBy: "\r\n")
        for field in Self.everywhere {
            guard let index = head.firstIndex(of: field) else { return ["no \(field)"] }
            head.remove(at: index)
        }
        head[0] = String(head[0].dropFirst("HTTP/1.1 ".count))
        let body = String(text[end.upperBound...])
        if let announced = head.first(where: { $0.hasPrefix("Content-Length: ") }), !body.isEmpty {
            let bytesInBody = bytes.count - text[..<end.upperBound].utf8.count
            if announced != "Content-Length: \(bytesInBody)" {
                return ["\(announced) for \(bytesInBody) bytes"]
            }
            head.removeAll { $0 == announced }
        }
        if body.isEmpty { return head }
        var lines = body.components(separatedBy: "\n")
        if lines.last == "" { lines.removeLast() }
        return head + [""] + lines
    }

    // MARK: What happens

    private func happen(_ words: [String]) -> [String] {
        let argument = words.count > 1 ? words[1] : ""
        let number = UInt64(argument)
        switch words[0] {
        case "now": member.context.nowMs = number ?? 0
        case "contact": member.context.status.lastLeaderContactMs = number ?? 0
        case "fresh": member.context.status.freshAsOfMs = number ?? 0
        case "repairing":
            member.context.status.repairingThrough = number.map { LogIndex($0) }
        case "leaderless": member.context.status.leaderlessSinceMs = number
        case "confirmed": member.context.status.leaderConfirmedUntilMs = number ?? 0
        case "caught-up": member.context.status.caughtUp = argument == "true"
        case "disk-full": member.context.status.diskIsFull = argument == "true"
        case "stopping": member.context.status.stopping = argument == "true"
        case "draining": member.context.draining = argument == "true"
        case "turned": member.setTurnAge(number ?? 0)
        case "synced": member.setSyncs()
        case "role": member.context.status.role = argument == "leader" ? .leader : .follower
        case "leader": member.context.status.leader = number.map { MemberID($0) }
        case "ensemble": member.context.status.ensemble = nil
        case "disputed": member.context.status.stateVerdict = .disputed(LogIndex(number ?? 0))
        case "wrong": member.context.status.stateVerdict = .wrong(LogIndex(number ?? 0))
        case "corrupted": member.context.status.stateVerdict = .corrupted(LogIndex(number ?? 0))
        case "refused-by":
            member.context.status.refusedBy = argument == "none" ? nil : .otherStorage
        case "admission":
            member.context.status.admission =
                switch argument {
                case "catching-up": .catchingUp
                case "replaced": .replaced
                default: .unnamed
                }
            if argument == "none" { member.context.status.admission = nil }
        case "members":
            listMembers()
            if argument == "two" { member.context.status.members.removeLast(2) }
            if argument == "none" { member.context.status.members = [] }
        case "reply": member.nextReply = reply(words.dropFirst().joined(separator: " "))
        case "settle":
            let forced = words.count > 1 ? reply(words.dropFirst().joined(separator: " ")) : nil
            let ended = member.settle(reply: forced).flatMap(show)
            return ended.isEmpty ? ["still waits: \(member.openWaits)"] : ended
        case "put":
            return ["\(applied(words))"]
        case "delete":
            member.apply(.delete(path: path(argument), condition: .none, recursive: true))
        case "children":
            for n in 10_000..<(10_000 + (Int(words[2]) ?? 0)) {
                member.apply(put("\(argument)/\(n)", ""))
            }
        case "violation":
            return show(member.refuse(violation(argument)))
        case "edge": return show(member.refuse(edge(argument)))
        default: Issue.record("what is \(words)?")
        }
        return []
    }

    private func path(_ text: String) -> ZnodePath { ZnodePath(trusted: unescaped(text)) }

    private func put(_ text: String, _ data: String) -> Command {
        .put(
            path: path(text), data: unescaped(data), mode: .persistent, explicitMode: false,
            condition: .none, makeParents: true)
    }

    private func applied(_ words: [String]) -> String {
        member.apply(put(words[1], words.count > 2 ? words[2] : ""))
        return "zxid \(member.lastZxid)"
    }

    private func edge(_ word: String) -> EdgeRefusal {
        switch word {
        case "headTimeout": .headTimeout
        case "bodyTimeout": .bodyTimeout
        case "connectionLimit": .connectionLimit
        case "bodiesLimit": .bodiesLimit
        default: .bodyTooLarge(bytesMax: 1_048_576)
        }
    }

    private func violation(_ word: String) -> HTTPViolation {
        switch word {
        case "requestLineTooLong": .requestLineTooLong
        case "headTooLarge": .headTooLarge
        case "unsupportedVersion": .unsupportedVersion
        case "repeatedField": .repeatedField(.host)
        default: .chunkExtension
        }
    }

    private func reply(_ words: String) -> ClientReply {
        let a = path("/a")
        if let zxid = words.split(separator: " ").last.flatMap({ UInt64($0) }) {
            return .unchanged(zxid: Zxid(zxid))
        }
        switch words {
        case "noQuorum": return .refused(.noQuorum)
        case "outcomeUnknown": return .refused(.outcomeUnknown)
        case "overloaded": return .refused(.overloaded)
        case "diskFull": return .refused(.diskFull)
        case "shuttingDown": return .refused(.shuttingDown)
        case "stateDiffers": return .refused(.stateDiffers)
        case "compacted": return .historyCompacted(zxid: member.lastZxid)
        case "changed": return .changed
        case "unchanged": return .unchanged(zxid: member.lastZxid)
        case "storeFull": return .decided(.failed(.storeFull), zxid: Zxid(70))
        case "tooManyZnodes": return .decided(.failed(.tooManyZnodes(path: a)), zxid: Zxid(71))
        case "noChildrenForEphemerals":
            return .decided(.failed(.noChildrenForEphemerals(path: a)), zxid: Zxid(72))
        case "dataTooLarge": return .decided(.failed(.dataTooLarge(path: a)), zxid: Zxid(73))
        case "unknownCommand": return .decided(.failed(.unknownCommand), zxid: Zxid(74))
        case "invalidPath": return .decided(.failed(.invalidPath(path: a)), zxid: Zxid(75))
        case "otherMode": return .decided(.failed(.nodeExists(path: a)), zxid: Zxid(76))
        default:
            Issue.record("no reply is called \(words)")
            return .readable
        }
    }

    private func listMembers() {
        func one(_ id: UInt64, _ role: Role?, _ zxid: UInt64?, contact: UInt64?) -> MemberStatus {
            MemberStatus(
                id: MemberID(id), voter: id < 4, role: role,
                httpAddress: id == 4 ? [] : Array("127.0.0.1:808\(id)".utf8),
                peerAddress: Array("127.0.0.1:909\(id)".utf8),
                version: id == 4 ? Array("0.\"9\u{1F}\u{e9}".utf8) : Array("0.1.0".utf8),
                report: zxid.map {
                    MemberReport(
                        role: role ?? .follower, applied: Zxid($0), atMs: 9_950 - $0,
                        isFull: id == 3)
                },
                lastContactMs: contact)
        }
        member.context.status.term = Term(7)
        member.context.status.leader = MemberID(2)
        member.context.status.commit = Zxid(50)
        member.context.status.failureTolerance = 1
        member.context.status.members = [
            one(1, .follower, 50, contact: 10_000), one(2, .leader, 60, contact: 9_990),
            one(3, .candidate, 40, contact: 9_000), one(4, nil, nil, contact: nil),
        ]
    }
}
