// What a member lets in from the network of members, and what it makes of those it dials. Member 1 is
// real, member 2 is played by the test.

import Ensemble
import Journal
import Raft
import Server
import System
import Testing

@Suite struct PeerLinkTests {
    /// Member 1 of three, with a listener in place of member 2.
    private final class Scene {
        let directory: TestDirectory
        let member: TestMember
        let second: ListeningSocket

        init(
            directory: TestDirectory? = nil,
            _ change: (inout MemberConfiguration) -> Void = { _ in }
        ) throws {
            self.directory = try directory ?? TestDirectory()
            second = try ListeningSocket(.loopback(port: 0), backlog: 8, sharedPort: false)
            let ports = [1: try freePort(), 2: second.address.port, 3: try freePort()]
            var configuration = try TestMember.configuration(
                self.directory, ensemble: ports.reduce(into: [:]) { $0[UInt64($1.key)] = $1.value })
            configuration.peers.dialPauseMsMax = 20
            configuration.peers.dialPauseMsMin = 10
            change(&configuration)
            member = try TestMember(configuration)
        }

        deinit { member.stop() }

        func dial() throws -> ScriptedPeer {
            try ScriptedPeer(dialling: member.member.peerAddresses[0])
        }

        /// Member 1's dial to member 2, up to its hello.
        func takeDial() throws -> (peer: ScriptedPeer, hello: Hello) {
            let peer = try ScriptedPeer(taking: second)
            guard case .hello(let hello) = try peer.next() else { throw TestFailure("no hello") }
            return (peer, hello)
        }
    }

    @Test("A member of the ensemble is greeted, each way on its own connection")
    func greeting() throws {
        let scene = try Scene()
        let peer = try scene.dial()
        try peer.send(.hello(ScriptedPeer.hello(2)))
        guard case .helloAccepted(let answer) = try peer.next() else {
            throw TestFailure("not accepted")
        }
        #expect(answer.member == MemberID(1) && answer.to == MemberID(2))
        let (dialled, hello) = try scene.takeDial()
        #expect(hello.member == MemberID(1) && hello.to == MemberID(2))
        #expect(hello.storage == answer.storage && hello.incarnation == answer.incarnation)
        try dialled.send(.helloAccepted(ScriptedPeer.hello(2)))
        // Without a leader it asks for votes, on the connection that it opened.
        while true {
            guard let frame = try dialled.next() else { throw TestFailure("no vote was asked for") }
            guard case .message(.raft(let message)) = frame, message.to == MemberID(2),
                case .preVoteRequest = message.body
            else { continue }
            return
        }
    }

    @Test(
        "A stranger is turned away with the reason, and nothing else of it is read",
        arguments: [
            (ScriptedPeer.hello(9), HelloRefusal.unknownMember),
            (ScriptedPeer.hello(1), .unknownMember),
            (ScriptedPeer.hello(2, to: 3), .wrongAddressee),
        ])
    func strangers(hello: Hello, reason: HelloRefusal) throws {
        let scene = try Scene()
        let peer = try scene.dial()
        // What follows the hello in the same piece must not be looked at.
        try peer.send(
            ScriptedPeer.bytes(.hello(hello))
                + ScriptedPeer.bytes(
                    .message(.report(role: .leader, applied: .zero, isFull: false))))
        guard case .helloRefused(let given) = try peer.next() else {
            throw TestFailure("not refused")
        }
        #expect(given == reason)
        try peer.awaitEnd()
        #expect(!scene.member.lines.contains("out of turn"))
        try eventually("it is said") { scene.member.lines.contains("refused") }
    }

    @Test("A member of another ensemble is turned away")
    func otherEnsemble() throws {
        let directory = try TestDirectory()
        try Scene(directory: directory).member.stop()
        try join(directory, EnsembleID(high: 9, low: 9))
        let scene = try Scene(directory: directory)
        let peer = try scene.dial()
        try peer.send(.hello(ScriptedPeer.hello(2, ensemble: EnsembleID(high: 1, low: 1))))
        #expect(try peer.next() == .helloRefused(.otherEnsemble))
        try peer.awaitEnd()
    }

    /// As an ensemble that the member has belonged to would have left it.
    private func join(_ directory: TestDirectory, _ ensemble: EnsembleID) throws {
        var storage = try FileStorage(directory: directory.path + "/member-1")
        var identity = try MemberIdentity.openOrCreate(
            &storage, memberID: MemberID(1), founders: [1, 2, 3].map { MemberID($0) },
            freshStorageID: StorageID(high: 0, low: 0))
        identity.ensembleID = ensemble
        try identity.write(&storage)
    }

