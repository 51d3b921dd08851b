// Waits and feeds: compared and registered in one step, so that no change falls between the look and
// the wait; answered by changes, deadlines, a loss of the leader, or the member's own stop.

import Raft
import Znodes

extension Replica {
    mutating func open(_ wait: Wait, _ request: RequestID, into effects: inout Effects) {
        if tree.changed(wait.view, wait.path, after: wait.after) {
            answer(request, .changed, into: &effects)
        } else if admitWait(request, local: wait.local, into: &effects) {
            waits.add(request, .wait(wait))
            tree.watch(WatchID(rawValue: request.rawValue), wait.view, wait.path)
        }
    }

    mutating func open(_ feed: Feed, _ request: RequestID, into effects: inout Effects) {
        guard admitWait(request, local: feed.local, into: &effects) else { return }
        waits.add(request, .feed(feed))
        feeds.add(request)
    }

    private mutating func watch(_ feed: Feed, _ request: RequestID) {
        tree.watch(
            WatchID(rawValue: request.rawValue), feed.query.recursive ? .subtree : .node,
            feed.query.path, types: feed.query.types)
    }

    private func admitWait(_ request: RequestID, local: Bool, into effects: inout Effects) -> Bool {
        // It was asked for before the stop, and confirmed after it.
        if stopping {
            answer(request, .refused(.shuttingDown), into: &effects)
            return false
        }
        if waits.count >= options.waitsMax {
            answer(request, .refused(.overloaded), into: &effects)
            return false
        }
        if !local, waits.isLeaving {
            answer(request, .refused(.noQuorum), into: &effects)
            return false
        }
        return true
    }

    mutating func endWait(
        _ request: RequestID, with reply: ClientReply, into effects: inout Effects
    ) {
        guard forgetWait(request) else { return }
        answer(request, reply, into: &effects)
    }

    /// False: there is none.
    @discardableResult
    mutating func forgetWait(_ request: RequestID) -> Bool {
        guard waits.remove(request) != nil else { return false }
        feeds.remove(request)
        tree.unwatch(WatchID(rawValue: request.rawValue))
        return true
    }

    /// After entries were applied. `quietThrough`: where the last ones ended. A feed that slept until
    /// then has missed nothing up to there, however old its start and short the history.
    mutating func wakeWaits(quietThrough: Zxid, into effects: inout Effects) {
        fired.removeAll(keepingCapacity: true)
        tree.takeFired(into: &fired)
        for watch in fired {
            let request = RequestID(rawValue: watch.rawValue)
            switch waits[request] {
            case nil: break
            case .wait(let wait): wake(wait, request, into: &effects)
            case .feed(var feed):
                feed.query.after = max(feed.query.after, quietThrough)
                waits.update(request, .feed(feed))
                feeds.add(request)
            }
        }
    }

    /// A snapshot replaced the whole tree: look at everything again.
    mutating func wakeAllWaits(into effects: inout Effects) {
        fired.removeAll(keepingCapacity: true)
        tree.takeFired(into: &fired)
        for request in waits.requests {
            tree.unwatch(WatchID(rawValue: request.rawValue))
            switch waits[request] {
            case nil: break
            case .wait(let wait): wake(wait, request, into: &effects)
            case .feed: feeds.add(request)
            }
        }
    }

    private mutating func wake(_ wait: Wait, _ request: RequestID, into effects: inout Effects) {
        if tree.changed(wait.view, wait.path, after: wait.after) {
            waits.remove(request)
            answer(request, .changed, into: &effects)
        } else {
            tree.watch(WatchID(rawValue: request.rawValue), wait.view, wait.path)
        }
    }

    // MARK: Feeds

    /// Some feeds are left for the next turn.
    package var hasFeedsToServe: Bool { !feeds.isEmpty }

    /// What one costs at least, in events looked at.
    private static let feedCostMin = 64

    /// This turn's share. One that waits here is watched no more, and misses nothing, since it is
    /// served from where it slept.
    mutating func serveFeeds(into effects: inout Effects) {
        var spent = 0
        while spent < options.eventsPerTurnMax, let request = feeds.popFirst() {
            guard case .feed(let feed) = waits[request] else { continue }
            spent += max(serve(feed, request, into: &effects), Self.feedCostMin)
        }
    }

    /// The result is how many events were looked at.
    private mutating func serve(
        _ feed: Feed, _ request: RequestID, into effects: inout Effects
    ) -> Int {
        switch tree.events(feed.query) {
        case .failure(let compacted):
            endWait(request, with: .historyCompacted(zxid: compacted.last), into: &effects)
            return 0
        case .success(let page):
            if !page.isEmpty || page.next < applied {
                endWait(request, with: .events(page), into: &effects)
            } else if feed.deadlineMs <= nowMs {
                expire(request, into: &effects)
            } else {
                // It moves on to the newest zxid, where nothing of its own has happened.
                var quiet = feed
                quiet.query.after = page.next
                waits.update(request, .feed(quiet))
                watch(quiet, request)
            }
            return page.scanned
        }
    }

    mutating func tickWaits(into effects: inout Effects) {
        while let request = waits.popExpired(nowMs: nowMs) {
            // What waits to be served may have something to tell, and ends then if it has not.
            if !feeds.contains(request) { expire(request, into: &effects) }
        }
        while let request = waits.popLeaving(nowMs: nowMs) {
            endWait(request, with: .refused(.noQuorum), into: &effects)
        }
    }

    /// Only a member that hears its leader may say that nothing has changed.
    private mutating func expire(_ request: RequestID, into effects: inout Effects) {
        guard let kind = waits[request] else { return }
        guard kind.local || hearsLeader else {
            return endWait(request, with: .refused(.noQuorum), into: &effects)
        }
        switch kind {
        case .wait:
            endWait(request, with: .unchanged(zxid: applied), into: &effects)
        case .feed:
            // Nothing of the feed's happened up to here, or it would have been woken.
            endWait(request, with: .events(EventPage(events: [], next: applied)), into: &effects)
        }
    }
}
