// Whole members over real sockets, files and threads: what they keep, whom they refuse, how they end.

import Ensemble
import Foundation
import Journal
import Raft
import Server
import System
import Testing

@Suite struct MemberTests {
    @Test("A single member serves, and has its znodes again after a restart")
    func restart() throws {
        let directory = try TestDirectory()
        let configuration = try TestMember.configuration(directory)
        let first = try TestMember(configuration)
        try first.awaitReady()
        #expect(try first.answer("PUT", "/v1/znodes/app", body: "hello").status == 201)
        #expect(try first.answer("GET", "/v1/znodes/app?raw").body == "hello")
        #expect(try first.answer("GET", "/leader").status == 200)
        first.stop()
        try eventually("it is said") { first.lines.contains("serving") }
        #expect(first.lines.contains("stopped"))

        let second = try TestMember(configuration)
        defer { second.stop() }
        try second.awaitReady()
        #expect(try second.answer("GET", "/v1/znodes/app?raw").body == "hello")
    }

    @Test("Snapshots are written while it serves, and it starts from the newest")
    func snapshots() throws {
        let directory = try TestDirectory()
        var configuration = try TestMember.configuration(directory)
        configuration.replica.snapshotEntries = 20
        configuration.replica.retention.entries = 5
        let first = try TestMember(configuration)
        try first.awaitReady()
        let client = try first.connect()
        for number in 0..<60 {
            try client.send(
                "PUT /v1/znodes/n\(number) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"
            )
            #expect(try client.answer().status == 201)
        }
        try eventually("a snapshot is saved") { first.lines.contains("snapshot saved") }
        first.stop()
        let second = try TestMember(configuration)
        defer { second.stop() }
        try second.awaitReady()
        #expect(!second.lines.contains("snapshot=none"))
        for number in [0, 19, 20, 59] {
            #expect(try second.answer("GET", "/v1/znodes/n\(number)?raw").body == "x")
        }
    }

    @Test("The free room of the file system is sampled, and shown among the metrics")
    func freeRoom() throws {
        let directory = try TestDirectory()
        var configuration = try TestMember.configuration(directory)
        // Also where nothing is read again.
        configuration.scrub.bytesPerSecondMax = 0
        let member = try TestMember(configuration)
        defer { member.stop() }
        try eventually("it is sampled") {
            try member.answer("GET", "/metrics").body.contains("\naviary_data_free_bytes ")
        }
    }

    @Test("A data directory serves one process and one member number")
    func dataDirectory() throws {
        let directory = try TestDirectory()
        let configuration = try TestMember.configuration(directory)
        let member = try TestMember(configuration)
        #expect(code { _ = try TestMember(configuration) } == .dataUnavailable)
        member.stop()
        var other = configuration
        other.id = MemberID(2)
        other.ensemble[0].id = MemberID(2)
        #expect(code { _ = try TestMember(other) } == .otherMember)
        other.dataDirectory = directory.path + "/absent/member-2"
        #expect(code { _ = try TestMember(other) } == .dataUnavailable)
    }

    @Test("Damage to what was durable is refused with the file's name and what to do")
    func damage() throws {
        let directory = try TestDirectory()
        let configuration = try TestMember.configuration(directory)
        let member = try TestMember(configuration)
        try member.awaitReady()
        for number in 0..<5 {
            #expect(try member.answer("PUT", "/v1/znodes/n\(number)", body: "x").status == 201)
        }
        member.stop()
        let file = configuration.dataDirectory + "/log-0000000001"
        let handle = try #require(FileHandle(forUpdatingAtPath: file))
        try handle.seek(toOffset: 600)
        handle.write(Data([0xff, 0xff, 0xff, 0xff]))
        try handle.close()
        do {
            _ = try TestMember(configuration)
            Issue.record("a damaged log was taken")
        } catch let failure as MemberFailure {
            #expect(failure.code == .corruptData)
            #expect(failure.description.contains("log-0000000001"))
        }
    }

    @Test("A port in use ends the start, and lets go of the data directory")
    func portInUse() throws {
        let directory = try TestDirectory()
        let taken = try ListeningSocket(.loopback(port: 0), backlog: 1, sharedPort: false)
        var configuration = try TestMember.configuration(directory)
        configuration.http = try HostAndPort(parsing: taken.address.description)
        #expect(code { _ = try TestMember(configuration) } == .failure)
        configuration.http = try HostAndPort(parsing: "127.0.0.1:0")
        let member = try TestMember(configuration)
        try member.awaitReady()
        member.stop()
    }

    @Test("Three members serve one tree, and go on when the leader is stopped")
    func threeMembers() throws {
        let directory = try TestDirectory()
        let ports: [UInt64: UInt16] = [1: try freePort(), 2: try freePort(), 3: try freePort()]
        let members = try (1...3).map { id in
            try TestMember(TestMember.configuration(directory, id: UInt64(id), ensemble: ports))
        }
        for member in members { try member.awaitReady() }
        for (number, member) in members.enumerated() {
            #expect(
                try member.answer("PUT", "/v1/znodes/n\(number)", body: "\(number)").status == 201)
        }
        for member in members {
            for number in 0..<3 {
                #expect(try member.answer("GET", "/v1/znodes/n\(number)?raw").body == "\(number)")
            }
        }
        let leader = try #require(
            try members.firstIndex { try $0.answer("GET", "/leader").status == 200 })
        members[leader].stop()
        let others = members.indices.filter { $0 != leader }
        try eventually("the others serve writes") {
            try members[others[0]].answer("PUT", "/v1/znodes/after", body: "1").status < 300
        }
        #expect(try members[others[1]].answer("GET", "/v1/znodes/after?raw").body == "1")
        for other in others { members[other].stop() }
    }

    @Test("A stopping member answers its waiters, and then is gone")
    func stopAnswersWaiters() throws {
        let directory = try TestDirectory()
        let member = try TestMember(TestMember.configuration(directory))
        defer { member.stop() }
        try member.awaitReady()
        let created = try member.answer("PUT", "/v1/znodes/w", body: "1")
        #expect(created.status == 201)
        let waiter = try member.connect()
        try waiter.get("/v1/znodes/w?after=1000000000&wait=60s")
        // Above all zxids: refused at once. One at the end of the log waits.
        #expect(try waiter.answer().status == 400)
        let zxid = try #require(created.body.firstMatch(of: /"mzxid":(\d+)/)?.output.1)
        try waiter.get("/v1/znodes/w?after=\(zxid)&wait=60s")
        try eventually("the wait is open") {
            try member.answer("GET", "/metrics").body.contains("aviary_waits 1")
        }
        member.stop()
        #expect(try waiter.answer().status == 503)
        try waiter.expectEnd()
    }

    private func code(_ start: () throws -> Void) -> ExitCode? {
        do {
            try start()
            return nil
        } catch let failure as MemberFailure {
            return failure.code
        } catch {
            return nil
        }
    }
}
