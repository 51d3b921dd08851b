// What goes from event loops to the replica and back, by value, in batches. A request's id says
// which loop and connection wait for it; an answer to one that no longer waits is dropped.

package import Ensemble
internal import Raft
package import System

extension RequestID {
    // Bits: loop 6, slot 20, sequence 38. A slot counts on when its connection is replaced, so an
    // id comes again only after 2^38 requests of one slot.
    static let loopsMax = 1 << 6
    static let slotsMax = 1 << 20
    static let sequenceMask: UInt64 = 1 << 38 - 1

    init(loop: Int, slot: UInt32, sequence: UInt64) {
        self.init(
            rawValue: UInt64(loop) << 58 | UInt64(slot) << 38 | sequence & Self.sequenceMask)
    }

    package var loop: Int { Int(rawValue >> 58) }
    package var slot: UInt32 { UInt32(rawValue >> 38 & 0xf_ffff) }
    var sequence: UInt64 { rawValue & Self.sequenceMask }
}

package enum LoopRequest: Sendable {
    case request(RequestID, ClientRequest)
    /// The client went away; a reply may come all the same.
    case cancel(RequestID)
}

/// Where loops hand their requests in, once a turn.
package protocol RequestSink: AnyObject, Sendable {
    /// Takes the batch from its front, as far as there is room. What is left was not taken: the
    /// loop answers those requests `Refusal.overloaded` itself.
    func submit(_ batch: inout [LoopRequest])
}

extension Mailbox: RequestSink where Element == LoopRequest {
    package func submit(_ batch: inout [LoopRequest]) { _ = post(&batch) }
}

package typealias Reply = (request: RequestID, reply: ClientReply)

enum LoopCommand: Sendable {
    /// Stop accepting, answer what is under way, be done by then (boot-time clock).
    case drain(byMs: UInt64)
}

/// The ways into the event loops, made before either side exists.
package final class LoopInboxes: Sendable {
    // Bounded by its senders: a request is answered once, and a connection has one at a time.
    let replies: [Mailbox<Reply>]
    let commands: [Mailbox<LoopCommand>]

    package init(loops: Int) throws(SystemError) {
        invariant(loops > 0 && loops <= RequestID.loopsMax, "\(loops) event loops")
        var replies: [Mailbox<Reply>] = []
        var commands: [Mailbox<LoopCommand>] = []
        for _ in 0..<loops {
            replies.append(try Mailbox(itemsMax: .max))
            commands.append(try Mailbox(itemsMax: .max))
        }
        self.replies = replies
        self.commands = commands
    }

    package var loops: Int { replies.count }

    /// From any thread: each loop stops accepting and ends when its last connection has.
    package func drain(byMs deadlineMs: UInt64) {
        for inbox in commands {
            let taken = inbox.post(.drain(byMs: deadlineMs))
            invariant(taken, "an unbounded mailbox was full")
        }
    }
}

/// Deals the replies of a step out to their loops: one post, and at most one wake-up, for each.
package struct ReplyDealer {
    private let inboxes: LoopInboxes
    private var piles: [[Reply]]

    package init(_ inboxes: LoopInboxes) {
        self.inboxes = inboxes
        piles = Array(repeating: [], count: inboxes.loops)
    }

    /// `replies` is empty afterwards.
    package mutating func post(_ replies: inout [Reply]) {
        for reply in replies {
            let loop = reply.request.loop
            invariant(loop < piles.count, "a reply for loop \(loop) of \(piles.count)")
            piles[loop].append(reply)
        }
        replies.removeAll(keepingCapacity: true)
        for loop in piles.indices where !piles[loop].isEmpty {
            let taken = inboxes.replies[loop].post(&piles[loop])
            invariant(taken, "an unbounded mailbox was full")
        }
    }
}
