// Writes answers into a ByteWriter: status line, the fields that every answer carries, the body
// with its exact length. What it writes is always one well-formed message; a value from outside
// cannot break its line.

/// What an answer depends on besides its content.
@usableFromInline
package struct ResponseContext: Sendable {
    /// HEAD is answered as GET, without the body (RFC 9110 9.3.2).
    @usableFromInline package var isHead: Bool
    @usableFromInline package var minorVersion: UInt8
    /// False writes `Connection: close`: the server closes behind this answer.
    @usableFromInline package var keepAlive: Bool
    @usableFromInline package var date: HTTPDate

    /// For the answer to `head`; `mayKeepAlive` is false when the server is about to close.
    @inlinable
    package init(answering head: borrowing RequestHead, mayKeepAlive: Bool, date: HTTPDate) {
        isHead = head.method == .head
        minorVersion = head.minorVersion
        keepAlive = head.keepAlive && mayKeepAlive
        self.date = date
    }

    /// For a request that could not be read: the connection ends with the answer.
    @inlinable
    package init(closingAt date: HTTPDate) {
        isHead = false
        minorVersion = 1
        keepAlive = false
        self.date = date
    }
}

@usableFromInline
package struct ResponseSerializer: Sendable {
    @usableFromInline package let status: Int
    @usableFromInline package let isHead: Bool
    @usableFromInline package let start: Int
    @usableFromInline package var contentLength: ByteWriter.OpenNumber?
    @usableFromInline package var bodyStart: Int

    /// Starts an answer behind what `out` holds.
    @inlinable
    package init(status: Int, context: borrowing ResponseContext, into out: inout ByteWriter) {
        self.status = status
        isHead = context.isHead
        start = out.count
        contentLength = nil
        bodyStart = 0
        out.reserve(512)
        if status == 200 {
            out.append("HTTP/1.1 200 OK")
        } else {
            out.append("HTTP/1.1 ")
            out.append(decimal: status)
            out.append(0x20)
            out.append(StatusPhrase.of(status))
        }
        out.append(
            "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nDate: ")
        out.append(context.date.bytes)
        if !context.keepAlive {
            out.append("\r\nConnection: close")
        } else if context.minorVersion == 0 {
            out.append("\r\nConnection: keep-alive")
        }
        out.append("\r\n")
    }

    // MARK: Fields, before the body
    // Why some are always inlined: the lengths of their names are then constants.

    @inlinable
    @inline(__always)
    package func field(_ name: StaticString, _ value: StaticString, into out: inout ByteWriter) {
        begin(name, into: &out)
        out.append(value)
        out.append("\r\n")
    }

    @inlinable
    @inline(__always)
    package func field(_ name: StaticString, number: UInt64, into out: inout ByteWriter) {
        begin(name, into: &out)
        out.append(decimal: number)
        out.append("\r\n")
    }

    @inlinable
    package func field(_ name: StaticString, signed: Int64, into out: inout ByteWriter) {
        begin(name, into: &out)
        out.append(decimal: signed)
        out.append("\r\n")
    }

    /// A value from outside: control characters in it become spaces.
    package func field(_ name: StaticString, bytes: Span<UInt8>, into out: inout ByteWriter) {
        begin(name, into: &out)
        out.appendFieldValue(bytes)
        out.append("\r\n")
    }

    /// A value that the caller appends; it must hold no control characters.
    @inlinable
    package func field(
        _ name: StaticString, into out: inout ByteWriter, _ write: (inout ByteWriter) -> Void
    ) {
        begin(name, into: &out)
        write(&out)
        out.append("\r\n")
    }

    /// `ETag: "number"`.
    @inlinable
    @inline(__always)
    package func entityTag(_ number: UInt64, into out: inout ByteWriter) {
        out.append("ETag: \"")
        out.append(decimal: number)
        out.append("\"\r\n")
    }

    /// `Location: ` of a fixed start and a decoded path behind it, percent-encoded again.
    package func location(
        _ prefix: StaticString, path: Span<UInt8>, into out: inout ByteWriter
    ) {
        out.append("Location: ")
        out.append(prefix)
        out.appendPercentEncoded(path: path)
        out.append("\r\n")
    }

    @inlinable
    @inline(__always)
    func begin(_ name: StaticString, into out: inout ByteWriter) {
        out.append(name)
        out.append(": ")
    }

    // MARK: The end: exactly one of these closes an answer

    /// Opens a body whose length is known when it is written: append it to `out`, then `endBody`.
    @inlinable
    @inline(__always)
    package mutating func beginBody(contentType: StaticString, into out: inout ByteWriter) {
        invariant(allowsBody, "a body for status \(status)")
        field("Content-Type", contentType, into: &out)
        out.append("Content-Length: ")
        contentLength = out.openNumber()
        out.append("\r\n\r\n")
        bodyStart = out.count
    }

    @inlinable
    package mutating func endBody(into out: inout ByteWriter) {
        guard let open = contentLength else { fatalError("endBody without beginBody") }
        let length = out.count - bodyStart
        if isHead { out.truncate(to: bodyStart) }
        out.patch(open, length)
        contentLength = nil
    }

    /// Closes with a body that is at hand.
    @inlinable
    package func finish(
        contentType: StaticString, body: Span<UInt8>, into out: inout ByteWriter
    ) {
        invariant(allowsBody, "a body for status \(status)")
        field("Content-Type", contentType, into: &out)
        out.append("Content-Length: ")
        out.append(decimal: body.count)
        out.append("\r\n\r\n")
        if !isHead { out.append(body) }
    }

    /// Closes without a body. RFC 9110 8.6: no Content-Length in 1xx, 204; in 304 it would speak
    /// of the body that was not sent.
    @inlinable
    package func finishEmpty(into out: inout ByteWriter) {
        out.append(allowsBody ? "Content-Length: 0\r\n\r\n" : "\r\n")
    }

    /// Takes back all of this answer, to write another in its place.
    @inlinable
    package func cancel(in out: inout ByteWriter) {
        out.truncate(to: start)
    }

    @inlinable
    var allowsBody: Bool { status >= 200 && status != 204 && status != 304 }

    /// The interim answer that asks for the body (RFC 9110 15.2.1).
    @inlinable
    package static func appendContinue(into out: inout ByteWriter) {
        out.append("HTTP/1.1 100 Continue\r\n\r\n")
    }
}

/// Reason phrases (RFC 9110 15); clients ignore them, people read them.
@usableFromInline
package enum StatusPhrase {
    @usableFromInline package static func of(_ status: Int) -> StaticString {
        switch status {
        case 100: "Continue"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 507: "Insufficient Storage"
        default: ""
        }
    }
}
