// Reads that must have seen something, waits and feeds.

import Ensemble
import Raft
import Testing
import Znodes

@Suite("Reads and waits")
struct ReadTests {
    @Test("A linearizable read on a follower sees what was acknowledged on another")
    func linearizable() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let follower = (leader + 1) % 3
        let write = cluster.put(leader, "/r", "1")
        try cluster.run { cluster.reply(leader, write) != nil }
        let read = cluster.ask(follower, .read(.linearizable(atLeast: nil)))
        try cluster.run { cluster.reply(follower, read) != nil }
        #expect(cluster.reply(follower, read) == .readable)
        #expect(cluster.data(follower, "/r") == "1")
    }

    @Test("A leader that was cut off does not confirm reads")
    func cutOffLeader() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        for other in 0..<3 where other != leader {
            cluster.part(leader, other)
        }
        let read = cluster.ask(leader, .read(.linearizable(atLeast: nil)))
        try cluster.run { cluster.reply(leader, read) != nil }
        #expect(cluster.reply(leader, read) == .refused(.noQuorum))
    }

    @Test("A zxid above the confirmed commit index is ahead")
    func zxidAhead() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        for position in 0..<3 {
            let read = cluster.ask(position, .read(.atLeast(Zxid(1_000_000))))
            try cluster.run { cluster.reply(position, read) != nil }
            guard case .refused(.zxidAhead) = cluster.reply(position, read) else {
                Issue.record("\(String(describing: cluster.reply(position, read)))")
                continue
            }
        }
    }

    private func wait(
        _ cluster: Cluster, _ position: Int, _ text: String, after: Zxid, ms: UInt64 = 30_000,
        local: Bool = false
    ) -> UInt64 {
        cluster.ask(
            position,
            .wait(
                Wait(
                    path: path(text), view: .data, after: after, deadlineMs: cluster.nowMs + ms,
                    local: local)))
    }

    @Test("A leader that was cut off ends no wait and no feed with what it holds, but a local one")
    func cutOffLeaderAndWaits() throws {
        let cluster = try Cluster()
        let old = try cluster.awaitLeader()
        let before = cluster.applied(old)
        let first = cluster.put(old, "/w", "old")
        try cluster.run { isCreated(cluster.reply(old, first)) }
        for other in 0..<3 where other != old {
            cluster.part(old, other)
        }
        let other = (old + 1) % 3
        let second = cluster.put(other, "/w", "new")
        try cluster.run { cluster.reply(other, second) != nil }
        func feed(local: Bool) -> UInt64 {
            cluster.ask(
                old,
                .feed(
                    Feed(
                        query: EventQuery(
                            path: path("/w"), recursive: false, types: .all, after: before,
                            eventsMax: 100),
                        deadlineMs: cluster.nowMs + 10_000, local: local)))
        }
        let asked = [wait(cluster, old, "/w", after: before), feed(local: false)]
        let local = [wait(cluster, old, "/w", after: before, local: true), feed(local: true)]
        try cluster.run { asked.allSatisfy { cluster.reply(old, $0) != nil } }
        #expect(asked.map { cluster.reply(old, $0) } == [.refused(.noQuorum), .refused(.noQuorum)])
        #expect(cluster.reply(old, local[0]) == .changed)
        guard case .events = cluster.reply(old, local[1]) else {
            Issue.record("\(String(describing: cluster.reply(old, local[1])))")
            return
        }
    }

    @Test("A wait or feed that a stop overtakes while it is being confirmed is told of the stop")
    func stopOvertakes() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let after = cluster.applied(leader)
        let other = (leader + 1) % 3
        let asked = [
            wait(cluster, other, "/never", after: after),
            cluster.ask(
                other,
                .feed(
                    Feed(
                        query: EventQuery(
                            path: path("/never"), recursive: false, types: .all, after: after,
                            eventsMax: 100),
                        deadlineMs: cluster.nowMs + 30_000, local: false))),
        ]
        cluster.step(other, .stop)
        try cluster.run { asked.allSatisfy { cluster.reply(other, $0) != nil } }
        for request in asked {
            #expect(cluster.reply(other, request) == .refused(.shuttingDown))
        }
    }

    @Test("A wait on one member ends with a change through another, and not before")
    func waitEnds() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let after = cluster.applied(0)
        let open = wait(cluster, 0, "/late", after: after)
        try cluster.tick(50)
        #expect(cluster.reply(0, open) == nil)
        let write = cluster.put(2, "/late")
        try cluster.run { cluster.reply(2, write) != nil && cluster.reply(0, open) != nil }
        #expect(cluster.reply(0, open) == .changed)
        #expect(cluster.nodes[0]?.replica.status().waits == 0)
    }

    @Test("A wait that is over says unchanged, and only with a leader in sight")
    func waitExpires() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let after = cluster.applied(0)
        let quiet = wait(cluster, 0, "/quiet", after: after, ms: 200)
        try cluster.tick(25)
        #expect(cluster.reply(0, quiet) == .unchanged(zxid: after))
        let blind = wait(cluster, 0, "/quiet", after: after, ms: 1_500)
        try cluster.run { cluster.nodes[0]?.replica.status().waits == 1 }
        cluster.cut = [[1, 0], [2, 0]]
        try cluster.tick(160)
        #expect(cluster.reply(0, blind) == .refused(.noQuorum))
    }

    @Test("Without a leader the waits leave spread over a second, the local ones stay")
    func waitsLeaveSpread() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let after = cluster.applied(0)
        let waits = (0..<20).map { _ in wait(cluster, 0, "/spread", after: after) }
        let local = wait(cluster, 0, "/spread", after: after, local: true)
        try cluster.run { cluster.nodes[0]?.replica.status().waits == 21 }
        cluster.cut = [[1, 0], [2, 0]]
        var left: [Int] = []
        for _ in 0..<400 {
            try cluster.tick()
            left.append(waits.filter { cluster.reply(0, $0) != nil }.count)
        }
        #expect(left.last == 20)
        #expect(left.contains(10))
        #expect(left[150] == 0)
        #expect(cluster.reply(0, local) == nil)
    }

    @Test("A wait whose client left is forgotten")
    func cancelled() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        let after = cluster.applied(0)
        let open = wait(cluster, 0, "/gone", after: after)
        try cluster.run { cluster.nodes[0]?.replica.status().waits == 1 }
        cluster.step(0, .cancel(RequestID(rawValue: open)))
        #expect(cluster.nodes[0]?.replica.status().waits == 0)
        let write = cluster.put(0, "/gone")
        try cluster.run { cluster.reply(0, write) != nil }
        #expect(cluster.reply(0, open) == nil)
    }

    @Test("Nothing is kept of reads that expired or whose client left, though a leader is heard")
    func forgotten() throws {
        let cluster = try Cluster()
        let leader = try cluster.awaitLeader()
        let follower = (leader + 1) % 3
        func askMany() throws -> [UInt64] {
            var asked: [UInt64] = []
            for number in 0..<300 {
                asked.append(cluster.ask(follower, .read(.linearizable(atLeast: nil))))
                if number % 2 == 0 {
                    cluster.step(follower, .cancel(RequestID(rawValue: asked.removeLast())))
                }
                try cluster.tick()
            }
            try cluster.tick(120)
            return asked
        }
        // The leader never hears what it is asked.
        cluster.cut = [[follower, leader]]
        var asked = try askMany()
        #expect(asked.allSatisfy { cluster.reply(follower, $0) == .refused(.noQuorum) })
        // The member's own may be there.
        #expect((cluster.nodes[follower]?.replica.readsKept ?? 99) <= 1)
        cluster.cut = []
        // It answers, and what it names never comes.
        cluster.fullDisks = [follower]
        let write = cluster.put(leader, "/unseen")
        try cluster.run { cluster.reply(leader, write) != nil }
        asked = try askMany()
        #expect(asked.allSatisfy { cluster.reply(follower, $0) == .refused(.noQuorum) })
        #expect((cluster.nodes[follower]?.replica.readsKept ?? 99) <= 1)
        cluster.makeRoom(follower)
        let read = cluster.ask(follower, .read(.linearizable(atLeast: nil)))
        try cluster.run { cluster.reply(follower, read) == .readable }
    }

    @Test("A feed gives every event once, and a bookmark when it is quiet")
    func feed() throws {
        let cluster = try Cluster()
        _ = try cluster.awaitLeader()
        var after = cluster.applied(1)
        var seen: [String] = []
        for number in 0..<10 {
            let write = cluster.put(0, "/f/\(number)")
            let feed = Feed(
                query: EventQuery(
                    path: path("/f"), recursive: true, types: .created, after: after, eventsMax: 100
                ),
                deadlineMs: cluster.nowMs + 10_000, local: false)
            let open = cluster.ask(1, .feed(feed))
            try cluster.run { cluster.reply(0, write) != nil && cluster.reply(1, open) != nil }
            guard case .events(let page) = cluster.reply(1, open) else { continue }
            seen += page.events.map { String(decoding: $0.path.bytes, as: UTF8.self) }
            after = page.next
        }
        #expect(seen == ["/f"] + (0..<10).map { "/f/\($0)" })
        let quiet = cluster.ask(
            1,
            .feed(
                Feed(
                    query: EventQuery(
                        path: path("/f"), recursive: true, types: .all, after: after, eventsMax: 100
                    ),
                    deadlineMs: cluster.nowMs + 100, local: false)))
        try cluster.run { cluster.reply(1, quiet) != nil }
        #expect(
            cluster.reply(1, quiet)
                == .events(EventPage(events: [], next: cluster.nodes[1]?.replica.applied ?? .zero)))
    }
}

