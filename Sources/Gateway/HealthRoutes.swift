// Probes for load balancers and supervisors: `/health...` and `/leader`. Small, open, answered from
// what the loop knows, by GET, HEAD and OPTIONS alike. A member woken from a pause must not answer
// from memory: each check compares a time with the boot-time clock of now.

import Ensemble
import HTTP

/// One line of a health answer; `detail` is at most a number between two texts.
private struct Check {
    var name: StaticString
    var passes: Bool
    var detail: StaticString
    var number: UInt64?
    var detailEnd: StaticString = ""
}

/// Without a leader for so long, a damaged member says that it waits for others.
private let repairPatienceMs: UInt64 = 10_000

extension RESTGateway {
    mutating func probe(
        _ probe: Probe, _ head: RequestHead, _ bytes: Span<UInt8>,
        _ response: ResponseContext, _ context: borrowing RequestContext,
        _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        let text = head.queryText(in: bytes)
        let query = try query(head, text, probe == .readable ? .of(.maxLag) : [])
        let checks: [Check]
        switch probe {
        case .ready:
            checks = [
                serving(context), Self.admitted(context), Self.storage(context),
                Self.room(context), Self.state(context), Self.caughtUp(context),
                leaderKnown(context),
            ]
        case .readable:
            let lagMsMax = try query.milliseconds(.maxLag, text)
            checks = [
                serving(context), Self.admitted(context), Self.storage(context),
                Self.state(context), Self.staleness(context, lagMsMax),
            ]
        case .live:
            checks = [turning()]
        case .leader:
            checks = [serving(context), Self.state(context), Self.confirmedLeader(context)]
        }
        writeHealth(checks, probe, head.method == .options, response, context, &out)
        return .answered(keepAlive: response.keepAlive)
    }

    // MARK: Checks

    private func serving(_ context: borrowing RequestContext) -> Check {
        let isStopping = context.draining || context.status.stopping
        return Check(
            name: "serving", passes: !isStopping,
            detail: isStopping ? "This member is stopping." : "This member takes requests.")
    }

    private static func admitted(_ context: borrowing RequestContext) -> Check {
        let status = context.status
        let detail: StaticString? =
            switch status.admission {
            case nil where status.refusedBy == .otherStorage: replaced
            case nil: status.refusedBy?.words
            case .unnamed where status.members.count == 2:
                "This disk is new here, and of two members nobody can admit it: bring the old one back."
            case .unnamed:
                "This disk is new here. The others admit it when a majority of all is there without it."
            case .catchingUp: "This disk is new here, and still catching up with the others."
            case .replaced: replaced
            }
        return Check(
            name: "admitted", passes: detail == nil,
            detail: detail ?? "No other member turns this one away.")
    }

    private static let replaced: StaticString =
        "Another disk has taken this one's place: move this data directory away, start with none."

    /// Whether damage found at the start has been made good.
    private static func storage(_ context: borrowing RequestContext) -> Check {
        let status = context.status
        guard let through = status.repairingThroughNumber else {
            return Check(
                name: "storage", passes: true, detail: "Nothing is missing from this member's disk."
            )
        }
        let leaderlessMs = status.leaderlessSinceMs.map { context.nowMs - min($0, context.nowMs) }
        if let leaderlessMs, leaderlessMs >= repairPatienceMs {
            return Check(
                name: "storage", passes: false,
                detail: "Files were damaged here, and no member in reach has what they held up to ",
                number: through,
                detailEnd: ". Start those that are down; see docs/operations.md, damaged disk.")
        }
        return Check(
            name: "storage", passes: false,
            detail: "Files were damaged here. What they held is fetched from the leader, up to ",
            number: through, detailEnd: ".")
    }

    private static func room(_ context: borrowing RequestContext) -> Check {
        let isFull = context.status.diskIsFull
        return Check(
            name: "room", passes: !isFull,
            detail: isFull
                ? "disk_full: this member takes no changes until there is room on its disk."
                : "This member's disk takes what it must keep.")
    }

    /// Whether the tree here is that of the other members.
    private static func state(_ context: borrowing RequestContext) -> Check {
        let status = context.status
        guard let number = status.differsAtNumber else {
            return Check(
                name: "state", passes: true, detail: "No member is known to hold another state.")
        }
        if status.stateIsCorrupted {
            return Check(
                name: "state", passes: false,
                detail: "Memory here does not hold what was applied up to zxid ", number: number,
                detailEnd: ": this member starts anew, from its files.")
        }
        return Check(
            name: "state", passes: false,
            detail: status.stateIsWrong
                ? "A majority holds another state at zxid "
                : "Another member holds another state at zxid ",
            number: number,
            detailEnd: status.stateIsWrong
                ? ": this member starts anew, and fetches it."
                : ", and nobody can tell which is right; see docs/operations.md, states that differ."
        )
    }

    private static func caughtUp(_ context: borrowing RequestContext) -> Check {
        Check(
            name: "caught_up", passes: context.status.caughtUp,
            detail: context.status.caughtUp
                ? "What was committed is applied here."
                : "It has not lately proven that it holds all that is committed.")
    }

