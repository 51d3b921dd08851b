// swift-format-ignore-file
// Made by openapi/generate.py from openapi/aviary.yaml: change that, never this.

extension OpenAPIDocument {
    static let yaml3: StaticString = #"""
                Aviary-Zxid:
                  $ref: "#/components/headers/Aviary-Zxid"
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            ConditionFailed:
              description: bad_version, no_node of an absent znode, or node_exists of If-None-Match
              headers:
                Aviary-Zxid:
                  $ref: "#/components/headers/Aviary-Zxid"
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            TooLarge:
              description: >-
                too_large, the data, a recursive delete, or a body that no one asked for, by default above 64 KiB;
                the last closes the connection, as does what is announced as too much
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            TargetTooLong:
              description: too_large, a request line by default above 8 KiB; the connection closes
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            UnsupportedCoding:
              description: unsupported_media_type, a Content-Encoding
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            UnknownExpectation:
              description: bad_request, an Expect other than 100-continue; the connection closes
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            MisdirectedRequest:
              description: misdirected_request, a page asks under a Host that this server does not go by
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            HeadTooLarge:
              description: >-
                too_large, by default a field line above 8 KiB, over 100 fields, or a head above 32 KiB; the
                connection closes
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            NotImplemented:
              description: >-
                not_implemented, a parameter, field or mode that is to come; or a method or transfer coding that
                is not known, which closes the connection
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            Unavailable:
              description: >-
                no_quorum, overloaded, disk_full, shutting_down, state_differs or too_stale; nothing was changed;
                path names the znode
              headers:
                Retry-After:
                  $ref: "#/components/headers/Retry-After"
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            UnknownVersion:
              description: bad_request, a major version of HTTP other than 1; the connection closes
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            OutcomeUnknown:
              description: >-
                outcome_unknown, the change may or may not happen: repeat it with a condition, or list the children
                after a POST; path names the znode
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            StoreFull:
              description: store_full
              headers:
                Aviary-Zxid:
                  $ref: "#/components/headers/Aviary-Zxid"
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            Healthy:
              description: All checks pass
              content:
                application/json:
                  schema:
                    $ref: "#/components/schemas/Health"
            Unhealthy:
              description: A check fails, or overloaded when there are too many connections
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
                application/json:
                  schema:
                    $ref: "#/components/schemas/Health"
          schemas:
            Duration:
              type: string
              pattern: "^(0|[1-9][0-9]*)(ms|s|m|h)$"
            Znode:
              type: object
              required: [path, data, encoding, stat]
              properties:
                path:
                  type: string
                data:
                  type: string
                encoding:
                  type: string
                  enum: [utf-8, base64]
                stat:
                  $ref: "#/components/schemas/Stat"
            Stat:
              description: ZooKeeper's names
              type: object
              required:
                - czxid
                - mzxid
                - pzxid
                - ctime
                - mtime
                - version
                - cversion
                - aversion
                - ephemeralOwner
                - dataLength
                - numChildren
              properties:
                czxid:
                  description: The change that created the znode
                  type: integer
                mzxid:
                  description: The change that last set its data
                  type: integer
                pzxid:
                  description: The change that last created or deleted a child
                  type: integer
                ctime:
                  description: Milliseconds since 1970
                  type: integer
                mtime:
                  description: Milliseconds since 1970
                  type: integer
                version:
                  type: integer
                cversion:
                  type: integer
                aversion:
                  type: integer
                ephemeralOwner:
                  type: ["string", "null"]
                dataLength:
                  type: integer
                numChildren:
                  type: integer
            Written:
              type: object
              required: [path, created, stat]
              properties:
                path:
                  type: string
                created:
                  type: boolean
                stat:
                  $ref: "#/components/schemas/Stat"
            Children:
              type: object
              required: [path, zxid, children, next]
              properties:
                path:
                  type: string
                zxid:
                  description: Follow changes with the feed from that of the first page
                  type: integer
                children:
                  type: array
                  items:
                    type: string
                next:
                  description: The after-name of the next page
                  type: ["string", "null"]
            EventType:
              type: string
              enum: [created, changed, deleted, children]
            Events:
              type: object
              required: [events, next]
              properties:
                events:
                  type: array
                  items:
                    type: object
                    required: [zxid, type, path]
                    properties:
                      zxid:
                        type: integer
                      type:
                        $ref: "#/components/schemas/EventType"
                      path:
                        type: string
                next:
                  description: Go on with after=next
                  type: integer
            Problem:
              description: RFC 9457
              type: object
              required: [type, title, status, detail, code]
              properties:
                type:
                  type: string
                title:
                  type: string
                status:
                  type: integer
                detail:
                  description: What to do
                  type: string
                code:
                  $ref: "#/components/schemas/ProblemCode"
                path:
                  type: string
                zxid:
                  type: integer
            ProblemCode:
              type: string
              enum:
                - no_node
                - node_exists
                - bad_version
                - not_empty
                - no_children_for_ephemerals
                - bad_request
                - invalid_path
                - zxid_ahead
                - not_found
                - method_not_allowed
                - not_implemented
                - unsupported_media_type
                - forbidden_origin
                - misdirected_request
                - history_compacted
                - too_large
                - store_full
                - no_quorum
                - overloaded
                - disk_full
                - shutting_down
                - state_differs
                - too_stale
                - outcome_unknown
                - request_timeout
            Check:
              type: object
              required: [name, status, detail]
              properties:
                name:
                  type: string
                status:
                  type: string
                  enum: [pass, fail]
                detail:
                  type: string
            Health:
              type: object
              required: [status, checks]
              properties:
                status:
                  type: string
                  enum: [pass, fail]
                checks:
                  type: array
                  items:
                    $ref: "#/components/schemas/Check"
            LeaderHealth:
              type: object
              required: [status, leader, term, checks]
              properties:
                status:
                  type: string
                  enum: [pass, fail]
                leader:
                  type: ["object", "null"]
                  required: [id, http]
                  properties:
                    id:
                      type: string
                    http:
                      type: ["string", "null"]
                term:
                  type: integer
                checks:
                  type: array
                  items:
                    $ref: "#/components/schemas/Check"
            Members:
              type: object
              required: [ensemble, leader, term, failure_tolerance, members]
              properties:
                ensemble:
                  type: ["string", "null"]
                leader:
                  type: ["string", "null"]
                term:
                  type: integer
                failure_tolerance:
                  description: Voters that may fail now before the quorum is lost
                  type: integer
                members:
                  type: array
                  items:
                    $ref: "#/components/schemas/Member"
            Member:
              description: Null is what is not known
              type: object
              required:
                - id
                - role
                - voter
                - http
                - peer
                - zxid
                - lag
                - lag_age_ms
                - disk_full
                - last_contact_ms
                - version
                - self
              properties:
                id:
                  type: string
                role:
                  type: ["string", "null"]
                  enum: [follower, candidate, leader, learner, null]
                voter:
                  type: boolean
                http:
                  type: ["string", "null"]
                peer:
                  type: ["string", "null"]
                zxid:
                  type: ["integer", "null"]
                lag:
                  description: Entries that it had not applied when it last said
                  type: ["integer", "null"]
                lag_age_ms:
                  description: How long ago it said which it has applied, twice a second
                  type: ["integer", "null"]
                disk_full:
                  description: Its disk takes no more entries, so that it takes no changes; by its last word
                  type: ["boolean", "null"]
                last_contact_ms:
                  description: How long ago it was last heard
                  type: ["integer", "null"]
                version:
                  type: ["string", "null"]
                self:
                  type: boolean

        """#
}
