// The replicated record of which ensemble this is and which disk each member is known with.
// Changed only by applied entries, so each replica holds the same.

package import Journal
package import Raft

package struct IdentityTable: Sendable, Equatable {
    /// A bound on what a peer or a snapshot may claim; an ensemble has at most a few dozen members.
    package static let membersMax = 1_024

    package private(set) var ensemble: EnsembleID?
    /// Sorted by member.
    package private(set) var storages: [MemberStorage] = []

    package init() {}

    package func storage(of member: MemberID) -> StorageID? {
        storages.first { $0.member == member }?.storage
    }

    /// The first ensemble id and the first disk of each member stand; only an exchange, which names
    /// the disk that it replaces, changes one.
    package mutating func apply(_ body: Proposal.Body) {
        switch body {
        case .identity(let ensemble, let claimed):
            if self.ensemble == nil { self.ensemble = ensemble }
            for claim in claimed where storage(of: claim.member) == nil { storages.append(claim) }
            storages.sort { $0.member < $1.member }
        case .disk(let new, let replaced):
            guard let place = storages.firstIndex(where: { $0.member == new.member }),
                storages[place].storage == replaced
            else { return }
            storages[place] = new
        case .command, .limits, .unknown: break
        }
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(ensemble == nil ? 0 : 1)
        bytes.append(id: ensemble ?? RandomID(high: 0, low: 0))
        bytes.append(storages: storages)
    }

    init(decoding reader: inout ByteReader) throws(CodecError) {
        let known = try reader.flag()
        let id = try reader.id()
        ensemble = known ? id : nil
        storages = try reader.storages()
        guard zip(storages, storages.dropFirst()).allSatisfy({ $0.member < $1.member }) else {
            throw .notCanonical
        }
    }
}
