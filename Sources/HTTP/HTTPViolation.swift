// Why a request is refused by its bytes alone, and the words for it: one row a cause. A violation
// ends the connection: what follows a malformed request must never be read as another one
// (RFC 9112 11.2, request smuggling).

package enum HTTPViolation: Error, Sendable, Equatable {
    case requestLineTooLong, fieldLineTooLong, headTooLarge, tooManyFields, bareCarriageReturn
    case bareLineFeed, controlCharacter, requestLineForm, targetForm, targetCharacter
    case asteriskTarget, unsupportedVersion, unknownMethod, missingHost, invalidHost
    case differentHost, transferEncodingIn10, lengthAndCoding, contentLength, transferEncoding
    case unknownCoding, unknownExpectation, chunkSize, chunkLineEnd, chunkDataEnd, chunkExtension
    case chunkExtensionTooLong, trailer, trailersTooLarge, foldedLine, spaceBeforeColon
    case fieldLineForm
    /// A second line of a field that has one value.
    case repeatedField(FieldName)

    /// What to answer before closing.
    package var status: Int { row.status }
    /// The part of the message at fault, such as `content-length`.
    package var subject: StaticString { row.subject }
    /// A sentence that tells what to do.
    package var reason: StaticString { row.reason }

    private typealias Row = (status: Int, subject: StaticString, reason: StaticString)

    private var row: Row {
        switch self {
        case .requestLineTooLong:
            (
                414, "request line",
                "The request line is too long: shorten the path or the query."
            )
        case .fieldLineTooLong:
            (
                431, "field line",
                "A field line of the head is too long: send a shorter value."
            )
        case .headTooLarge: (431, "head", "The head is too large: send fewer or shorter fields.")
        case .tooManyFields: (431, "head", "The head has too many fields: send fewer.")
        case .bareCarriageReturn:
            (
                400, "line end",
                "A CR stands without its LF: end each line of the head with CR LF."
            )
        case .bareLineFeed:
            (
                400, "line end",
                "An LF stands without its CR: end each line of the head with CR LF."
            )
        case .controlCharacter: (400, "head", "The head holds a control character: remove it.")
        case .requestLineForm:
            (
                400, "request line",
                "Write the request line as: method, space, target, space, HTTP/1.1."
            )
        case .targetForm:
            (
                400, "request target",
                "Write the request target as a path that starts with /."
            )
        case .targetCharacter:
            (
                400, "request target",
                "The request target holds a character that must be percent-encoded."
            )
        case .asteriskTarget: (400, "request target", "The target * goes with OPTIONS only.")
        case .unsupportedVersion:
            (
                505, "HTTP version",
                "Only HTTP/1.1 and HTTP/1.0 are spoken here."
            )
        case .unknownMethod: (501, "method", "Use GET, HEAD, PUT, POST, DELETE or OPTIONS.")
        case .missingHost: (400, "host", "Send the Host field.")
        case .invalidHost: (400, "host", "Write Host as a name or an address, and a port.")
        case .differentHost:
            (
                400, "host",
                "The request target and the Host field name different servers."
            )
        case .transferEncodingIn10:
            (
                400, "transfer-encoding",
                "HTTP/1.0 has no transfer codings: send Content-Length."
            )
        case .lengthAndCoding:
            (
                400, "content-length",
                "Send Content-Length or Transfer-Encoding, not both."
            )
        case .contentLength: (400, "content-length", "Write Content-Length as one decimal number.")
        case .transferEncoding:
            (
                400, "transfer-encoding",
                "Send exactly one transfer coding: chunked."
            )
        case .unknownCoding: (501, "transfer-encoding", "The only transfer coding here is chunked.")
        case .unknownExpectation: (417, "expect", "The only expectation met here is 100-continue.")
        case .chunkSize:
            (
                400, "chunk size",
                "Write a chunk's size as one to eight hexadecimal digits, then CR LF."
            )
        case .chunkLineEnd: (400, "chunk size", "End the line of a chunk's size with CR LF.")
        case .chunkDataEnd:
            (
                400, "chunk data",
                "A chunk's data must be as long as announced, and end with CR LF."
            )
        case .chunkExtension:
            (
                400, "chunk extension",
                "Write a chunk's extension as ;name, ;name=value or ;name=\"value\"."
            )
        case .chunkExtensionTooLong:
            (
                400, "chunk extension",
                "The chunk extensions are too long: leave them out."
            )
        case .trailer: (400, "trailer", "Write each trailer field as: name, colon, value, CR LF.")
        case .trailersTooLarge:
            (
                400, "trailer",
                "The trailer fields are too large: leave them out."
            )
        case .foldedLine: (400, "field line", "A field line starts with a space: fold no lines.")
        case .spaceBeforeColon:
            (
                400, "field name",
                "Put no space between a field's name and its colon."
            )
        case .fieldLineForm: (400, "field name", "Write each field line as: name, colon, value.")
        case .repeatedField(let field): (400, field.name, "This field may come only once.")
        }
    }
}

/// Stops the program when `condition` does not hold, in release too, and names the values.
@inlinable
func invariant(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
