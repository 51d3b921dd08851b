// A disk that keeps what was synced and loses an arbitrary part of the rest: single sectors of
// unsynced writes, single changes of names. Files are numbered, as inodes are: a name is a separate
// thing from its bytes.

import Journal

final class SimulatedDisk: JournalStorage {
    enum CrashKind: CaseIterable {
        /// The process dies; the page cache stays.
        case kill
        /// Nothing unsynced survives.
        case loseAll
        /// All of it happens to survive.
        case keepAll
        /// Each sector and each name as chance has it.
        case keepSome
    }

    struct PowerCut {
        /// Thrown by every operation once the budget is used up.
        static let error = StorageError(.write, "power", .other(-1, "power cut"))
    }

    private enum NameChange {
        case set(String, inode: Int)
        case move(String, to: String, inode: Int)
        case drop(String, inode: Int)
    }

    private var names: [String: Int] = [:]
    private var durableNames: [String: Int] = [:]
    private var pendingNames: [NameChange] = []
    private var contents: [Int: [UInt8]] = [:]
    private var durable: [Int: [UInt8]] = [:]
    private var pendingSectors: [(inode: Int, offset: Int, bytes: [UInt8])] = []
    private var nextInode = 1

    /// Operations until the power is cut; nil: never.
    var budget: Int?
    /// What may still be allocated; nil: any amount. Removing a file gives its part back.
    var roomBytes: Int?
    /// After a read of that many bytes, to harm what the next one gets.
    var afterRead: ((_ name: String, _ count: Int) -> Void)?
    /// Files that cannot be removed.
    var unremovable: Set<String> = []
    /// Files that no read gets anything of.
    var unreadable: Set<String> = []
    /// Files that were read, and those that were let go, in order: with a mark for the latter.
    private(set) var reads: [(name: String, isLetGo: Bool)] = []
    private(set) var operationCount = 0
    private(set) var syncCount = 0
    private(set) var writeCount = 0

    init() {}

    func copy() -> SimulatedDisk {
        let copy = SimulatedDisk()
        copy.names = names
        copy.durableNames = durableNames
        copy.pendingNames = pendingNames
        copy.contents = contents
        copy.durable = durable
        copy.pendingSectors = pendingSectors
        copy.nextInode = nextInode
        return copy
    }

    private func spend() throws(StorageError) {
        if let left = budget {
            if left == 0 { throw PowerCut.error }
            budget = left - 1
        }
        operationCount += 1
    }

    private func inode(_ name: String, _ operation: StorageError.Operation) throws(StorageError)
        -> Int
    {
        guard let inode = names[name] else { throw StorageError(operation, name, .notFound) }
        return inode
    }

    func list() throws(StorageError) -> [String] {
        try spend()
        return Array(names.keys)
    }

    func create(_ name: String, zeroFilledTo bytes: Int) throws(StorageError) {
        try spend()
        let inode = nextInode
        nextInode += 1
        names[name] = inode
        pendingNames.append(.set(name, inode: inode))
        contents[inode] = []
        durable[inode] = []
        try allocate(inode, upTo: bytes, StorageError(.create, name, .outOfSpace))
        put(inode, at: 0, [UInt8](repeating: 0, count: bytes))
    }

    /// As far as there is room, zeros.
    private func allocate(
        _ inode: Int, upTo bytes: Int, _ full: StorageError
    ) throws(StorageError) {
        let size = contents[inode]?.count ?? 0
        guard let room = roomBytes, bytes > size else { return }
        let more = min(room, bytes - size)
        roomBytes = room - more
        put(inode, at: size, [UInt8](repeating: 0, count: more))
        if size + more < bytes { throw full }
    }

    func letGo(_ name: String) { reads.append((name, true)) }

    func size(_ name: String) throws(StorageError) -> Int {
        try spend()
        return contents[try inode(name, .size)]?.count ?? 0
    }

