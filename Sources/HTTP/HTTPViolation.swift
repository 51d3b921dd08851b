// Why a request is refused by its bytes alone. A violation ends the connection: what follows a
// malformed request must never be read as another one (RFC 9112 11.2, request smuggling).

/// A refused request: the status to answer with before closing, and words for the answer.
package struct HTTPViolation: Error, Sendable {
    package let status: Int
    /// The part of the message at fault, such as `Content-Length`.
    package let subject: StaticString
    /// A sentence that tells what to do.
    package let reason: StaticString

    package init(_ status: Int, _ subject: StaticString, _ reason: StaticString) {
        self.status = status
        self.subject = subject
        self.reason = reason
    }

    static func malformed(_ subject: StaticString, _ reason: StaticString) -> HTTPViolation {
        HTTPViolation(400, subject, reason)
    }
}

/// Stops the program when `condition` does not hold, in release too, and names the values.
@inlinable
func invariant(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
