// How much the tree may hold. Outcomes depend on these, so those in force are replicated state:
// `StateMachine.setLimits` changes them, by an entry of the log.

@usableFromInline
package struct ZnodeLimits: Sendable, Equatable {
    /// ZooKeeper has no such limits; these bound what one request can cost. Part of the path rule.
    @usableFromInline package static let nameBytesMax = 255
    @usableFromInline package static let pathBytesMax = 4_096
    @usableFromInline package static let depthMax = 255

    /// Data of one znode.
    package var dataBytesMax = 1 << 20
    /// Paths and data of all znodes together.
    package var storeBytesMax = 4 << 30
    /// Znodes that one recursive delete may take.
    package var deletedZnodesMax = 10_000
    /// And the bytes of their paths: a feed must tell an entry's events whole, in one answer.
    package var deletedBytesMax = 8 << 20
    /// The encoded event history.
    package var historyBytesMax = 64 << 20
    /// A record of a snapshot that is read, whatever `dataBytesMax` was when it was written.
    package var recordBytesMax = 16 << 20

    package init() {}
}