@Suite("Feeds that sleep long")
struct SleepingFeedTests {
    @Test("Of many feeds that one change wakes, some are served later, and none says it was quiet")
    func manyWoken() throws {
        var options = ReplicaOptions()
        options.eventsPerTurnMax = 1
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        try cluster.tick(5)
        let opens = (0..<40).map { _ in
            cluster.ask(
                leader,
                .feed(
                    Feed(
                        query: EventQuery(
                            path: .root, recursive: true, types: .created,
                            after: cluster.applied(leader), eventsMax: 100),
                        deadlineMs: cluster.nowMs + 200, local: false)))
        }
        let write = cluster.put(leader, "/woken")
        try cluster.run { cluster.reply(leader, write) != nil }
        let atOnce = opens.count { cluster.reply(leader, $0) != nil }
        #expect(atOnce > 0 && atOnce < opens.count)
        // Past the deadline of all.
        try cluster.tick(40)
        for open in opens {
            guard case .events(let page) = cluster.reply(leader, open) else {
                Issue.record("\(String(describing: cluster.reply(leader, open)))")
                continue
            }
            #expect(page.events.map(\.path) == [path("/woken")])
        }
    }

    @Test("Of many feeds that ask at once for what is past, local or not, some are served later")
    func manyAsked() throws {
        var options = ReplicaOptions()
        options.eventsPerTurnMax = 1
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        let after = cluster.applied(leader)
        let write = cluster.put(leader, "/past")
        try cluster.run { cluster.reply(leader, write) != nil }
        for local in [true, false] {
            let feed = Feed(
                query: EventQuery(
                    path: .root, recursive: true, types: .created, after: after, eventsMax: 100),
                deadlineMs: cluster.nowMs, local: local)
            var served = 0
            let asked = cluster.ask(
                leader, together: Array(repeating: .feed(feed), count: 40))
            for _ in 0..<200 where served < asked.count {
                let before = served
                served = asked.count { cluster.reply(leader, $0) != nil }
                #expect(served - before < asked.count)
                try cluster.tick()
            }
            for request in asked {
                guard case .events(let page) = cluster.reply(leader, request) else {
                    Issue.record("\(String(describing: cluster.reply(leader, request)))")
                    continue
                }
                #expect(page.events.map(\.path) == [path("/past")])
            }
        }
    }

