// Frames, proposals and configurations to begin with: one of each kind, and numbers at their ends.

import Ensemble
import Journal
import Raft
import Znodes

enum CodecSeeds {
    private static let origin = ForwardID(member: MemberID(1), incarnation: 0xABCD, counter: 7)

    private static let configuration = Configuration(
        voters: [MemberID(1), MemberID(2)], outgoingVoters: [MemberID(2), MemberID(3)],
        learners: [MemberID(4)], nextLearners: [MemberID(3)])

    // MARK: frames

    static var frames: [FuzzSeed] {
        let hello = Hello(
            ensemble: EnsembleID(high: 1, low: 2), member: MemberID(1),
            storage: StorageID(high: 3, low: 4), to: MemberID(2), incarnation: 9,
            httpAddress: Array("a:8080".utf8), peerAddress: Array("a:9090".utf8),
            version: Array("0.1.0".utf8))
        var stranger = hello
        stranger.ensemble = nil
        let mark = SnapshotMark(index: LogIndex(9), term: Term(2), configuration: configuration)
        let messages: [(String, PeerMessage)] = [
            ("forward", .forward(origin, term: Term(2), proposal: Array(proposals[0].bytes))),
            ("forward-refused", .forwardRefused(origin, term: Term(2), .diskFull)),
            (
                "snapshot-chunk",
                .snapshotChunk(mark: mark, term: Term(3), offset: 4, bytes: [1, 2, 3], last: true)
            ),
            (
                "snapshot-progress",
                .snapshotProgress(index: LogIndex(9), term: Term(3), offset: 7, done: false)
            ),
            ("report", .report(role: .learner, applied: LogIndex(5), isFull: true)),
            ("digests", .digests([DigestMark(index: LogIndex(5), digest: .max)])),
        ]
        var seeds = [
            FuzzSeed("hello", frame(.hello(hello))),
            FuzzSeed("hello-accepted", frame(.helloAccepted(stranger))),
            FuzzSeed("hello-refused", frame(.helloRefused(.otherStorage))),
        ]
        seeds += messages.map { FuzzSeed($0.0, frame(.message($0.1))) }
        seeds += raft.map { FuzzSeed("raft-\($0.0)", frame(.message(.raft(message($0.1))))) }
        let two = frame(.message(.raft(message(.timeoutNow)))) + frame(.hello(hello))
        seeds += [FuzzSeed("two", two), FuzzSeed("cut", Array(two.dropLast(3)))]
        return seeds + ends(hello: frame(.helloAccepted(stranger)))
    }

    private static func frame(_ frame: PeerFrame) -> [UInt8] {
        var bytes: [UInt8] = []
        PeerCodec.encode(frame, into: &bytes)
        return bytes
    }

    private static func message(_ body: Message.Body) -> Message {
        Message(from: MemberID(1), to: MemberID(2), term: Term(3), body: body)
    }

    private static var entries: [Entry] {
        [
            Entry(index: LogIndex(5), term: Term(2), kind: .noOp, payload: []),
            Entry(
                index: LogIndex(6), term: Term(3), kind: .configuration,
                payload: configuration.encoded()),
            Entry(index: LogIndex(7), term: Term(3), kind: .command, payload: [1, 2, 3, 4]),
        ]
    }

    private static var raft: [(String, Message.Body)] {
        let (index, term, context) = (LogIndex(4), Term(2), ReadContext(rawValue: 77))
        return [
            ("pre-vote", .preVoteRequest(lastIndex: index, lastTerm: term)),
            ("pre-vote-reply", .preVoteReply(granted: true)),
            ("vote", .voteRequest(lastIndex: index, lastTerm: term, transfer: true)),
            ("vote-reply", .voteReply(granted: false)),
            (
                "append",
                .append(
                    previousIndex: index, previousTerm: term, entries: entries, commit: index,
                    sentMs: 5)
            ),
            (
                "append-empty",
                .append(
                    previousIndex: LogIndex(.max), previousTerm: term, entries: [], commit: index,
                    sentMs: .max)
            ),
            ("append-reply", .appendReply(matchIndex: index, sentMs: 5)),
            (
                "append-rejection",
                .appendRejection(
                    rejectedIndex: index, hintIndex: LogIndex(3), hintTerm: term, sentMs: 5)
            ),
            ("heartbeat", .heartbeat(commit: index, readContext: context, sentMs: 5)),
            ("heartbeat-reply", .heartbeatReply(readContext: nil, sentMs: 5)),
            ("read-index", .readIndexRequest(context: context)),
            ("read-index-reply", .readIndexReply(context: context, index: index)),
            ("timeout-now", .timeoutNow),
        ]
    }

