// What must hold for the bytes of any frame, proposal or configuration: they are refused, or mean
// something that has the same bytes again and that a tree or a quorum can take.

import Ensemble
import Raft
import Znodes

enum CodecProperties {
    // MARK: frames between members

    /// Frame after frame, as a link reads them.
    static func checkPeer(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        var rest = bytes
        var isAccepted = false
        while let (frame, length) = try decode(rest) {
            isAccepted = true
            try hold(length > PeerCodec.headBytes && length <= rest.count, "a frame of \(length)")
            var written: [UInt8] = []
            PeerCodec.encode(frame, into: &written)
            // What stands where there is nothing (an ensemble that is not known) may differ.
            let again = try decode(written)
            try hold(
                again?.frame == frame && written.count == length, "\(frame) written is \(written)")
            for cut in cuts(of: rest, count: 3) where cut < length {
                let part = try decode(Array(rest[..<cut]))
                try hold(part == nil, "\(cut) of \(length) bytes make a frame")
            }
            rest.removeFirst(length)
        }
        return isAccepted
    }

    private static func decode(
        _ bytes: [UInt8]
    ) throws(BrokenProperty) -> (frame: PeerFrame, length: Int)? {
        do throws(CodecError) {
            return try PeerCodec.decode(bytes.span)
        } catch {
            return nil
        }
    }

    static func sealedPeer(_ bytes: [UInt8]) -> [UInt8]? {
        let head = PeerCodec.headBytes
        guard bytes.count > head else { return nil }
        var sealed = bytes
        var offset = 0
        while sealed.count - offset > head {
            var length = Int(sealed.number(offset, bytes: 4))
            // The last frame is as long as what there is.
            if length == 0 || length > sealed.count - offset - head {
                length = sealed.count - offset - head
                sealed.put(UInt64(length), at: offset, bytes: 4)
            }
            let body = (offset + head)..<(offset + head + length)
            sealed.put(checksum(sealed, body), at: offset + 4, bytes: 4)
            offset = body.upperBound
        }
        return sealed
    }

    // MARK: entries

    static func checkProposal(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        let proposal: Proposal
        do throws(CodecError) {
            proposal = try Proposal(decoding: bytes)
        } catch {
            return false
        }
        var written: [UInt8]
        switch proposal.body {
        case .command(let command):
            written = Proposal.encode(command, origin: proposal.origin)
            try apply(command)
        case .identity(let ensemble, let storages):
            written = Proposal.encode(
                ensemble: ensemble, storages: storages, origin: proposal.origin)
        case .disk(let disk, let replaced):
            written = Proposal.encode(disk, replaces: replaced, origin: proposal.origin)
        case .limits(let limits):
            written = Proposal.encode(limits, origin: proposal.origin)
        case .unknown:
            return false
        }
        Proposal.stamp(&written, wallMs: proposal.wallMs)
        try hold(
            written == bytes, "\(proposal) is written otherwise: \(difference(bytes, written))")
        return true
    }

    /// Two trees come to the same, whatever is asked and however often.
    private static func apply(_ command: Command) throws(BrokenProperty) {
        var limits = ZnodeLimits()
        limits.dataBytesMax = 64
        limits.storeBytesMax = 300
        limits.deletedZnodesMax = 2
        var one = StateMachine(limits: limits, hashSeed: 1)
        var other = StateMachine(limits: limits, hashSeed: 2)
        for zxid in 1...3 as ClosedRange<UInt64> {
            let outcome = one.apply(command, zxid: Zxid(zxid), timeMs: 5)
            let same = other.apply(command, zxid: Zxid(zxid), timeMs: 5)
            try hold(outcome == same, "\(command): \(outcome) and \(same)")
        }
        try hold(one.digest == other.digest, "two trees differ after \(command)")
        try hold(one.storeBytes <= limits.storeBytesMax, "the store is too full after \(command)")
        try BodyProperties.checkSnapshot(&one)
    }

    static func checkConfiguration(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try Configuration(decoding: bytes)
        } catch {
            return false
        }
        try hold(configuration.encoded() == bytes, "\(configuration) has other bytes")
        try hold(configuration.isValid, "\(configuration) is not valid")
        let members = configuration.members
        try hold(
            zip(members, members.dropFirst()).allSatisfy { $0 < $1 }, "members \(members)")
        if configuration.isJoint {
            let next = configuration.leavingJoint
            try hold(next.isValid && !next.isJoint, "\(configuration) leads to \(next)")
        } else if !configuration.voters.isEmpty {
            // One voter less, who listens from then on.
            let target = Configuration(
                voters: Array(configuration.voters.dropFirst()),
                learners: configuration.learners + configuration.voters.prefix(1))
            guard !target.voters.isEmpty else { return true }
            let step = configuration.step(towards: target)
            try hold(step.isValid && step.leavingJoint == target, "\(configuration) to \(step)")
        }
        return true
    }
}
