// What comes in on connections between members: the course of our own dials, greetings, and the
// frames of those who may speak. Anything that is out of turn or damaged ends the connection.

internal import Ensemble
internal import Journal
internal import Raft
internal import System

extension PeerLinks {
    // MARK: Those who dialled us

    /// One receive; what is left comes in the next turn.
    func read(_ peer: InboundPeer) {
        let bytesMax = peer.isGreeted ? limits.receiveBytes : limits.greetingBytesMax
        // Safe: the buffer is this thread's, and its bytes are copied before the next receive.
        let buffer = unsafe UnsafeMutableRawBufferPointer(rebasing: receiveBuffer[..<bytesMax])
        switch unsafe peer.socket.receive(into: buffer) {
        case .bytes(let count):
            counters.receivedFromPeers(count)
            peer.heardMs = nowMs
            let raw = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
            peer.input.append(unsafe Span(_unsafeBytes: raw))
            takeFrames(peer)
        case .wouldBlock: break
        case .end, .failed: drop(peer)
        }
    }

    /// Takes whole frames as far as they may be taken now.
    func takeFrames(_ peer: InboundPeer) {
        while inbound[peer.number] != nil {
            if case .judged = peer.state {
                // Invariant: little is read before the judgement, which comes in the same turn.
                return
            }
            do throws(CodecError) {
                guard let frame = try peer.input.next() else { break }
                take(frame, peer)
            } catch {
                return violated(peer, error)
            }
        }
        if !peer.isGreeted && peer.input.count > limits.greetingBytesMax { drop(peer) }
    }

    private func take(_ frame: PeerFrame, _ peer: InboundPeer) {
        switch (frame, peer.state) {
        case (.hello(let hello), .greeting):
            peer.state = .judged(hello)
            events.append(.asks(inbound: peer.number, hello))
        case (.message(let message), .open(let hello)):
            events.append(
                .message(message, from: hello.member, incarnation: hello.incarnation))
        case (.hello, _), (.helloAccepted, _), (.helloRefused, _), (.message, _):
            log.warning("a frame out of turn ends a peer's connection")
            drop(peer)
        }
    }

    private func violated(_ peer: InboundPeer, _ error: CodecError) {
        switch (error, peer.state) {
        case (.otherProtocol, .greeting):
            refuse(peer.number, .otherProtocol)
        case (_, .greeting):
            // Anyone can connect and send anything: not worth a line each.
            log.debug("not a member's greeting", ("error", "\(error)"))
            drop(peer)
        case (_, .judged(let hello)), (_, .open(let hello)):
            log.warning(
                "a damaged frame ends a peer's connection", ("peer", hello.member.rawValue),
                ("error", "\(error)"))
            drop(peer)
        }
    }

    // MARK: Our own dials

    /// The resolver's answer; empty when the name means nothing.
    func resolved(_ member: MemberID, _ addresses: [SocketAddress]) {
        guard let link = link(to: member), case .resolving = link.phase else { return }
        link.addresses = addresses
        if addresses.isEmpty { return lose(link, "its name has no address") }
        connectToNext(link, "no address left")
    }

    private func connectToNext(_ link: PeerLink, _ reason: String) {
        link.connection = nil
        guard !link.addresses.isEmpty else { return lose(link, reason) }
        let address = link.addresses.removeFirst()
        do {
            let connection = PeerLink.Connection(
                socket: try Socket.connecting(to: address), number: nextNumber())
            connection.socket.setNoDelay()
            connection.socket.setUserTimeout(ms: limits.unacknowledgedMs)
            // Edges: a link that is written to all the time needs no further call to epoll.
            try epoll.add(
                connection.socket.number, [.readable, .writable, .peerShut, .edge],
                Token(index: connection.number, generation: Kind.outbound))
            link.connection = connection
            link.phase = .connecting(byMs: nowMs + limits.connectMs)
        } catch {
            connectToNext(link, error.description)
        }
    }

