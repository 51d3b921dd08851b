import Journal
import Raft
import Testing

@Suite("CRC32C")
struct CRC32CTests {
    static func checksum(_ bytes: [UInt8]) -> UInt32 { CRC32C.checksum(bytes.span) }

    @Test("gives the values of RFC 3720 B.4")
    func vectors() {
        #expect(Self.checksum([]) == 0)
        #expect(Self.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(Self.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(Self.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(Self.checksum((0..<32).map { UInt8($0) }) == 0x46dd_794e)
        #expect(Self.checksum((0..<32).reversed().map { UInt8($0) }) == 0x113f_db5c)
    }

    @Test("is the same from the instruction and from tables, at every length, alignment and split")
    func portable() {
        var random = SplitMix(seed: 7)
        let bytes = (0..<200).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let span = bytes.span
        for start in 0..<9 {
            for end in start...bytes.count {
                let whole = CRC32C.checksum(span.extracting(start..<end))
                #expect(whole == CRC32C.portableChecksum(span.extracting(start..<end)))
                let middle = (start + end) / 2
                let head = CRC32C.checksum(span.extracting(start..<middle))
                #expect(
                    whole == CRC32C.checksum(span.extracting(middle..<end), seed: head))
            }
        }
    }
}
