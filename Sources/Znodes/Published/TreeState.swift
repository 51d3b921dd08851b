// One state of the tree as a reader sees it, and one znode in it. Both are good only inside the
// body that they were handed to, but for bytes, which live until the reader's next `quiescent`.

@usableFromInline
package struct TreeState: ~Copyable {
    @usableFromInline let index: PathIndex

    @inlinable
    init(_ index: PathIndex) { self.index = index }

    @inlinable
    package borrowing func find(_ path: Span<UInt8>) -> ZnodeView? {
        path.withRawBytes { index.find($0) }.map(ZnodeView.init)
    }

    package borrowing func find(_ path: ZnodePath) -> ZnodeView? { find(path.bytes.span) }
}

@usableFromInline
package struct ZnodeView {
    @usableFromInline let block: ZnodeBlock

    @inlinable
    init(_ block: ZnodeBlock) { self.block = block }

    @inlinable
    package var stat: Stat { block.stat }

    @inlinable
    package var dataCount: Int { block.dataCount }

    @inlinable
    package var data: Span<UInt8> {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(block.data.span, borrowing: self) }
    }

    @inlinable
    package var path: Span<UInt8> {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(block.path.span, borrowing: self) }
    }

    @inlinable
    package var name: Span<UInt8> {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(block.name.span, borrowing: self) }
    }

    /// At most `limit` names in the order of their bytes, those after `name` when it is given
    /// (whether or not there is such a child). True: there are more.
    @inlinable
    package func children(
        after name: Span<UInt8>?, limit: Int, _ each: (Span<UInt8>) -> Void
    ) -> Bool {
        childViews(after: name, limit: limit) { each($0.name) }
    }

    /// The same with stat and data at hand.
    @inlinable
    package func childViews(
        after name: Span<UInt8>?, limit: Int, _ each: (ZnodeView) -> Void
    ) -> Bool {
        guard let record = block.children else { return false }
        guard let name else { return Self.list(record, nil, limit, each) }
        return name.withRawBytes { Self.list(record, $0, limit, each) }
    }

    @inlinable
    static func list(
        _ record: ChildRecord, _ after: RawBytes?, _ limit: Int, _ each: (ZnodeView) -> Void
    ) -> Bool {
        var left = limit
        var more = false
        record.forEach(after: after) { block in
            if left == 0 {
                more = true
                return false
            }
            left -= 1
            each(ZnodeView(block))
            return true
        }
        return more
    }
}

extension RawBytes {
    @inlinable
    package var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let bytes = unsafe UnsafeBufferPointer(
                start: base.assumingMemoryBound(to: UInt8.self), count: count)
            return unsafe _overrideLifetime(Span(_unsafeElements: bytes), borrowing: self)
        }
    }
}
