// Mutated requests: whatever the bytes are, nothing traps, and the verdict does not depend on how
// they are cut. The seed is fixed, so that a failure comes again.

import HTTP
import Testing

struct RequestFuzzTests {
    static let spice: [[UInt8]] = [
        [13, 10], [13], [10], [0], [9], [32], Array(":".utf8), Array("chunked".utf8),
        Array("Content-Length: 5\r\n".utf8), Array("Transfer-Encoding: chunked\r\n".utf8),
        Array("0\r\n\r\n".utf8), Array(";a=\"b\"".utf8), Array("Host: b\r\n".utf8), [0xFF], [0x7F],
        Array("%2F".utf8), Array("?".utf8), Array("HTTP/1.1".utf8), Array(",".utf8),
    ]

    @Test("Mutated requests never trap, and give the same events however they are cut")
    func mutated() {
        var numbers = SeededNumbers(seed: 0xA71A)
        let corpus = RequestCase.all.filter { $0.input.count < 600 }
        for _ in 0..<4000 {
            let origin = corpus[numbers.below(corpus.count)]
            var bytes = origin.input
            for _ in 0...numbers.below(4) { mutate(&bytes, &numbers, corpus) }
            let whole = RequestReader.events(bytes, cutAt: [], limits: origin.limits)
            let cuts = (0..<3).map { _ in numbers.below(bytes.count + 1) }.sorted()
            let pieces = RequestReader.events(bytes, cutAt: cuts, limits: origin.limits)
            if whole != pieces {
                Issue.record("\(bytes) cut at \(cuts): \(whole) against \(pieces)")
                return
            }
        }
    }

    private func mutate(
        _ bytes: inout [UInt8], _ numbers: inout SeededNumbers, _ corpus: [RequestCase]
    ) {
        let place = numbers.below(bytes.count + 1)
        switch numbers.below(6) {
        case 0 where place < bytes.count:
            bytes[place] = UInt8(truncatingIfNeeded: numbers.next())
        case 1 where place < bytes.count:
            bytes.remove(at: place)
        case 2:
            bytes.insert(UInt8(truncatingIfNeeded: numbers.next()), at: place)
        case 3:
            let piece = RequestFuzzTests.spice[numbers.below(RequestFuzzTests.spice.count)]
            bytes.insert(contentsOf: piece, at: place)
        case 4:
            let other = corpus[numbers.below(corpus.count)].input
            bytes = Array(bytes[..<place]) + other[numbers.below(other.count + 1)...]
        default:
            let end = min(bytes.count, place + numbers.below(20))
            bytes.insert(contentsOf: bytes[place..<end], at: place)
        }
    }

    @Test("Random bytes never trap any parser of values")
    func randomValues() {
        var numbers = SeededNumbers(seed: 7)
        let letters = Array("*,\"W/ \tabcq=0.5;%2F0019msh-+&wait application/json\\".utf8)
        for _ in 0..<3000 {
            let bytes = (0..<numbers.below(30)).map { _ in letters[numbers.below(letters.count)] }
            var out: [UInt8] = []
            _ = PercentDecoding.decodePath(bytes.span, into: &out)
            _ = PercentDecoding.decodeQuery(bytes.span, into: &out)
            _ = DecimalParsing.parseSigned(bytes.span)
            _ = DurationParsing.milliseconds(bytes.span)
            var query = QueryIterator(bytes.span)
            var covered = 0
            while let pair = query.nextPair() {
                covered += pair.name.count + 1 + (pair.value.map { $0.count + 1 } ?? 0)
            }
            #expect(covered == (bytes.isEmpty ? 0 : bytes.count + 1))
            let text = "GET / HTTP/1.1\r\nHost: a\r\nIf-Match: "
            let lines = Array(text.utf8) + bytes + Array("\r\nAccept: ".utf8) + bytes
            walkValues(lines + Array("\r\nPrefer: ".utf8) + bytes + Array("\r\n\r\n".utf8))
        }
    }

    private func walkValues(_ request: [UInt8]) {
        var parser = RequestParser()
        guard case .head(let head, _) = parser.parseHead(request.span, limits: HTTPLimits()) else {
            Issue.record("a valid head was refused")
            return
        }
        var tags = EntityTagIterator(head: head, field: .ifMatch)
        var steps = 0
        walk: while steps < 100 {
            steps += 1
            switch tags.next(in: request.span) {
            case .any, .tag: continue walk
            case .end, .malformed: break walk
            }
        }
        #expect(steps < 100)
        let weight = AcceptedTypes(head: head, bytes: request.span).weight(of: .json)
        #expect(weight >= 0 && weight <= 1000)
        _ = PreferParsing.waitSeconds(head: head, bytes: request.span)
    }
}
