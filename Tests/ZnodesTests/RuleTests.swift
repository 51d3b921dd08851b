// Single rules of the tree, each in a sentence.

import Testing
import Znodes

/// A machine with plain verbs; each call is the next entry.
struct Driver: ~Copyable {
    var machine: StateMachine
    var zxid: UInt64 = 0

    init(limits: ZnodeLimits = ZnodeLimits()) {
        machine = StateMachine(limits: limits, hashSeed: 3)
    }

    mutating func apply(_ command: Command) -> Outcome {
        zxid += 1
        return machine.apply(command, zxid: Zxid(zxid), timeMs: Int64(zxid))
    }

    @discardableResult
    mutating func put(
        _ path: String, _ data: [UInt8] = [], _ condition: Condition = .none, parents: Bool = false,
        mode: CreateMode = .persistent, explicit: Bool = false
    ) -> Outcome {
        apply(
            .put(
                path: ZnodePath(trusted: bytes(path)), data: data, mode: mode,
                explicitMode: explicit, condition: condition, makeParents: parents))
    }

    @discardableResult
    mutating func delete(_ path: String, _ condition: Condition = .none, recursive: Bool = false)
        -> Outcome
    {
        apply(
            .delete(
                path: ZnodePath(trusted: bytes(path)), condition: condition, recursive: recursive))
    }

    @discardableResult
    mutating func sequential(_ parent: String, _ prefix: [UInt8]) -> Outcome {
        apply(
            .createSequential(
                parent: ZnodePath(trusted: bytes(parent)), prefix: prefix, data: [],
                mode: .persistentSequential))
    }

    borrowing func seen(_ path: String) -> SeenZnode? { machine.seen(bytes(path)) }
}

func path(_ text: String) -> ZnodePath { ZnodePath(trusted: bytes(text)) }

extension Outcome {
    var path: String? {
        switch self {
        case .created(let path, _), .set(let path, _): path.description
        case .deleted, .failed: nil
        }
    }
}

@Suite struct RuleTests {
    @Test("A fresh tree has the root and /zookeeper, as ZooKeeper's stat shows them")
    func fresh() {
        let tree = Driver()
        #expect(tree.seen("/")?.children == [bytes("zookeeper")])
        #expect(tree.seen("/")?.stat.cversion == -1)
        #expect(tree.seen("/zookeeper")?.stat.czxid == .zero)
        #expect(tree.machine.znodeCount == 2)
        #expect(tree.machine.lastZxid == .zero)
    }

