// A disk that keeps what was synced and, in a crash, an arbitrary part of the rest: each sector
// goes back to one of the states that it had since the last sync, each change of a name may be
// lost. It must never lose what a sync or a directory sync has confirmed, unless told to lie.

package import Journal
package import Raft

package final class SimulatedDisk: JournalStorage {
    /// What a crash does to that which was not synced.
    package enum Loss: CaseIterable, Sendable {
        /// The process dies; the page cache stays.
        case none
        case all
        case some
    }

    private typealias File = SimulatedFile

    private enum NameChange {
        case set(String, File)
        case move(String, to: String, File)
        case drop(String, File)
    }

    private var names: [(name: String, file: File)] = []
    private var durableNames: [(name: String, file: File)] = []
    private var nameChanges: [NameChange] = []

    /// After so many more changes of the disk the power goes: each change throws from then on.
    package var changesUntilPowerCut: Int?
    package private(set) var isWithoutPower = false
    /// Of what was durable before, for `showOlder`.
    package var remembersOlder = false
    private var olderRead: (file: File, sector: Int, readsBefore: Int)?
    /// What was shown as it had been, since it was last forgotten.
    package private(set) var shownOlder: [(name: String, sector: Int)] = []
    package private(set) var syncCount = 0
    /// Planted bugs: what the disk says it has done and has not.
    package var liesAboutSync = false
    package var liesAboutDirectory = false

    /// Errors to come: of the next write, of the next sync.
    package var failsNextWrite = false
    package var failsNextSync = false
    package var failsNextRead = false
    /// The page cache goes on showing what a failed sync did not write, until the power goes or the
    /// same place is written again.
    package var cacheHidesFailedSyncs = false
    /// Nothing more fits: no file can be made or grow.
    package var isFull = false
    /// Those that came since the last crash.
    private var failures: [StorageError] = []
    package var failure: StorageError? { failures.last }
    package var hasFailed: Bool { !failures.isEmpty }
    /// What a failed sync leaves of their unsynced parts shows after the next start: the kernel
    /// may have dropped any of it.
    private var unsyncable: [File] = []

    package init() {}

    /// No more of it is to fail; what it has lost stays lost.
    package func heal() {
        changesUntilPowerCut = nil
        failsNextWrite = false
        failsNextSync = false
        failsNextRead = false
        isFull = false
        olderRead = nil
    }

    package static let powerCut = StorageError(.write, "power", .other(-1, "power cut"))

    private func change() throws(StorageError) {
        if isWithoutPower { throw Self.powerCut }
        guard let left = changesUntilPowerCut else { return }
        if left == 0 {
            isWithoutPower = true
            throw Self.powerCut
        }
        changesUntilPowerCut = left - 1
    }

    private func fail(
        _ operation: StorageError.Operation, _ name: String, _ cause: StorageError.Cause
    ) -> StorageError {
        let error = StorageError(operation, name, cause)
        failures.append(error)
        return error
    }

    /// Whether the disk is why somebody gave up with this error.
    package func hasCaused(_ error: JournalError) -> Bool {
        guard case .storage(let error) = error else { return false }
        return failures.contains {
            $0 == error || ($0.cause == .outOfSpace && error.cause == .outOfSpace)
        }
    }

    private func file(_ name: String, _ operation: StorageError.Operation) throws(StorageError)
        -> File
    {
        guard let known = names.first(where: { $0.name == name }) else {
            throw StorageError(operation, name, .notFound)
        }
        return known.file
    }

    private static func set(
        _ name: String, _ file: File?, in list: inout [(name: String, file: File)]
    ) {
        list.removeAll { $0.name == name }
        if let file { list.append((name, file)) }
    }

    package func list() throws(StorageError) -> [String] { names.map(\.name) }

    package func create(_ name: String, zeroFilledTo bytes: Int) throws(StorageError) {
        try change()
        let file = File()
        // What there was room for is taken, as a real disk does it.
        file.bytes = [UInt8](repeating: 0, count: isFull ? bytes / 2 : bytes)
        Self.set(name, file, in: &names)
        nameChanges.append(.set(name, file))
        if isFull { throw fail(.create, name, .outOfSpace) }
    }

    package func size(_ name: String) throws(StorageError) -> Int {
        try file(name, .size).bytes.count
    }

    package func read(
        _ name: String, at offset: Int, count: Int, into buffer: inout [UInt8]
    ) throws(StorageError) {
        let file = try file(name, .read)
        if failsNextRead {
            failsNextRead = false
            throw fail(.read, name, .inputOutput)
        }
        guard offset < file.bytes.count else { return }
        let range = offset..<min(file.bytes.count, offset + count)
        let start = buffer.count
        buffer += file.bytes[range]
        if let read = olderRead, read.file === file {
            show(read.sector, of: (name, file), in: range, &buffer, start)
        }
    }

    /// Once, and never after the sector was written anew.
    private func show(
        _ sector: Int, of file: (name: String, file: File), in range: Range<Int>,
        _ buffer: inout [UInt8], _ start: Int
    ) {
        let whole = OlderSectors.range(sector)
        guard let read = olderRead, let older = file.file.older[sector], range.overlaps(whole)
        else { return }
        if read.readsBefore > 0 {
            olderRead?.readsBefore -= 1
            return
        }
        olderRead = nil
        shownOlder.append((file.name, sector))
        for place in range.clamped(to: whole) {
            buffer[start + place - range.lowerBound] = older[place - whole.lowerBound]
        }
    }

    package func write(_ name: String, at offset: Int, _ bytes: Span<UInt8>) throws(StorageError) {
        try change()
        let file = try file(name, .write)
        if failsNextWrite {
            failsNextWrite = false
            throw fail(.write, name, .inputOutput)
        }
        if isFull, offset + bytes.count > file.bytes.count {
            put(file, at: offset, bytes.extracting(first: bytes.count / 2))
            throw fail(.write, name, .outOfSpace)
        }
        put(file, at: offset, bytes)
    }

    private func put(_ file: File, at offset: Int, _ bytes: Span<UInt8>) {
        let end = offset + bytes.count
        if !file.harmed.isEmpty { file.mend(offset..<end) }
        if let read = olderRead, read.file === file,
            OlderSectors.range(read.sector).overlaps(offset..<end)
        {
            olderRead = nil
        }
        let old =
            offset < file.bytes.count
            ? Array(file.bytes[offset..<min(end, file.bytes.count)]) : []
        file.overwrites.append(File.Overwrite(offset: offset, count: bytes.count, old: old))
        if file.bytes.count < end {
            file.bytes += [UInt8](repeating: 0, count: end - file.bytes.count)
        }
        // Safe: both ranges lie within their storage. Why: a loop takes long in a debug build.
        unsafe bytes.withUnsafeBytes { source in
            unsafe file.bytes.withUnsafeMutableBytes { target in
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset..<end])
                unsafe part.copyMemory(from: source)
            }
        }
    }

    package func sync(_ name: String) throws(StorageError) {
        try change()
        let file = try file(name, .sync)
        if failsNextSync {
            failsNextSync = false
            if cacheHidesFailedSyncs { Self.hide(file) } else { unsyncable.append(file) }
            throw fail(.sync, name, .inputOutput)
        }
        syncCount += 1
        if liesAboutSync { return }
        for overwrite in file.overwrites {
            for sector in overwrite.sectors { file.unwritten[sector] = nil }
        }
        if remembersOlder { file.rememberOlder() }
        file.durableCount = file.bytes.count
        file.overwrites.removeAll(keepingCapacity: true)
    }

    package func rename(_ from: String, to: String) throws(StorageError) {
        try change()
        let file = try file(from, .rename)
        Self.set(from, nil, in: &names)
        Self.set(to, file, in: &names)
        nameChanges.append(.move(from, to: to, file))
    }

    package func remove(_ name: String) throws(StorageError) {
        try change()
        let file = try file(name, .remove)
        Self.set(name, nil, in: &names)
        nameChanges.append(.drop(name, file))
    }

    package func syncDirectory() throws(StorageError) {
        try change()
        if liesAboutDirectory { return }
        durableNames = names
        nameChanges.removeAll(keepingCapacity: true)
    }

    // MARK: what happens to it

    /// The process or the machine stopped; what is left is durable from here on.
    package func crash(_ loss: Loss, _ random: inout RandomGenerator) {
        changesUntilPowerCut = nil
        isWithoutPower = false
        failures.removeAll()
        for file in unsyncable { Self.lose(file, .some, &random) }
        unsyncable.removeAll()
        guard loss != .none else { return }
        for change in nameChanges where loss == .some && random.coin() {
            switch change {
            case .set(let name, let file):
                Self.set(name, file, in: &durableNames)
            case .move(let from, let to, let file):
                if durableNames.contains(where: { $0.name == from && $0.file === file }) {
                    Self.set(from, nil, in: &durableNames)
                }
                Self.set(to, file, in: &durableNames)
            case .drop(let name, let file):
                if durableNames.contains(where: { $0.name == name && $0.file === file }) {
                    Self.set(name, nil, in: &durableNames)
                }
            }
        }
        nameChanges.removeAll()
        names = durableNames
        // A file may go by two names after a half-lost rename.
        for (position, entry) in names.enumerated()
        where !names[..<position].contains(where: { $0.file === entry.file }) {
            Self.lose(entry.file, loss, &random)
        }
    }

    /// What was to be synced counts as clean, and is not on the disk.
    private static func hide(_ file: File) {
        let sectorBytes = JournalLimits.sectorBytes
        var old = file.bytes
        for overwrite in file.overwrites.reversed() {
            for position in 0..<overwrite.count {
                old[overwrite.offset + position] =
                    position < overwrite.old.count ? overwrite.old[position] : 0
            }
        }
        for overwrite in file.overwrites {
            for sector in overwrite.sectors where file.unwritten[sector] == nil {
                let end = min(old.count, (sector + 1) * sectorBytes)
                file.unwritten[sector] = Array(old[(sector * sectorBytes)..<end])
            }
        }
        file.overwrites.removeAll()
        file.durableCount = file.bytes.count
    }

    /// The cache is gone with the power. `kept`: sectors that were written since.
    private static func unhide(
        _ file: File, _ kept: Set<Int>, _ loss: Loss, _ random: inout RandomGenerator
    ) {
        for sector in file.unwritten.keys.sorted() where !kept.contains(sector) {
            guard let old = file.unwritten[sector], loss == .all || random.coin() else { continue }
            let start = sector * JournalLimits.sectorBytes
            for (position, byte) in old.enumerated() where start + position < file.bytes.count {
                file.bytes[start + position] = byte
            }
        }
        file.unwritten.removeAll()
    }

    /// Each sector goes back to one of its states since the last sync. Going backwards, the first
    /// overwrite of a sector that is kept keeps all before it.
    private static func lose(_ file: File, _ loss: Loss, _ random: inout RandomGenerator) {
        let sectorBytes = JournalLimits.sectorBytes
        var kept: Set<Int> = []
        for overwrite in file.overwrites.reversed() {
            let last = (overwrite.offset + max(overwrite.count, 1) - 1) / sectorBytes
            for sector in (overwrite.offset / sectorBytes)...last {
                if kept.contains(sector) { continue }
                if loss == .some, random.coin() {
                    kept.insert(sector)
                    continue
                }
                let start = max(overwrite.offset, sector * sectorBytes)
                let end = min(overwrite.offset + overwrite.count, (sector + 1) * sectorBytes)
                for position in start..<end {
                    let old = position - overwrite.offset
                    file.bytes[position] = old < overwrite.old.count ? overwrite.old[old] : 0
                }
            }
        }
        file.overwrites.removeAll()
        unhide(file, kept, loss, &random)
        if file.bytes.count > file.durableCount {
            let sectors = UInt64((file.bytes.count - file.durableCount) / sectorBytes + 1)
            let cut =
                loss == .all || random.coin()
                ? file.durableCount
                : file.durableCount + Int(random.next(below: sectors)) * sectorBytes
            file.bytes.removeLast(max(0, file.bytes.count - cut))
        }
        file.durableCount = file.bytes.count
    }

    // MARK: rot, of a disk at rest

    /// A killed process left writes that a crash may still take back.
    package var hasUnsynced: Bool {
        !nameChanges.isEmpty
            || names.contains {
                !$0.file.overwrites.isEmpty || !$0.file.unwritten.isEmpty
                    || $0.file.durableCount != $0.file.bytes.count
            }
    }

    package func alter(_ name: String, at offset: Int, _ bytes: [UInt8]) {
        guard let file = names.first(where: { $0.name == name })?.file else { return }
        let range = offset..<(offset + bytes.count)
        file.bytes.replaceSubrange(range, with: bytes)
        file.harmed.append(range)
    }

    package func cut(_ name: String, to count: Int) {
        guard let file = names.first(where: { $0.name == name })?.file else { return }
        file.bytes.removeLast(file.bytes.count - count)
        file.durableCount = count
        file.harmed.append(count..<Int.max)
    }

    /// Bytes there have changed, or are gone, by themselves.
    package func isHarmed(_ name: String, _ range: Range<Int>) -> Bool {
        names.contains { $0.name == name && $0.file.harmed.contains(where: range.overlaps) }
    }

    package func vanish(_ name: String) {
        Self.set(name, nil, in: &names)
        Self.set(name, nil, in: &durableNames)
    }

    /// Of a running member: from `offset` on other bytes, or nothing.
    package func spoil(_ name: String, at offset: Int, _ bytes: [UInt8]?) {
        if let bytes { alter(name, at: offset, bytes) } else { cut(name, to: offset) }
        names.first { $0.name == name }?.file.isSpoiled = true
    }

    package func isSpoiled(_ name: String) -> Bool {
        names.contains { $0.name == name && $0.file.isSpoiled }
    }

    /// Any file, also one that a crash may bring back.
    package var isSpoiled: Bool {
        names.contains { $0.file.isSpoiled } || durableNames.contains { $0.file.isSpoiled }
    }

    /// The numbers of those that held something else before.
    package func olderSectors(_ name: String) -> [Int] {
        guard let file = names.first(where: { $0.name == name })?.file else { return [] }
        return file.older.numbers.filter { sector in
            OlderSectors.range(sector).upperBound <= file.bytes.count
                && file.older[sector] != OlderSectors.sector(sector, of: file.bytes)
        }
    }

    /// After so many more reads of that sector, one shows what it held before.
    package func showOlder(_ name: String, _ sector: Int, afterReads readsBefore: Int) {
        guard let file = names.first(where: { $0.name == name })?.file else { return }
        olderRead = (file, sector, readsBefore)
    }

    package func forgetOlder() {
        olderRead = nil
        shownOlder.removeAll()
    }

    package var fileNames: [String] { names.map(\.name).sorted() }
    package func contents(_ name: String) -> [UInt8] {
        names.first { $0.name == name }?.file.bytes ?? []
    }
}
