// What carries out a replica's storage requests: the log and the identity file. Owned by one thread,
// which says when to sync. It must never give a write out as durable: who asks for a sync knows. On
// a full disk it keeps what has no room, in order, and goes on with it once there is some.

package import Journal
package import Raft

package struct ReplicaJournal<Storage: JournalStorage & ~Copyable>: ~Copyable {
    private var log: WriteAheadLog<Storage>
    private var identityStorage: Storage
    package private(set) var identity: MemberIdentity
    private var pruneThrough: LogIndex?
    /// What the disk has no room for. Only the replica bounds it: it asks for no more entries once
    /// it knows.
    private var backlog = StorageBacklog()
    /// The process has to end.
    package private(set) var ending: Ending?
    /// All up to here is written, and durable after the next `sync`.
    package private(set) var written = StorageToken(rawValue: 0)
    /// Of these requests term and vote are, whatever became of their entries.
    package private(set) var votesWritten = StorageToken(rawValue: 0)
    private var told = Told()
    private var isIdleWorkDone = false

    package enum Ending: Sendable {
        /// `StorageRequest.distrust` is carried out.
        case distrusted
        /// `StorageRequest.startAnew`.
        case startsAnew
    }

    /// What the replica has been told of last.
    private struct Told {
        var stored = StorageToken(rawValue: 0)
        var votesStored = StorageToken(rawValue: 0)
        var isFull = false
    }

    package init(
        log: consuming WriteAheadLog<Storage>, identity: MemberIdentity,
        identityStorage: consuming Storage
    ) {
        self.log = log
        self.identity = identity
        self.identityStorage = identityStorage
    }

    /// The disk had no room for what was asked for.
    package var isFull: Bool { !backlog.isEmpty }
    /// For that, or for the segment that comes next. Nothing more is allocated before `tryAgain`,
    /// whoever wants it; to be called from time to time.
    package var lacksRoom: Bool { isFull || log.lacksRoom }
    /// `doIdleWork` has something to do. Not on a full disk: the rest of the segment is for votes.
    package var hasIdleWork: Bool { !isIdleWorkDone && !isFull }

    /// An append is not durable before `sync`; a prune waits for `prune`. After an error nobody
    /// knows what is on the disk, and the member ends.
    package mutating func carryOut(_ request: StorageRequest) throws(StorageError) {
        isIdleWorkDone = false
        if case .prune(let index) = request {
            pruneThrough = index
        } else if case .startAnew = request {
            ending = .startsAnew
        } else if isFull {
            backlog.add(request)
            try saveVote()
        } else if let rest = try attempt(request) {
            backlog.add(rest)
            try saveVote()
        }
    }

    /// What the disk has no room for; nil when all of it is carried out.
    private mutating func attempt(
        _ request: StorageRequest
    ) throws(StorageError) -> StorageRequest? {
        switch request {
        case .append(let token, let hardState, let entries):
            switch try log.append(hardState: hardState, entries: entries) {
            case .whole:
                written = token
                votesWritten = max(votesWritten, token)
                return nil
            case .partly(entries: 0):
                return request
            case .partly(let count):
                if hardState != nil { votesWritten = max(votesWritten, token) }
                return .append(
                    token: token, hardState: nil, entries: Array(entries.dropFirst(count)))
            }
        case .prune, .startAnew:
            return nil
        case .resetLog(let mark):
            return try log.reset(to: mark) ? nil : request
        case .identity(let ensemble, let isNewcomer):
            var changed = identity
            changed.ensembleID = ensemble
            changed.isNewcomer = isNewcomer
            guard try hasRoom({ storage throws(StorageError) in try changed.write(&storage) })
            else { return request }
            identity = changed
            return nil
        case .distrust:
            guard try hasRoom({ storage throws(StorageError) in try DistrustMark.set(&storage) })
            else { return request }
            ending = .distrusted
            return nil
        }
    }

    /// Makes a small file that is only ever there as a whole, so that it can be made again. False: there
    /// is no room for it; any other error ends the member.
    private mutating func hasRoom(
        _ make: (inout Storage) throws(StorageError) -> Void
    ) throws(StorageError) -> Bool {
        do throws(StorageError) {
            try make(&identityStorage)
            return true
        } catch {
            guard error.cause == .outOfSpace else { throw error }
            return false
        }
    }

    /// Term and vote of what waits go into the room that is kept for them, ahead of the entries:
    /// nobody was promised anything about those.
    private mutating func saveVote() throws(StorageError) {
        guard let (token, newest) = backlog.newestVote else { return }
        var hardState = newest
        // What is committed may be among what waits, where the log still holds something else.
        hardState.commit = log.hardState.commit
        guard try log.append(hardState: hardState, entries: []) == .whole else { return }
        votesWritten = token
        backlog.forgetVotes()
    }

    /// Goes on with what had no room, as far as there is some now. It is the next segment that is
    /// made, so there is room for a while when it succeeds. Where nothing waits, what comes next may
    /// look for room again.
    package mutating func tryAgain() throws(StorageError) {
        log.lookForRoom()
        // What is written now was not there when the journal was idle last.
        if isFull { isIdleWorkDone = false }
        while let first = backlog.first, ending == nil {
            guard let rest = try attempt(first) else {
                backlog.removeFirst()
                continue
            }
            backlog.replaceFirst(rest)
            return
        }
    }

    package var needsSync: Bool { log.needsSync }

    /// All that was carried out is durable when it returns.
    package mutating func sync() throws(StorageError) { try log.sync() }

    /// After a sync: what the replica has to hear that it has not heard yet.
    package mutating func takeNews() -> [Input] {
        var news: [Input] = []
        if isFull != told.isFull {
            told.isFull = isFull
            news.append(.diskFull(isFull))
        }
        if written > told.stored {
            told.stored = written
            // A completion stands for all before it.
            news.append(.stored(written))
        }
        if votesWritten > max(told.votesStored, written) {
            told.votesStored = votesWritten
            news.append(.votesStored(votesWritten))
        }
        return news
    }

    /// Nobody waits for it: after what somebody waits for. What still waits for room comes after
    /// what may go; the rest of it goes later. True if that made room.
    @discardableResult
    package mutating func prune() throws(StorageError) -> Bool {
        guard let index = pruneThrough else { return false }
        guard let firstWaiting = backlog.firstIndex else {
            pruneThrough = nil
            return try log.prune(through: index)
        }
        guard firstWaiting > .zero else { return false }
        return try log.prune(through: min(index, firstWaiting.previous))
    }

    /// For a journal without work: carries the mark on, then prepares a segment.
    package mutating func doIdleWork() throws(StorageError) {
        guard hasIdleWork, try !log.carryMark() else { return }
        isIdleWorkDone = try !log.prepareNextSegment()
    }

    /// The mark is carried on, so that damage to the last groups is known as rot.
    package mutating func end() throws(StorageError) { if !isFull { _ = try log.carryMark() } }
}

extension ReplicaJournal: Sendable where Storage: ~Copyable & Sendable {}