    @Test("The root can be set and never deleted, and what is reserved can neither")
    func reserved() {
        var tree = Driver()
        #expect(tree.put("/", [1]).path == "/")
        #expect(tree.delete("/", recursive: true) == .failed(.invalidPath(path: .root)))
        #expect(tree.delete("/", recursive: false) == .failed(.invalidPath(path: .root)))
        for name in ["/zookeeper", "/zookeeper/x"] {
            #expect(tree.put(name, parents: true) == .failed(.invalidPath(path: path(name))))
            #expect(tree.delete(name) == .failed(.invalidPath(path: path(name))))
        }
        #expect(
            tree.sequential("/zookeeper", bytes("x"))
                == .failed(.invalidPath(path: path("/zookeeper/x0000000000"))))
        #expect(tree.put("/zookeeper2").path == "/zookeeper2")
        #expect(tree.seen("/")?.stat.version == 1)
    }

    @Test("Composed and decomposed names stay two znodes")
    func normalization() {
        var tree = Driver()
        tree.put("/caf\u{E9}", [1])
        tree.put("/cafe\u{301}", [2])
        #expect(tree.machine.seen(bytes("/caf\u{E9}"))?.data == [1])
        #expect(tree.machine.seen(bytes("/cafe\u{301}"))?.data == [2])
        #expect(tree.seen("/")?.stat.numChildren == 3)
    }

    @Test("Parents made on the way share the zxid, and tell their creation first")
    func parents() {
        var tree = Driver()
        tree.put("/a/b/c", [1], parents: true)
        guard
            case .success(let page) = tree.machine.events(
                EventQuery(
                    path: .root, recursive: true, types: .all, after: .zero, eventsMax: 100))
        else { return #expect(Bool(false)) }
        #expect(
            page.events.map { "\($0.zxid) \($0.type.rawValue) \($0.path)" } == [
                "1 1 /a", "1 8 /", "1 1 /a/b", "1 8 /a", "1 1 /a/b/c", "1 8 /a/b",
            ])
        #expect(tree.put("/x/y") == .failed(.noNode(path: path("/x"))))
        #expect(tree.put("/x/y/z") == .failed(.noNode(path: path("/x/y"))))
    }

    @Test("A recursive delete tells of children before their parents and takes all or nothing")
    func recursiveDelete() {
        var limits = ZnodeLimits()
        limits.deletedZnodesMax = 4
        var tree = Driver(limits: limits)
        tree.put("/a/b/c", parents: true)
        tree.put("/a/d")
        #expect(tree.delete("/a") == .failed(.notEmpty(path: path("/a"))))
        tree.put("/a/e")
        #expect(tree.delete("/a", recursive: true) == .failed(.tooManyZnodes(path: path("/a"))))
        tree.delete("/a/e")
        let before = tree.machine.lastZxid
        #expect(tree.delete("/a", recursive: true) == .deleted(count: 4))
        let query = EventQuery(
            path: .root, recursive: true, types: .deleted, after: before, eventsMax: 9)
        guard case .success(let page) = tree.machine.events(query) else { return }
        #expect(page.events.map(\.path.description) == ["/a/b/c", "/a/b", "/a/d", "/a"])
        #expect(tree.machine.znodeCount == 2)
    }

    @Test("A recursive delete of paths with too many bytes is refused, and changes nothing")
    func recursiveDeleteOfLongPaths() {
        var limits = ZnodeLimits()
        limits.deletedBytesMax = 20
        var tree = Driver(limits: limits)
        tree.put("/12345678")
        tree.put("/12345678/a")
        tree.put("/12345678/b")
        #expect(
            tree.delete("/12345678", recursive: true)
                == .failed(.tooManyZnodes(path: path("/12345678"))))
        #expect(tree.machine.znodeCount == 5)
        tree.delete("/12345678/a")
        #expect(tree.delete("/12345678", recursive: true) == .deleted(count: 2))
    }

    @Test("Modes that are not built yet are unknown commands and change nothing")
    func modes() {
        var tree = Driver()
        let digest = tree.machine.digest
        for mode in [CreateMode.ephemeral, .container, .persistentTTL, .ephemeralSequential] {
            #expect(tree.put("/a", mode: mode) == .failed(.unknownCommand))
        }
        #expect(tree.machine.digest == digest)
    }

    @Test("Conditions look at the named znode only")
    func conditions() {
        var tree = Driver()
        let a = path("/a")
        #expect(tree.put("/a", [], .exists) == .failed(.badVersion(path: a, absent: true)))
        #expect(tree.put("/a", [], .version(-1)) == .failed(.noNode(path: a)))
        #expect(
            tree.put("/a", [], .mzxidAny([Zxid(1)])) == .failed(.badVersion(path: a, absent: true)))
        #expect(tree.put("/a", [], .absent).path == "/a")
        #expect(tree.put("/a", [], .absent) == .failed(.nodeExists(path: a)))
        #expect(
            tree.put("/a", [], .mzxidAny([Zxid(3)])) == .failed(.badVersion(path: a, absent: false))
        )
        #expect(tree.put("/a", [], .mzxidAny([Zxid(9), Zxid(4)])).path == "/a")
        #expect(tree.put("/a", [], .version(0)) == .failed(.badVersion(path: a, absent: false)))
        #expect(tree.put("/a", [], .version(1)).path == "/a")
        #expect(tree.delete("/a", .version(1)) == .failed(.badVersion(path: a, absent: false)))
        #expect(tree.delete("/a", .version(2)) == .deleted(count: 1))
    }

    @Test("A full store takes no more, lets go and shrink, and then takes again")
    func storeFull() {
        var limits = ZnodeLimits()
        limits.storeBytesMax = 11 + 2 + 100
        var tree = Driver(limits: limits)
        #expect(tree.put("/a", [UInt8](repeating: 1, count: 100)).path == "/a")
        #expect(tree.put("/b") == .failed(.storeFull))
        #expect(tree.sequential("/", []) == .failed(.storeFull))
        #expect(tree.put("/a", [UInt8](repeating: 1, count: 101)) == .failed(.storeFull))
        #expect(tree.put("/a", [UInt8](repeating: 1, count: 90)).path == "/a")
        #expect(tree.put("/b").path == "/b")
        #expect(tree.delete("/a") == .deleted(count: 1))
        #expect(tree.put("/c/d", [1], parents: true).path == "/c/d")
    }

    @Test("Sequence numbers count creates, not children, and may come without a prefix")
    func sequence() {
        var tree = Driver()
        tree.put("/q")
        #expect(tree.sequential("/q", bytes("n-")).path == "/q/n-0000000000")
        tree.delete("/q/n-0000000000")
        #expect(tree.sequential("/q", bytes("n-")).path == "/q/n-0000000001")
        tree.put("/q/other")
        #expect(tree.sequential("/q", []).path == "/q/0000000003")
        // Four creates, three children.
        #expect(tree.seen("/q")?.stat.cversion == Int32(5))
        #expect(tree.sequential("/none", []) == .failed(.noNode(path: path("/none"))))
        let long = [UInt8](repeating: 0x61, count: 246)
        #expect(tree.sequential("/q", Array(long.dropLast())).path != nil)
        #expect(
            tree.sequential("/q", long)
                == .failed(.invalidPath(path: path("/q").appending(long + bytes("0000000005")))))
    }

    @Test("The count of creates overflows as ZooKeeper's does")
    func overflow() throws {
        var oracle = NaiveTree(limits: ZnodeLimits())
        _ = oracle.apply(
            .put(
                path: path("/q"), data: [], mode: .persistent, explicitMode: false,
                condition: .none, makeParents: false), zxid: 1, timeMs: 0)
        oracle.znodes[bytes("/q")]?.creates = Int32.max - 1
        var tree = Driver()
        tree.machine.adopt(try restore(oracle.snapshot()))
        tree.zxid = 1
        #expect(tree.sequential("/q", []).path == "/q/2147483646")
        #expect(tree.sequential("/q", []).path == "/q/2147483647")
        #expect(tree.sequential("/q", []).path == "/q/-2147483648")
        #expect(tree.sequential("/q", []).path == "/q/-2147483647")
        let creates = Int32.max &+ 3
        #expect(tree.seen("/q")?.stat.cversion == Int32(creates &* 2 &- 4))
        oracle.znodes[bytes("/q")]?.creates = -2
        tree.machine.adopt(try restore(oracle.snapshot()))
        tree.zxid = 1
        #expect(tree.sequential("/q", []).path == "/q/-000000002")
        #expect(tree.sequential("/q", []).path == "/q/-000000001")
        #expect(tree.sequential("/q", []).path == "/q/0000000000")
    }

    @Test("Time never goes back, whatever the leaders' clocks say")
    func time() {
        var tree = Driver()
        _ = tree.machine.apply(
            .put(
                path: path("/a"), data: [], mode: .persistent, explicitMode: false,
                condition: .none, makeParents: false), zxid: Zxid(5), timeMs: 1_000)
        let outcome = tree.machine.apply(
            .put(
                path: path("/a"), data: [], mode: .persistent, explicitMode: false,
                condition: .none, makeParents: false), zxid: Zxid(6), timeMs: 10)
        guard case .set(_, let stat) = outcome else { return #expect(Bool(false)) }
        #expect(stat.mtimeMs == 1_000)
    }

    @Test("Children in any number and order list in the order of their bytes, page by page")
    func wideParent() {
        var tree = Driver()
        tree.put("/w")
        var random = SeededGenerator(4)
        var names: Set<[UInt8]> = []
        for round in 0..<6 {
            for _ in 0..<1_500 {
                let name = bytes(String(UInt64.random(in: 0..<4_000, using: &random)))
                let place = "/w/" + String(decoding: name, as: UTF8.self)
                if round % 2 == 0 || names.count < 20 {
                    tree.put(place, [1])
                    names.insert(name)
                } else if names.remove(name) != nil {
                    tree.delete(place)
                }
            }
            let sorted = names.sorted { $0.lexicographicallyPrecedes($1) }
            #expect(tree.machine.seen(bytes("/w"), pageOf: 37)?.children == sorted)
            #expect(tree.seen("/w")?.stat.numChildren == Int32(sorted.count))
        }
        for name in names { tree.delete("/w/" + String(decoding: name, as: UTF8.self)) }
        #expect(tree.seen("/w")?.children == [])
    }

    @Test("A page goes on after a name that is gone, and says whether there is more")
    func paging() {
        var tree = Driver()
        for name in ["/a", "/c", "/e"] { tree.put(name) }
        let pages = tree.machine.withState { state -> [String] in
            guard let root = state.find(.root) else { return [] }
            var out: [String] = []
            for (after, limit) in [("b", 1), ("c", 2), ("zookeeper", 5), ("", 2)] {
                var names: [String] = []
                let more = root.children(after: bytes(after).span, limit: limit) {
                    names.append(String(decoding: $0.array, as: UTF8.self))
                }
                out.append(names.joined(separator: ",") + " \(more)")
            }
            return out
        }
        #expect(pages == ["c true", "e,zookeeper false", " false", "a,c true"])
    }
}
