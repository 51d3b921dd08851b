// One-shot watches against the oracle of waits, and in numbers.

import Testing
import Znodes

@Suite struct WatchTableTests {
    static let views: [View] = [.data, .children, .existence, .node, .subtree]

    @Test(
        "A watch fires with the first change of its view, and only then", arguments: UInt64(1)...8)
    func firesWithTheView(seed: UInt64) {
        var machine = StateMachine(limits: ZnodeLimits(), hashSeed: seed)
        var oracle = NaiveTree(limits: ZnodeLimits())
        var commands = RandomCommands(seed: seed)
        var open: [UInt64: (view: View, path: ZnodePath)] = [:]
        var nextID: UInt64 = 1
        var count = 0
        for _ in 0..<300 {
            for _ in 0..<3 {
                let view = Self.views.randomElement(using: &commands.random) ?? .data
                let place = commands.path()
                machine.watch(WatchID(rawValue: nextID), view, place)
                open[nextID] = (view, place)
                nextID += 1
            }
            if let some = open.keys.sorted().randomElement(using: &commands.random) {
                machine.unwatch(WatchID(rawValue: some))
                machine.unwatch(WatchID(rawValue: some))
                open[some] = nil
            }
            let (command, zxid, timeMs) = commands.next()
            let eventsBefore = oracle.events.count
            _ = machine.apply(command, zxid: Zxid(zxid), timeMs: timeMs)
            _ = oracle.apply(command, zxid: zxid, timeMs: timeMs)
            let events = oracle.events[eventsBefore...]
            let expected = open.filter { _, watch in
                events.contains { Self.concerns($0, watch.view, watch.path) }
            }.keys
            var fired: [WatchID] = []
            machine.takeFired(into: &fired)
            #expect(Set(fired.map(\.rawValue)) == Set(expected))
            #expect(Set(fired).count == fired.count)
            for id in fired { open[id.rawValue] = nil }
            #expect(machine.watchCount == open.count)
            count += fired.count
        }
        #expect(count > 100)
    }

    static func concerns(_ event: Event, _ view: View, _ path: ZnodePath) -> Bool {
        let isItself = event.path == path
        switch view {
        case .data: return isItself && event.type != .children
        case .children: return isItself && event.type != .changed
        case .existence: return isItself && (event.type == .created || event.type == .deleted)
        case .node: return isItself
        case .subtree:
            // A child's event of the parent is told by the child, which is below.
            return path.contains(event.path)
        }
    }

    @Test("Watches of one list fire in order of registration")
    func order() {
        var tree = Driver()
        for id in UInt64(1)...100 { tree.machine.watch(WatchID(rawValue: id), .data, path("/a")) }
        for id in stride(from: UInt64(2), through: 100, by: 2) {
            tree.machine.unwatch(WatchID(rawValue: id))
        }
        tree.put("/a")
        var fired: [WatchID] = []
        tree.machine.takeFired(into: &fired)
        #expect(fired.map(\.rawValue) == Array(stride(from: UInt64(1), through: 99, by: 2)))
    }

    @Test("A path is hashed a few times an event, however deep it is and whatever else is watched")
    func workOfDeepEvents() {
        var tree = Driver()
        let deep = String(repeating: "/aaaaaaa", count: 250)
        tree.put(deep, parents: true)
        for number in 0..<20 { tree.put("\(deep)/n\(number)") }
        tree.machine.watch(WatchID(rawValue: 1), .subtree, path("/other"))
        var elsewhere = ""
        for depth in 1...254 {
            elsewhere += "/b"
            tree.machine.watch(WatchID(rawValue: UInt64(depth) + 1), .subtree, path(elsewhere))
        }
        let before = tree.machine.watchBytesHashed
        let query = EventQuery(
            path: .root, recursive: true, types: .deleted, after: tree.machine.lastZxid,
            eventsMax: 1)
        #expect(tree.delete("/aaaaaaa", recursive: true) == .deleted(count: 270))
        guard case .success(let page) = tree.machine.events(query) else { return }
        // The path, its parent, and one pass over all that lies above.
        #expect(tree.machine.watchBytesHashed - before <= 3 * page.pathBytes)
        #expect(tree.machine.watchCount == 255)
        // And those that are concerned are found, at any depth.
        tree.put(elsewhere + "/x", parents: true)
        var fired: [WatchID] = []
        tree.machine.takeFired(into: &fired)
        #expect(fired.count == 254)
    }

    @Test("A hundred thousand watches, ten thousand on one path, come and go")
    func many() {
        var tree = Driver()
        for id in UInt64(0)..<100_000 {
            let place = id < 10_000 ? "/hot" : "/p\(id % 1_000)"
            tree.machine.watch(WatchID(rawValue: id), id % 2 == 0 ? .data : .subtree, path(place))
        }
        #expect(tree.machine.watchCount == 100_000)
        tree.put("/hot")
        var fired: [WatchID] = []
        tree.machine.takeFired(into: &fired)
        #expect(fired.count == 10_000)
        for id in UInt64(0)..<100_000 { tree.machine.unwatch(WatchID(rawValue: id)) }
        #expect(tree.machine.watchCount == 0)
        tree.put("/p7")
        fired = []
        tree.machine.takeFired(into: &fired)
        #expect(fired.isEmpty)
    }
}

@Test("A watch of some types sleeps through the others")
func watchesOfSomeTypes() {
    var machine = StateMachine(limits: ZnodeLimits(), hashSeed: 1)
    let path = ZnodePath(trusted: Array("/a".utf8))
    func put(_ text: String) -> Command {
        .put(
            path: ZnodePath(trusted: Array(text.utf8)), data: [], mode: .persistent,
            explicitMode: false, condition: .none, makeParents: true)
    }
    _ = machine.apply(put("/a"), zxid: Zxid(1), timeMs: 1)
    machine.watch(WatchID(rawValue: 1), .subtree, path, types: .deleted)
    machine.watch(WatchID(rawValue: 2), .subtree, path, types: .children)
    machine.watch(WatchID(rawValue: 3), .node, path, types: [.changed, .deleted])
    var fired: [WatchID] = []
    _ = machine.apply(put("/a/b"), zxid: Zxid(2), timeMs: 1)
    machine.takeFired(into: &fired)
    #expect(fired.map(\.rawValue) == [2])
    _ = machine.apply(put("/a"), zxid: Zxid(3), timeMs: 1)
    machine.takeFired(into: &fired)
    #expect(fired.map(\.rawValue) == [2, 3])
    _ = machine.apply(
        .delete(path: ZnodePath(trusted: Array("/a/b".utf8)), condition: .none, recursive: false),
        zxid: Zxid(4), timeMs: 1)
    machine.takeFired(into: &fired)
    #expect(fired.map(\.rawValue) == [2, 3, 1])
}
