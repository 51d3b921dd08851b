// A named thread that runs one function to its end. Whoever starts it joins it.

internal import CLinux

package struct PosixThread: ~Copyable, Sendable {
    private let handle: UInt64

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// `name`: at most 15 bytes, as top and ps show it.
    package init(
        name: String, stackBytes: Int = 8 << 20, _ run: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let body = unsafe Unmanaged.passRetained(Body(run))
        var handle: UInt64 = 0
        let result = unsafe linux_thread_start(
            name, stackBytes,
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            }, body.toOpaque(), &handle)
        if result < 0 {
            unsafe body.release()
            throw .call("pthread_create", errno: -result)
        }
        self.handle = handle
    }

    /// Waits until the thread has ended.
    package consuming func join() { _ = linux_thread_join(handle) }
}
