// What stands behind a key in a line of log: text, or a number that collectors may count with.

package protocol LogValue: Sendable {
    var logText: String { get }
    /// As it stands in a JSON object.
    var logJSON: String { get }
}

extension String: LogValue {
    package var logText: String { self }
    package var logJSON: String { LogLine.quoted(self) }
}

extension LogValue where Self: FixedWidthInteger {
    package var logText: String { String(self) }
    package var logJSON: String { String(self) }
}

extension Int: LogValue {}
extension Int32: LogValue {}
extension UInt64: LogValue {}

/// `none`, and JSON's null.
extension Optional: LogValue where Wrapped: LogValue {
    package var logText: String { self?.logText ?? "none" }
    package var logJSON: String { self?.logJSON ?? "null" }
}
