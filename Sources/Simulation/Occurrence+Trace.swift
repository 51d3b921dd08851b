// Occurrences as numbers for the trace hash, and as lines for people.

import Ensemble

extension Occurrence {
    var fingerprint: UInt64 {
        func word(_ kind: UInt64, _ a: Int, _ b: Int = 0) -> UInt64 {
            kind << 56 ^ UInt64(truncatingIfNeeded: a) << 28 ^ UInt64(truncatingIfNeeded: b)
        }
        switch self {
        case .tick(let member, let run): return word(1, member, run)
        case .deliver(let from, let to, let epoch, let bytes):
            // The frame's own length and checksum.
            var head: UInt64 = 0
            for byte in bytes.prefix(PeerCodec.headBytes) { head = head << 8 | UInt64(byte) }
            return word(2, from << 8 | to, epoch) ^ head
        case .peerLost(let member, _, let peer): return word(3, member, peer)
        case .refused(let member, _, let other, _): return word(4, member, other)
        case .connect(let a, let b): return word(5, a, b)
        case .breakLink(let a, let b, _): return word(6, a, b)
        case .journalDone(let member, let run): return word(7, member, run)
        case .snapshotDone(let member, let run): return word(8, member, run)
        case .start(let member): return word(9, member)
        case .resume(let member, let run): return word(10, member, run)
        case .clientTurn(let client): return word(11, client)
        case .clientRead(let client, let request):
            return word(12, client, Int(truncatingIfNeeded: request))
        case .fault: return word(13, 0)
        case .heal(let partition): return word(14, partition)
        case .clog(let from, let to, _): return word(16, from, to)
        case .exit(let member, let run): return word(17, member, run)
        case .room(let member, let disk): return word(18, member, disk)
        case .turnEnds(let member, let run): return word(15, member, run)
        case .webArrives(let client, let connection, let count):
            return word(19, client << 20 | connection, count)
        case .webReply(let client, let connection): return word(20, client, connection)
        case .webAnswered(let client, let connection, let count):
            return word(21, client << 20 | connection, count)
        }
    }

    func line(atNs timeNs: UInt64) -> String { "\(timeNs / 1_000) us  \(text)" }

    private var text: String {
        switch self {
        case .tick(let member, _): return "tick of \(member + 1)"
        case .deliver(let from, let to, _, let bytes):
            return "\(from + 1) -> \(to + 1)  \(Self.describe(bytes))"
        case .peerLost(let member, _, let peer): return "\(member + 1) loses \(peer + 1)"
        case .refused(let member, _, let other, let reason):
            return "\(member + 1) is refused by \(other + 1), reason \(reason)"
        case .connect(let a, let b): return "\(a + 1) and \(b + 1) try to connect"
        case .breakLink(let a, let b, _): return "connection of \(a + 1) and \(b + 1) breaks"
        case .turnEnds(let member, _): return "turn of \(member + 1) ends"
        case .journalDone(let member, _): return "journal of \(member + 1) syncs"
        case .snapshotDone(let member, _): return "snapshot thread of \(member + 1)"
        case .start(let member): return "\(member + 1) starts"
        case .resume(let member, _): return "\(member + 1) goes on"
        case .clientTurn(let client): return "turn of client \(client)"
        case .clientRead(let client, let request): return "client \(client) reads for \(request)"
        case .fault: return "a fault"
        case .heal(let partition): return "partition \(partition) heals"
        case .webArrives(let client, _, let count):
            return "\(count) bytes of client \(client) arrive"
        case .webReply(let client, _): return "the reply to client \(client) is taken"
        case .webAnswered(let client, _, let count):
            return "client \(client) receives \(count) bytes"
        case .clog(let from, let to, let untilNs):
            return "\(from + 1) -> \(to + 1) is clogged until \(untilNs / 1_000) us"
        case .exit(let member, _): return "\(member + 1) exits"
        case .room(let member, let disk): return "disk \(disk) of \(member + 1) has room again"
        }
    }

    private static func describe(_ bytes: [UInt8]) -> String {
        guard let decoded = try? PeerCodec.decode(bytes.span) else { return "no frame" }
        let text = "\(decoded.frame)"
        return text.count > 300 ? String(text.prefix(300)) + "..." : text
    }
}
