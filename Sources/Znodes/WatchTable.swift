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
    private var fired: [WatchID] = []

    var count: Int { byID.count }
    var placeCount: Int { byPath.count }

    /// The same id again replaces the watch.
    mutating func add(_ id: WatchID, _ view: View, _ types: EventTypes, _ path: ZnodePath) {
        remove(id)
        let place = path.bytes.withRawBytes { find($0) } ?? makePlace(path)
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
        if view == .subtree { subtreeCount += 1 }
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
        if watch.view == .subtree { subtreeCount -= 1 }
        freeWatches.append(slot)
        places[place].count -= 1
        if places[place].count == 0 { removePlace(watch.place) }
    }

    mutating func fire(_ type: EventTypes, _ path: RawBytes) {
        if byID.isEmpty { return }
        var types = type
        if type == .changed {
            fire([.data, .node], type, at: path)
        } else {
            fire([.data, .children, .existence, .node], type, at: path)
            if let parent = path.parentPath { fire([.children, .node], .children, at: parent) }
        }
        var above: RawBytes? = path
        while subtreeCount > 0, let place = above {
            fire([.subtree], types, at: place)
            above = place.parentPath
            // From the parent on, its `children` event lies in the subtree too.
            if type != .changed { types.insert(.children) }
        }
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
        guard let place = find(path) else { return }
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

    private func find(_ path: RawBytes) -> Int32? {
        guard var place = byPath[EventHistory.hash(path)] else { return nil }
        while place >= 0 {
            if places[Int(place)].path.withRawBytes({ $0 == path }) { return place }
            place = places[Int(place)].nextSameHash
        }
        return nil
    }

    private mutating func makePlace(_ path: ZnodePath) -> Int32 {
        let hash = path.bytes.withRawBytes { EventHistory.hash($0) }
        let place = Place(path: path.bytes, hash: hash, nextSameHash: byPath[hash] ?? -1)
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
