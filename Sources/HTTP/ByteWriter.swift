// The bytes that wait to be written to a socket: grown at the end, consumed at the front as far as
// each write got. Raw memory, because an answer must cost no allocation and no reference counting.
// All pointers of the target's output are in this file; none leaves it except inside a closure.

@safe
@usableFromInline
package struct ByteWriter: ~Copyable {
    // Invariant: 0 <= start <= end <= capacity; memory is ours exactly when capacity > 0;
    // start..<end is initialized.
    @usableFromInline package var memory: UnsafeMutableRawPointer
    @usableFromInline package var capacity: Int
    @usableFromInline package var start: Int
    @usableFromInline package var end: Int
    /// What is kept for the next answer when all is consumed; larger memory is given back.
    @usableFromInline package let retainedBytesMax: Int

    /// Holds no memory until the first byte comes: idle connections cost nothing.
    @inlinable
    package init(retainedBytesMax: Int = 16 * 1024) {
        unsafe memory = ByteWriter.noMemory
        capacity = 0
        start = 0
        end = 0
        self.retainedBytesMax = retainedBytesMax
    }

    // A pointer that is never read or written through: any non-zero one does.
    @usableFromInline static var noMemory: UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(bitPattern: 16).unsafelyUnwrapped
    }

    deinit {
        if capacity > 0 { unsafe memory.deallocate() }
    }

    /// Bytes that wait.
    @inlinable package var count: Int { end - start }
    @inlinable package var isEmpty: Bool { start == end }
    @inlinable package var capacityBytes: Int { capacity }

    @inlinable
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let raw = unsafe UnsafeRawBufferPointer(start: memory + start, count: end - start)
            let span = unsafe Span<UInt8>(_unsafeBytes: raw)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The waiting bytes, for a system call; the pointer must not leave `body`.
    @inlinable
    package borrowing func withBytes<R, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(UnsafeRawBufferPointer(start: memory + start, count: end - start))
    }

    // MARK: Appending

    /// Makes room for `byteCount` bytes more.
    @inlinable
    package mutating func reserve(_ byteCount: Int) {
        if byteCount > capacity - end { grow(byteCount) }
    }

    @usableFromInline
    @inline(never)
    package mutating func grow(_ byteCount: Int) {
        let live = count
        let needed = live + byteCount
        if needed <= capacity, start >= capacity / 2 {
            // At least as much was consumed as is moved: the cost is paid already.
            unsafe memory.copyMemory(from: memory + start, byteCount: live)
        } else {
            var enlarged = max(512, capacity)
            while enlarged < needed { enlarged *= 2 }
            let fresh = UnsafeMutableRawPointer.allocate(byteCount: enlarged, alignment: 16)
            unsafe fresh.copyMemory(from: memory + start, byteCount: live)
            if capacity > 0 { unsafe memory.deallocate() }
            unsafe memory = fresh
            capacity = enlarged
        }
        start = 0
        end = live
    }

    @inlinable
    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe memory.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
        end += 1
    }

    // Why inlined: the length of a literal is then a constant, and the copy a few moves.
    @inlinable
    @inline(__always)
    package mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        reserve(count)
        unsafe (memory + end).copyMemory(from: text.utf8Start, byteCount: count)
        end += count
    }

    @inlinable
    package mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let base = source.baseAddress, source.count > 0 else { return }
        reserve(source.count)
        unsafe (memory + end).copyMemory(from: base, byteCount: source.count)
        end += source.count
    }

    @inlinable
    package mutating func append(_ source: Span<UInt8>) {
        unsafe source.withUnsafeBytes { unsafe append($0) }
    }

    @inlinable
    package mutating func append(_ source: [UInt8]) {
        append(source.span)
    }

    @inlinable
    package mutating func append(_ source: ArraySlice<UInt8>) {
        append(source.span)
    }

    // MARK: Taking back and consuming

    /// Takes back what was appended after the first `count` waiting bytes.
    @inlinable
    package mutating func truncate(to count: Int) {
        invariant(
            count >= 0 && count <= self.count, "truncate to \(count) of \(self.count) bytes")
        end = start + count
    }

    /// Forgets the first `byteCount` bytes: they were written.
    @inlinable
    package mutating func consume(_ byteCount: Int) {
        invariant(
            byteCount >= 0 && byteCount <= count, "consume \(byteCount) of \(count) bytes")
        start += byteCount
        if start == end { removeAll() }
    }

    @inlinable
    package mutating func removeAll() {
        start = 0
        end = 0
        if capacity > retainedBytesMax { releaseMemory() }
    }

    /// Gives all memory back; only when nothing waits.
    @usableFromInline
    package mutating func releaseMemory() {
        invariant(isEmpty, "memory released while \(count) bytes wait")
        if capacity > 0 { unsafe memory.deallocate() }
        unsafe memory = ByteWriter.noMemory
        capacity = 0
        start = 0
        end = 0
    }

    // MARK: Numbers that are known later

    /// A number left open: write it by `patch` before the next `consume`.
    @usableFromInline
    package struct OpenNumber: Sendable {
        @usableFromInline package let offset: Int
        @usableFromInline package static let digitsMax = 10

        @inlinable
        init(offset: Int) { self.offset = offset }
    }

    /// Leaves room for a decimal number of up to ten digits.
    @inlinable
    package mutating func openNumber() -> OpenNumber {
        let open = OpenNumber(offset: count)
        append("          ")
        return open
    }

    /// Writes the number and closes the gap behind it. After more than 16 KiB the gap is kept,
    /// before the digits: spaces before a field's value mean nothing (RFC 9110 5.5).
    @usableFromInline
    package mutating func patch(_ open: OpenNumber, _ value: Int) {
        let field = start + open.offset
        let tail = field + OpenNumber.digitsMax
        let digits = ByteWriter.digitCount(UInt64(value))
        invariant(
            tail <= end && digits <= OpenNumber.digitsMax,
            "number \(value) at \(open.offset) of \(count) bytes")
        if end - tail > 16 * 1024 {
            unsafe ByteWriter.writeDecimal(UInt64(value), endingAt: memory + tail)
            return
        }
        unsafe ByteWriter.writeDecimal(UInt64(value), endingAt: memory + field + digits)
        unsafe (memory + field + digits).copyMemory(from: memory + tail, byteCount: end - tail)
        end -= OpenNumber.digitsMax - digits
    }

    // MARK: Room for the writers of the other files

    /// Lets `write` fill up to `byteCount` bytes at the end; it returns how many it wrote.
    @inlinable
    mutating func appendUninitialized(
        _ byteCount: Int, _ write: (UnsafeMutableRawPointer) -> Int
    ) {
        reserve(byteCount)
        let written = unsafe write(memory + end)
        invariant(written >= 0 && written <= byteCount, "wrote \(written) of \(byteCount) bytes")
        end += written
    }
}

// The memory belongs to one value, which cannot be copied.
extension ByteWriter: @unchecked Sendable {}
