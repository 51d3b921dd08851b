// After a failed fdatasync the kernel may call pages clean that never reached the disk, and go on
// showing them: the process ended, its next one reads them, and a sync of what is clean does nothing
// (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020). So what no mark says
// is durable is written once more before it is believed. It must never write other bytes than it read.

extension WriteAheadLog where Storage: ~Copyable {
    /// The groups behind the mark, byte for byte where they are; `sync` then has something to do.
    mutating func rewriteUnmarked() throws(StorageError) {
        var bytes: [UInt8] = []
        for segment in segments where segment.lastSequence > durableThrough {
            let name = segment.name
            bytes.removeAll(keepingCapacity: true)
            try storage.read(name, at: 0, count: try storage.size(name), into: &bytes)
            var start: Int?
            var offset = SegmentHeader.bytes
            while let header = GroupHeader.decode(bytes, at: offset, logID: logID),
                header.sequence <= segment.lastSequence
            {
                if header.sequence > durableThrough { start = start ?? offset }
                offset += header.groupBytes
                if header.sequence == segment.lastSequence { break }
            }
            guard let start else { continue }
            let groups = bytes.span.extracting(start..<min(offset, bytes.count))
            try failing { storage throws(StorageError) in
                try storage.write(name, at: start, groups)
            }
        }
    }
}
