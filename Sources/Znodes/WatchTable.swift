// One-shot watches: who is to be told of the next change of a view. Level-triggered callers compare
// first (`StateMachine.changed`) and watch in the same step, so nothing falls in between. Watches
// are local to the member, never part of the replicated state. They fire in order of registration
// for one list; the tables by hash are never iterated.

struct WatchTable {
    private struct Watch {
        var id: WatchID
        var view: View
        var types: EventTypes
        var place: Int32
        var previous: Int32
        var next: Int32
    }

    /// A watched path with a list of watches for each view.
    private struct Place {
        var path: [UInt8]
        var hash: UInt64
        var depth: Int
        var nextSameHash: Int32
        var heads = InlineArray<5, Int32>(repeating: -1)
        var tails = InlineArray<5, Int32>(repeating: -1)
        var count: Int32 = 0
    }

    private var watches: [Watch] = []
    private var freeWatches: [Int32] = []
    private var places: [Place] = []
    private var freePlaces: [Int32] = []
    private var byID: [WatchID: Int32] = [:]
    private var byPath: [UInt64: Int32] = [:]
    private var subtreeCount = 0
    /// Of subtree watches, by the depth of their path: an event looks no deeper, and nowhere else.
    private var subtreesAtDepth = [Int](repeating: 0, count: ZnodeLimits.depthMax + 1)
    private var fired: [WatchID] = []
    /// All that events had hashed of their paths: the work of firing, for tests.
    private(set) var bytesHashed = 0

    var count: Int { byID.count }

    /// The same id again replaces the watch.
    mutating func add(_ id: WatchID, _ view: View, _ types: EventTypes, _ path: ZnodePath) {
        remove(id)
        let place = path.bytes.withRawBytes { find($0, EventHistory.hash($0)) } ?? makePlace(path)
        let list = Int(view.rawValue)
        let tail = places[Int(place)].tails[list]
        let watch = Watch(
            id: id, view: view, types: types, place: place, previous: tail, next: -1)
        let slot: Int32
        if let free = freeWatches.popLast() {
            slot = free
            watches[Int(free)] = watch
        } else {
            slot = Int32(watches.count)
            watches.append(watch)
        }
        if tail >= 0 {
            watches[Int(tail)].next = slot
        } else {
            places[Int(place)].heads[list] = slot
        }
        places[Int(place)].tails[list] = slot
        places[Int(place)].count += 1
        if view == .subtree { countSubtree(at: place, 1) }
        byID[id] = slot
    }

    mutating func remove(_ id: WatchID) {
        guard let slot = byID.removeValue(forKey: id) else { return }
        let watch = watches[Int(slot)]
        let (place, list) = (Int(watch.place), Int(watch.view.rawValue))
        if watch.previous >= 0 {
            watches[Int(watch.previous)].next = watch.next
        } else {
            places[place].heads[list] = watch.next
        }
        if watch.next >= 0 {
            watches[Int(watch.next)].previous = watch.previous
        } else {
            places[place].tails[list] = watch.previous
        }
        if watch.view == .subtree { countSubtree(at: watch.place, -1) }
        freeWatches.append(slot)
        places[place].count -= 1
        if places[place].count == 0 { removePlace(watch.place) }
    }

    mutating func fire(_ type: EventTypes, _ path: RawBytes) {
        if byID.isEmpty { return }
        if type == .changed {
            fire([.data, .node], type, at: path)
        } else {
            fire([.data, .children, .existence, .node], type, at: path)
            if let parent = path.parentPath { fire([.children, .node], .children, at: parent) }
        }
        if subtreeCount > 0 { fireSubtrees(type, path) }
    }

