// A client's connection to the HTTP door of one process, both ends of it: what is on the way in
// either direction, and what the member's event loop knows of it. One request at a time waits for
// the replica, as in the server.

import Ensemble
import Gateway
import HTTP
import Znodes

final class WebConnection {
    struct PartialBody {
        let head: RequestHead
        let headBytes: [UInt8]
        let bytesMax: Int
        var decoder: BodyDecoder
        var bytes: [UInt8] = []
    }

    let number: Int
    let member: Int
    let run: Int

    // The member's end.
    /// Sent by the client, not yet there.
    var coming: [UInt8] = []
    /// There, not yet taken.
    var input: [UInt8] = []
    var parser = RequestParser()
    var body: PartialBody?
    /// For `PlantedBug.bodyKept`.
    var lastBody: [UInt8] = []
    var pending: PendingAnswer?
    var wantsKeepAlive = false
    /// What the replica was asked, and has answered, for `pending`.
    var asked: ClientRequest?
    var reply: ClientReply?
    /// How often the replica was asked for the request that is open.
    var askedCount = 0
    var isClosing = false

    // The client's end.
    /// Sent by the member, not yet there.
    var going: [UInt8] = []
    var received: [UInt8] = []
    /// Went ahead of the request, and is answered first.
    var before: SentBefore?
    var shape = SentShape.json
    var noneMatch: Zxid?
    /// The request itself, and what went before it.
    var door = DoorRequest()
    var doorBefore = DoorRequest()
    /// The member has read the head of what went before.
    var isBehindBefore = true

    init(number: Int, member: Int, run: Int) {
        self.number = number
        self.member = member
        self.run = run
    }

    /// Before the next request goes out.
    func reset() {
        askedCount = 0
        before = nil
        shape = .json
        noneMatch = nil
        door = DoorRequest()
        doorBefore = DoorRequest()
        isBehindBefore = true
    }
}
