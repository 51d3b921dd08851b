// What a request is to the HTTP door of a member, and whether it may be refused there, ahead of the
// gateway: what is broken, too large, or meets a full door or a clock that has run out must be, with
// the status for it, and nothing else may.

package struct DoorRequest: Sendable {
    package enum TurnedAway: Sendable {
        case full, late

        var status: Int { self == .full ? 503 : 408 }
        var code: String { self == .full ? "overloaded" : "request_timeout" }
    }

    /// What no gateway can take for a request.
    package var isBroken = false
    /// Data of more bytes than the door takes.
    package var isTooLarge = false
    /// The door was full when it came, or it was too slow.
    package var turnedAway: TurnedAway?

    package init() {}

    private var due: (status: Int, code: String)? {
        if let turnedAway { return (turnedAway.status, turnedAway.code) }
        if isBroken { return (400, "bad_request") }
        return isTooLarge ? (413, "too_large") : nil
    }

    /// `wasAsked`: the replica has heard of it. An answer of the replica or of a tree has a zxid or is
    /// a refusal with a code of its own. True: the door has refused it.
    package func judge(
        status: Int, code: String?, hasZxid: Bool, wasAsked: Bool
    ) throws(Violation) -> Bool {
        if let due {
            try expect(
                status == due.status && code == due.code && !hasZxid && !wasAsked, .answer,
                "\(status) \(code ?? "") where the door refuses with \(due.status) \(due.code)")
            return true
        }
        let isRefusal =
            switch (status, code) {
            case (400, "bad_request"), (408, _), (413, _), (414, _), (431, _): !hasZxid
            case (503, "overloaded"): !wasAsked
            default: false
            }
        try expect(
            !isRefusal, .answer,
            "\(status) \(code ?? "") to a whole, small request in time at a door that is not full")
        return false
    }
}
