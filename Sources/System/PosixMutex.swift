// A value behind a pthread_mutex, with a condition to wait on. Not Synchronization.Mutex: the thread
// sanitizer does not understand that one and reports races that are none.

internal import Glibc

@safe package struct PosixMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // Both need one address for life, which a Swift property does not promise.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let value: UnsafeMutablePointer<Value>

    package init(_ initial: consuming sending Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe value = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe value.initialize(to: initial)
        let made = unsafe pthread_mutex_init(mutex, nil) | pthread_cond_init(condition, nil)
        guard made == 0 else { fatalError("pthread_mutex_init: \(made)") }
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    private func lock() {
        let result = unsafe pthread_mutex_lock(mutex)
        guard result == 0 else { fatalError("pthread_mutex_lock: \(result)") }
    }

    private func unlock() {
        let result = unsafe pthread_mutex_unlock(mutex)
        guard result == 0 else { fatalError("pthread_mutex_unlock: \(result)") }
    }

    package func withLock<R: ~Copyable, E: Error>(
        _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        lock()
        defer { unlock() }
        return unsafe try body(&value.pointee)
    }

    /// Waits until `ready` holds, which a `signal` after each change makes it look at again.
    package func withLock<R: ~Copyable, E: Error>(
        when ready: (inout Value) -> Bool, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        lock()
        defer { unlock() }
        while unsafe !ready(&value.pointee) {
            let result = unsafe pthread_cond_wait(condition, mutex)
            guard result == 0 else { fatalError("pthread_cond_wait: \(result)") }
        }
        return unsafe try body(&value.pointee)
    }

    /// Wakes those that wait for the value to change.
    package func signal() { _ = unsafe pthread_cond_broadcast(condition) }
}
