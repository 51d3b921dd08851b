// The log as its intact groups tell it, one group after the other. It must never take a group out
// of order or decide what a damaged one means: the scan does.

internal import Raft

struct LogReplay {
    let logID: LogID
    /// Entries up to here are covered by a snapshot: only their terms are kept.
    let floor: LogIndex
    /// nil until the first group of a log whose beginning was pruned.
    private(set) var lastSequence: UInt64?
    private(set) var chain: UInt32 = 0
    /// The greatest mark among the groups taken.
    private(set) var durableThrough: UInt64 = 0
    /// The last group with anything but a mark in it.
    private(set) var lastDataSequence: UInt64 = 0
    private(set) var outline = LogOutline()
    private(set) var entries: [Entry] = []
    private(set) var hardState: HardState = .initial
    /// Of the last group taken.
    private(set) var promise: LogPosition = .zero
    var segments: [LogSegment] = []

    init(logID: LogID, floor: LogIndex, firstSegment: UInt64) {
        self.logID = logID
        self.floor = floor
        if firstSegment == 1 { lastSequence = 0 }
    }

    var nextSequence: UInt64 { (lastSequence ?? 0) + 1 }

    /// The group at `offset` of that segment if it is intact and the very next one.
    func next(_ bytes: [UInt8], at offset: Int, segment: UInt64) -> GroupHeader? {
        guard let header = GroupHeader.decode(bytes, at: offset, logID: logID),
            header.place == GroupPlace(segment: segment, offset: offset), header.sequence >= 1
        else { return nil }
        if let lastSequence {
            guard header.sequence == lastSequence + 1, header.chain == chain else { return nil }
        }
        return header.payloadIsIntact(bytes, at: offset) ? header : nil
    }

    /// Takes a group that `next` gave, into the last segment. A fault in it is a fault of the
    /// program that wrote it: its checksum was right.
    mutating func take(
        _ header: GroupHeader, _ bytes: [UInt8], at offset: Int
    ) throws(JournalError) {
        let file = segments[segments.count - 1].name
        func check(_ holds: Bool, _ found: String) throws(JournalError) {
            if !holds { throw .malformed(file: file, offset: offset, found: found) }
        }
        try check(
            header.durableThrough < header.sequence && header.durableThrough >= durableThrough,
            "group \(header.sequence) marks \(header.durableThrough) after \(durableThrough)")
        segments[segments.count - 1].note(group: header.sequence)
        var cursor = offset + GroupHeader.bytes
        let end = cursor + Int(header.payloadBytes)
        for _ in 0..<header.recordCount {
            try check(end - cursor >= GroupBuilder.frameBytes, "a record outside its group")
            let bodyBytes = Int(bytes.little(UInt32.self, at: cursor))
            let kind = bytes[cursor + 4]
            cursor += GroupBuilder.frameBytes
            try check(bodyBytes <= end - cursor, "a record of \(bodyBytes) bytes")
            try check(
                take(kind, bytes, cursor..<(cursor + bodyBytes)),
                "a record of kind \(kind) and \(bodyBytes) bytes after entry \(outline.last)")
            cursor += bodyBytes
        }
        try check(cursor == end, "\(end - cursor) bytes after the last record")
        lastSequence = header.sequence
        chain = header.checksum
        durableThrough = header.durableThrough
        promise = header.promise
        if header.recordCount > 0 { lastDataSequence = header.sequence }
    }

    private mutating func take(_ kind: UInt8, _ bytes: [UInt8], _ body: Range<Int>) -> Bool {
        switch RecordKind(rawValue: kind) {
        case .segmentStart?: takeStart(bytes, body)
        case .hardState?: takeHardState(bytes, body)
        case .entry?: takeEntry(bytes, body)
        case .reset?: takeReset(bytes, body)
        case nil: false
        }
    }

    /// Index and term; nil where no log gets.
    private static func place(_ bytes: [UInt8], at offset: Int) -> (LogIndex, Term)? {
        let index = LogIndex(bytes.little(UInt64.self, at: offset))
        let term = Term(bytes.little(UInt64.self, at: offset + 8))
        return index <= .max && term <= .max ? (index, term) : nil
    }

    private mutating func takeStart(_ bytes: [UInt8], _ body: Range<Int>) -> Bool {
        guard body.count == 16, let (index, term) = Self.place(bytes, at: body.lowerBound) else {
            return false
        }
        if segments.count == 1, lastDataSequence == 0, outline == LogOutline() {
            outline.restart(after: index, term)
            return true
        }
        return index == outline.last && term == outline.lastTerm
    }

    private mutating func takeHardState(_ bytes: [UInt8], _ body: Range<Int>) -> Bool {
        guard body.count == 24, let state = HardState(bytes, at: body.lowerBound) else {
            return false
        }
        hardState.merge(state)
        return true
    }

    private mutating func takeEntry(_ bytes: [UInt8], _ body: Range<Int>) -> Bool {
        guard body.count >= GroupBuilder.entryHeadBytes,
            let kind = EntryKind(rawValue: bytes[body.lowerBound + 16]),
            let (index, term) = Self.place(bytes, at: body.lowerBound)
        else { return false }
        // Raft thesis 3.4: terms only grow along a log.
        guard index > .zero, index <= outline.last.next,
            term >= outline.term(at: index.previous) ?? .zero
        else { return false }
        let head = body.lowerBound + GroupBuilder.entryHeadBytes
        let payload = Array(bytes[head..<body.upperBound])
        if kind == .configuration, (try? Configuration(decoding: payload)) == nil { return false }
        let replacing = index <= outline.last
        segments.put(index, replacing: replacing)
        outline.put(index, term)
        if replacing, let first = entries.first {
            entries.removeLast(min(entries.count, entries.count - (index - first.index)))
        }
        if index > floor {
            entries.append(Entry(index: index, term: term, kind: kind, payload: payload))
        }
        return true
    }

    private mutating func takeReset(_ bytes: [UInt8], _ body: Range<Int>) -> Bool {
        guard body.count == 16, let (index, term) = Self.place(bytes, at: body.lowerBound) else {
            return false
        }
        outline.restart(after: index, term)
        entries.removeAll()
        segments.forgetEntries()
        return true
    }
}

extension HardState {
    /// Nil where no log gets.
    init?(_ bytes: [UInt8], at offset: Int) {
        let vote = bytes.little(UInt64.self, at: offset + 8)
        self.init(
            term: Term(bytes.little(UInt64.self, at: offset)),
            vote: vote == 0 ? nil : MemberID(vote),
            commit: LogIndex(bytes.little(UInt64.self, at: offset + 16)))
        if term > .max || commit > .max { return nil }
    }

    /// Never back: the greater term wins, a vote once given in a term stays.
    mutating func merge(_ later: HardState) {
        mergeVote(later)
        commit = max(commit, later.commit)
    }

    mutating func mergeVote(_ later: HardState) {
        if later.term > term {
            term = later.term
            vote = later.vote
        } else if later.term == term {
            vote = vote ?? later.vote
        }
    }
}
