// The one table from failures of the tree, refusals of the replica and violations of HTTP to what a
// client sees: status, code, a sentence that tells what to do, Retry-After. Nothing else in the
// gateway chooses a status for them.

import Ensemble
import HTTP
import Znodes

/// What of a write's request its failures depend on.
struct WriteIntent: Sendable {
    enum Kind: Sendable { case put, create, delete }
    var kind: Kind
    /// `If-None-Match: *`: an existing znode is a failed condition (RFC 9110 13.1.2).
    var createsOnly: Bool
    /// `If-Match` names a weak tag, which never matches.
    var hasWeakTag: Bool
    var path: ZnodePath
}

extension Problem {
    init(_ failure: Failure, _ intent: WriteIntent, zxid: Zxid) {
        switch failure {
        case .noNode(let path):
            self.init(.noNode, Self.missing(path, intent), path: path.bytes)
        case .nodeExists(let path):
            self.init(
                .nodeExists,
                intent.createsOnly
                    ? "There is a znode at this path: set it without If-None-Match."
                    : "There is a znode of another mode at this path: set it without a mode.",
                path: path.bytes)
            if intent.createsOnly { status = 412 }
        case .badVersion(let path, absent: true):
            self.init(
                .noNode,
                intent.kind == .delete
                    ? "There is no znode to match: nothing is left to delete."
                    : "There is no znode to match: create it with If-None-Match: * (and ?parents).",
                path: path.bytes)
            status = 412
        case .badVersion(let path, absent: false):
            self.init(
                .badVersion,
                intent.hasWeakTag
                    ? Self.weakTag
                    : "The znode is not as the condition says: GET it, and go on from its ETag.",
                path: path.bytes)
        case .notEmpty(let path):
            self.init(
                .notEmpty, "Delete the children first, or all at once with ?recursive.",
                path: path.bytes)
        case .noChildrenForEphemerals(let path):
            self.init(
                .noChildrenForEphemerals, "Choose a parent that does not go with a session.",
                path: path.bytes)
        case .tooManyZnodes(let path):
            self.init(
                .tooLarge, "Too many znodes for one change: delete parts of the subtree first.",
                path: path.bytes)
        case .storeFull:
            self.init(
                .storeFull, "Delete znodes or shorten their data, or raise --limit store-bytes.",
                path: intent.path.bytes)
        case .invalidPath(let path):
            self.init(
                .invalidPath, "This znode cannot be made, changed or deleted: choose another path.",
                path: path.bytes)
        case .dataTooLarge(let path):
            self.init(.tooLarge, "Send less data for this znode.", path: path.bytes)
        case .unknownCommand:
            self.init(
                .notImplemented, "The ensemble does not know this change: upgrade all members.",
                path: intent.path.bytes)
        }
        self.zxid = zxid
    }

    static func absent(_ path: [UInt8], _ zxid: Zxid, stalenessMs: UInt64?) -> Problem {
        let isReserved = ZnodePath.reserved.contains(ZnodePath(trusted: path))
        var problem = Problem(
            .noNode,
            isReserved
                ? "There is no znode at this path, and the tree below /zookeeper is reserved."
                : "There is no znode at this path: create it with PUT.",
            path: path, zxid: zxid)
        problem.stalenessMs = stalenessMs
        return problem
    }

    /// A read whose If-Match does not hold.
    static func unmatched(
        _ path: ZnodePath, _ tags: EntityTags, absent: Bool, _ zxid: Zxid
    ) -> Problem {
        var problem =
            absent
            ? Problem(.noNode, "There is no znode to match: GET it without If-Match.")
            : Problem(
                .badVersion,
                tags.hasWeakTag
                    ? weakTag : "The znode is not as If-Match says: GET it without If-Match.")
        problem.status = 412
        problem.path = path.bytes
        problem.zxid = zxid
        return problem
    }

    private static let weakTag: StaticString =
        "Weak tags never match in If-Match: GET the znode, and send its ETag without W/."

    private static func missing(_ path: ZnodePath, _ intent: WriteIntent) -> StaticString {
        switch intent.kind {
        case .create: "The parent does not exist: create it with PUT."
        case .delete: "There is no znode at this path: nothing is left to delete."
        case .put:
            path == intent.path
                ? "There is no znode at this path: create it without a version."
                : "The parent does not exist: create it first, or add ?parents."
        }
    }

