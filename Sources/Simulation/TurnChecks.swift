// What is checked of one member, message or client by itself, apart from the world, so that each check
// can be shown what it must find.

package import Ensemble
package import Raft
package import Znodes

package enum TurnChecks {
    /// The core's own invariants; `before` is nil after a start.
    package static func step(
        from before: RaftObservation?, to now: RaftObservation
    ) throws(Violation) {
        do throws(RaftViolation) {
            try RaftInvariants.check(previous: before, current: now)
        } catch {
            throw Violation(.raftStep, "\(error)")
        }
    }

    /// Queues stay within their options.
    package static func bounds(
        _ member: MemberID, pendingWrites: Int, waits: Int, snapshotRequests: Int,
        _ options: ReplicaOptions
    ) throws(Violation) {
        try expect(
            pendingWrites <= options.pendingWritesMax && waits <= options.waitsMax, .queueBound,
            "\(member) has \(pendingWrites) writes and \(waits) waits open")
        try expect(
            snapshotRequests <= 64 + options.snapshotPiecesAhead, .queueBound,
            "\(member) has \(snapshotRequests) snapshot requests waiting")
    }

    /// One whole frame, and nothing behind it.
    package static func frame(_ bytes: [UInt8]) throws(Violation) -> PeerFrame {
        do throws(CodecError) {
            guard let decoded = try PeerCodec.decode(bytes.span), decoded.length == bytes.count
            else { throw .truncated }
            return decoded.frame
        } catch {
            throw Violation(.codec, "a frame of \(bytes.count) bytes: \(error)")
        }
    }

    /// What was sent as a hello arrives as the same one.
    package static func hello(_ sent: Hello, in bytes: [UInt8]) throws(Violation) -> Hello {
        guard case .hello(let received) = try frame(bytes) else {
            throw Violation(.codec, "a hello became something else")
        }
        try expect(received == sent, .codec, "\(sent) became \(received)")
        return received
    }
}

/// What one client was shown by one run of a member never goes back.
package struct LocalReads {
    private var member = -1
    private var run = 0
    private var zxid = Zxid.zero

    package init() {}

    package mutating func shown(_ zxid: Zxid, member: Int, run: Int) throws(Violation) {
        let isSame = self.member == member && self.run == run
        try expect(
            !isSame || zxid >= self.zxid, .readOrder,
            "member \(member + 1) shows \(zxid) after \(self.zxid)")
        self.member = member
        self.run = run
        self.zxid = zxid
    }
}
