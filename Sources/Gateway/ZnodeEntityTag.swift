// Entity tags of a znode: `"<mzxid>"` names its data, `"c<czxid>-<pzxid>-<cversion>"` the names of
// its children. A tag never comes back after delete and re-create. Tags are compared as numbers;
// one that no znode ever had matches none, and is no error.

import HTTP
import Znodes

struct ChildrenTag: Equatable, Sendable {
    var czxid: UInt64
    var pzxid: UInt64
    var cversion: Int32

    init(_ stat: Stat) {
        czxid = stat.czxid.rawValue
        pzxid = stat.pzxid.rawValue
        cversion = stat.cversion
    }

    init?(parsing text: Span<UInt8>) {
        guard text.count > 1, text[0] == 0x63 else { return nil }
        let first = Octets.first(0x2D, in: text, from: 1, to: text.count)
        let second =
            first < text.count
            ? Octets.first(0x2D, in: text, from: first + 1, to: text.count) : first
        guard second < text.count,
            let czxid = DecimalParsing.parse(text.extracting(1..<first)),
            let pzxid = DecimalParsing.parse(text.extracting((first + 1)..<second)),
            let signed = DecimalParsing.parseSigned(text.extracting((second + 1)..<text.count)),
            let cversion = Int32(exactly: signed)
        else { return nil }
        self.czxid = czxid
        self.pzxid = pzxid
        self.cversion = cversion
    }
}

/// The list of If-Match or If-None-Match.
struct EntityTags: Sendable {
    /// `*`
    private(set) var isAny = false
    private(set) var data: [UInt64] = []
    private(set) var children: [ChildrenTag] = []
    /// A weak tag was left out: If-Match compares strongly, and it matches nothing (RFC 9110 13.1.1).
    private(set) var hasWeakTag = false

    init(head: RequestHead, field: FieldName, bytes: Span<UInt8>) throws(Problem) {
        var tags = EntityTagIterator(head: head, field: field)
        while true {
            switch tags.next(in: bytes) {
            case .any: isAny = true
            case .tag(let opaque, let isWeak):
                if isWeak, field == .ifMatch {
                    hasWeakTag = true
                    continue
                }
                let quoted = opaque.of(bytes)
                let text = quoted.extracting(1..<(quoted.count - 1))
                if let mzxid = DecimalParsing.parse(text) {
                    data.append(mzxid)
                } else if let tag = ChildrenTag(parsing: text) {
                    children.append(tag)
                }
            case .end: return
            case .malformed:
                throw .badRequest(
                    "The condition is malformed: write * alone, or tags in quotes as ETag gave.")
            }
        }
    }

    func matchesData(_ stat: Stat) -> Bool { isAny || data.contains(stat.mzxid.rawValue) }
    func matchesChildren(_ stat: Stat) -> Bool { isAny || children.contains(ChildrenTag(stat)) }
}

extension ResponseSerializer {
    /// `ETag` of the names of the children.
    func childrenTag(_ stat: Stat, into out: inout ByteWriter) {
        field("ETag", into: &out) { out in
            out.append("\"c")
            out.append(decimal: stat.czxid.rawValue)
            out.append("-")
            out.append(decimal: stat.pzxid.rawValue)
            out.append("-")
            out.append(decimal: Int64(stat.cversion))
            out.append("\"")
        }
    }
}
