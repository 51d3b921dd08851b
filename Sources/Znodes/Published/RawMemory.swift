// The only file that touches raw memory: typed loads and stores at offsets, in two kinds. Plain ones
// are for what is written before its address is published and never again, or for what the writer
// alone looks at. `acquire` and `publish` are for words that readers see change; never mix the two
// on one word after publication. Who may read and who may free is proved in TreePublication.swift.

public import Synchronization

@safe
@usableFromInline
package struct RawMemory: Equatable {
    @usableFromInline package let base: UnsafeMutableRawPointer

    @inlinable
    package init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    /// Nil for 0.
    @inlinable
    package init?(word: UInt64) {
        guard let base = unsafe UnsafeMutableRawPointer(bitPattern: UInt(word)) else { return nil }
        unsafe self.base = base
    }

    @inlinable
    package var word: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

    @inlinable
    package static func == (a: Self, b: Self) -> Bool { unsafe a.base == b.base }

    static func allocate(_ byteCount: Int) -> RawMemory {
        let memory = unsafe RawMemory(.allocate(byteCount: byteCount, alignment: 16))
        // Invariant: slots of the index keep a tag in the upper 16 bits.
        invariant(memory.word >> 48 == 0, "address of more than 48 bits: \(memory.word)")
        return memory
    }

    static func allocateZeroed(_ byteCount: Int) -> RawMemory {
        let memory = allocate(byteCount)
        unsafe memory.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return memory
    }

    func deallocate() { unsafe base.deallocate() }

    @inlinable
    package func load<T: BitwiseCopyable & FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
        unsafe base.loadUnaligned(fromByteOffset: offset, as: T.self)
    }

    @inlinable
    package func store<T: BitwiseCopyable & FixedWidthInteger>(_ value: T, _ offset: Int) {
        unsafe base.storeBytes(of: value, toByteOffset: offset, as: T.self)
    }

    @inlinable
    package func acquire(_ offset: Int) -> UInt64 {
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
            .load(ordering: .acquiring)
    }

    @inlinable
    package func publish(_ value: UInt64, _ offset: Int) {
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
            .store(value, ordering: .releasing)
    }

    @inlinable
    package func claim(_ offset: Int, from expected: UInt64, to desired: UInt64) -> Bool {
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
            .compareExchange(
                expected: expected, desired: desired, ordering: .acquiringAndReleasing
            ).exchanged
    }

    /// Nothing after this is seen before it, on any thread that does the same.
    @inlinable
    package static func fence() { atomicMemoryFence(ordering: .sequentiallyConsistent) }

    @inlinable
    package func bytes(_ offset: Int, _ count: Int) -> RawBytes {
        unsafe RawBytes(UnsafeRawPointer(base + offset), count)
    }

    func copy(_ source: RawBytes, to offset: Int) {
        if source.count == 0 { return }
        unsafe (base + offset).copyMemory(from: source.base, byteCount: source.count)
    }
}

/// Bytes that someone else keeps alive: a part of a block, or of what the caller holds.
@safe
@usableFromInline
package struct RawBytes {
    @usableFromInline package let base: UnsafeRawPointer
    @usableFromInline package let count: Int

    @inlinable
    package init(_ base: UnsafeRawPointer, _ count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @inlinable
    package subscript(_ index: Int) -> UInt8 {
        unsafe base.load(fromByteOffset: index, as: UInt8.self)
    }

    @inlinable
    package func word(_ offset: Int) -> UInt64 {
        unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inlinable
    package func part(_ offset: Int, _ count: Int) -> RawBytes {
        unsafe RawBytes(base + offset, count)
    }

    @inlinable
    package func dropFirst(_ offset: Int) -> RawBytes { part(offset, count - offset) }

    func withSpan<R>(_ body: (Span<UInt8>) -> R) -> R {
        unsafe body(Span(_unsafeBytes: UnsafeRawBufferPointer(start: base, count: count)))
    }

    var array: [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
    }

    func append(to out: inout [UInt8]) {
        unsafe out.append(contentsOf: UnsafeRawBufferPointer(start: base, count: count))
    }

    @inlinable
    package static func == (a: RawBytes, b: RawBytes) -> Bool {
        if a.count != b.count { return false }
        var at = 0
        while at + 8 <= a.count {
            if a.word(at) != b.word(at) { return false }
            at += 8
        }
        while at < a.count {
            if a[at] != b[at] { return false }
            at += 1
        }
        return true
    }

    /// By bytes, a prefix first.
    @inlinable
    package static func < (a: RawBytes, b: RawBytes) -> Bool {
        let common = min(a.count, b.count)
        var at = 0
        while at + 8 <= common {
            let (x, y) = (UInt64(bigEndian: a.word(at)), UInt64(bigEndian: b.word(at)))
            if x != y { return x < y }
            at += 8
        }
        while at < common {
            if a[at] != b[at] { return a[at] < b[at] }
            at += 1
        }
        return a.count < b.count
    }
}

extension [UInt8] {
    func withRawBytes<R>(_ body: (RawBytes) -> R) -> R {
        unsafe withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return body(RawBytes.empty) }
            return unsafe body(RawBytes(base, buffer.count))
        }
    }
}

extension Span<UInt8> {
    @inlinable
    package func withRawBytes<R>(_ body: (RawBytes) -> R) -> R {
        unsafe withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return body(RawBytes.empty) }
            return unsafe body(RawBytes(base, buffer.count))
        }
    }
}

extension RawBytes {
    /// Nothing is read through its address.
    @inlinable
    package static var empty: RawBytes {
        unsafe RawBytes(UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped, 0)
    }
}
