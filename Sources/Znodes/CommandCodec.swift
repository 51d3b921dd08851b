// The bytes of a command in the log. Little-endian, one leading tag. Tags 1 to 3 are used; 4 up are
// for sessions, transactions and access lists. Decoding is strict and never traps.
//
//   put         1, flags (1 explicit mode, 2 parents), mode, condition, path, data
//   sequential  2, mode, path of the parent, prefix, data
//   delete      3, flags (1 recursive), condition, path
//   condition   0 | 1 | 2 | 3, u32 count, u64 each | 4, i32 version
//   path, data, prefix: u32 count, bytes

package enum CommandError: Error, Sendable, Equatable {
    /// A tag, flag, condition or mode of a later version.
    case unknownCommand
    case malformed
}

extension Command {
    package func encode(into out: inout [UInt8]) {
        switch self {
        case .put(let path, let data, let mode, let explicitMode, let condition, let makeParents):
            out.append(1)
            out.append((explicitMode ? 1 : 0) | (makeParents ? 2 : 0))
            out.append(mode.rawValue)
            condition.encode(into: &out)
            out.appendCounted(path.bytes)
            out.appendCounted(data)
        case .createSequential(let parent, let prefix, let data, let mode):
            out.append(2)
            out.append(mode.rawValue)
            out.appendCounted(parent.bytes)
            out.appendCounted(prefix)
            out.appendCounted(data)
        case .delete(let path, let condition, let recursive):
            out.append(3)
            out.append(recursive ? 1 : 0)
            condition.encode(into: &out)
            out.appendCounted(path.bytes)
        }
    }

    package init(decoding bytes: Span<UInt8>) throws(CommandError) {
        var at = 0
        switch try bytes.byte(&at) {
        case 1:
            let flags = try bytes.byte(&at)
            guard flags <= 3 else { throw .unknownCommand }
            let mode = try bytes.mode(&at)
            let condition = try Condition(decoding: bytes, &at)
            let path = try bytes.path(&at)
            self = .put(
                path: path, data: try bytes.counted(&at), mode: mode, explicitMode: flags & 1 != 0,
                condition: condition, makeParents: flags & 2 != 0)
        case 2:
            let mode = try bytes.mode(&at)
            let parent = try bytes.path(&at)
            let prefix = try bytes.counted(&at)
            self = .createSequential(
                parent: parent, prefix: prefix, data: try bytes.counted(&at), mode: mode)
        case 3:
            let flags = try bytes.byte(&at)
            guard flags <= 1 else { throw .unknownCommand }
            let condition = try Condition(decoding: bytes, &at)
            self = .delete(
                path: try bytes.path(&at), condition: condition, recursive: flags == 1)
        default:
            throw .unknownCommand
        }
        guard at == bytes.count else { throw .malformed }
    }
}

extension Condition {
    fileprivate func encode(into out: inout [UInt8]) {
        switch self {
        case .none: out.append(0)
        case .absent: out.append(1)
        case .exists: out.append(2)
        case .mzxidAny(let zxids):
            out.append(3)
            out.appendInteger(UInt32(zxids.count))
            for zxid in zxids { out.appendInteger(zxid.rawValue) }
        case .version(let version):
            out.append(4)
            out.appendInteger(version)
        }
    }

    fileprivate init(decoding bytes: Span<UInt8>, _ at: inout Int) throws(CommandError) {
        switch try bytes.byte(&at) {
        case 0: self = .none
        case 1: self = .absent
        case 2: self = .exists
        case 3:
            let count = Int(try bytes.integer(&at, UInt32.self))
            guard count <= (bytes.count - at) / 8 else { throw .malformed }
            var zxids: [Zxid] = []
            zxids.reserveCapacity(count)
            for _ in 0..<count { zxids.append(Zxid(try bytes.integer(&at, UInt64.self))) }
            self = .mzxidAny(zxids)
        case 4: self = .version(try bytes.integer(&at, Int32.self))
        default: throw .unknownCommand
        }
    }
}

extension [UInt8] {
    mutating func appendInteger<I: FixedWidthInteger>(_ value: I) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }

    fileprivate mutating func appendCounted(_ bytes: [UInt8]) {
        appendInteger(UInt32(bytes.count))
        append(contentsOf: bytes)
    }
}

extension Span<UInt8> {
    /// The caller has checked that the bytes are there.
    func loadInteger<I: FixedWidthInteger>(at offset: Int, _: I.Type) -> I {
        var value: I = 0
        for index in 0..<(I.bitWidth / 8) {
            value |= I(truncatingIfNeeded: self[offset + index]) << I(index * 8)
        }
        return value
    }

    func copied(_ start: Int, _ count: Int) -> [UInt8] {
        unsafe extracting(start..<(start + count)).withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    fileprivate func byte(_ at: inout Int) throws(CommandError) -> UInt8 {
        guard at < count else { throw .malformed }
        defer { at += 1 }
        return self[at]
    }

    fileprivate func integer<I: FixedWidthInteger>(_ at: inout Int, _: I.Type)
        throws(CommandError) -> I
    {
        guard count - at >= I.bitWidth / 8 else { throw .malformed }
        defer { at += I.bitWidth / 8 }
        return loadInteger(at: at, I.self)
    }

    fileprivate func mode(_ at: inout Int) throws(CommandError) -> CreateMode {
        guard let mode = CreateMode(rawValue: try byte(&at)) else { throw .unknownCommand }
        return mode
    }

    fileprivate func counted(_ at: inout Int) throws(CommandError) -> [UInt8] {
        let length = Int(try integer(&at, UInt32.self))
        guard length <= count - at else { throw .malformed }
        defer { at += length }
        return copied(at, length)
    }

    fileprivate func path(_ at: inout Int) throws(CommandError) -> ZnodePath {
        let bytes = try counted(&at)
        guard let path = try? ZnodePath(validating: bytes) else { throw .malformed }
        return path
    }
}