    /// From the root down to the path, in one pass over it.
    private mutating func fireSubtrees(_ type: EventTypes, _ path: RawBytes) {
        var prefixes = PrefixHasher()
        var left = subtreeCount
        var depth = 0
        var end = 1
        while left > 0 {
            let here = subtreesAtDepth[depth]
            if here > 0 {
                left -= here
                let place = path.part(0, end)
                // Above the path, its parent's `children` event lies in the subtree too.
                let types = end == path.count || type == .changed ? type : [type, .children]
                let before = prefixes.bytesHashed
                let hash = prefixes.hash(place)
                bytesHashed += prefixes.bytesHashed - before
                fire([.subtree], types, at: place, hash)
            }
            if end == path.count { return }
            end = depth == 0 ? 1 : end + 1
            while end < path.count, path[end] != ZnodePath.slash { end += 1 }
            depth += 1
        }
    }

    private mutating func countSubtree(at place: Int32, _ change: Int) {
        subtreeCount += change
        subtreesAtDepth[places[Int(place)].depth] += change
    }

    /// The whole tree was replaced.
    mutating func fireAll() {
        for slot in watches.indices where byID[watches[slot].id] == Int32(slot) {
            fired.append(watches[slot].id)
        }
        let rest = fired
        self = WatchTable()
        fired = rest
    }

    mutating func takeFired(into out: inout [WatchID]) {
        out.append(contentsOf: fired)
        fired.removeAll(keepingCapacity: true)
    }

    private mutating func fire(_ views: [View], _ types: EventTypes, at path: RawBytes) {
        bytesHashed += path.count
        fire(views, types, at: path, EventHistory.hash(path))
    }

    private mutating func fire(
        _ views: [View], _ types: EventTypes, at path: RawBytes, _ hash: UInt64
    ) {
        guard let place = find(path, hash) else { return }
        for view in views {
            // The place goes with its last watch; its lists stay empty then.
            var slot = places[Int(place)].heads[Int(view.rawValue)]
            while slot >= 0 {
                let watch = watches[Int(slot)]
                slot = watch.next
                if watch.types.isDisjoint(with: types) { continue }
                fired.append(watch.id)
                remove(watch.id)
            }
        }
    }

    private func find(_ path: RawBytes, _ hash: UInt64) -> Int32? {
        guard var place = byPath[hash] else { return nil }
        while place >= 0 {
            if places[Int(place)].path.withRawBytes({ $0 == path }) { return place }
            place = places[Int(place)].nextSameHash
        }
        return nil
    }

    private mutating func makePlace(_ path: ZnodePath) -> Int32 {
        let hash = path.bytes.withRawBytes { EventHistory.hash($0) }
        let depth = path.isRoot ? 0 : path.bytes.count { $0 == ZnodePath.slash }
        let place = Place(
            path: path.bytes, hash: hash, depth: depth, nextSameHash: byPath[hash] ?? -1)
        let slot: Int32
        if let free = freePlaces.popLast() {
            slot = free
            places[Int(free)] = place
        } else {
            slot = Int32(places.count)
            places.append(place)
        }
        byPath[hash] = slot
        return slot
    }

    private mutating func removePlace(_ slot: Int32) {
        let place = places[Int(slot)]
        if byPath[place.hash] == slot {
            byPath[place.hash] = place.nextSameHash >= 0 ? place.nextSameHash : nil
        } else if var at = byPath[place.hash] {
            while places[Int(at)].nextSameHash != slot { at = places[Int(at)].nextSameHash }
            places[Int(at)].nextSameHash = place.nextSameHash
        }
        places[Int(slot)].path = []
        freePlaces.append(slot)
    }
}

/// `EventHistory.hash` of prefixes of one path, each longer than the one before, for the price of one
/// pass over the longest. Why: a delete of thousands of deep znodes looks at all their ancestors.
struct PrefixHasher {
    private var words = SipHash(0, 0)
    private(set) var bytesHashed = 0

    mutating func hash(_ prefix: RawBytes) -> UInt64 {
        while bytesHashed + 8 <= prefix.count {
            words.absorb(UInt64(littleEndian: prefix.word(bytesHashed)))
            bytesHashed += 8
        }
        var whole = words
        whole.absorbEnd(of: prefix, from: bytesHashed)
        return whole.finished()
    }
}
