// epoll: which descriptors have become ready. An event carries the two numbers that it was
// registered with, so that one about a connection that is gone can be told from its successor's.

internal import CLinux

@usableFromInline
package struct Readiness: OptionSet, Sendable {
    @usableFromInline package let rawValue: UInt32
    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable package static var readable: Readiness { Readiness(rawValue: 0x001) }
    @inlinable package static var writable: Readiness { Readiness(rawValue: 0x004) }
    @inlinable package static var error: Readiness { Readiness(rawValue: 0x008) }
    /// Both directions are closed.
    @inlinable package static var hangUp: Readiness { Readiness(rawValue: 0x010) }
    /// The peer sends no more (EPOLLRDHUP), though unread bytes may be there.
    @inlinable package static var peerShut: Readiness { Readiness(rawValue: 0x2000) }
    /// Nothing can be read or written any more.
    @inlinable package var isBroken: Bool { rawValue & 0x018 != 0 }
    /// Tell only of changes (EPOLLET).
    @inlinable package static var edge: Readiness { Readiness(rawValue: 0x8000_0000) }
}

@usableFromInline
package struct Token: Hashable, Sendable {
    @usableFromInline package let index: UInt32
    @usableFromInline package let generation: UInt32
    @inlinable package init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }
}

@usableFromInline
@safe package struct Epoll: ~Copyable {
    private let descriptor: FileDescriptor
    private let events: UnsafeMutablePointer<linux_event>
    private let eventsMax: Int

    package init(eventsMax: Int) throws(SystemError) {
        descriptor = FileDescriptor(
            owning: try SystemError.check("epoll_create", linux_epoll_create()))
        self.eventsMax = eventsMax
        unsafe events = .allocate(capacity: eventsMax)
        unsafe events.initialize(repeating: linux_event(), count: eventsMax)
    }

    deinit { unsafe events.deallocate() }

    package func add(
        _ number: Int32, _ readiness: Readiness, _ token: Token
    ) throws(SystemError) {
        _ = try SystemError.check(
            "epoll_ctl",
            linux_epoll_add(
                descriptor.number, number, readiness.rawValue, token.index, token.generation))
    }

    package func modify(
        _ number: Int32, _ readiness: Readiness, _ token: Token
    ) throws(SystemError) {
        _ = try SystemError.check(
            "epoll_ctl",
            linux_epoll_modify(
                descriptor.number, number, readiness.rawValue, token.index, token.generation))
    }

    /// Needless before a close, which removes the descriptor itself.
    package func remove(_ number: Int32) { _ = linux_epoll_remove(descriptor.number, number) }

    /// Waits; gives the count of events that `event(_:)` may be asked for. nil blocks for ever.
    package func wait(timeoutMs: Int32?) throws(SystemError) -> Int {
        Int(
            try SystemError.check(
                "epoll_wait",
                unsafe linux_epoll_wait(
                    descriptor.number, events, Int32(eventsMax), timeoutMs ?? -1)))
    }

    package func event(_ at: Int) -> (token: Token, readiness: Readiness) {
        guard at >= 0 && at < eventsMax else { fatalError("event \(at) of \(eventsMax)") }
        let raw = unsafe events[at]
        return (
            Token(index: raw.low, generation: raw.high), Readiness(rawValue: raw.events)
        )
    }
}

/// An eventfd: wakes a thread that waits in epoll.
package struct WakeupEvent: ~Copyable, Sendable {
    package let descriptor: FileDescriptor
    package var number: Int32 { descriptor.number }

    package init() throws(SystemError) {
        descriptor = FileDescriptor(owning: try SystemError.check("eventfd", linux_eventfd()))
    }

    /// From any thread.
    package func signal() { _ = linux_eventfd_signal(number) }

    /// By the woken thread, before it looks for work.
    package func drain() { _ = linux_eventfd_drain(number) }
}
