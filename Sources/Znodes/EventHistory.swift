// The changes of late, in order, as bytes in chunks: part of the replicated state, so what is kept
// is a function of the entries alone, never of how chunks were cut. Trimmed by whole zxids.
//
//   group  u64 zxid   u32 events   u32 bytes of events   events: u8 type, u16 count, path
//
// Only created, changed and deleted are stored; `children` of the parent is derived when read.

internal import DequeModule

struct EventHistory {
    struct Chunk {
        var firstZxid: UInt64
        var lastZxid: UInt64
        var bytes: [UInt8] = []
    }

    static let groupHeaderBytes = 16
    static let chunkBytes = 64 << 10

    private(set) var chunks: Deque<Chunk> = []
    /// Where the oldest group begins in the first chunk.
    private(set) var start = 0
    private(set) var byteCount = 0
    /// All events with a greater zxid are here.
    private(set) var floor = Zxid.zero
    private var openZxid: UInt64 = 0
    private var openStart = 0
    private var openEvents: UInt32 = 0
    /// By the path's hash, the last deletion; as old as the history. Never iterated.
    private var deletions: [UInt64: UInt64] = [:]

    init(floor: Zxid = .zero) { self.floor = floor }

    static func hash(_ path: RawBytes) -> UInt64 {
        var hash = SipHash(0, 0)
        hash.absorb(path)
        return hash.finished()
    }

    /// Nil when nothing is remembered.
    func lastDeletion(_ path: RawBytes) -> Zxid? { deletions[Self.hash(path)].map { Zxid($0) } }

    mutating func append(_ type: EventTypes, _ path: RawBytes, zxid: UInt64) {
        if openZxid != zxid { openGroup(zxid) }
        let last = chunks.count - 1
        chunks[last].bytes.append(type.rawValue)
        chunks[last].bytes.appendInteger(UInt16(path.count))
        path.append(to: &chunks[last].bytes)
        openEvents += 1
        byteCount += 3 + path.count
        if type == .deleted { deletions[Self.hash(path)] = zxid }
    }

    /// The last chunk will be written to; all others never again.
    var lastIsOpen: Bool { chunks.last.map { $0.bytes.count < Self.chunkBytes } ?? false }

    private mutating func openGroup(_ zxid: UInt64) {
        if !lastIsOpen {
            chunks.append(Chunk(firstZxid: zxid, lastZxid: zxid))
        }
        let last = chunks.count - 1
        chunks[last].lastZxid = zxid
        openZxid = zxid
        openStart = chunks[last].bytes.count
        openEvents = 0
        chunks[last].bytes.appendInteger(zxid)
        chunks[last].bytes.appendInteger(UInt64(0))
        byteCount += Self.groupHeaderBytes
    }

    /// The entry is over: closes its group and trims.
    mutating func closeGroup(bytesMax: Int) {
        guard openEvents > 0 else { return }
        let last = chunks.count - 1
        let size = chunks[last].bytes.count - openStart - Self.groupHeaderBytes
        for index in 0..<4 {
            chunks[last].bytes[openStart + 8 + index] =
                UInt8(truncatingIfNeeded: openEvents >> UInt32(index * 8))
            chunks[last].bytes[openStart + 12 + index] =
                UInt8(truncatingIfNeeded: size >> (index * 8))
        }
        openEvents = 0
        openZxid = 0
        while byteCount > bytesMax { dropOldest() }
    }

    private mutating func dropOldest() {
        guard let first = chunks.first else { return }
        let group = Group(first.bytes.span, start)
        group.forEach(first.bytes) { type, path in
            guard type == .deleted else { return }
            let key = Self.hash(path)
            if deletions[key] == group.zxid { deletions[key] = nil }
        }
        floor = Zxid(group.zxid)
        byteCount -= group.end - start
        start = group.end
        if start == first.bytes.count {
            chunks.removeFirst()
            start = 0
        }
    }
}

extension EventHistory {
    /// The header of one group.
    struct Group {
        let zxid: UInt64
        let events: Int
        let start: Int
        let end: Int

        init(_ bytes: Span<UInt8>, _ at: Int) {
            zxid = bytes.loadInteger(at: at, UInt64.self)
            events = Int(bytes.loadInteger(at: at + 8, UInt32.self))
            start = at + EventHistory.groupHeaderBytes
            end = start + Int(bytes.loadInteger(at: at + 12, UInt32.self))
        }

        func forEach(_ bytes: [UInt8], _ body: (EventTypes, RawBytes) -> Void) {
            bytes.withRawBytes { raw in
                var at = start
                while at < end {
                    let count = Int(raw[at + 1]) | Int(raw[at + 2]) << 8
                    body(EventTypes(rawValue: raw[at]), raw.part(at + 3, count))
                    at += 3 + count
                }
            }
        }
    }

    /// Groups after `after` in order, with their chunk and its number, until `body` returns false.
    func forEachGroup(after: Zxid, _ body: (Group, [UInt8], Int) -> Bool) {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle].lastZxid <= after.rawValue { low = middle + 1 } else { high = middle }
        }
        for index in low..<chunks.count {
            let bytes = chunks[index].bytes
            var at = index == 0 ? start : 0
            while at < bytes.count {
                let group = Group(bytes.span, at)
                at = group.end
                if group.zxid > after.rawValue, !body(group, bytes, index) { return }
            }
        }
    }
}
