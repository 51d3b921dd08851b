// An open descriptor with one owner. It is closed exactly once, when the owner lets go of it;
// numbers are handed out only for the length of a call.

internal import CLinux

package struct FileDescriptor: ~Copyable, Sendable {
    package let number: Int32

    /// Takes ownership of an open descriptor.
    package init(owning number: Int32) { self.number = number }

    deinit {
        // An error of close tells nothing that can be acted on here; the journal syncs before.
        _ = linux_close(number)
    }

    /// A descriptor that does nothing but hold a place, to be given up when there is none left.
    package static func reserve() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try SystemError.check("open /dev/null", linux_open_null()))
    }
}
