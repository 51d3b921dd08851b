// A real member in this process, in a directory of its own, on free ports; and what tests need to
// look at it from outside.

import Ensemble
import Foundation
import Journal
import Raft
import Server
import System

/// Gone when the test is over.
final class TestDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/aviary-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
}

/// Lines of log, looked at while they are written.
final class LogLines: Sendable {
    private let lines = PosixMutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
    func contains(_ text: String) -> Bool { all.contains { $0.contains(text) } }
}

func eventually(_ what: String, _ holds: () throws -> Bool) throws {
    let epoll = try Epoll(eventsMax: 1)
    let deadline = Clock.bootMs() + testWaitMs
    while try !holds() {
        if Clock.bootMs() > deadline { throw TestFailure("never came: \(what)") }
        _ = try epoll.wait(timeoutMs: 2)
    }
}

/// Nobody listens there, and nobody was given it before.
func freePort() throws -> UInt16 {
    try ListeningSocket.checkFree(.loopback(port: 0)).port
}

final class TestMember {
    let member: Member
    let lines = LogLines()
    private let log: Log

    static func configuration(
        _ directory: TestDirectory, id: UInt64 = 1, ensemble: [UInt64: UInt16] = [:]
    ) throws -> MemberConfiguration {
        let http = try HostAndPort(parsing: "127.0.0.1:0")
        var members: [EnsembleMember] = []
        for (other, port) in ensemble.sorted(by: { $0.key < $1.key }) {
            let address = try HostAndPort(parsing: "127.0.0.1:\(port)")
            members.append(EnsembleMember(id: MemberID(other), address: address))
        }
        if members.isEmpty { members = [EnsembleMember(id: MemberID(id), address: http)] }
        var configuration = MemberConfiguration(
            id: MemberID(id), dataDirectory: directory.path + "/member-\(id)", http: http,
            ensemble: members)
        configuration.loops = 1
        configuration.journal = JournalLimits(segmentBytes: 64 << 10)
        configuration.logLevel = .debug
        configuration.drainMs = 1_000
        return configuration
    }

    init(_ configuration: MemberConfiguration) throws {
        let lines = lines
        log = try Log(
            level: configuration.logLevel, format: .text, member: configuration.id.rawValue,
            write: { lines.add($0) })
        do {
            member = try Member(serving: configuration, log: log)
        } catch {
            log.close()
            throw error
        }
    }

    func connect() throws -> TestClient { try TestClient(member.httpAddresses[0]) }

    /// One request on a connection of its own.
    func answer(_ method: String, _ path: String, body: String = "") throws -> TestAnswer {
        let client = try connect()
        try client.send(
            "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        return try client.answer()
    }

    func awaitReady() throws {
        try eventually("ready") { try answer("GET", "/health/ready").status == 200 }
    }

    func stop() {
        member.stop()
        log.close()
    }
}
