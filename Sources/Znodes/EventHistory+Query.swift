// Reading the history for feeds: whole zxids, in order, with the parents' `children` events derived,
// and an end to what one query looks at.

/// The events after `EventQuery.after` are not all remembered: list again and go on from `last`.
package struct HistoryCompacted: Error, Sendable, Equatable {
    /// Events after this zxid are remembered.
    package let floor: Zxid
    package let last: Zxid
    package init(floor: Zxid, last: Zxid) {
        self.floor = floor
        self.last = last
    }
}

/// Which paths a query or a watch is about.
struct PathScope {
    let path: RawBytes
    let recursive: Bool

    func covers(_ other: RawBytes) -> Bool {
        if other == path { return true }
        guard recursive else { return false }
        if path.count == 1 { return true }
        guard other.count > path.count, other[path.count] == ZnodePath.slash else { return false }
        return other.part(0, path.count) == path
    }
}

extension RawBytes {
    /// Of a path; of the root, nothing.
    var parentPath: RawBytes? {
        if count <= 1 { return nil }
        var cut = count - 1
        while cut > 0, self[cut] != ZnodePath.slash { cut -= 1 }
        return part(0, max(cut, 1))
    }
}

extension EventHistory {
    func page(_ query: EventQuery, last: Zxid, scannedMax: Int)
        -> Result<EventPage, HistoryCompacted>
    {
        if query.after < floor { return .failure(HistoryCompacted(floor: floor, last: last)) }
        var page = EventPage(of: query, next: max(last, query.after))
        query.path.bytes.withRawBytes { path in
            let scope = PathScope(path: path, recursive: query.recursive)
            var through = query.after
            var chunk = -1
            forEachGroup(after: query.after) { group, bytes, index in
                let looked = page.scanned + group.events
                if page.scanned > 0 && looked > scannedMax {
                    page.next = through
                    return false
                }
                page.scanned = looked
                var found = (events: 0, pathBytes: 0)
                group.forEach(bytes, scope, query.types) { _, path in
                    found.events += 1
                    found.pathBytes += path.count
                }
                if !page.isEmpty && page.count + found.events > query.eventsMax {
                    page.next = through
                    return false
                }
                if found.events > 0 {
                    page.append(group, bytes, found, isNewChunk: index != chunk)
                    chunk = index
                }
                through = Zxid(group.zxid)
                return true
            }
            if lastIsOpen, chunk == chunks.count - 1 { page.ownLastStretch() }
        }
        return .success(page)
    }

    /// True: there is an event after `after`, or it takes too long to tell.
    func touched(_ path: RawBytes, recursive: Bool, after: Zxid, scannedMax: Int) -> Bool {
        if after < floor { return true }
        let scope = PathScope(path: path, recursive: recursive)
        var found = false
        var scanned = 0
        forEachGroup(after: after) { group, bytes, _ in
            group.forEach(bytes) { type, path in
                if scope.covers(path) { found = true }
                if type != .changed, let parent = path.parentPath, scope.covers(parent) {
                    found = true
                }
            }
            scanned += group.events
            if scanned > scannedMax { found = true }
            return !found
        }
        return found
    }
}

extension EventHistory.Group {
    /// The events of the scope and types, each deletion and creation with the parent's `children`.
    func forEach(
        _ bytes: [UInt8], _ scope: PathScope, _ types: EventTypes,
        _ body: (EventTypes, RawBytes) -> Void
    ) {
        forEach(bytes) { type, path in
            if types.contains(type), scope.covers(path) { body(type, path) }
            guard type != .changed, types.contains(.children), let parent = path.parentPath,
                scope.covers(parent)
            else { return }
            body(.children, parent)
        }
    }
}
