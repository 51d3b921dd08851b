// What an answer needs once the replica has replied: the request's bytes are gone by then. A wait
// may hold one for minutes, so it is a few words and a box.

import HTTP
import Znodes

package struct PendingAnswer: Sendable {
    var isHead: Bool
    var minorVersion: UInt8
    var work: PendingWork

    init(_ response: borrowing ResponseContext, _ work: PendingWork) {
        isHead = response.isHead
        minorVersion = response.minorVersion
        self.work = work
    }

    func response(keepAlive: Bool, date: HTTPDate) -> ResponseContext {
        var response = ResponseContext(closingAt: date)
        response.isHead = isHead
        response.minorVersion = minorVersion
        response.keepAlive = keepAlive
        return response
    }
}

indirect enum PendingWork: Sendable {
    case write(WriteIntent)
    case read(PendingRead)
    case feed(PendingFeed)

    /// Of the znode that is asked about.
    var path: ZnodePath {
        switch self {
        case .write(let intent): intent.path
        case .read(let read): read.path
        case .feed(let feed): feed.query.path
        }
    }
}

struct PendingRead: Sendable {
    enum Stage: Sendable {
        case reading
        /// The replica says that the view has changed.
        case changed
        /// The wait is over, and the view was the same at this zxid.
        case settling(Zxid)
    }

    var path: ZnodePath
    var plan: ReadPlan
    var afterName: [UInt8]?
    var ifMatch: EntityTags?
    var ifNoneMatch: EntityTags?
    var deadlineMs: UInt64 = 0
    var stage = Stage.reading

    init(path: ZnodePath, plan: ReadPlan) {
        self.path = path
        self.plan = plan
    }

    func matches(_ tags: EntityTags, _ stat: Stat) -> Bool {
        plan.shape == .children ? tags.matchesChildren(stat) : tags.matchesData(stat)
    }

    var view: View { plan.shape == .children ? .children : .data }

    func changed(_ stat: Stat, after: Zxid) -> Bool {
        (plan.shape == .children ? stat.pzxid : stat.mzxid) > after
    }
}

struct PendingFeed: Sendable {
    var query: EventQuery
    var deadlineMs: UInt64
    var local: Bool
    var maxStalenessMs: UInt64?
}

extension [UInt8] {
    init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
