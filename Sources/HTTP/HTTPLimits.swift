// Every limit of the HTTP/1.1 codec, by name, with its unit last. The defaults are the contract of
// the interface; the configuration may change them. Times and queues are limits of the server.

/// The bounds under which requests are read.
package struct HTTPLimits: Sendable, Equatable {
    /// The request line without its CRLF; more is 414. RFC 9110 4.1 asks for 8,000 at least.
    package var requestLineBytesMax = 8 * 1024
    /// One field line without its CRLF; more is 431.
    package var fieldLineBytesMax = 8 * 1024
    /// Field lines of one head; more is 431. Trailers count with them; there more is 400.
    package var fieldsMax = 100
    /// The head with all its line ends, `headBytesMost` at most; more is 431. Trailers count too:
    /// 400.
    package var headBytesMax = 32 * 1024
    /// Why: `RequestHead` keeps places in 16 bits each.
    package static let headBytesMost = Int(UInt16.max)
    /// The extensions of one chunk.
    package var chunkExtensionBytesMax = 256
    /// The extensions of all chunks of one body: many small chunks must not carry endless waste.
    package var bodyExtensionBytesMax = 4 * 1024

    package init() {}
}
