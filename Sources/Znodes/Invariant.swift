// What must never be false. Stays on in release; `fatalError` prints its message there,
// `precondition` does not.

@inlinable
func invariant(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
    file: StaticString = #fileID, line: UInt = #line
) {
    if !condition() { fatalError("invariant: \(message())", file: file, line: line) }
}
