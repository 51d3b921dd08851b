// What must hold for the bytes of any snapshot file: it is refused, or read the same in whatever
// pieces, and written anew it is the same file.

import Journal
import Raft

enum SnapshotProperties {
    typealias Store = SnapshotStore<MemoryStorage>
    private static let footerBytes = 48
    private static let frameBytes = 8

    static func check(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        let name = name(bytes)
        let storage = MemoryStorage([name: bytes])
        let found: (mark: SnapshotMark, body: [UInt8])?
        let isReported: Bool
        do throws(JournalError) {
            var store = try Store.open(storage: storage, limits: JournalLimits())
            found = try read(&store, bytes)
            isReported = found != nil || store.damagedNames == [name]
        } catch {
            try hold(storage.misdeed == nil, "\(storage.misdeed ?? "")")
            if case .storage(let failure) = error {
                throw BrokenProperty(description: "\(failure)")
            }
            // After it was opened, all of it was read once and cannot be rot.
            if case .rot = error { throw BrokenProperty(description: "\(error)") }
            return false
        }
        try hold(storage.misdeed == nil, "\(storage.misdeed ?? "")")
        try hold(storage.files == [name: bytes], "reading has changed the file")
        try hold(isReported, "neither intact nor damaged")
        guard let found else { return false }
        try checkWritten(found.mark, found.body, name, bytes)
        _ = try BodyProperties.check(found.body)
        return true
    }

    /// Index and term are part of the name, and compared with it. Where no name has such numbers it is
    /// another one, and the file is damaged.
    private static func name(_ bytes: [UInt8]) -> String {
        func digits(_ offset: Int) -> String {
            let number = min(bytes.number(offset, bytes: 8), LogIndex.max.rawValue)
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return "snapshot-\(digits(16))-\(digits(24))"
    }

    private static func read(
        _ store: inout Store, _ bytes: [UInt8]
    ) throws(JournalError) -> (mark: SnapshotMark, body: [UInt8])? {
        guard let mark = store.newest else { return nil }
        var whole: [UInt8] = []
        var isEnd = try store.read(index: mark.index, at: 0, count: .max, into: &whole)
        var pieces: [UInt8] = []
        for cut in cuts(of: bytes, count: 4) + [Int.max] {
            let offset = UInt64(pieces.count)
            isEnd = try store.read(index: mark.index, at: offset, count: cut, into: &pieces)
        }
        guard isEnd, whole == pieces, whole.count == store.newestBodyBytes else {
            throw .rot(file: "", offset: whole.count, found: "\(pieces.count) bytes in pieces")
        }
        return (mark, whole)
    }

    private static func checkWritten(
        _ mark: SnapshotMark, _ body: [UInt8], _ name: String, _ bytes: [UInt8]
    ) throws(BrokenProperty) {
        let storage = MemoryStorage([:])
        let limits = JournalLimits(snapshotBlockBytes: Int(bytes.number(32, bytes: 4)))
        do throws(JournalError) {
            var store = try Store.open(storage: storage, limits: limits)
            try store.begin(mark)
            try store.append(body)
            try store.finish()
            while try !store.verify() {}
        } catch {
            throw BrokenProperty(description: "written anew: \(error)")
        }
        try hold(storage.files == [name: bytes], "written anew it is another file")
    }

    /// Lengths that fit the file, and right checksums.
    static func sealed(_ bytes: [UInt8]) -> [UInt8]? {
        var sealed = bytes
        let header = Int(bytes.number(12, bytes: 4))
        guard header >= 44, header <= bytes.count - footerBytes else { return nil }
        sealed.put(UInt64(header - 44), at: 36, bytes: 4)
        sealed.put(checksum(sealed, 0..<(header - 4)), at: header - 4, bytes: 4)
        let blockBytes = Int(sealed.number(32, bytes: 4))
        guard blockBytes >= 1, blockBytes <= 256 << 10 else { return sealed }
        let footer = bytes.count - footerBytes
        var offset = header
        var number: UInt64 = 0
        var sum: UInt64 = 0
        while offset + frameBytes < footer {
            let body = (offset + frameBytes)..<min(offset + frameBytes + blockBytes, footer)
            var head: [UInt8] = []
            head.add(number, bytes: 8)
            head.add(UInt64(body.count), bytes: 4)
            sealed.put(UInt64(body.count), at: offset, bytes: 4)
            let seed = checksum(head, 0..<head.count)
            sealed.put(checksum(sealed, body, seed: seed), at: offset + 4, bytes: 4)
            sum = checksum(sealed, body, seed: sum)
            number += 1
            offset = body.upperBound
        }
        let bodyBytes = UInt64(footer - header) - min(UInt64(footer - header), 8 * number)
        sealed.put(bodyBytes, at: footer + 8, bytes: 8)
        sealed.put(number, at: footer + 16, bytes: 8)
        sealed.put(sealed.number(16, bytes: 8), at: footer + 24, bytes: 8)
        sealed.put(sealed.number(24, bytes: 8), at: footer + 32, bytes: 8)
        sealed.put(sum, at: footer + 40, bytes: 4)
        sealed.put(checksum(sealed, footer..<(footer + 44)), at: footer + 44, bytes: 4)
        return sealed
    }
}