    init(
        _ refusal: Refusal, to work: PendingWork, _ context: borrowing RequestContext,
        retryAfterSeconds: UInt64
    ) {
        switch refusal {
        case .noQuorum:
            self = Self.withoutQuorum(work, context)
            self.retryAfterSeconds = retryAfterSeconds
        case .outcomeUnknown:
            self.init(.outcomeUnknown, Self.afterUnknownOutcome(work))
        case .overloaded:
            self.init(
                .overloaded,
                "Too much is under way here, and nothing was changed: try again later.")
            self.retryAfterSeconds = retryAfterSeconds
        case .diskFull:
            self.init(
                .diskFull,
                context.status.diskIsFull
                    ? "This member's disk is full, and nothing was changed: ask another member."
                    : "Too few members have room on their disks, and nothing was changed: try later."
            )
            self.retryAfterSeconds = retryAfterSeconds
        case .zxidAhead(let confirmed):
            self.init(.zxidAhead, "No change has this zxid yet; the newest is ")
            echo = Echo(confirmed.rawValue)
            detailEnd = ": ask for one that an answer of this ensemble gave."
        case .shuttingDown:
            self.init(
                .shuttingDown,
                "This member is stopping, and nothing was changed: ask another member.")
            self.retryAfterSeconds = retryAfterSeconds
        case .stateDiffers:
            self.init(.stateDiffers, Self.otherState)
            self.retryAfterSeconds = retryAfterSeconds
        }
        path = work.path.bytes
    }

    private static func withoutQuorum(
        _ work: PendingWork, _ context: borrowing RequestContext
    ) -> Problem {
        let changes: Bool
        let isLocal: Bool
        switch work {
        case .write: (changes, isLocal) = (true, false)
        case .read(let read): (changes, isLocal) = (false, read.plan.local)
        case .feed(let feed): (changes, isLocal) = (false, feed.local)
        }
        if let reason = context.status.refusedBy {
            return turnedAway(
                changes
                    ? "This member knows no leader, and nothing was changed: ask another one. "
                    : "This member knows no leader: ask another one. ", reason)
        }
        let knowsLeader = context.status.leaderNumber != nil
        if context.status.diskIsFull, !changes {
            return Problem(
                .diskFull,
                "This member's disk is full: ask another one, or read by ?consistency=local.")
        }
        if changes {
            return Problem(
                .noQuorum,
                knowsLeader
                    ? "No leader has a quorum, and nothing was changed: try again later."
                    : "This member knows no leader, and nothing was changed: ask another one.")
        }
        if isLocal {
            return Problem(
                .noQuorum,
                "No leader has a quorum, and this member does not have that zxid: ask another one.")
        }
        return Problem(
            .noQuorum,
            knowsLeader
                ? "No leader has a quorum: try again, or read what is here by ?consistency=local."
                : "This member knows no leader: ask another one, or read by ?consistency=local.")
    }

    /// A local read of a member whose tree is nothing to go by.
    static func unserved(_ status: borrowing ReplicaStatus) -> Problem {
        if status.differsAtNumber != nil { return Problem(.stateDiffers, otherState) }
        if let reason = status.refusedBy ?? (status.admission == .replaced ? .otherStorage : nil) {
            return turnedAway("This member cannot serve reads: ask another one. ", reason)
        }
        if status.admission != nil || status.repairingThrough != nil {
            return Problem(
                .tooStale, "This member does not have the state of the others yet: ask another one."
            )
        }
        return Problem(
            .noQuorum, "This member has nothing of an ensemble yet: ask another one, or try again.")
    }

    private static let otherState: StaticString =
        "This member's state is not that of another, and nothing was changed: ask another member."

    private static func turnedAway(_ detail: StaticString, _ reason: HelloRefusal) -> Problem {
        var problem = Problem(.noQuorum, detail)
        problem.echo = Echo(reason.words)
        return problem
    }