    func handle(_ link: PeerLink, _ readiness: Readiness) {
        guard let connection = link.connection else { return }
        if case .connecting = link.phase {
            if readiness.isDisjoint(with: [.writable, .error, .hangUp]) { return }
            if let code = connection.socket.connectResult() {
                return connectToNext(link, code.description)
            }
            greet(link, connection)
        }
        if readiness.contains(.writable) { link.isWritable = true }
        if !readiness.isDisjoint(with: [.readable, .peerShut, .error, .hangUp]) {
            listen(link, connection)
        }
    }

    private func greet(_ link: PeerLink, _ connection: PeerLink.Connection) {
        var greeting = FrameOutput()
        greeting.append(.hello(link.ownHello))
        var sent = 0
        guard greeting.flush(connection.socket, sent: &sent) == .drained else {
            return lose(link, "the greeting could not be sent")
        }
        link.phase = .greeting(byMs: nowMs + limits.greetingMs)
    }

    /// Only the answer to our hello comes on our own connection, then nothing until its end.
    private func listen(_ link: PeerLink, _ connection: PeerLink.Connection) {
        let buffer = unsafe UnsafeMutableRawBufferPointer(
            rebasing: receiveBuffer[..<limits.greetingBytesMax])
        while link.connection === connection {
            switch unsafe connection.socket.receive(into: buffer) {
            case .bytes(let count):
                counters.receivedFromPeers(count)
                let raw = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
                link.input.append(unsafe Span(_unsafeBytes: raw))
                takeAnswer(link)
            case .wouldBlock: return
            case .end: return lose(link, "it closed the connection")
            case .failed(let code): return lose(link, code.description)
            }
        }
    }

    private func takeAnswer(_ link: PeerLink) {
        do throws(CodecError) {
            guard let frame = try link.input.next() else {
                if link.input.count > limits.greetingBytesMax {
                    lose(link, "its answer is too long")
                }
                return
            }
            switch (frame, link.phase) {
            case (.helloAccepted(let hello), .greeting):
                guard hello.member == link.member else {
                    return lose(link, "member \(hello.member) answers at its address")
                }
                link.opened(hello)
                events.append(.accepted(link.member, hello))
            case (.helloRefused(let reason), .greeting):
                events.append(.refused(by: link.member, reason))
                turnedAway(link, reason)
            case (.helloAccepted, _), (.helloRefused, _), (.hello, _), (.message, _):
                lose(link, "it sent a frame out of turn")
            }
        } catch {
            lose(link, "its answer is damaged: \(error)")
        }
    }

    private func turnedAway(_ link: PeerLink, _ reason: HelloRefusal) {
        let words = "refused by member \(link.member): \(reason.advice)"
        if link.lastWords != words { log.error(words, ("reason", reason.words)) }
        end(link, longest: true)
        link.lastWords = words
    }

    /// It answered our dial, and the replica does not want it.
    func close(_ member: MemberID, _ reason: HelloRefusal) {
        guard let link = link(to: member), let hello = link.hello else { return }
        let words = "member \(member) refused"
        if link.lastWords != words {
            log.warning(words, ("reason", reason.words), ("storage", hello.storage.description))
        }
        end(link, longest: true)
        link.lastWords = words
    }

    /// It answered our dial, and the replica wants it.
    func confirm(_ member: MemberID) {
        guard let link = link(to: member), link.isOpen else { return }
        link.lastWords = ""
        log.info("connected to member \(member)", ("address", link.name.description))
    }

    func lose(_ link: PeerLink, _ reason: String) {
        let wasOpen = link.isOpen
        let words = wasOpen ? "lost member" : "cannot reach member"
        if wasOpen || link.lastWords != words {
            log.info("\(words) \(link.member)", ("address", link.name.description), ("why", reason))
        }
        end(link, longest: false)
        link.lastWords = words
    }

    private func end(_ link: PeerLink, longest: Bool) {
        let lost = link.pause(nowMs: nowMs, longest: longest, random: &random)
        if lost { events.append(.sendingLost(link.member)) }
    }
}
