// What an event loop asks of a gateway. One handler belongs to one loop and lives on its thread;
// the loop is generic over it, so that nothing between a socket and an answer is called through
// an existential, and so that tests can put a small one of their own behind real sockets.

package import Gateway
package import HTTP
package import Ensemble

package protocol RequestHandler: ~Copyable, SendableMetatype {
    /// All that an answer needs once the replica has replied: head and body are gone by then.
    associatedtype Pending

    /// Once a turn, before any request of the turn; the published tree may be read from here on.
    mutating func beginTurn(_ context: borrowing RequestContext)
    /// The loop is about to block: nothing is read until the next `beginTurn`.
    mutating func willBlock()

    /// Asked when a body is announced; a larger one is 413 before it is read.
    func bodyBytesMax(for head: RequestHead, bytes: Span<UInt8>) -> Int

    /// Appends a whole answer to `out`, or nothing and asks the replica. `bytes` are those of the
    /// head. `keepAlive` false wants `Connection: close` in the answer.
    mutating func respond(
        to head: RequestHead, bytes: Span<UInt8>, body: Span<UInt8>, keepAlive: Bool,
        context: borrowing RequestContext, into out: inout ByteWriter
    ) -> Disposition<Pending>

    mutating func resume(
        _ pending: consuming Pending, with reply: ClientReply, keepAlive: Bool,
        context: borrowing RequestContext, into out: inout ByteWriter
    ) -> Disposition<Pending>

    /// The answer to what the loop refuses; the connection ends with it.
    mutating func refuse(
        _ refusal: EdgeRefusal, context: borrowing RequestContext, into out: inout ByteWriter)
    mutating func refuse(
        _ violation: HTTPViolation, context: borrowing RequestContext, into out: inout ByteWriter)
}