    private static func afterUnknownOutcome(_ work: PendingWork) -> StaticString {
        switch work {
        case .write(let intent):
            switch intent.kind {
            case .put:
                "The change may or may not happen: repeat it with If-Match or If-None-Match: *."
            case .delete: "The change may or may not happen: repeat it with If-Match."
            case .create:
                "The znode may or may not be made: list the children before you repeat it."
            }
        case .read, .feed: "It is not known what became of this: repeat it."
        }
    }

    init(_ violation: HTTPViolation) {
        let code: ProblemCode =
            switch violation.status {
            case 414, 431: .tooLarge
            case 501: .notImplemented
            default: .badRequest
            }
        if case .repeatedField(let field) = violation {
            self.init(code, "The field '")
            echo = Echo(field.name)
            detailEnd = "' may come only once."
        } else {
            self.init(code, violation.reason)
        }
        status = violation.status
    }

    init(_ refusal: EdgeRefusal, retryAfterSeconds: UInt64) {
        switch refusal {
        case .headTimeout:
            self.init(.requestTimeout, "The head of the request came too slowly: send it at once.")
        case .bodyTimeout:
            self.init(.requestTimeout, "The body of the request came too slowly: send it faster.")
        case .bodyTooLarge(let bytesMax):
            self = .bodyTooLarge(bytesMax: bytesMax)
        case .connectionLimit:
            self.init(.overloaded, "The server holds as many connections as it may: try later.")
            self.retryAfterSeconds = retryAfterSeconds
        case .bodiesLimit:
            self.init(.overloaded, "Too many unfinished bodies are held: try later.")
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    static func bodyTooLarge(bytesMax: Int) -> Problem {
        var problem = Problem(.tooLarge, "Send at most ")
        problem.echo = Echo(UInt64(bytesMax))
        problem.detailEnd = " bytes."
        return problem
    }

    /// The one path rule of every protocol, in words.
    init(_ error: ZnodePathError) {
        let detail: StaticString =
            switch error {
            case .notAbsolute: "Write the path of a znode with a leading slash."
            case .emptySegment: "Write each name of the path: none may be empty."
            case .dotSegment: "No name of the path may be . or .. ."
            case .illegalCharacter: "The path holds a character that ZooKeeper forbids: remove it."
            case .notUTF8: "Write the path in UTF-8, percent-encoded."
            case .nameTooLong: "Shorten the names of the path to 255 bytes each."
            case .pathTooLong: "Shorten the path to 4096 bytes."
            case .tooDeep: "Shorten the path to 255 names."
            case .trailingSlash: "Remove the slash at the end of the path."
            }
        self.init(.invalidPath, detail)
    }

    /// Of a sequential child, whose name is the parameter and ten digits.
    init(nameOfChild error: ZnodePathError) {
        let detail: StaticString =
            switch error {
            case .nameTooLong: "Shorten the parameter 'name' to 245 bytes: ten digits follow it."
            case .pathTooLong: "Shorten the path or 'name': with ten digits it may have 4096 bytes."
            case .illegalCharacter:
                "The parameter 'name' holds a character that ZooKeeper forbids: remove it."
            case .notUTF8: "Write the parameter 'name' in UTF-8, percent-encoded."
            case .tooDeep: "The parent is as deep as a znode may be: choose one of fewer names."
            case .notAbsolute, .emptySegment, .dotSegment, .trailingSlash:
                "The parameter 'name' makes no name of a znode: choose another one."
            }
        self.init(.invalidPath, detail)
    }

    init(_ error: PercentDecodingError) {
        let detail: StaticString =
            switch error {
            case .badEscape: "Write two hexadecimal digits behind each % of the path."
            case .encodedSlash: "A name cannot hold a slash: remove %2F from the path."
            case .encodedNUL: "A name cannot hold a NUL: remove %00 from the path."
            }
        self.init(.invalidPath, detail)
    }
}

extension HelloRefusal {
    /// Why the others turn this member away.
    var words: StaticString {
        switch self {
        case .otherEnsemble: "This member's data is that of another ensemble."
        case .otherStorage:
            "The others know another disk under this member's number."
        case .unknownMember: "The others do not know a member of this number."
        case .wrongAddressee: "An address in --ensemble leads to another member."
        case .otherProtocol: "The other members speak another protocol version."
        }
    }
}
