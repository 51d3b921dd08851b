// What must hold in release builds as well. It must never be used for bad input or for I/O that
// failed: those are errors.

/// Ends the process and names the values; `precondition` prints no message in optimized builds.
@inline(__always)
func invariant(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { fatalError("invariant: \(message())", file: file, line: line) }
}