    @Test("Another version of the protocol is turned away by name")
    func otherProtocol() throws {
        let scene = try Scene()
        let peer = try scene.dial()
        var bytes = ScriptedPeer.bytes(.hello(ScriptedPeer.hello(2)))
        // After the head and the tag: the version.
        bytes[PeerCodec.headBytes + 1] = 99
        let checksum = CRC32C.checksum(bytes.span.extracting(PeerCodec.headBytes...))
        for at in 0..<4 { bytes[4 + at] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * at)) }
        try peer.send(bytes)
        #expect(try peer.next() == .helloRefused(.otherProtocol))
        try peer.awaitEnd()
    }

    @Test(
        "Bytes that are no greeting end the connection at once",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8),
            // A frame of 2 GiB, by its head.
            [0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0],
            // An empty frame.
            [0, 0, 0, 0, 0, 0, 0, 0, 0],
            // The checksum is wrong.
            ScriptedPeer.bytes(.hello(ScriptedPeer.hello(2))).enumerated()
                .map { $0.offset == 12 ? $0.element ^ 1 : $0.element },
            // A message before a greeting.
            ScriptedPeer.bytes(.message(.report(role: .leader, applied: .zero, isFull: false))),
            // An announcement that is never kept, longer than any greeting.
            [0, 0, 0x10, 0, 0, 0, 0, 0] + [UInt8](repeating: 1, count: 5_000),
        ])
    func noGreeting(bytes: [UInt8]) throws {
        let scene = try Scene()
        let peer = try scene.dial()
        try peer.send(bytes)
        #expect(try peer.next() == nil)
        // And the next one is served.
        let good = try scene.dial()
        try good.send(.hello(ScriptedPeer.hello(2)))
        guard case .helloAccepted = try good.next() else { throw TestFailure("not accepted") }
    }

    @Test("A damaged frame of a greeted member ends its connection, and it may come again")
    func damagedFrame() throws {
        let scene = try Scene()
        for _ in 0..<2 {
            let peer = try scene.dial()
            try peer.send(.hello(ScriptedPeer.hello(2)))
            guard case .helloAccepted = try peer.next() else { throw TestFailure("not accepted") }
            var bytes = ScriptedPeer.bytes(
                .message(.report(role: .follower, applied: .zero, isFull: false)))
            bytes[bytes.count - 1] ^= 1
            try peer.send(bytes)
            #expect(try peer.next() == nil)
        }
        try eventually("it is said") { scene.member.lines.contains("damaged frame") }
    }

    @Test("A greeting that does not come, and a member that falls silent, end the connection")
    func halfOpen() throws {
        let scene = try Scene {
            $0.peers.greetingMs = 30
            $0.peers.silenceMs = 60
        }
        let mute = try scene.dial()
        #expect(try mute.next() == nil)
        let silent = try scene.dial()
        try silent.send(.hello(ScriptedPeer.hello(2)))
        guard case .helloAccepted = try silent.next() else { throw TestFailure("not accepted") }
        #expect(try silent.next() == nil)
    }

    @Test("A second connection of a member replaces its first")
    func replaced() throws {
        let scene = try Scene()
        let first = try scene.dial()
        try first.send(.hello(ScriptedPeer.hello(2)))
        guard case .helloAccepted = try first.next() else { throw TestFailure("not accepted") }
        let second = try scene.dial()
        try second.send(.hello(ScriptedPeer.hello(2)))
        guard case .helloAccepted = try second.next() else { throw TestFailure("not accepted") }
        #expect(try first.next() == nil)
    }

    @Test("Of connections that say nothing the oldest gives way, so that the door is never shut")
    func ungreeted() throws {
        let scene = try Scene {
            $0.peers.ungreetedMax = 4
            // Nothing ends because it is late.
            $0.peers.greetingMs = 600_000
        }
        let mute = try (0..<4).map { _ in try scene.dial() }
        let good = try scene.dial()
        #expect(try mute[0].next() == nil)
        for peer in [good, mute[1], mute[3]] {
            try peer.send(.hello(ScriptedPeer.hello(2)))
            guard case .helloAccepted = try peer.next() else { throw TestFailure("not accepted") }
        }
    }

    @Test("A member that is turned away says what to do, is not ready, and goes on dialling")
    func turnedAway() throws {
        let scene = try Scene()
        for _ in 0..<3 {
            let (peer, _) = try scene.takeDial()
            try peer.send(.helloRefused(.otherStorage))
            #expect(try peer.next() == nil)
        }
        try eventually("it says what to do") {
            scene.member.lines.contains("refused by member 2: this disk is not the one")
        }
        #expect(scene.member.lines.all.count { $0.contains("refused by member 2") } == 1)
        #expect(try scene.member.answer("GET", "/health/ready").status == 503)
    }

    @Test("An answer to its dial from another member than it dialled is not taken")
    func wrongAnswer() throws {
        let scene = try Scene()
        let (peer, _) = try scene.takeDial()
        try peer.send(.helloAccepted(ScriptedPeer.hello(3)))
        #expect(try peer.next() == nil)
        let (again, _) = try scene.takeDial()
        try again.send([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        #expect(try again.next() == nil)
    }
}