    func read(
        _ name: String, at offset: Int, count: Int, into buffer: inout [UInt8]
    ) throws(StorageError) {
        try spend()
        if reads.last?.name != name || reads.last?.isLetGo == true { reads.append((name, false)) }
        if unreadable.contains(name) { throw StorageError(.read, name, .inputOutput) }
        let bytes = contents[try inode(name, .read)] ?? []
        if offset < bytes.count { buffer += bytes[offset..<min(bytes.count, offset + count)] }
        afterRead?(name, count)
    }

    func write(_ name: String, at offset: Int, _ bytes: Span<UInt8>) throws(StorageError) {
        try spend()
        writeCount += 1
        let copy = unsafe bytes.withUnsafeBufferPointer { unsafe [UInt8]($0) }
        let inode = try inode(name, .write)
        try allocate(inode, upTo: offset + copy.count, StorageError(.write, name, .outOfSpace))
        put(inode, at: offset, copy)
    }

    private func put(_ inode: Int, at offset: Int, _ bytes: [UInt8]) {
        Self.place(bytes, at: offset, in: &contents[inode, default: []])
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, (offset + start) / 512 * 512 + 512 - offset)
            pendingSectors.append((inode, offset + start, Array(bytes[start..<end])))
            start = end
        }
    }

    private static func place(_ bytes: [UInt8], at offset: Int, in file: inout [UInt8]) {
        let end = offset + bytes.count
        if file.count < end { file += [UInt8](repeating: 0, count: end - file.count) }
        // Safe: both ranges lie within their arrays. Why: a loop takes long in a debug build.
        unsafe file.withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<end])
                unsafe part.copyMemory(from: source)
            }
        }
    }

    func sync(_ name: String) throws(StorageError) {
        try spend()
        syncCount += 1
        let inode = try inode(name, .sync)
        durable[inode] = contents[inode]
        pendingSectors.removeAll { $0.inode == inode }
    }

    func rename(_ from: String, to: String) throws(StorageError) {
        try spend()
        let inode = try inode(from, .rename)
        names[from] = nil
        names[to] = inode
        pendingNames.append(.move(from, to: to, inode: inode))
    }

    func remove(_ name: String) throws(StorageError) {
        try spend()
        if unremovable.contains(name) { throw StorageError(.remove, name, .inputOutput) }
        let inode = try inode(name, .remove)
        if let room = roomBytes { roomBytes = room + (contents[inode]?.count ?? 0) }
        names[name] = nil
        pendingNames.append(.drop(name, inode: inode))
    }

    func syncDirectory() throws(StorageError) {
        try spend()
        durableNames = names
        pendingNames.removeAll()
    }

    // MARK: faults

    func crash(_ kind: CrashKind, _ random: inout SplitMix) {
        budget = nil
        if kind == .kill { return }
        func survives() -> Bool {
            switch kind {
            case .kill, .keepAll: true
            case .loseAll: false
            case .keepSome: random.chance(50)
            }
        }
        for sector in pendingSectors where survives() {
            Self.place(sector.bytes, at: sector.offset, in: &durable[sector.inode, default: []])
        }
        for change in pendingNames where survives() {
            switch change {
            case .set(let name, let inode): durableNames[name] = inode
            case .move(let from, let to, let inode):
                if durableNames[from] == inode { durableNames[from] = nil }
                durableNames[to] = inode
            case .drop(let name, let inode):
                if durableNames[name] == inode { durableNames[name] = nil }
            }
        }
        pendingSectors.removeAll()
        pendingNames.removeAll()
        names = durableNames
        contents = durable
    }

    /// Changes a byte behind everyone's back.
    func flip(_ name: String, at offset: Int, mask: UInt8 = 1) {
        guard let inode = names[name] else { return }
        contents[inode]?[offset] ^= mask
        durable[inode]?[offset] ^= mask
    }

    func replace(_ name: String, with bytes: [UInt8]) {
        let inode = names[name] ?? nextInode
        nextInode += 1
        names[name] = inode
        durableNames[name] = inode
        contents[inode] = bytes
        durable[inode] = bytes
    }

    func delete(_ name: String) {
        names[name] = nil
        durableNames[name] = nil
    }

    func bytes(_ name: String) -> [UInt8] { names[name].flatMap { contents[$0] } ?? [] }
    var fileNames: [String] { names.keys.sorted() }
}
