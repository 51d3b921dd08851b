// What must hold for the bytes of any snapshot's body: the verdict does not depend on the pieces,
// the state that it restores gives the same bytes again, and works.

import Ensemble
import Znodes

enum BodyProperties {
    private typealias Verdict = Result<[UInt8], ReplicaSnapshotError>

    static func check(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        let whole = try verdict(bytes, cutAt: [])
        for count in [1, 5] {
            let way = cuts(of: bytes, count: count)
            let pieces = try verdict(bytes, cutAt: way)
            try hold(whole == pieces, "whole \(whole), cut at \(way) \(pieces)")
        }
        guard case .success(var again) = whole else { return false }
        var expected = bytes
        // The last number of the record. Events beyond that limit go when they are read, once.
        let record = Int(bytes.number(0, bytes: 4))
        if bytes.number(4 + record - 8, bytes: 8) < UInt64(bytes.count) {
            expected = again
            guard case .success(let fixed) = try verdict(again, cutAt: []) else {
                throw BrokenProperty(description: "what was written is refused")
            }
            again = fixed
        }
        try hold(
            again == expected, "the state is written otherwise: \(difference(expected, again))")
        return true
    }

    /// The bytes of the restored state.
    private static func verdict(
        _ bytes: [UInt8], cutAt cuts: [Int]
    ) throws(BrokenProperty) -> Verdict {
        var decoder = SnapshotDecoder(hashSeed: 7)
        let restored: RestoredReplica
        do throws(ReplicaSnapshotError) {
            var start = 0
            for cut in cuts + [bytes.count] {
                let piece = Array(bytes[start..<cut])
                try decoder.consume(piece.span)
                start = cut
            }
            restored = try decoder.finish()
        } catch {
            return .failure(error)
        }
        var written = ReplicaSnapshot.encode(restored.head)
        var machine = StateMachine(limits: restored.head.limits, hashSeed: 11)
        machine.adopt(restored.tree)
        written += snapshot(&machine, bytesTarget: 300)
        try use(&machine)
        return .success(written)
    }

    private static func snapshot(_ machine: inout StateMachine, bytesTarget: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        machine.beginSnapshot()
        while machine.nextSnapshotBytes(into: &bytes, bytesTarget: bytesTarget) == .more {}
        return bytes
    }

    /// The state takes commands, and what it is then can be restored again.
    private static func use(_ machine: inout StateMachine) throws(BrokenProperty) {
        let zxid = machine.lastZxid.rawValue
        // The log bounds its indexes; this is not the place to find out.
        guard zxid < 1 << 62 else { return }
        let path = ZnodePath.root.appending(Array("fuzz".utf8))
        let commands: [Command] = [
            .put(
                path: path.appending([0x61]), data: [1, 2, 3], mode: .persistent,
                explicitMode: false, condition: .none, makeParents: true),
            .createSequential(parent: path, prefix: [0x62], data: [], mode: .persistentSequential),
            .delete(path: path, condition: .exists, recursive: true),
        ]
        for (place, command) in commands.enumerated() {
            _ = machine.apply(command, zxid: Zxid(zxid + 1 + UInt64(place)), timeMs: 1)
        }
        try checkSnapshot(&machine)
    }

    static func checkSnapshot(_ machine: inout StateMachine) throws(BrokenProperty) {
        let bytes = snapshot(&machine, bytesTarget: 1 << 20)
        var restorer = StateRestorer(limits: machine.limits, hashSeed: 13)
        let digest: UInt64
        do throws(SnapshotError) {
            try restorer.consume(bytes.span)
            digest = try restorer.finish().digest
        } catch {
            throw BrokenProperty(description: "after commands: \(error)")
        }
        try hold(digest == machine.digest, "another digest after commands")
    }

    /// The record's length, the sums of the tree and its checksum put right.
    static func sealed(_ bytes: [UInt8]) -> [UInt8]? {
        let record = Int(bytes.number(0, bytes: 4))
        guard bytes.count > 4 + record else { return nil }
        var frames = wholeFrames(Array(bytes[(4 + record)...]))
        guard frames.count >= stateFrameBytes, frames[0] == 1 else { return nil }
        var restorer = StateRestorer(limits: ZnodeLimits(), hashSeed: 7)
        let unsummed = frames + end(of: frames)
        do throws(SnapshotError) { try restorer.consume(unsummed.span) } catch { return nil }
        let sums = restorer.sums
        frames.put(UInt64(sums.znodes), at: 5 + 26, bytes: 8)
        frames.put(UInt64(sums.storeBytes), at: 5 + 34, bytes: 8)
        frames.put(sums.digest, at: 5 + 42, bytes: 8)
        return bytes[..<(4 + record)] + frames + end(of: frames)
    }

    private static let stateFrameBytes = 5 + 58

    /// Without the end frame and what is behind the last whole one.
    private static func wholeFrames(_ bytes: [UInt8]) -> [UInt8] {
        var offset = 0
        while offset + 5 <= bytes.count, bytes[offset] != 127 {
            let next = offset + 5 + Int(bytes.number(offset + 1, bytes: 4))
            if next > bytes.count { break }
            offset = next
        }
        return Array(bytes[..<offset])
    }

    private static func end(of frames: [UInt8]) -> [UInt8] {
        var sum = SnapshotFormat.checksum()
        var offset = 0
        let span = frames.span
        while offset < frames.count {
            let next = offset + 5 + Int(frames.number(offset + 1, bytes: 4))
            span.extracting(offset..<next).withRawBytes { sum.absorb($0) }
            offset = next
        }
        var frame: [UInt8] = [127]
        frame.add(8, bytes: 4)
        frame.add(sum.finished(), bytes: 8)
        return frame
    }
}
