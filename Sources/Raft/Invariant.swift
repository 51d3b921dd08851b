// A condition that no input can break. It stays on in release: a member that is wrong about the
// log must end, and say with which values, before it can tell anyone.

/// Why: `precondition` prints no message in optimized builds, `fatalError` does.
@inline(__always)
func invariant(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError("raft invariant: \(message())") }
}
