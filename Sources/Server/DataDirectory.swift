// The directory that holds the members' own data directories while `aviary dev` runs: made, and
// locked for as long as the value lives.

internal import Journal
internal import System

package struct DataDirectory: ~Copyable {
    private let storage: FileStorage

    package init(_ path: String) throws(MemberFailure) {
        do throws(StorageError) {
            storage = try FileStorage(directory: path)
        } catch {
            let why =
                error.cause == .inUse ? "another `aviary dev` runs on it" : error.description
            throw MemberFailure(.dataUnavailable, "cannot use the directory \(path): \(why)")
        }
    }

    /// The lock is held up to here.
    package consuming func release() {}
}
