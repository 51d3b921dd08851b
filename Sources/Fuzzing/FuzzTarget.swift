// Everything that reads bytes from a network or a disk, each with what must hold for any bytes. The
// fuzzer, the corpus in `Tests/Fuzz` and its mutants all come in here. It must never hold something
// that only bytes of our own making have.

package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A connection's bytes: heads and bodies, one request after the other.
    case http
    /// The files of a log, packed as `LogFiles` says.
    case log
    /// A snapshot file.
    case snapshot
    /// A snapshot's body: the replica's record and the tree.
    case body
    /// The identity file.
    case identity
    /// Frames from another member.
    case peer
    /// The payload of a command entry.
    case proposal
    /// The payload of a configuration entry.
    case configuration

    /// Looks at the bytes as they are, and with their checksums put right, without which hardly
    /// any mutant would get past the first comparison. True when something in them was accepted.
    @discardableResult
    package func check(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        let isAccepted = try checkOnce(bytes)
        guard let sealed = sealed(bytes), sealed != bytes else { return isAccepted }
        return try checkOnce(sealed) || isAccepted
    }

    private func checkOnce(_ bytes: [UInt8]) throws(BrokenProperty) -> Bool {
        switch self {
        case .http: try HTTPProperties.check(bytes)
        case .log: try LogProperties.check(bytes)
        case .snapshot: try SnapshotProperties.check(bytes)
        case .body: try BodyProperties.check(bytes)
        case .identity: try IdentityProperties.check(bytes)
        case .peer: try CodecProperties.checkPeer(bytes)
        case .proposal: try CodecProperties.checkProposal(bytes)
        case .configuration: try CodecProperties.checkConfiguration(bytes)
        }
    }

    /// Nil for what has no checksums.
    private func sealed(_ bytes: [UInt8]) -> [UInt8]? {
        switch self {
        case .log: LogProperties.sealed(bytes)
        case .snapshot: SnapshotProperties.sealed(bytes)
        case .body: BodyProperties.sealed(bytes)
        case .identity: IdentityProperties.sealed(bytes)
        case .peer: CodecProperties.sealedPeer(bytes)
        case .http, .proposal, .configuration: nil
        }
    }

    /// To begin with: real encodings and hand-made ones. The same at each call.
    package var seeds: [FuzzSeed] {
        switch self {
        case .http: HTTPSeeds.all
        case .log: LogSeeds.all
        case .snapshot: SnapshotSeeds.files
        case .body: SnapshotSeeds.bodies
        case .identity: IdentityProperties.seeds
        case .peer: CodecSeeds.frames
        case .proposal: CodecSeeds.proposals
        case .configuration: CodecSeeds.configurations
        }
    }
}

package struct FuzzSeed: Sendable {
    package let name: String
    package let bytes: [UInt8]

    init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// What did not hold.
package struct BrokenProperty: Error, CustomStringConvertible {
    package let description: String
}

func hold(
    _ condition: Bool, _ what: @autoclosure () -> String
) throws(BrokenProperty) {
    if !condition { throw BrokenProperty(description: what()) }
}
