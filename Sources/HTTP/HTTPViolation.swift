// Why a request is refused by its bytes alone, and the words for it: one row a cause. A violation
// ends the connection: what follows a malformed request must never be read as another one
// (RFC 9112 11.2, request smuggling).

@usableFromInline
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
    package var status: Int {
        switch self {
        case .requestLineTooLong:
            414
        case .fieldLineTooLong, .headTooLarge, .tooManyFields:
            431
        case .unknownExpectation:
            417
        case .unknownMethod, .unknownCoding:
            501
        case .unsupportedVersion:
            505
        case .bareCarriageReturn, .bareLineFeed, .controlCharacter, .requestLineForm,
            .targetForm, .targetCharacter, .asteriskTarget, .missingHost, .invalidHost,
            .differentHost, .transferEncodingIn10, .lengthAndCoding, .contentLength,
            .transferEncoding, .chunkSize, .chunkLineEnd, .chunkDataEnd, .chunkExtension,
            .chunkExtensionTooLong, .trailer, .trailersTooLarge, .foldedLine, .spaceBeforeColon,
            .fieldLineForm,
            .repeatedField:
            400
        }
    }

    /// The part of the message at fault, such as `content-length`.
    package var subject: StaticString {
        switch self {
        case .requestLineTooLong, .requestLineForm:
            "request line"
        case .fieldLineTooLong, .foldedLine:
            "field line"
        case .headTooLarge, .tooManyFields, .controlCharacter:
            "head"
        case .bareCarriageReturn, .bareLineFeed:
            "line end"
        case .targetForm, .targetCharacter, .asteriskTarget:
            "request target"
        case .unsupportedVersion:
            "HTTP version"
        case .unknownMethod:
            "method"
        case .missingHost, .invalidHost, .differentHost:
            "host"
        case .transferEncodingIn10, .transferEncoding, .unknownCoding:
            "transfer-encoding"
        case .lengthAndCoding, .contentLength:
            "content-length"
        case .unknownExpectation:
            "expect"
        case .chunkSize, .chunkLineEnd:
            "chunk size"
        case .chunkDataEnd:
            "chunk data"
        case .chunkExtension, .chunkExtensionTooLong:
            "chunk extension"
        case .trailer, .trailersTooLarge:
            "trailer"
        case .spaceBeforeColon, .fieldLineForm:
            "field name"
        case .repeatedField(let field): field.name
        }
    }

    /// A sentence that tells what to do.
    package var reason: StaticString {
        switch self {
        case .requestLineTooLong: "The request line is too long: shorten the path or the query."
        case .fieldLineTooLong: "A field line of the head is too long: send a shorter value."
        case .headTooLarge: "The head is too large: send fewer or shorter fields."
        case .tooManyFields: "The head has too many fields: send fewer."
        case .bareCarriageReturn:
            "A CR stands without its LF: end each line of the head with CR LF."
        case .bareLineFeed: "An LF stands without its CR: end each line of the head with CR LF."
        case .controlCharacter: "The head holds a control character: remove it."
        case .requestLineForm: "Write the request line as: method, space, target, space, HTTP/1.1."
        case .targetForm: "Write the request target as a path that starts with /."
        case .targetCharacter: "The request target holds a character that must be percent-encoded."
        case .asteriskTarget: "The target * goes with OPTIONS only."
        case .unsupportedVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
        case .unknownMethod: "Use GET, HEAD, PUT, POST, DELETE or OPTIONS."
        case .missingHost: "Send the Host field."
        case .invalidHost: "Write Host as a name or an address, and a port."
        case .differentHost: "The request target and the Host field name different servers."
        case .transferEncodingIn10: "HTTP/1.0 has no transfer codings: send Content-Length."
        case .lengthAndCoding: "Send Content-Length or Transfer-Encoding, not both."
        case .contentLength: "Write Content-Length as one decimal number."
        case .transferEncoding: "Send exactly one transfer coding: chunked."
        case .unknownCoding: "The only transfer coding here is chunked."
        case .unknownExpectation: "No expectation but 100-continue is met here: leave Expect out."
        case .chunkSize: "Write a chunk's size as one to eight hexadecimal digits, then CR LF."
        case .chunkLineEnd: "End the line of a chunk's size with CR LF."
        case .chunkDataEnd: "A chunk's data must be as long as announced, and end with CR LF."
        case .chunkExtension: "Write a chunk's extension as ;name, ;name=value or ;name=\"value\"."
        case .chunkExtensionTooLong: "The chunk extensions are too long: leave them out."
        case .trailer: "Write each trailer field as: name, colon, value, CR LF."
        case .trailersTooLarge: "The trailer fields are too large: leave them out."
        case .foldedLine: "A field line starts with a space: fold no lines."
        case .spaceBeforeColon: "Put no space between a field's name and its colon."
        case .fieldLineForm: "Write each field line as: name, colon, value."
        case .repeatedField: "This field may come only once."
        }
    }
}

/// Stops the program when `condition` does not hold, in release too, and names the values.
@inlinable
func invariant(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
