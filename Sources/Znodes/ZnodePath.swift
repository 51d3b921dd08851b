// stub
package struct ZnodePath: Hashable, Sendable {
    package let bytes: [UInt8]
    package init(trusted bytes: [UInt8]) { self.bytes = bytes }
}
