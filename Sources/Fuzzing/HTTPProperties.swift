// What must hold for the bytes of any connection: the verdict does not depend on how they come, a
// head means what its lines say, and no reader of a value goes astray.

import HTTP

enum HTTPProperties {
    /// So tight that short inputs meet every limit.
    private static let tight: HTTPLimits = {
        var limits = HTTPLimits()
        limits.requestLineBytesMax = 48
        limits.fieldLineBytesMax = 40
        limits.fieldsMax = 5
        limits.headBytesMax = 160
        limits.chunkExtensionBytesMax = 8
        limits.bodyExtensionBytesMax = 16
        return limits
    }()

    /// Above this, not every place is cut: reading again and again would take long.
    private static let cutsMax = 600

    static func check(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        var isAccepted = false
        for (limits, bodyBytesMax) in [(HTTPLimits(), 1 << 20), (tight, 24)] {
            let whole = try RequestReading.events(
                bytes, cutAt: [], limits, bodyBytesMax: bodyBytesMax)
            var ways = [cuts(of: bytes, count: 1), cuts(of: bytes, count: 3)]
            if bytes.count <= cutsMax { ways.append(Array(bytes.indices)) }
            for way in ways {
                let pieces = try RequestReading.events(
                    bytes, cutAt: way, limits, bodyBytesMax: bodyBytesMax)
                try hold(whole == pieces, "whole: \(whole), cut at \(way): \(pieces)")
            }
            for case .head(let facts) in whole {
                isAccepted = true
                try checkRewritten(facts, limits)
            }
        }
        return isAccepted
    }

    private static func checkRewritten(
        _ facts: HeadFacts, _ limits: HTTPLimits
    ) throws(BrokenProperty) {
        let bytes = facts.rewritten
        var parser = RequestParser()
        guard case .head(let head, let length) = parser.parseHead(bytes.span, limits: limits) else {
            throw BrokenProperty(description: "refused when written anew: \(bytes)")
        }
        try hold(length == bytes.count, "\(length) of \(bytes.count) bytes make the same head")
        let again = HeadFacts(head, in: bytes.span)
        try hold(again == facts, "\(facts) written anew is \(again)")
    }

    static func check(_ head: RequestHead, in bytes: Span<UInt8>) throws(BrokenProperty) {
        let facts = HeadFacts(head, in: bytes)
        try hold(
            facts.fields.count == head.fieldCount,
            "\(head.fieldCount) fields, but \(facts.fields.count) lines")
        for field in FieldName.allCases {
            let name = Array("\(field.name)".utf8)
            let written = facts.fields.filter { lowercased($0.name) == name }.map(\.value)
            var found: [[UInt8]] = []
            var values = head.lines(of: field)
            while let value = values.next(in: bytes) {
                found.append([UInt8](copying: value.of(bytes)))
            }
            try hold(found == written, "\(field.name) has \(found), its lines \(written)")
            try hold(field.isList || found.count <= 1, "\(field.name) has \(found)")
        }
        try checkValues(head, facts, in: bytes)
    }

    private static func lowercased(_ name: [UInt8]) -> [UInt8] {
        name.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 0x20 : $0 }
    }

    private static func checkValues(
        _ head: RequestHead, _ facts: HeadFacts, in bytes: Span<UInt8>
    ) throws(BrokenProperty) {
        for field in [FieldName.ifMatch, .ifNoneMatch] where head.has(field) {
            var tags = EntityTagIterator(head: head, field: field)
            var steps = 0
            walk: while true {
                steps += 1
                try hold(steps <= bytes.count, "the tags of \(field.name) have no end")
                switch tags.next(in: bytes) {
                case .tag(let opaque, _):
                    try hold(opaque.range.upperBound <= bytes.count, "a tag at \(opaque.range)")
                case .any: continue walk
                case .end, .malformed: break walk
                }
            }
        }
        let accepted = AcceptedTypes(head: head, bytes: bytes)
        for type in MediaType.allCases {
            try hold((0...1000).contains(accepted.weight(of: type)), "a weight of \(type.name)")
        }
        _ = PreferParsing.waitSeconds(head: head, bytes: bytes)
        var decoded: [UInt8] = []
        _ = PercentDecoding.decodePath(facts.path.span, into: &decoded)
        try hold(decoded.count <= facts.path.count, "a path grew by decoding")
        try checkQuery(facts.query ?? [])
    }

    private static func checkQuery(_ query: [UInt8]) throws(BrokenProperty) {
        var pairs = QueryIterator(query.span)
        var covered = 0
        while let pair = pairs.nextPair() {
            covered += pair.name.count + 1 + (pair.value.map { $0.count + 1 } ?? 0)
            guard let value = pair.value.map({ Array(query[$0.range]) }) else { continue }
            var decoded: [UInt8] = []
            _ = PercentDecoding.decodeQuery(value.span, into: &decoded)
            try hold(decoded.count <= value.count, "a value grew by decoding")
            _ = DecimalParsing.parseSigned(value.span)
            _ = DurationParsing.milliseconds(value.span)
        }
        try hold(covered == (query.isEmpty ? 0 : query.count + 1), "a query was not read whole")
    }
}
