// The core's messages as bytes inside a peer frame: one tag for each kind of body, then sender,
// addressee, term, and the body's fields.

import Raft

/// Below are the tags of the other frames, `PeerCodec.Tag`.
private enum BodyTag: UInt8 {
    case preVoteRequest = 16
    case preVoteReply = 17
    case voteRequest = 18
    case voteReply = 19
    case append = 20
    case appendReply = 21
    case appendRejection = 22
    case heartbeat = 23
    case heartbeatReply = 24
    case readIndexRequest = 25
    case readIndexReply = 26
    case timeoutNow = 27
}

extension [UInt8] {
    mutating func append(_ message: Message) {
        append(Self.tag(of: message.body).rawValue)
        append(u64: message.from.rawValue)
        append(u64: message.to.rawValue)
        append(u64: message.term.rawValue)
        switch message.body {
        case .preVoteRequest(let lastIndex, let lastTerm):
            append(u64: lastIndex.rawValue)
            append(u64: lastTerm.rawValue)
        case .voteRequest(let lastIndex, let lastTerm, let transfer):
            append(u64: lastIndex.rawValue)
            append(u64: lastTerm.rawValue)
            append(transfer ? 1 : 0)
        case .preVoteReply(let granted), .voteReply(let granted):
            append(granted ? 1 : 0)
        case .append(let previousIndex, let previousTerm, let entries, let commit, let sentMs):
            append(u64: previousIndex.rawValue)
            append(u64: previousTerm.rawValue)
            append(u64: commit.rawValue)
            append(u64: sentMs)
            append(entries: entries)
        case .appendReply(let matchIndex, let sentMs):
            append(u64: matchIndex.rawValue)
            append(u64: sentMs)
        case .appendRejection(let rejectedIndex, let hintIndex, let hintTerm, let sentMs):
            append(u64: rejectedIndex.rawValue)
            append(u64: hintIndex.rawValue)
            append(u64: hintTerm.rawValue)
            append(u64: sentMs)
        case .heartbeat(let commit, let readContext, let sentMs):
            append(u64: commit.rawValue)
            append(optional: readContext?.rawValue)
            append(u64: sentMs)
        case .heartbeatReply(let readContext, let sentMs):
            append(optional: readContext?.rawValue)
            append(u64: sentMs)
        case .readIndexRequest(let context):
            append(u64: context.rawValue)
        case .readIndexReply(let context, let index):
            append(u64: context.rawValue)
            append(optional: index?.rawValue)
        case .timeoutNow:
            break
        }
    }

    private static func tag(of body: Message.Body) -> BodyTag {
        switch body {
        case .preVoteRequest: .preVoteRequest
        case .preVoteReply: .preVoteReply
        case .voteRequest: .voteRequest
        case .voteReply: .voteReply
        case .append: .append
        case .appendReply: .appendReply
        case .appendRejection: .appendRejection
        case .heartbeat: .heartbeat
        case .heartbeatReply: .heartbeatReply
        case .readIndexRequest: .readIndexRequest
        case .readIndexReply: .readIndexReply
        case .timeoutNow: .timeoutNow
        }
    }

    private mutating func append(optional value: UInt64?) {
        append(value == nil ? 0 : 1)
        append(u64: value ?? 0)
    }

    /// Entries follow each other in the log, so only the first index is written.
    private mutating func append(entries: [Entry]) {
        append(u32: UInt32(entries.count))
        guard let first = entries.first else { return }
        append(u64: first.index.rawValue)
        for entry in entries {
            append(u64: entry.term.rawValue)
            append(entry.kind.rawValue)
            append(counted: entry.payload)
        }
    }
}

extension ByteReader {
    mutating func raftMessage(tag: UInt8) throws(CodecError) -> Message {
        guard let bodyTag = BodyTag(rawValue: tag) else { throw .unknownTag(tag) }
        let from = MemberID(try u64())
        let to = MemberID(try u64())
        let term = try self.term()
        return Message(from: from, to: to, term: term, body: try raftBody(bodyTag))
    }

    private mutating func raftBody(_ tag: BodyTag) throws(CodecError) -> Message.Body {
        switch tag {
        case .preVoteRequest:
            return .preVoteRequest(lastIndex: try index(), lastTerm: try term())
        case .voteRequest:
            return .voteRequest(
                lastIndex: try index(), lastTerm: try term(), transfer: try flag())
        case .preVoteReply: return .preVoteReply(granted: try flag())
        case .voteReply: return .voteReply(granted: try flag())
        case .append:
            let previousIndex = try index()
            let previousTerm = try term()
            let commit = try index()
            let sentMs = try clock()
            return .append(
                previousIndex: previousIndex, previousTerm: previousTerm,
                entries: try entries(after: previousIndex), commit: commit, sentMs: sentMs)
        case .appendReply:
            return .appendReply(matchIndex: try index(), sentMs: try clock())
        case .appendRejection:
            return .appendRejection(
                rejectedIndex: try index(), hintIndex: try index(),
                hintTerm: try term(), sentMs: try clock())
        case .heartbeat:
            return .heartbeat(
                commit: try index(),
                readContext: try optional().map { ReadContext(rawValue: $0) }, sentMs: try clock())
        case .heartbeatReply:
            return .heartbeatReply(
                readContext: try optional().map { ReadContext(rawValue: $0) }, sentMs: try clock())
        case .readIndexRequest:
            return .readIndexRequest(context: ReadContext(rawValue: try u64()))
        case .readIndexReply:
            return .readIndexReply(
                context: ReadContext(rawValue: try u64()),
                index: try optionalIndex())
        case .timeoutNow: return .timeoutNow
        }
    }

    private mutating func optional() throws(CodecError) -> UInt64? {
        let known = try flag()
        let value = try u64()
        return known ? value : nil
    }

    private mutating func optionalIndex() throws(CodecError) -> LogIndex? {
        let known = try flag()
        let index = try self.index()
        return known ? index : nil
    }

    private mutating func entries(after previous: LogIndex) throws(CodecError) -> [Entry] {
        let count = Int(try u32())
        guard count <= PeerCodec.entriesMax else { throw .tooLong }
        if count == 0 { return [] }
        guard count <= LogIndex.max - previous else { throw .tooLong }
        // A hole here would become a hole in a log (ZOOKEEPER-4785).
        guard try index() == previous.next else { throw .notContiguous }
        var entries: [Entry] = []
        entries.reserveCapacity(min(count, remaining / 13 + 1))
        var index = previous.next
        for _ in 0..<count {
            let term = try self.term()
            let kindByte = try u8()
            guard let kind = EntryKind(rawValue: kindByte) else { throw .unknownTag(kindByte) }
            let payload = try counted(max: PeerCodec.frameBytesMax)
            entries.append(Entry(index: index, term: term, kind: kind, payload: payload))
            index = index.next
        }
        return entries
    }
}
