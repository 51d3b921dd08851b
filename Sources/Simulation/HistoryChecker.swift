// What clients were told, against what was committed. Every answer names a zxid or leads to one, so
// each is judged by the model at that zxid (witness check), and by what was known before it was
// asked for.

package import Ensemble
package import Znodes

package struct HistoryChecker {
    private struct Write {
        /// It was said that it is appended nowhere and never will be.
        var isRefused = false
        var appliedAt: Zxid?
    }

    /// By tag from 1 on.
    private var writes: [Write] = []
    /// The greatest zxid that any client was told of, by a write or a read.
    package private(set) var witnessed = Zxid.zero
    package private(set) var acknowledgedCount = 0

    package init() {}

    package mutating func newWrite() -> UInt64 {
        writes.append(Write())
        return UInt64(writes.count)
    }

    package mutating func witness(_ zxid: Zxid) { witnessed = max(witnessed, zxid) }

    // MARK: writes

    /// The write is committed at `zxid`.
    package mutating func applied(_ tag: UInt64, at zxid: Zxid) throws(Violation) {
        guard tag >= 1, tag <= UInt64(writes.count) else { return }
        let write = writes[Int(tag) - 1]
        if let before = write.appliedAt {
            throw Violation(.appliedOnce, "write \(tag) is committed at \(before) and at \(zxid)")
        }
        try expect(
            !write.isRefused, .refusedWrite, "refused write \(tag) is committed at \(zxid)")
        writes[Int(tag) - 1].appliedAt = zxid
    }

    package mutating func refused(_ tag: UInt64) throws(Violation) {
        if let zxid = writes[Int(tag) - 1].appliedAt {
            throw Violation(.refusedWrite, "write \(tag), committed at \(zxid), is refused")
        }
        writes[Int(tag) - 1].isRefused = true
    }

    /// `known`: what clients had been told of when the write was asked for.
    package mutating func acknowledged(
        _ tag: UInt64, _ command: Command, _ outcome: Outcome, at zxid: Zxid, known: Zxid,
        _ oracle: borrowing Oracle
    ) throws(Violation) {
        defer {
            acknowledgedCount += 1
            witness(zxid)
        }
        guard let record = oracle.record(zxid), record.command == command,
            let expected = record.outcome
        else {
            throw Violation(
                .acknowledgedWrite,
                "write \(tag) \(command) is acknowledged at \(zxid), where "
                    + "\(oracle.record(zxid)?.command.map { "\($0)" } ?? "no command") is committed"
            )
        }
        try expect(
            outcome == expected, .outcome,
            "write \(tag) at \(zxid) is answered \(outcome), by replay \(expected)")
        try expect(
            zxid > known, .zxidOrder, "write \(tag) at \(zxid), asked for when \(known) was known")
    }

    // MARK: reads

    package struct Read {
        var path: ZnodePath
        var stat: Stat?
        var data: [UInt8]
        /// Nil: they were not looked at.
        var children: [[UInt8]]?
        var zxid: Zxid

        package init(
            path: ZnodePath, stat: Stat?, data: [UInt8], children: [[UInt8]]?, zxid: Zxid
        ) {
            self.path = path
            self.stat = stat
            self.data = data
            self.children = children
            self.zxid = zxid
        }
    }

    /// `atLeast`: what the read must have seen.
    package mutating func read(_ read: Read, atLeast: Zxid, _ oracle: borrowing Oracle)
        throws(Violation)
    {
        try expect(
            read.zxid >= atLeast, .staleRead,
            "\(read.path) is read at \(read.zxid), \(atLeast) was known before")
        try expect(
            read.zxid <= oracle.last, .wrongRead,
            "\(read.path) is read at \(read.zxid), committed is \(oracle.last)")
        witness(read.zxid)
        guard !ZnodePath.reserved.contains(read.path), !read.path.isRoot else { return }
        let version = oracle.model.version(read.path, at: read.zxid)
        try expect(
            read.stat == version?.stat && read.data == version?.data ?? [], .wrongRead,
            "\(read.path) at \(read.zxid) reads as \(read.stat.map { "\($0)" } ?? "absent"), is "
                + (version?.stat.map { "\($0)" } ?? "absent"))
        if let children = read.children {
            try expect(
                children == version?.children ?? [], .wrongRead,
                "the children of \(read.path) at \(read.zxid)")
        }
    }

    // MARK: waits and feeds

    /// `applied`: what the member that answered had applied.
    package func changed(
        _ wait: Wait, applied: Zxid, remembersAll: Bool, _ oracle: borrowing Oracle
    ) throws(Violation) {
        guard remembersAll else { return }
        try expect(
            oracle.model.changed(wait.view, wait.path, after: wait.after, through: applied),
            .spuriousChange,
            "\(wait.view) of \(wait.path) did not change from \(wait.after) to \(applied)")
    }

    package func unchanged(_ wait: Wait, at zxid: Zxid, _ oracle: borrowing Oracle)
        throws(Violation)
    {
        try expect(zxid >= wait.after, .answer, "unchanged at \(zxid) after \(wait.after)")
        try expect(
            !oracle.model.changed(wait.view, wait.path, after: wait.after, through: zxid),
            .missedChange,
            "\(wait.view) of \(wait.path) changed between \(wait.after) and \(zxid)")
    }

    package func events(_ page: EventPage, of query: EventQuery, _ oracle: borrowing Oracle)
        throws(Violation)
    {
        try expect(
            page.next >= query.after && page.next <= oracle.last, .feed,
            "a page of \(query.path) from \(query.after) goes on at \(page.next)")
        let expected = oracle.model.select(query, through: page.next)
        try expect(
            page.events == expected, .feed,
            "\(query.path) from \(query.after) to \(page.next): \(page.events.count) events, "
                + "\(expected.count) happened")
    }
}
