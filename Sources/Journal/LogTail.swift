// What stands behind the last intact group: nothing after a clean stop, leftovers of writes that
// were under way at a crash, or the traces of rot. It only looks; it must never change a byte.

internal import Raft

struct LogTail {
    /// The greatest mark in any intact header behind the cut. Every such claim was true when it
    /// was written, whatever became of its group.
    private(set) var greatestMark: UInt64 = 0
    /// From the first to the last sector that is not zero.
    private(set) var written: Range<Int>?
    /// The greatest term, with its vote, among intact groups: believing a vote that was never
    /// synced is harmless, forgetting one is not.
    private(set) var hardState: HardState = .initial
    private(set) var groupCount = 0

    init() {}

    init(_ bytes: [UInt8], from start: Int, logID: LogID) {
        let sector = JournalLimits.sectorBytes
        var offset = start
        while offset < bytes.count {
            let end = min(offset + sector, bytes.count)
            if !bytes.isZero(offset..<end) {
                written = (written?.lowerBound ?? offset)..<end
                look(bytes, at: offset, logID: logID)
            }
            offset = end
        }
    }

    private mutating func look(_ bytes: [UInt8], at offset: Int, logID: LogID) {
        guard let header = GroupHeader.decode(bytes, at: offset, logID: logID) else { return }
        greatestMark = max(greatestMark, header.durableThrough)
        groupCount += 1
        guard header.payloadIsIntact(bytes, at: offset) else { return }
        var cursor = offset + GroupHeader.bytes
        let end = cursor + Int(header.payloadBytes)
        while end - cursor >= GroupBuilder.frameBytes {
            let bodyBytes = Int(bytes.little(UInt32.self, at: cursor))
            let kind = bytes[cursor + 4]
            cursor += GroupBuilder.frameBytes
            guard bodyBytes <= end - cursor else { return }
            if kind == RecordKind.hardState.rawValue, bodyBytes == 24,
                let state = HardState(bytes, at: cursor)
            {
                hardState.mergeVote(state)
            }
            cursor += bodyBytes
        }
    }

    mutating func merge(_ later: LogTail) {
        greatestMark = max(greatestMark, later.greatestMark)
        hardState.mergeVote(later.hardState)
        groupCount += later.groupCount
    }
}
