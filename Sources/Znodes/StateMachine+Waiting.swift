// Comparing with an earlier state, watching for the next one, and the event feed.

extension StateMachine {
    /// Whether `view` of `path` has changed after `after`. Level-triggered: it may say yes too early,
    /// when more is asked than is remembered, and never no too late.
    package func changed(_ view: View, _ path: ZnodePath, after: Zxid) -> Bool {
        path.bytes.withRawBytes { path in
            if view == .subtree {
                return history.touched(
                    path, recursive: true, after: after, scannedMax: eventsScannedMax)
            }
            guard let block = tree.find(path) else {
                return after < history.floor
                    || history.lastDeletion(path).map { $0 > after } ?? false
            }
            switch view {
            case .data: return block.mzxid > after.rawValue
            case .children: return block.pzxid > after.rawValue
            case .existence: return block.czxid > after.rawValue
            case .node, .subtree: return max(block.mzxid, block.pzxid) > after.rawValue
            }
        }
    }

    /// One shot: it fires at the next change of the view that makes an event of `types`, and is
    /// gone. The same id again replaces it.
    package mutating func watch(
        _ id: WatchID, _ view: View, _ path: ZnodePath, types: EventTypes = .all
    ) {
        watches.add(id, view, types, path)
    }

    /// Harmless when the watch is gone.
    package mutating func unwatch(_ id: WatchID) { watches.remove(id) }

    /// Appends the watches that fired since the last call.
    package mutating func takeFired(into out: inout [WatchID]) { watches.takeFired(into: &out) }

    /// A page of the feed. `next` is `lastZxid` when all was looked at, else the last zxid that was.
    package func events(_ query: EventQuery) -> Result<EventPage, HistoryCompacted> {
        // Of one znode, its own stat or last deletion often says that nothing has happened.
        if query.after >= history.floor, !query.recursive,
            !changed(.node, query.path, after: query.after)
        {
            return .success(EventPage(events: [], next: max(lastZxid, query.after)))
        }
        return history.page(query, last: lastZxid, scannedMax: eventsScannedMax)
    }
}
