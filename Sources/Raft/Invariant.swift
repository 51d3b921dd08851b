// A condition that no input can break. It stays on in release: a member that is wrong about the
// log must end, and say with which values, before it can tell anyone. Never for bad input or for
// I/O that failed: those are errors. The floors above use it too.

/// Why: `precondition` prints no message in optimized builds, `fatalError` does.
@inlinable
@inline(__always)
package func invariant(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { fatalError("invariant: \(message())", file: file, line: line) }
}
