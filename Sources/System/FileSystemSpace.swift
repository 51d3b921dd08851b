// How much room a file system says it has. Only for people to look at: what there is room for is
// found out by allocating it.

internal import Glibc

package enum FileSystemSpace {
    /// For this user, at `path`; nil when the system does not say.
    package static func bytesFree(_ path: String) -> UInt64? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }
}
