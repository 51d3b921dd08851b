// What the committed entries make of the tree: replayed once through a second state machine and
// through the plain model, which must agree with each other and with every member.

package import Ensemble
import Journal
package import Raft
package import Znodes

package struct Oracle: ~Copyable {
    /// One committed entry.
    struct Record {
        let digest: UInt64
        var command: Command?
        var outcome: Outcome?
    }

    private var machine: StateMachine
    private(set) var model: ModelTree
    /// By zxid from 1 on.
    private(set) var records: [Record] = []
    private var origins: Set<ForwardID> = []
    /// The disks that the ensemble knows, as the committed identity entries fix them.
    private(set) var storages: [MemberStorage] = []
    /// Disks that have lost their member's name to another one, and by which entry.
    private(set) var replacedAt: [(disk: StorageID, index: UInt64)] = []
    /// The last that is committed; nil: that of the founders.
    private(set) var configuration: Configuration?

    package init() {
        machine = StateMachine(limits: ZnodeLimits(), hashSeed: 7)
        model = ModelTree()
    }

    var last: Zxid { Zxid(UInt64(records.count)) }

    func record(_ zxid: Zxid) -> Record? {
        zxid.rawValue >= 1 && zxid <= last ? records[Int(zxid.rawValue) - 1] : nil
    }

    /// Gives the entry's tag: which client's write it is; 0 when it carries none.
    package mutating func apply(_ entry: Entry) throws(Violation) -> UInt64 {
        let zxid = Zxid(entry.index.rawValue)
        try expect(
            zxid.rawValue == last.rawValue + 1, .zxidOrder, "entry \(zxid) follows \(last)")
        if entry.kind == .configuration {
            configuration = try? Configuration(decoding: entry.payload)
        }
        guard entry.kind == .command, let proposal = try? Proposal(decoding: entry.payload) else {
            machine.skip(to: zxid)
            records.append(Record(digest: machine.digest))
            return 0
        }
        switch proposal.body {
        case .command(let command):
            return try apply(
                command, from: proposal.origin, wallMs: proposal.wallMs, at: zxid)
        case .identity(_, let new):
            for storage in new where !storages.contains(where: { $0.member == storage.member }) {
                storages.append(storage)
            }
            machine.skip(to: zxid)
        case .disk(let new, let replaced):
            try exchange(replaced, for: new)
            machine.skip(to: zxid)
        case .limits(let limits):
            machine.setLimits(limits)
            model.limits = limits
            machine.skip(to: zxid)
        case .unknown:
            machine.skip(to: zxid)
        }
        records.append(Record(digest: machine.digest))
        return 0
    }

    /// While its disk changes, a member must have no vote: else a vote of either might be counted.
    private mutating func exchange(
        _ replaced: StorageID, for new: MemberStorage
    ) throws(Violation) {
        guard let place = storages.firstIndex(where: { $0.member == new.member }),
            storages[place].storage == replaced
        else { return }
        try expect(
            configuration?.isLearner(new.member) ?? false, .diskAdmission,
            "member \(new.member) is a voter while another disk is named for it")
        storages[place] = new
        replacedAt.append((replaced, last.rawValue + 1))
    }

    /// A client's write is committed; `wallMs` is the leader's stamp.
    package mutating func apply(
        _ command: Command, from origin: ForwardID, wallMs: Int64, at zxid: Zxid
    ) throws(Violation) -> UInt64 {
        try expect(
            origins.insert(origin).inserted, .appliedOnce,
            "the write \(origin) is committed again at \(zxid)")
        let outcome = machine.apply(command, zxid: zxid, timeMs: wallMs)
        let expected = model.apply(command, zxid: zxid, timeMs: wallMs)
        try expect(
            outcome == expected, .outcome,
            "\(command) at \(zxid) gives \(outcome), by the rules \(expected)")
        records.append(Record(digest: machine.digest, command: command, outcome: outcome))
        return command.tag
    }

    /// That of the replay, where a member has applied `zxid`.
    package func digest(at zxid: Zxid, member: Int) throws(Violation) -> UInt64 {
        guard let known = record(zxid) else {
            throw Violation(.digest, "member \(member + 1) applied \(zxid) of \(last)")
        }
        return known.digest
    }
}

/// Writes carry a number by which they are known in the log: in the first bytes of their data, or,
/// for a delete, as one more mzxid that no znode has.
extension Command {
    static let tagBit: UInt64 = 1 << 62

    static func data(tag: UInt64, padding: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: tag >> shift))
        }
        return bytes + [UInt8](repeating: UInt8(truncatingIfNeeded: tag), count: padding)
    }

    static func tag(inData data: [UInt8]) -> UInt64 {
        guard data.count >= 8 else { return 0 }
        return (0..<8).reduce(UInt64(0)) { $0 | UInt64(data[$1]) << UInt64($1 * 8) }
    }

    var tag: UInt64 {
        switch self {
        case .put(_, let data, _, _, _, _), .createSequential(_, _, let data, _):
            return Self.tag(inData: data)
        case .delete(_, .mzxidAny(let zxids), _):
            guard let last = zxids.last, last.rawValue & Self.tagBit != 0 else { return 0 }
            return last.rawValue & ~Self.tagBit
        case .delete: return 0
        }
    }
}
