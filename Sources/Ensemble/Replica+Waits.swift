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
        var quiet = feed
        if serve(&quiet, request, into: &effects) { return }
        guard feed.deadlineMs > nowMs else {
            let page = EventPage(events: [], next: quiet.query.after)
            return answer(request, .events(page), into: &effects)
        }
        guard admitWait(request, local: feed.local, into: &effects) else { return }
        waits.add(request, .feed(quiet))
        watch(quiet, request)
    }

    /// True when the feed was answered; else it has moved on to the newest zxid without an event.
    private mutating func serve(
        _ feed: inout Feed, _ request: RequestID, into effects: inout Effects
    )
        -> Bool
    {
        switch tree.events(feed.query) {
        case .failure(let compacted):
            answer(request, .historyCompacted(zxid: compacted.last), into: &effects)
            return true
        case .success(let page):
            eventsScanned += page.scanned
            if !page.isEmpty || page.next < applied {
                answer(request, .events(page), into: &effects)
                return true
            }
            feed.query.after = page.next
            return false
        }
    }

    private mutating func watch(_ feed: Feed, _ request: RequestID) {
        tree.watch(
            WatchID(rawValue: request.rawValue), feed.query.recursive ? .subtree : .node,
            feed.query.path, types: feed.query.types)
    }

    private func admitWait(_ request: RequestID, local: Bool, into effects: inout Effects) -> Bool {
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
        guard waits.remove(request) != nil else { return }
        tree.unwatch(WatchID(rawValue: request.rawValue))
        answer(request, reply, into: &effects)
    }

    /// After entries were applied. `quietThrough`: where the last ones ended. A feed that slept until
    /// then has missed nothing up to there, however old its start and short the history.
    mutating func wakeWaits(quietThrough: Zxid, into effects: inout Effects) {
        fired.removeAll(keepingCapacity: true)
        tree.takeFired(into: &fired)
        for watch in fired {
            let request = RequestID(rawValue: watch.rawValue)
            if case .feed(var feed) = waits[request] {
                feed.query.after = max(feed.query.after, quietThrough)
                waits.update(request, .feed(feed))
                woken.add(request)
            } else {
                wake(request, into: &effects)
            }
        }
        serveWoken(into: &effects)
    }

    /// As many as may be at once: one that waits here is watched no more, and misses nothing, since
    /// it is served from where it slept.
    private mutating func serveWoken(into effects: inout Effects) {
        let before = eventsScanned
        while eventsScanned - before < options.eventsPerWakeMax, let request = woken.popFirst() {
            wake(request, into: &effects)
        }
    }

    /// A snapshot replaced the whole tree: look at everything again.
    mutating func wakeAllWaits(into effects: inout Effects) {
        fired.removeAll(keepingCapacity: true)
        tree.takeFired(into: &fired)
        for request in waits.requests {
            tree.unwatch(WatchID(rawValue: request.rawValue))
            if case .feed = waits[request] {
                woken.add(request)
            } else {
                wake(request, into: &effects)
            }
        }
        serveWoken(into: &effects)
    }

    private mutating func wake(_ request: RequestID, into effects: inout Effects) {
        switch waits[request] {
        case nil: break
        case .wait(let wait):
            if tree.changed(wait.view, wait.path, after: wait.after) {
                waits.remove(request)
                answer(request, .changed, into: &effects)
            } else {
                tree.watch(WatchID(rawValue: request.rawValue), wait.view, wait.path)
            }
        case .feed(var feed):
            if serve(&feed, request, into: &effects) {
                waits.remove(request)
            } else {
                waits.update(request, .feed(feed))
                watch(feed, request)
            }
        }
    }

    mutating func tickWaits(into effects: inout Effects) {
        serveWoken(into: &effects)
        while let request = waits.popExpired(nowMs: nowMs) { expire(request, into: &effects) }
        while let request = waits.popLeaving(nowMs: nowMs) {
            endWait(request, with: .refused(.noQuorum), into: &effects)
        }
    }

    /// Only a member that hears its leader may say that nothing has changed.
    private mutating func expire(_ request: RequestID, into effects: inout Effects) {
        // What was woken and not served has something to tell.
        if woken.contains(request) { wake(request, into: &effects) }
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
