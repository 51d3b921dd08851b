// Signals as readable events: blocked everywhere, read from a signalfd. To be set up on the main
// thread before any other is started, since threads inherit the mask.

internal import CLinux

package enum Signal: Int32, Sendable, CaseIterable {
    case hangUp = 1
    case interrupt = 2
    case terminate = 15
}

package struct Signals: ~Copyable, Sendable {
    private let descriptor: FileDescriptor
    package var number: Int32 { descriptor.number }

    /// Blocks all of `Signal`, and ignores SIGPIPE.
    package init() throws(SystemError) {
        linux_ignore_sigpipe()
        let numbers = Signal.allCases.map(\.rawValue)
        let result = unsafe numbers.withUnsafeBufferPointer { buffer in
            unsafe linux_signalfd(buffer.baseAddress, Int32(buffer.count))
        }
        descriptor = FileDescriptor(owning: try SystemError.check("signalfd", result))
    }

    /// The next one that has come, or nil.
    package func next() throws(SystemError) -> Signal? {
        let result = linux_signalfd_read(number)
        if ErrorCode(-result) == .wouldBlock { return nil }
        return Signal(rawValue: try SystemError.check("signalfd", result))
    }
}
