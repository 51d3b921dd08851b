// A znode's path: bytes that obey the one path rule of every protocol. Names compare as bytes;
// nothing is ever normalized. The root is "/", no other path ends with a slash.

@usableFromInline
package enum ZnodePathError: Error, Sendable, Equatable {
    case notAbsolute
    case emptySegment
    case dotSegment
    case illegalCharacter
    case notUTF8
    case nameTooLong
    case pathTooLong
    case tooDeep
    case trailingSlash
}

@usableFromInline
package struct ZnodePath: Hashable, Sendable {
    @usableFromInline package let bytes: [UInt8]

    @usableFromInline package static let root = ZnodePath(trusted: [ZnodePath.slash])
    @usableFromInline package static let slash = UInt8(ascii: "/")

    /// The whole path, percent-decoded, with its leading slash.
    package init(validating bytes: [UInt8]) throws(ZnodePathError) {
        let span = bytes.span
        if let error = Self.check(span) { throw error }
        self.bytes = bytes
    }

    /// Bytes that were checked before: from the log or the tree.
    package init(trusted bytes: [UInt8]) { self.bytes = bytes }

    package var isRoot: Bool { bytes.count == 1 }

    /// Nil for the root.
    package var parent: ZnodePath? {
        if isRoot { return nil }
        guard let cut = bytes.lastIndex(of: Self.slash) else { return nil }
        return cut == 0 ? .root : ZnodePath(trusted: Array(bytes[..<cut]))
    }

    /// The last segment; empty for the root.
    package var name: ArraySlice<UInt8> {
        guard let cut = bytes.lastIndex(of: Self.slash) else { return bytes[...] }
        return bytes[(cut + 1)...]
    }

    /// The caller checks the outcome when the segment came from outside.
    package func appending(_ segment: [UInt8]) -> ZnodePath {
        var joined = bytes
        joined.reserveCapacity(bytes.count + 1 + segment.count)
        if !isRoot { joined.append(Self.slash) }
        joined.append(contentsOf: segment)
        return ZnodePath(trusted: joined)
    }

    /// True for the path itself and all that is below it.
    package func contains(_ other: ZnodePath) -> Bool {
        if isRoot { return true }
        guard other.bytes.count >= bytes.count, other.bytes.starts(with: bytes) else {
            return false
        }
        return other.bytes.count == bytes.count || other.bytes[bytes.count] == Self.slash
    }
}

extension ZnodePath: Comparable {
    /// Canonical order: parents first, siblings by bytes. No legal byte but the slash maps to 0.
    @usableFromInline package static func < (a: Self, b: Self) -> Bool {
        precedes(a.bytes, b.bytes)
    }

    static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        let common = min(a.count, b.count)
        for at in 0..<common where a[at] != b[at] {
            return (a[at] == slash ? 0 : a[at]) < (b[at] == slash ? 0 : b[at])
        }
        return a.count < b.count
    }
}

extension ZnodePath: CustomStringConvertible {
    @usableFromInline package var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension ZnodePath {
    /// Nil when the bytes are a path. ZooKeeper's rule (org.apache.zookeeper.common.PathUtils,
    /// which looks at UTF-16 units, so all beyond U+FFFF falls to its surrogates) over strict
    /// UTF-8, with limits of our own.
    @inlinable
    package static func check(_ path: Span<UInt8>) -> ZnodePathError? {
        let count = path.count
        guard count > 0, path[0] == slash else { return .notAbsolute }
        if count == 1 { return nil }
        if count > ZnodeLimits.pathBytesMax { return .pathTooLong }
        var depth = 1
        var segmentStart = 1
        var at = 1
        while at < count {
            let byte = path[at]
            if byte == slash {
                if let error = checkSegment(path, segmentStart, at) { return error }
                depth += 1
                at += 1
                segmentStart = at
            } else if byte < 0x80 {
                if byte < 0x20 || byte == 0x7F { return .illegalCharacter }
                at += 1
            } else {
                let (length, error) = checkScalar(path, at)
                if let error { return error }
                at += length
            }
        }
        if segmentStart == count { return .trailingSlash }
        if let error = checkSegment(path, segmentStart, count) { return error }
        return depth > ZnodeLimits.depthMax ? .tooDeep : nil
    }

    @inlinable
    package static func checkSegment(_ path: Span<UInt8>, _ start: Int, _ end: Int)
        -> ZnodePathError?
    {
        let count = end - start
        if count == 0 { return .emptySegment }
        if count > ZnodeLimits.nameBytesMax { return .nameTooLong }
        let dot = UInt8(ascii: ".")
        if path[start] == dot, count == 1 || (count == 2 && path[start + 1] == dot) {
            return .dotSegment
        }
        return nil
    }

    /// One scalar of two bytes or more: strict UTF-8 (RFC 3629), then ZooKeeper's ranges.
    @inlinable
    package static func checkScalar(_ path: Span<UInt8>, _ at: Int) -> (Int, ZnodePathError?) {
        let first = path[at]
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first <= 0xF4, at + length <= path.count else { return (0, .notUTF8) }
        var scalar = UInt32(first) & (0xFF >> UInt32(length + 1))
        for next in (at + 1)..<(at + length) {
            let byte = path[next]
            guard byte & 0xC0 == 0x80 else { return (0, .notUTF8) }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        switch length {
        case 2:
            return (2, scalar <= 0x9F ? .illegalCharacter : nil)
        case 3:
            if scalar < 0x800 || (0xD800...0xDFFF).contains(scalar) { return (0, .notUTF8) }
            let illegal = (0xE000...0xF8FF).contains(scalar) || scalar >= 0xFFF0
            return (3, illegal ? .illegalCharacter : nil)
        default:
            return (0, scalar < 0x10000 || scalar > 0x10FFFF ? .notUTF8 : .illegalCharacter)
        }
    }
}
