// The history checker is shown answers that break its rules, and some that do not.

import Ensemble
import Raft
import Simulation
import Testing
import Znodes

@Suite("The checks of what clients are told")
struct HistoryCheckerTests {
    private let path = ZnodePath(trusted: [UInt8]("/a".utf8))

    private func put(_ tag: UInt64) -> Command {
        .put(
            path: path, data: (0..<8).map { UInt8(truncatingIfNeeded: tag >> ($0 * 8)) },
            mode: .persistent, explicitMode: false, condition: .none, makeParents: false)
    }

    private func origin(_ counter: UInt64) -> ForwardID {
        ForwardID(member: MemberID(1), incarnation: 1, counter: counter)
    }

    private func record(_ command: Command, _ zxid: UInt64, _ oracle: inout Oracle)
        throws -> Outcome
    {
        _ = try oracle.apply(command, from: origin(zxid), wallMs: 5, at: Zxid(zxid))
        let stat = Stat(
            czxid: Zxid(1), mzxid: Zxid(zxid), pzxid: Zxid(1), ctimeMs: 5, mtimeMs: 5,
            version: Int32(zxid) - 1, cversion: 0, aversion: 0, ephemeralOwner: nil,
            dataLength: 8, numChildren: 0)
        return zxid == 1 ? .created(path: path, stat: stat) : .set(path: path, stat: stat)
    }

    @Test("A write is committed once")
    func appliedOnce() throws {
        var oracle = Oracle()
        var history = HistoryChecker()
        let tag = history.newWrite()
        _ = try record(put(tag), 1, &oracle)
        try history.applied(tag, at: Zxid(1))
        breaks(.appliedOnce) { () throws(Violation) in try history.applied(tag, at: Zxid(2)) }
        breaks(.appliedOnce) { () throws(Violation) in
            _ = try oracle.apply(put(tag), from: origin(1), wallMs: 5, at: Zxid(2))
        }
    }

    @Test("A refused write is never committed, before or after")
    func refused() throws {
        var history = HistoryChecker()
        let before = history.newWrite()
        let after = history.newWrite()
        try history.applied(before, at: Zxid(1))
        breaks(.refusedWrite) { () throws(Violation) in try history.refused(before) }
        try history.refused(after)
        breaks(.refusedWrite) { () throws(Violation) in try history.applied(after, at: Zxid(2)) }
        try history.applied(history.newWrite(), at: Zxid(2))
    }

    @Test("An acknowledged write is the one at its zxid, with its outcome, above all known before")
    func acknowledged() throws {
        var oracle = Oracle()
        var history = HistoryChecker()
        let first = history.newWrite()
        let second = history.newWrite()
        let created = try record(put(first), 1, &oracle)
        let set = try record(put(second), 2, &oracle)
        try history.acknowledged(
            first, put(first), created, at: Zxid(1), known: .zero, oracle)
        #expect(history.witnessed == Zxid(1))
        #expect(history.acknowledgedCount == 1)
        for zxid in [Zxid(1), Zxid(3)] {
            breaks(.acknowledgedWrite) { () throws(Violation) in
                try history.acknowledged(
                    second, put(second), set, at: zxid, known: .zero, oracle)
            }
        }
        breaks(.outcome) { () throws(Violation) in
            try history.acknowledged(
                second, put(second), created, at: Zxid(2), known: .zero, oracle)
        }
        breaks(.zxidOrder) { () throws(Violation) in
            try history.acknowledged(
                second, put(second), set, at: Zxid(2), known: Zxid(2), oracle)
        }
    }

    @Test("A read is of one state, and of none before what was known")
    func reads() throws {
        var oracle = Oracle()
        var history = HistoryChecker()
        let first = history.newWrite()
        let second = history.newWrite()
        guard case .created(_, let stat) = try record(put(first), 1, &oracle) else { return }
        _ = try record(put(second), 2, &oracle)
        let data = (0..<8).map { UInt8(truncatingIfNeeded: first >> ($0 * 8)) }
        let old = HistoryChecker.Read(
            path: path, stat: stat, data: data, children: [], zxid: Zxid(1))
        let mixed = HistoryChecker.Read(
            path: path, stat: stat, data: data, children: [], zxid: Zxid(2))
        let future = HistoryChecker.Read(
            path: path, stat: stat, data: data, children: [], zxid: Zxid(9))
        try history.read(old, atLeast: Zxid(1), oracle)
        breaks(.staleRead) { () throws(Violation) in
            try history.read(old, atLeast: Zxid(2), oracle)
        }
        for read in [mixed, future] {
            breaks(.wrongRead) { () throws(Violation) in
                try history.read(read, atLeast: Zxid(2), oracle)
            }
        }
    }