    @Test("A feed that slept through more than the history holds still gets its event")
    func sleepsThroughTrimming() throws {
        var options = ReplicaOptions()
        options.znodes.historyBytesMax = 512
        let cluster = try Cluster(options: options)
        let leader = try cluster.awaitLeader()
        try cluster.tick(5)
        let open = cluster.ask(
            leader,
            .feed(
                Feed(
                    query: EventQuery(
                        path: path("/rare"), recursive: true, types: .all,
                        after: cluster.applied(leader), eventsMax: 100),
                    deadlineMs: cluster.nowMs + 1_000_000, local: false)))
        try cluster.run { cluster.nodes[leader]?.replica.status().waits == 1 }
        for number in 0..<200 {
            let write = cluster.put(leader, "/common/\(number)")
            try cluster.run { cluster.reply(leader, write) != nil }
        }
        #expect(cluster.reply(leader, open) == nil)
        let write = cluster.put(leader, "/rare")
        try cluster.run {
            cluster.reply(leader, write) != nil && cluster.reply(leader, open) != nil
        }
        guard case .events(let page) = cluster.reply(leader, open) else {
            Issue.record("\(String(describing: cluster.reply(leader, open)))")
            return
        }
        #expect(page.events.map(\.path) == [path("/rare")])
    }
}