    /// What no member sends: indexes at the end of their range, a flag and an id that disagree.
    private static func ends(hello: [UInt8]) -> [FuzzSeed] {
        func append(after previous: UInt64, first: UInt64, count: UInt64) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 8) + [20]
            for word in [1, 2, 3, previous, 1, 0, 0] { bytes.add(word, bytes: 8) }
            bytes.add(count, bytes: 4)
            bytes.add(first, bytes: 8)
            for _ in 0..<count { bytes += [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }
            return CodecProperties.sealedPeer(bytes) ?? []
        }
        var stray = hello
        // Head 8, tag 1, version 4, flag 1: the id of an ensemble that is not known.
        stray.put(5, at: 14, bytes: 8)
        return [
            FuzzSeed("append-index-max", append(after: .max, first: 0, count: 1)),
            FuzzSeed("append-to-the-end", append(after: .max - 2, first: .max - 1, count: 2)),
            FuzzSeed("hello-stray-ensemble", CodecProperties.sealedPeer(stray) ?? []),
            FuzzSeed("length-max", [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 1]), FuzzSeed("empty", []),
        ]
    }

    // MARK: entries

    private static func path(_ text: String) -> ZnodePath { ZnodePath(trusted: Array(text.utf8)) }

    static var proposals: [FuzzSeed] {
        func put(_ condition: Condition, _ mode: CreateMode = .persistent) -> Command {
            .put(
                path: path("/a/b"), data: Array("data".utf8), mode: mode, explicitMode: true,
                condition: condition, makeParents: true)
        }
        let commands: [(String, Command)] = [
            ("put", put(.none)), ("put-absent", put(.absent)), ("put-exists", put(.exists)),
            ("put-tags", put(.mzxidAny([Zxid(1), Zxid(.max)]))), ("put-version", put(.version(-1))),
            ("put-ephemeral", put(.none, .ephemeral)),
            (
                "sequential",
                .createSequential(
                    parent: .root, prefix: Array("n-".utf8), data: [0], mode: .persistentSequential)
            ),
            (
                "sequential-slash",
                .createSequential(
                    parent: .root, prefix: Array("a/../\u{0}".utf8), data: [],
                    mode: .persistentSequential)
            ),
            ("delete", .delete(path: path("/a"), condition: .version(3), recursive: false)),
            ("delete-root", .delete(path: .root, condition: .none, recursive: true)),
        ]
        var seeds = commands.map { name, command in
            var bytes = Proposal.encode(command, origin: origin)
            Proposal.stamp(&bytes, wallMs: 1_700_000_000_000)
            return FuzzSeed(name, bytes)
        }
        let storages = [MemberStorage(member: MemberID(1), storage: StorageID(high: 5, low: 6))]
        let identity = Proposal.encode(
            ensemble: EnsembleID(high: 1, low: 2), storages: storages, origin: origin)
        var limits = ZnodeLimits()
        limits.dataBytesMax = .max
        var strayFlags = seeds[0].bytes
        strayFlags.put(0xFF, at: 34, bytes: 1)
        seeds += [
            FuzzSeed("identity", identity),
            FuzzSeed("identity-cut", Array(identity.dropLast(4))),
            FuzzSeed(
                "disk",
                Proposal.encode(
                    storages[0], replaces: StorageID(high: 7, low: 8), origin: origin)),
            FuzzSeed("limits", Proposal.encode(ZnodeLimits(), origin: origin)),
            FuzzSeed("limits-max", Proposal.encode(limits, origin: origin)),
            FuzzSeed("flags", strayFlags), FuzzSeed("kind", [9] + seeds[0].bytes.dropFirst()),
            FuzzSeed("empty", []),
        ]
        return seeds
    }

    static var configurations: [FuzzSeed] {
        let three = Configuration(voters: [MemberID(1), MemberID(2), MemberID(3)]).encoded()
        var unsorted = three
        unsorted.put(9, at: 3, bytes: 8)
        var many = three
        many.put(0xFFFF, at: 1, bytes: 2)
        return [
            FuzzSeed("three", three), FuzzSeed("joint", configuration.encoded()),
            FuzzSeed("nobody", Configuration(voters: []).encoded()),
            FuzzSeed("alone", Configuration(voters: [MemberID(.max)]).encoded()),
            FuzzSeed(
                "learners",
                Configuration(voters: [MemberID(1)], learners: [MemberID(2), MemberID(3)]).encoded()
            ),
            FuzzSeed("unsorted", unsorted), FuzzSeed("many", many), FuzzSeed("longer", three + [0]),
            FuzzSeed("cut", Array(three.dropLast(2))), FuzzSeed("format", [2] + three.dropFirst()),
            FuzzSeed("empty", []),
        ]
    }
}
