// A value behind a pthread_mutex, with a condition to wait on. Not Synchronization.Mutex: the thread
// sanitizer does not understand that one and reports races that are none.

internal import Glibc

/// The mutex and its condition alone. Not generic, so that what is around it can be specialized.
@safe @usableFromInline struct PosixLock: ~Copyable {
    // Both need one address for life, which a Swift property does not promise.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    @usableFromInline init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        let made = unsafe pthread_mutex_init(mutex, nil) | pthread_cond_init(condition, nil)
        guard made == 0 else { fatalError("pthread_mutex_init: \(made)") }
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    @usableFromInline func lock() {
        let result = unsafe pthread_mutex_lock(mutex)
        guard result == 0 else { fatalError("pthread_mutex_lock: \(result)") }
    }

    @usableFromInline func unlock() {
        let result = unsafe pthread_mutex_unlock(mutex)
        guard result == 0 else { fatalError("pthread_mutex_unlock: \(result)") }
    }

    /// Holding the lock.
    @usableFromInline func wait() {
        let result = unsafe pthread_cond_wait(condition, mutex)
        guard result == 0 else { fatalError("pthread_cond_wait: \(result)") }
    }

    @usableFromInline func signal() { _ = unsafe pthread_cond_broadcast(condition) }
}

@safe package struct PosixMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let mutex: PosixLock
    @usableFromInline let value: UnsafeMutablePointer<Value>

    @inlinable package init(_ initial: consuming sending Value) {
        mutex = PosixLock()
        unsafe value = .allocate(capacity: 1)
        unsafe value.initialize(to: initial)
    }

    @inlinable deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    @inlinable package func withLock<R: ~Copyable, E: Error>(
        _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        mutex.lock()
        defer { mutex.unlock() }
        return unsafe try body(&value.pointee)
    }

    /// Waits until `ready` holds, which a `signal` after each change makes it look at again.
    @inlinable package func withLock<R: ~Copyable, E: Error>(
        when ready: (inout Value) -> Bool, _ body: (inout Value) throws(E) -> R
    ) throws(E) -> R {
        mutex.lock()
        defer { mutex.unlock() }
        while unsafe !ready(&value.pointee) { mutex.wait() }
        return unsafe try body(&value.pointee)
    }

    /// Wakes those that wait for the value to change.
    @inlinable package func signal() { mutex.signal() }
}
