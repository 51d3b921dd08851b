// Carries what cannot be copied from the thread that made it to the one that will own it. It is taken
// once; no two threads ever hold it.

internal import System

final class HandOver<Value: ~Copyable>: Sendable {
    private let value: PosixMutex<Value?>

    init(_ value: consuming sending Value) { self.value = PosixMutex(value) }

    /// nil after the first time.
    func take() -> Value? { value.withLock { $0.take() } }
}
