// Connections between members as the server's shell makes them: a hello both ways, then frames of
// real bytes; and what is checked of each promise that leaves a member.

import Ensemble
import Raft

extension World {
    // MARK: connections

    /// Tries now, and again after a while for ever.
    func connect(_ a: Int, _ b: Int) throws(Violation) {
        let gapNs = isSettling ? 40_000_000 : shellRandom.draw(40_000_000...300_000_000)
        queue.put(.connect(a, b), atNs: nowNs + gapNs)
        guard links.canConnect(a, b), isServing(a), isServing(b) else { return }
        links.connect(a, b, nowNs: nowNs)
        let epoch = links.epoch(a, b)
        for (from, to) in shellRandom.coin() ? [(a, b), (b, a)] : [(b, a), (a, b)] {
            guard links.isUp(a, b), links.epoch(a, b) == epoch,
                var hello = members[from].process?.replica.hello(to: members[to].id)
            else { return }
            if options.bug == .newDiskForOld, let old = members[from].storages[0] {
                hello.storage = old
            }
            var bytes: [UInt8] = []
            PeerCodec.encode(.hello(hello), into: &bytes)
            try step(members[to], .hello(try TurnChecks.hello(hello, in: bytes)))
            try endTurn(members[to])
        }
    }

    private func isServing(_ position: Int) -> Bool {
        members[position].process != nil && !members[position].isPaused
    }

    /// False: they were not connected.
    func hangUp(_ a: Int, _ b: Int) -> Bool {
        guard links.disconnect(a, b) else { return false }
        for (position, other) in [(a, b), (b, a)] {
            let link = DiskLink(disk: members[position].diskNumber, other: other)
            members[position].lastLinkedNs[link] = nowNs
        }
        return true
    }

    func disconnect(_ a: Int, _ b: Int) {
        guard hangUp(a, b) else { return }
        for (position, peer) in [(a, b), (b, a)] where members[position].process != nil {
            queue.put(
                .peerLost(member: position, run: members[position].run, peer: peer),
                atNs: nowNs + shellRandom.draw(1_000...20_000_000))
        }
    }

    /// `member` closes the connection with `other` and says why.
    func refuse(_ other: MemberID, by member: Member, _ reason: HelloRefusal) {
        let position = Int(other.rawValue) - 1
        guard members.indices.contains(position), position != member.position else { return }
        _ = hangUp(position, member.position)
        let run = members[position].run
        queue.put(
            .refused(
                member: position, run: run, by: member.position, reason: reason.rawValue),
            atNs: nowNs + 1_000)
        queue.put(
            .peerLost(member: position, run: run, peer: member.position), atNs: nowNs + 2_000)
    }

    // MARK: frames

    func send(_ message: PeerMessage, from member: Member, to: MemberID) {
        let target = Int(to.rawValue) - 1
        guard members.indices.contains(target), target != member.position else { return }
        put(plant(message), from: member.position, to: target)
        if options.bug == .forwardedTwice, case .forward(let id, let term, let proposal) = message {
            let other = ForwardID(
                member: id.member, incarnation: id.incarnation, counter: id.counter + 10_000)
            put(.forward(other, term: term, proposal: proposal), from: member.position, to: target)
        }
    }

    private func put(_ message: PeerMessage, from: Int, to: Int) {
        switch links.send(from: from, to: to, nowNs: nowNs) {
        case .lost: break
        case .lostForGood(let noticedAtNs):
            queue.put(.breakLink(from, to, epoch: links.epoch(from, to)), atNs: noticedAtNs)
        case .delivered(let times):
            var bytes: [UInt8] = []
            PeerCodec.encode(.message(message), into: &bytes)
            let epoch = links.epoch(from, to)
            for time in times {
                queue.put(.deliver(from: from, to: to, epoch: epoch, bytes: bytes), atNs: time)
            }
        }
    }

    private func plant(_ message: PeerMessage) -> PeerMessage {
        guard options.bug == .staleReadIndex, case .raft(let raft) = message,
            case .readIndexReply(let context, let index?) = raft.body
        else { return message }
        let first = firstReadIndex ?? index
        firstReadIndex = first
        return .raft(
            Message(
                from: raft.from, to: raft.to, term: raft.term,
                body: .readIndexReply(context: context, index: first)))
    }

    func deliver(_ bytes: [UInt8], from: Int, to: Member) throws(Violation) {
        guard case .message(let message) = try TurnChecks.frame(bytes) else {
            throw Violation(.codec, "a message became something else")
        }
        if case .raft(let raft) = message, case .readIndexReply = raft.body {
            to.process?.asksForReadIndex = false
        }
        try step(to, .received(message, from: members[from].id))
    }

    // MARK: promises

    /// What a message says must be on the disk of the one who says it.
    func checkPromises(of message: PeerMessage, from member: Member) throws(Violation) {
        guard case .raft(let message) = message else { return }
        switch message.body {
        case .voteReply(true):
            try checkVoter(member)
            try consensus.voted(
                member.position, in: message.term, for: message.to, isDurable: true)
        case .appendReply(let matchIndex, _):
            try consensus.acknowledged(matchIndex, by: member.position)
        case .preVoteRequest, .preVoteReply, .voteRequest, .voteReply, .append, .appendRejection,
            .heartbeat, .heartbeatReply, .readIndexRequest, .readIndexReply, .timeoutNow:
            break
        }
    }
}
