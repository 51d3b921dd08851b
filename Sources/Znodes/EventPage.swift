// A page of a feed. It holds the history's own chunks, so that a page of many megabytes costs nothing
// but a look at them until its reader, on whatever thread, goes through the events. Of the chunk that
// is still written it has its part as a copy, of less than `chunkBytes`. It must never copy more: a
// client asks for a page with sixty bytes.

package struct EventPage: Sendable {
    /// Whole groups of one chunk, some of which may hold nothing of the query.
    private struct Stretch: Sendable {
        let bytes: [UInt8]
        let start: Int
        var end: Int
    }

    /// All events of the query with `after` < zxid <= `next`; `next` is where to go on.
    package var next: Zxid
    package private(set) var count = 0
    package private(set) var pathBytes = 0
    /// Events that were looked at for this page: what it cost.
    package internal(set) var scanned = 0
    private var given: [Event] = []
    private var query: EventQuery?
    private var stretches: [Stretch] = []

    package var isEmpty: Bool { count == 0 }
    /// About what it is as JSON: 60 bytes for the words around a path.
    package var answerBytes: Int { pathBytes + count * 60 }

    package init(events: [Event], next: Zxid) {
        self.next = next
        given = events
        count = events.count
        pathBytes = events.reduce(0) { $0 + $1.path.bytes.count }
    }

    init(of query: EventQuery, next: Zxid) {
        self.next = next
        self.query = query
    }

    /// `group` lies in `bytes`, and holds this much for the query.
    mutating func append(
        _ group: EventHistory.Group, _ bytes: [UInt8], _ found: (events: Int, pathBytes: Int),
        isNewChunk: Bool
    ) {
        count += found.events
        pathBytes += found.pathBytes
        if isNewChunk || stretches.isEmpty {
            let start = group.start - EventHistory.groupHeaderBytes
            stretches.append(Stretch(bytes: bytes, start: start, end: group.end))
        } else {
            stretches[stretches.count - 1].end = group.end
        }
    }

    /// So that the next change neither copies its whole chunk, nor writes where a reader looks.
    mutating func ownLastStretch() {
        guard let last = stretches.popLast() else { return }
        stretches.append(
            Stretch(
                bytes: Array(last.bytes[last.start..<last.end]), start: 0,
                end: last.end - last.start))
    }

    /// In order, without a copy of anything.
    package func forEach(_ body: (Zxid, EventTypes, Span<UInt8>) -> Void) {
        for event in given { body(event.zxid, event.type, event.path.bytes.span) }
        guard let query else { return }
        query.path.bytes.withRawBytes { path in
            let scope = PathScope(path: path, recursive: query.recursive)
            for stretch in stretches {
                var at = stretch.start
                while at < stretch.end {
                    let group = EventHistory.Group(stretch.bytes.span, at)
                    at = group.end
                    let zxid = Zxid(group.zxid)
                    group.forEach(stretch.bytes, scope, query.types) { type, path in
                        path.withSpan { body(zxid, type, $0) }
                    }
                }
            }
        }
    }

    /// Copies: for tests, and for checkers.
    package var events: [Event] {
        var all: [Event] = []
        all.reserveCapacity(count)
        forEach { zxid, type, path in
            let bytes = path.withRawBytes { $0.array }
            all.append(Event(zxid: zxid, type: type, path: ZnodePath(trusted: bytes)))
        }
        return all
    }
}

extension EventPage: Equatable {
    package static func == (a: Self, b: Self) -> Bool { a.next == b.next && a.events == b.events }
}
