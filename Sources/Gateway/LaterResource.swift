// The resources of the interface that are not built yet, each with what to do until then. They are
// refused with 501, so that a client can tell them from a mistyped path, which is 404. What is built
// leaves this table.

import HTTP

struct LaterResource {
    /// `*` stands for one name, `**` at the end for one or more.
    let templates: [StaticString]
    let detail: StaticString

    static let all: [LaterResource] = [
        LaterResource(
            templates: ["/console"],
            detail: "The console is not built yet: look at /v1/members and /metrics."),
        LaterResource(
            templates: ["/v1/backup"],
            detail: "Backups over HTTP are not built yet: GET / names what there is."),
        LaterResource(
            templates: ["/v1/leader/transfer"],
            detail:
                "Handing over by request is not built yet: a leader that gets SIGTERM hands over."),
        LaterResource(
            templates: ["/v1/members/*"],
            detail: "One member by itself is not built yet: GET /v1/members shows all of them."),
        LaterResource(
            templates: ["/v1/members/*/shed"],
            detail: "Shedding clients is not built yet: SIGTERM sends all of a member's elsewhere."),
        LaterResource(
            templates: ["/v1/sessions", "/v1/sessions/*", "/v1/sessions/*/keepalive"],
            detail: "Sessions are not built yet: use znodes that stay, and delete them yourself."),
        LaterResource(
            templates: ["/v1/snapshots"],
            detail: "Snapshots by request are not built yet: each member makes its own."),
        LaterResource(
            templates: ["/v1/txn"],
            detail: "Transactions are not built yet: change one znode a request, with If-Match."),
        LaterResource(
            templates: ["/v1/wait"],
            detail: "Waiting for several znodes is not built yet: follow /v1/watch instead."),
        LaterResource(
            templates: [
                "/v1/barriers/**", "/v1/counters/**", "/v1/elections/**", "/v1/locks/**",
                "/v1/queues/**", "/v1/semaphores/**",
            ],
            detail:
                "Locks and the other recipes are not built yet: sequential znodes and waits are."
        ),
    ]

    /// Of `POST` and `DELETE /v1/members`, a resource that can be read already.
    static let changesOfMembers: StaticString =
        "Changing the ensemble's members is not built yet: GET /v1/members lists them."

    static func named(_ path: Span<UInt8>) -> LaterResource? {
        for resource in all {
            for template in resource.templates where matches(template, path) { return resource }
        }
        return nil
    }

    private static func matches(_ template: StaticString, _ path: Span<UInt8>) -> Bool {
        let count = template.utf8CodeUnitCount
        var at = 0
        var index = 0
        while index < count {
            // A literal's bytes, within its count: nothing is allocated for a mistyped path.
            let wanted = unsafe template.utf8Start[index]
            if wanted != 0x2A {
                guard at < path.count, path[at] == wanted else { return false }
                index += 1
                at += 1
                continue
            }
            // One name; the second asterisk lets slashes follow, with a name behind each.
            let takesMore = unsafe index + 1 < count && template.utf8Start[index + 1] == 0x2A
            index += takesMore ? 2 : 1
            var name = at
            repeat {
                at = Octets.first(0x2F, in: path, from: name, to: path.count)
                if at == name { return false }
                name = at + 1
            } while takesMore && at < path.count
        }
        return at == path.count
    }
}