    @Test("A page of children and an unchanged tag are those of the zxid")
    func pages() throws {
        var oracle = Oracle()
        var history = HistoryChecker()
        _ = try record(put(history.newWrite()), 1, &oracle)
        for (number, name) in ["/a/x", "/a/y"].enumerated() {
            let command = Command.put(
                path: ZnodePath(trusted: [UInt8](name.utf8)), data: [], mode: .persistent,
                explicitMode: false, condition: .none, makeParents: false)
            let zxid = UInt64(number) + 2
            _ = try oracle.apply(command, from: origin(zxid), wallMs: 5, at: Zxid(zxid))
        }
        func page(_ names: [String], goesOn: Bool, pzxid: UInt64 = 3, at: UInt64 = 3)
            -> HistoryChecker.Listing
        {
            HistoryChecker.Listing(
                path: path, czxid: Zxid(1), pzxid: Zxid(pzxid), cversion: 2,
                names: names.map { [UInt8]($0.utf8) }, goesOn: goesOn, limit: 1, zxid: Zxid(at))
        }
        try history.read(page(["x"], goesOn: true), atLeast: Zxid(3), oracle)
        try history.stillThere(path, Zxid(1), at: Zxid(3), atLeast: Zxid(3), oracle)
        for listing in [
            page(["y"], goesOn: true), page(["x"], goesOn: false),
            page(["x"], goesOn: true, pzxid: 2), page(["x"], goesOn: true, at: 4),
        ] {
            breaks(.wrongRead) { () throws(Violation) in
                try history.read(listing, atLeast: .zero, oracle)
            }
        }
        breaks(.staleRead) { () throws(Violation) in
            try history.read(page(["x"], goesOn: true), atLeast: Zxid(4), oracle)
        }
        breaks(.wrongRead) { () throws(Violation) in
            try history.stillThere(path, Zxid(2), at: Zxid(3), atLeast: .zero, oracle)
        }
        breaks(.staleRead) { () throws(Violation) in
            try history.stillThere(path, Zxid(1), at: Zxid(3), atLeast: Zxid(4), oracle)
        }
    }

    @Test("No change is missed or made up, and a feed has no gap")
    func changes() throws {
        var oracle = Oracle()
        let history = HistoryChecker()
        _ = try record(put(0), 1, &oracle)
        _ = try record(put(0), 2, &oracle)
        func wait(after: UInt64) -> Wait {
            Wait(path: path, view: .data, after: Zxid(after), deadlineMs: 0, local: true)
        }
        try history.unchanged(wait(after: 2), at: Zxid(2), oracle)
        try history.changed(wait(after: 1), applied: Zxid(2), remembersAll: true, oracle)
        let query = EventQuery(
            path: path, recursive: false, types: .all, after: .zero, eventsMax: 9)
        let created = Event(zxid: Zxid(1), type: .created, path: path)
        let changed = Event(zxid: Zxid(2), type: .changed, path: path)
        try history.events(EventPage(events: [created, changed], next: Zxid(2)), of: query, oracle)
        try history.events(EventPage(events: [created], next: Zxid(1)), of: query, oracle)
        let spurious = Wait(
            path: path, view: .existence, after: Zxid(1), deadlineMs: 0, local: true)
        breaks(.missedChange) { () throws(Violation) in
            try history.unchanged(wait(after: 1), at: Zxid(2), oracle)
        }
        breaks(.spuriousChange) { () throws(Violation) in
            try history.changed(spurious, applied: Zxid(2), remembersAll: true, oracle)
        }
        for (events, next) in [([created], 2), ([changed, created], 2), ([created], 7)] {
            let page = EventPage(events: events, next: Zxid(UInt64(next)))
            breaks(.feed) { () throws(Violation) in
                try history.events(page, of: query, oracle)
            }
        }
    }

    @Test("No member has applied what is not committed")
    func uncommitted() throws {
        var oracle = Oracle()
        _ = try record(put(0), 1, &oracle)
        _ = try oracle.digest(at: Zxid(1), member: 0)
        breaks(.digest) { () throws(Violation) in
            _ = try oracle.digest(at: Zxid(2), member: 0)
        }
    }
}
