// What stands behind the last intact group: nothing after a clean stop, leftovers of writes that
// were under way at a crash, or the traces of rot. It only looks; it must never change a byte.

internal import Raft

struct LogTail {
    /// The greatest mark in any intact header behind the cut. Every such claim was true when it
    /// was written, whatever became of its group.
    private(set) var greatestMark: UInt64 = 0
    private(set) var greatestSequence: UInt64 = 0
    private(set) var leastSequence: UInt64 = .max
    /// The greatest in any intact header. Why those of groups that a crash has torn as well: to
    /// take more for promised than was is harmless, to forget a promise is not.
    private(set) var promise: LogPosition = .zero
    /// The greatest term, with its vote, likewise.
    private(set) var hardState: HardState = .initial
    /// From the first to the last sector that is not zero.
    private(set) var written: Range<Int>?
    private(set) var groupCount = 0
    /// One with an intact header that was not written to stand there.
    private(set) var displaced: GroupHeader?

    init() {}

    init(_ bytes: [UInt8], from start: Int, segment: UInt64, logID: LogID) {
        let sector = JournalLimits.sectorBytes
        var offset = start
        while offset < bytes.count {
            let end = min(offset + sector, bytes.count)
            if !bytes.isZero(offset..<end) {
                written = (written?.lowerBound ?? offset)..<end
                if let header = GroupHeader.decode(bytes, at: offset, logID: logID) {
                    look(header)
                    let place = GroupPlace(segment: segment, offset: offset)
                    if header.place != place { displaced = header }
                }
            }
            offset = end
        }
    }

    private mutating func look(_ header: GroupHeader) {
        groupCount += 1
        greatestMark = max(greatestMark, header.durableThrough)
        greatestSequence = max(greatestSequence, header.sequence)
        leastSequence = min(leastSequence, header.sequence)
        promise = max(promise, header.promise)
        hardState.mergeVote(HardState(term: header.term, vote: header.vote, commit: .zero))
    }

    mutating func merge(_ later: LogTail) {
        displaced = displaced ?? later.displaced
        groupCount += later.groupCount
        greatestMark = max(greatestMark, later.greatestMark)
        greatestSequence = max(greatestSequence, later.greatestSequence)
        leastSequence = min(leastSequence, later.leastSequence)
        promise = max(promise, later.promise)
        hardState.mergeVote(later.hardState)
    }
}
