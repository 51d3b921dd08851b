// What happened to znodes, as feeds tell it, and what a wait may look at.

package struct EventTypes: OptionSet, Sendable {
    package let rawValue: UInt8
    @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let created = EventTypes(rawValue: 1)
    package static let changed = EventTypes(rawValue: 2)
    package static let deleted = EventTypes(rawValue: 4)
    /// A child of the path was created or deleted.
    package static let children = EventTypes(rawValue: 8)
    package static let all: EventTypes = [.created, .changed, .deleted, .children]
}

/// `type` is exactly one of `EventTypes`.
package struct Event: Sendable, Equatable {
    package let zxid: Zxid
    package let type: EventTypes
    package let path: ZnodePath
    package init(zxid: Zxid, type: EventTypes, path: ZnodePath) {
        self.zxid = zxid
        self.type = type
        self.path = path
    }
}

/// What a wait or a watch looks at.
package enum View: UInt8, Sendable {
    /// Data, creation and deletion of the znode.
    case data
    /// The names of its children (and its own creation and deletion).
    case children
    /// Its creation and deletion only.
    case existence
    /// All events of the path itself.
    case node
    /// All events of the path and everything below.
    case subtree
}

package struct WatchID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }
}

package struct EventQuery: Sendable, Equatable {
    package var path: ZnodePath
    package var recursive: Bool
    package var types: EventTypes
    package var after: Zxid
    /// A page ends before the first zxid that would exceed this (at least one zxid is given).
    package var eventsMax: Int
    package init(path: ZnodePath, recursive: Bool, types: EventTypes, after: Zxid, eventsMax: Int) {
        self.path = path
        self.recursive = recursive
        self.types = types
        self.after = after
        self.eventsMax = eventsMax
    }
}