    /// An election of less than `leaderlessReadyMsMax` is no reason to take a member out.
    private func leaderKnown(_ context: borrowing RequestContext) -> Check {
        let graceMs = limits.leaderlessReadyMsMax
        guard let silentMs = context.leaderSilentMs else {
            return Check(name: "leader", passes: false, detail: Self.neverHeard)
        }
        if let since = context.status.leaderlessSinceMs {
            let forMs = context.nowMs > since ? context.nowMs - since : 0
            return Check(
                name: "leader", passes: forMs < graceMs, detail: "No leader with a quorum for ",
                number: forMs,
                detailEnd: forMs < graceMs
                    ? " ms: an election may take that long."
                    : " ms: longer than an election takes.")
        }
        // The status itself may be old: the replica has not run since a pause.
        let most = graceMs + 2 * context.status.minElectionTimeoutMs
        return Check(
            name: "leader", passes: silentMs < most, detail: "The leader was last heard ",
            number: silentMs, detailEnd: " ms ago.")
    }

    private static func staleness(
        _ context: borrowing RequestContext, _ lagMsMax: UInt64?
    ) -> Check {
        if context.status.ensemble == nil {
            return Check(
                name: "staleness", passes: false,
                detail: "This member has nothing of an ensemble yet.")
        }
        guard let stalenessMs = context.stalenessMs else {
            return Check(
                name: "staleness", passes: lagMsMax == nil,
                detail: "It has not had all that was committed since its start.")
        }
        let isFresh = stalenessMs <= lagMsMax ?? .max
        return Check(
            name: "staleness", passes: isFresh,
            detail: isFresh
                ? "All that was committed was last proven to be here "
                : "Longer than max-lag allows: all that was committed was last proven to be here ",
            number: stalenessMs, detailEnd: " ms ago.")
    }

    private static let neverHeard: StaticString = "It has heard no leader since its start."

    private func turning() -> Check {
        let ageMs = readings().stalestTurnAgeMs
        return Check(
            name: "turning", passes: ageMs < limits.turnAgeMsMax,
            detail: "The least lively thread last turned ", number: ageMs, detailEnd: " ms ago.")
    }

    private static func confirmedLeader(_ context: borrowing RequestContext) -> Check {
        let status = context.status
        if !status.isLeader {
            return Check(
                name: "leader", passes: false,
                detail: status.leaderStatus == nil
                    ? "This member does not lead and knows no leader: ask another one."
                    : "This member does not lead: ask the one that Aviary-Leader names.")
        }
        let isConfirmed = context.nowMs < status.leaderConfirmedUntilMs
        return Check(
            name: "leader", passes: isConfirmed,
            detail: isConfirmed
                ? "A quorum confirms that this member leads."
                : "No quorum confirms that this member still leads.")
    }

    // MARK: The answer

    private func writeHealth(
        _ checks: [Check], _ probe: Probe, _ isOptions: Bool, _ response: ResponseContext,
        _ context: borrowing RequestContext, _ out: inout ByteWriter
    ) {
        let passes = checks.allSatisfy(\.passes)
        var answer = ResponseSerializer(
            status: passes ? 200 : 503, context: response, into: &out)
        let leader = context.status.leaderStatus
        if probe == .leader, let leader {
            answer.field("Aviary-Leader", into: &out) { out in
                out.append(decimal: leader.number)
                if !leader.httpAddress.isEmpty {
                    out.append(" ")
                    out.appendFieldValue(leader.httpAddress.span)
                }
            }
        }
        if isOptions {
            answer.field("Allow", into: &out) { Route.probe(probe).methods.write(into: &$0) }
            answer.finishEmpty(into: &out)
            return
        }
        answer.beginBody(contentType: "application/json", into: &out)
        out.append(passes ? "{\"status\":\"pass\"," : "{\"status\":\"fail\",")
        if probe == .leader {
            Self.appendLeader(leader, context.status.termNumber, into: &out)
        }
        out.append("\"checks\":[")
        for index in checks.indices {
            if index > 0 { out.append(",") }
            checks[index].append(to: &out)
        }
        out.append("]}\n")
        answer.endBody(into: &out)
    }

    private static func appendLeader(
        _ leader: MemberStatus?, _ term: UInt64, into out: inout ByteWriter
    ) {
        if let leader {
            out.append("\"leader\":{\"id\":\"")
            out.append(decimal: leader.number)
            out.append("\",\"http\":")
            MembersJSON.appendText(leader.httpAddress, into: &out)
            out.append("},\"term\":")
        } else {
            out.append("\"leader\":null,\"term\":")
        }
        out.append(decimal: term)
        out.append(",")
    }
}

extension Check {
    fileprivate func append(to out: inout ByteWriter) {
        out.append("{\"name\":\"")
        out.append(name)
        out.append(
            passes ? "\",\"status\":\"pass\",\"detail\":\"" : "\",\"status\":\"fail\",\"detail\":\""
        )
        out.append(detail)
        if let number { out.append(decimal: number) }
        out.append(detailEnd)
        out.append("\"}")
    }
}
