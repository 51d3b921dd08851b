// After a failed fdatasync the kernel may call pages clean that never reached the disk, and go on
// showing them: the process ended, its next one reads them, and a sync of what is clean does nothing
// (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020). So what no mark says
// is durable is written once more before it is believed. It must never write other bytes than those
// that were judged.

extension WriteAheadLog where Storage: ~Copyable {
    /// The groups behind the mark, byte for byte where they are; `sync` then has something to do. Read
    /// again and compared as the first time: a disk that now shows something else ends the start,
    /// with nothing written.
    mutating func rewriteUnmarked() throws(StorageError) {
        var unmarked: [(name: String, start: Int, bytes: [UInt8])] = []
        var chain: UInt32?
        for segment in segments where segment.lastSequence > durableThrough {
            let name = segment.name
            var bytes: [UInt8] = []
            try storage.read(name, at: 0, count: try storage.size(name), into: &bytes)
            var start: Int?
            var offset = SegmentHeader.bytes
            for sequence in segment.firstSequence...segment.lastSequence {
                guard let header = GroupHeader.decode(bytes, at: offset, logID: logID),
                    header.place == GroupPlace(segment: segment.number, offset: offset),
                    header.sequence == sequence, header.chain == chain ?? header.chain,
                    header.payloadIsIntact(bytes, at: offset)
                else { throw Self.changedBetweenReads(name) }
                chain = header.checksum
                if sequence > durableThrough { start = start ?? offset }
                offset += header.groupBytes
            }
            guard let start else { continue }
            bytes.removeSubrange(offset...)
            unmarked.append((name, start, bytes))
        }
        // Each header's checksum covers those before it.
        guard chain ?? self.chain == self.chain else {
            throw Self.changedBetweenReads(segments[segments.count - 1].name)
        }
        for (name, start, bytes) in unmarked {
            try failing { storage throws(StorageError) in
                try storage.write(name, at: start, bytes.span.extracting(start..<bytes.count))
            }
        }
    }

    private static func changedBetweenReads(_ name: String) -> StorageError {
        StorageError(.read, name, .other(0, "a second read gave other bytes than the first"))
    }
}
