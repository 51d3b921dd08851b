// Values at fixed places, found by a small number. A place that is used again has another
// generation, so that a late event about its former value is told apart. All of the server's
// pointers to connections come from this file; one is good until its place is freed.

internal import Raft
internal import System

@safe struct Slab<Element: ~Copyable>: ~Copyable {
    private static var chunkSlots: Int { 256 }

    // Chunks are never moved: a pointer to one element outlives the growth that another causes.
    private var chunks: [UnsafeMutablePointer<Element>]
    /// Odd: live.
    private var generations: [UInt32] = []
    private var free: [UInt32] = []
    private(set) var count = 0

    init() { unsafe chunks = [] }

    deinit {
        for slot in generations.indices where generations[slot] & 1 == 1 {
            unsafe address(of: UInt32(slot)).deinitialize(count: 1)
        }
        for at in 0..<(generations.count / Self.chunkSlots) { unsafe chunks[at].deallocate() }
    }

    /// Places that were ever used: 0..<slots.
    var slots: UInt32 { UInt32(generations.count) }

    func isLive(_ token: Token) -> Bool {
        Int(token.index) < generations.count && token.generation & 1 == 1
            && generations[Int(token.index)] == token.generation
    }

    /// The token of the value at `slot`, if there is one.
    func token(at slot: UInt32) -> Token? {
        guard slot < slots, generations[Int(slot)] & 1 == 1 else { return nil }
        return Token(index: slot, generation: generations[Int(slot)])
    }

    mutating func insert(_ element: consuming Element) -> Token {
        if free.isEmpty { grow() }
        let slot = free.removeLast()
        generations[Int(slot)] &+= 1
        unsafe address(of: slot).initialize(to: element)
        count += 1
        return Token(index: slot, generation: generations[Int(slot)])
    }

    mutating func remove(_ slot: UInt32) {
        invariant(token(at: slot) != nil, "slot \(slot) is free already")
        generations[Int(slot)] &+= 1
        unsafe address(of: slot).deinitialize(count: 1)
        free.append(slot)
        count -= 1
    }

    @inline(__always)
    func address(of slot: UInt32) -> UnsafeMutablePointer<Element> {
        unsafe chunks[Int(slot) / Self.chunkSlots] + Int(slot) % Self.chunkSlots
    }

    private mutating func grow() {
        let first = generations.count
        unsafe chunks.append(.allocate(capacity: Self.chunkSlots))
        generations.append(contentsOf: repeatElement(0, count: Self.chunkSlots))
        for slot in stride(from: first + Self.chunkSlots - 1, through: first, by: -1) {
            free.append(UInt32(slot))
        }
    }
}
