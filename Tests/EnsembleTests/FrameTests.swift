// The bytes between members.

import Ensemble
import Journal
import Raft
import Testing
import Znodes

@Suite("Frames")
struct FrameTests {
    private let messages: [PeerMessage] = [
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .preVoteRequest(lastIndex: LogIndex(4), lastTerm: Term(5)))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .voteRequest(lastIndex: LogIndex(4), lastTerm: Term(5), transfer: true))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .preVoteReply(granted: true))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3), body: .voteReply(granted: false))
        ),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .append(
                    previousIndex: LogIndex(7), previousTerm: Term(2),
                    entries: [
                        Entry(index: LogIndex(8), term: Term(3), kind: .noOp, payload: []),
                        Entry(
                            index: LogIndex(9), term: Term(3), kind: .command, payload: [1, 2, 3]),
                    ], commit: LogIndex(6), sentMs: 99))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .appendReply(matchIndex: LogIndex(9), sentMs: 1))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .appendRejection(
                    rejectedIndex: LogIndex(9), hintIndex: LogIndex(2), hintTerm: Term(1), sentMs: 1
                ))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .heartbeat(
                    commit: LogIndex(1), readContext: ReadContext(rawValue: 5), sentMs: 1))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .heartbeatReply(readContext: nil, sentMs: 1))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .readIndexRequest(context: ReadContext(rawValue: 5)))),
        .raft(
            Message(
                from: MemberID(1), to: MemberID(2), term: Term(3),
                body: .readIndexReply(context: ReadContext(rawValue: 5), index: nil))),
        .raft(Message(from: MemberID(1), to: MemberID(2), term: Term(3), body: .timeoutNow)),
        .forward(
            ForwardID(member: MemberID(1), incarnation: 2, counter: 3), term: Term(4),
            proposal: [1, 2]),
        .forwardRefused(
            ForwardID(member: MemberID(1), incarnation: 2, counter: 3), term: Term(4),
            .diskFull),
        .snapshotChunk(
            mark: SnapshotMark(
                index: LogIndex(1), term: Term(2),
                configuration: Configuration(
                    voters: [MemberID(1), MemberID(2)], learners: [MemberID(3)])),
            term: Term(3), offset: 4, bytes: [5], last: true),
        .snapshotProgress(index: LogIndex(1), term: Term(2), offset: 3, done: false),
        .report(role: .leader, applied: LogIndex(5), isFull: true),
        .digests([
            DigestMark(index: LogIndex(4), digest: .max), DigestMark(index: LogIndex(5), digest: 1),
        ]),
    ]

    private var frames: [PeerFrame] {
        let hello = Hello(
            ensemble: EnsembleID(high: 1, low: 2), member: MemberID(1),
            storage: StorageID(high: 3, low: 4),
            to: MemberID(2), incarnation: 5, httpAddress: [104], peerAddress: [112], version: [118])
        return messages.map { .message($0) } + [
            .hello(hello), .helloAccepted(hello), .helloRefused(.otherStorage),
        ]
    }

    @Test("Every frame comes back as it went, one after the other")
    func roundTrip() throws {
        var bytes: [UInt8] = []
        for frame in frames { PeerCodec.encode(frame, into: &bytes) }
        var position = 0
        for frame in frames {
            let decoded = try #require(try PeerCodec.decode(bytes.span.extracting(position...)))
            #expect(decoded.frame == frame)
            position += decoded.length
        }
        #expect(position == bytes.count)
    }

    @Test("A part of a frame asks for more; a flipped bit anywhere is refused or asks for more")
    func damage() throws {
        for frame in frames {
            var bytes: [UInt8] = []
            PeerCodec.encode(frame, into: &bytes)
            for cut in 0..<bytes.count {
                #expect(try PeerCodec.decode(bytes.span.extracting(..<cut)) == nil)
            }
            for bit in 0..<(bytes.count * 8) {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                let decoded = (try? PeerCodec.decode(damaged.span)) ?? nil
                #expect(decoded?.frame == nil)
            }
        }
    }

    @Test("A stamp of a clock that no sum could hold is refused")
    func lateStamp() {
        var bytes: [UInt8] = []
        PeerCodec.encode(
            .message(
                .raft(
                    Message(
                        from: MemberID(1), to: MemberID(2), term: Term(3),
                        body: .heartbeatReply(readContext: nil, sentMs: .max)))), into: &bytes)
        #expect(throws: CodecError.tooLong) { _ = try PeerCodec.decode(bytes.span) }
    }

    @Test("A length beyond the limit is refused before anything is allocated for it")
    func tooLong() {
        let bytes: [UInt8] = [0, 0, 0, 0xFF, 0, 0, 0, 0]
        #expect(throws: CodecError.tooLong) { _ = try PeerCodec.decode(bytes.span) }
    }
}
