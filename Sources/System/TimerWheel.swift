// Deadlines of many keys in a hierarchy of wheels: arming and disarming cost a few instructions,
// however many there are (Varghese and Lauck, SOSP 1987). Pure: time is handed in. A timer never
// fires before its deadline, and at most one tick after it, given that `expire` is called.

package struct TimerWheel: ~Copyable {
    // Level L has 64 buckets of 64^L ticks each; a key sits in the lowest level that reaches its
    // deadline, and comes down when the level below has gone round.
    private static let levels = 4
    private static let bits = 6
    private static let reachTicks: UInt64 = 1 << UInt64(levels * bits)
    private static let none = UInt32.max

    private struct Node {
        var next = TimerWheel.none
        var previous = TimerWheel.none
        var deadlineTick: UInt64 = 0
        var bucket: UInt16 = .max  // .max: not armed
    }

    private let startMs: UInt64
    private let tickMs: UInt64
    /// Everything up to this tick has been fired.
    private var tick: UInt64 = 0
    private var nodes: [Node] = []
    private var heads = [UInt32](repeating: TimerWheel.none, count: levels * 64)
    private var occupied = [UInt64](repeating: 0, count: levels)
    package private(set) var count = 0

    package init(startMs: UInt64, tickMs: UInt64) {
        self.startMs = startMs
        self.tickMs = tickMs
    }

    /// Fires once, at or after `deadlineMs`; replaces what the key had. Keys are small numbers.
    package mutating func arm(_ key: UInt32, atMs deadlineMs: UInt64) {
        while nodes.count <= Int(key) { nodes.append(Node()) }
        disarm(key)
        let sinceMs = deadlineMs > startMs ? deadlineMs - startMs : 0
        let rounded = sinceMs / tickMs + (sinceMs % tickMs == 0 ? 0 : 1)
        nodes[Int(key)].deadlineTick = max(rounded, tick + 1)
        place(key)
        count += 1
    }

    package mutating func disarm(_ key: UInt32) {
        guard Int(key) < nodes.count, nodes[Int(key)].bucket != .max else { return }
        unlink(key)
        count -= 1
    }

    package func isArmed(_ key: UInt32) -> Bool {
        Int(key) < nodes.count && nodes[Int(key)].bucket != .max
    }

    /// Appends the keys whose time has come; they are no longer armed.
    package mutating func expire(nowMs: UInt64, into fired: inout [UInt32]) {
        let target = nowMs > startMs ? (nowMs - startMs) / tickMs : 0
        while tick < target {
            guard count > 0 else {
                tick = target
                return
            }
            tick = min(nextTick, target)
            comeDown()
            let bucket = Int(tick & 63)
            while heads[bucket] != Self.none {
                let key = heads[bucket]
                unlink(key)
                count -= 1
                fired.append(key)
            }
        }
    }

    /// When to call `expire` next (perhaps before anything is due); nil: nothing is armed.
    package var nextMs: UInt64? { count == 0 ? nil : startMs + nextTick * tickMs }

    /// The next tick at which a key fires or comes down a level.
    private var nextTick: UInt64 {
        var earliest = UInt64.max
        for level in 0..<Self.levels where occupied[level] != 0 {
            let shift = UInt64(level * Self.bits)
            let position = tick >> shift
            // The bucket of the present position is empty on each level, so 1...64 ahead.
            let first = Int((position + 1) & 63)
            let rotated =
                occupied[level] >> UInt64(first)
                | (first == 0 ? 0 : occupied[level] << UInt64(64 - first))
            let ahead = UInt64(rotated.trailingZeroBitCount) + 1
            earliest = min(earliest, (position + ahead) << shift)
        }
        return earliest
    }

    /// At a boundary of a level, its bucket is dealt out to the levels below.
    private mutating func comeDown() {
        var level = 1
        while level < Self.levels {
            let shift = UInt64(level * Self.bits)
            guard tick & ((1 << shift) - 1) == 0 else { return }
            let bucket = level * 64 + Int((tick >> shift) & 63)
            var key = heads[bucket]
            while key != Self.none {
                let next = nodes[Int(key)].next
                unlink(key)
                place(key)
                key = next
            }
            level += 1
        }
    }

    private mutating func place(_ key: UInt32) {
        let deadline = nodes[Int(key)].deadlineTick
        let away = deadline - tick
        // Beyond the reach of all levels: as far as they go, and looked at again there.
        let at = away < Self.reachTicks - 64 * 64 * 64 ? deadline : tick + Self.reachTicks / 2
        var level = 0
        while level < Self.levels - 1 {
            let shift = UInt64(level * Self.bits)
            // Within 63 buckets ahead of the present one, so that no bucket means two times.
            if (at >> shift) - (tick >> shift) < 64 { break }
            level += 1
        }
        let index = Int((at >> UInt64(level * Self.bits)) & 63)
        let bucket = level * 64 + index
        let head = heads[bucket]
        nodes[Int(key)].next = head
        nodes[Int(key)].previous = Self.none
        nodes[Int(key)].bucket = UInt16(bucket)
        if head != Self.none { nodes[Int(head)].previous = key }
        heads[bucket] = key
        occupied[level] |= 1 << UInt64(index)
    }

    private mutating func unlink(_ key: UInt32) {
        let node = nodes[Int(key)]
        if node.next != Self.none { nodes[Int(node.next)].previous = node.previous }
        if node.previous != Self.none {
            nodes[Int(node.previous)].next = node.next
        } else {
            heads[Int(node.bucket)] = node.next
            if node.next == Self.none {
                occupied[Int(node.bucket) / 64] &= ~(1 << UInt64(node.bucket % 64))
            }
        }
        nodes[Int(key)].next = Self.none
        nodes[Int(key)].previous = Self.none
        nodes[Int(key)].bucket = .max
    }
}
