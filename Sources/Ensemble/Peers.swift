// What this member knows of the others: where they listen, who they said they are, when they were
// last heard of. Sorted by member, so that every walk over it is the same in each run.

import Raft
import Znodes

struct Peers {
    struct Peer {
        let member: MemberID
        var peerAddress: [UInt8]
        var hello: Hello?
        var connected = false
        var report: MemberReport?
        var lastContactMs: UInt64?
        /// It turned this member away, and has sent no message since (its hello says nothing: it
        /// dials before it judges).
        var refusal: HelloRefusal?
    }

    private var peers: [Peer]

    init(self member: MemberID, addresses: [(member: MemberID, peerAddress: [UInt8])]) {
        peers = addresses.filter { $0.member != member }
            .map { Peer(member: $0.member, peerAddress: $0.peerAddress) }
            .sorted { $0.member < $1.member }
    }

    var connected: [MemberID] { peers.filter(\.connected).map(\.member) }
    /// Of the connected ones, those whose disks are full, as they said last.
    var full: [MemberID] {
        peers.filter { $0.connected && $0.report?.isFull == true }.map(\.member)
    }
    /// What connected members said of themselves.
    var hellos: [Hello] { peers.filter(\.connected).compactMap(\.hello) }

    /// Why others turn this member away, if one does.
    var refusals: [HelloRefusal] { peers.compactMap(\.refusal) }

    subscript(member: MemberID) -> Peer? { peers.first { $0.member == member } }

    func isConnected(_ member: MemberID) -> Bool { self[member]?.connected ?? false }

    private mutating func update(_ member: MemberID, _ change: (inout Peer) -> Void) {
        if let position = peers.firstIndex(where: { $0.member == member }) {
            change(&peers[position])
        }
    }

    mutating func connect(_ hello: Hello, nowMs: UInt64) {
        if self[hello.member] == nil {
            peers.append(Peer(member: hello.member, peerAddress: hello.peerAddress))
            peers.sort { $0.member < $1.member }
        }
        update(hello.member) { peer in
            // Another process: what it will have applied is not known.
            if peer.hello?.incarnation != hello.incarnation { peer.report?.applied = .zero }
            peer.hello = hello
            peer.connected = true
            peer.lastContactMs = nowMs
        }
    }

    mutating func disconnect(_ member: MemberID) {
        update(member) { $0.connected = false }
    }

    mutating func heard(_ member: MemberID, nowMs: UInt64) {
        update(member) { peer in
            peer.lastContactMs = nowMs
            peer.refusal = nil
        }
    }

    mutating func refused(by member: MemberID, _ reason: HelloRefusal) {
        update(member) { $0.refusal = reason }
    }

    mutating func reported(_ member: MemberID, _ report: MemberReport) {
        update(member) { $0.report = report }
    }
}
