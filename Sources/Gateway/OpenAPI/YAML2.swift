// swift-format-ignore-file
// Made by openapi/generate.py from openapi/aviary.yaml: change that, never this.

extension OpenAPIDocument {
    static let yaml2: StaticString = #"""
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unhealthy" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /leader:
            get:
              operationId: leader
              tags: [operations]
              summary: Whether this member leads, and a quorum has just confirmed it
              description: At no time do two members answer 200.
              responses:
                "200":
                  description: This member leads
                  headers:
                    Aviary-Leader:
                      $ref: "#/components/headers/Aviary-Leader"
                  content:
                    application/json:
                      schema:
                        $ref: "#/components/schemas/LeaderHealth"
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503":
                  description: Another member leads, or none; or overloaded when there are too many connections
                  headers:
                    Aviary-Leader:
                      $ref: "#/components/headers/Aviary-Leader"
                  content:
                    application/problem+json:
                      schema:
                        $ref: "#/components/schemas/Problem"
                    application/json:
                      schema:
                        $ref: "#/components/schemas/LeaderHealth"
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /metrics:
            get:
              operationId: metrics
              tags: [operations]
              summary: Counters and gauges for Prometheus
              responses:
                "200":
                  description: The text format 0.0.4
                  content:
                    text/plain:
                      schema:
                        type: string
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /openapi.yaml:
            get:
              operationId: openapiYaml
              tags: [operations]
              summary: This document
              responses:
                "200":
                  description: This document
                  content:
                    application/yaml:
                      schema:
                        type: string
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /openapi.json:
            get:
              operationId: openapiJson
              tags: [operations]
              summary: This document as JSON
              responses:
                "200":
                  description: This document
                  content:
                    application/json:
                      schema:
                        type: object
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /:
            get:
              operationId: index
              tags: [operations]
              summary: Where to go from here
              responses:
                "200":
                  description: Names of resources
                  content:
                    application/json:
                      schema:
                        type: object
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
        components:
          parameters:
            path:
              name: path
              in: path
              required: true
              description: The names on the way from the root, with slashes between them
              schema:
                type: string
              example: app/config
            raw:
              name: raw
              in: query
              description: The bytes themselves; so does an Accept that prefers application/octet-stream
              allowEmptyValue: true
              schema:
                type: boolean
            encoding:
              name: encoding
              in: query
              description: Data as base64 even when it is text
              schema:
                type: string
                enum: [base64]
            children:
              name: children
              in: query
              description: The names of the children, sorted by bytes, in pages
              allowEmptyValue: true
              schema:
                type: boolean
            limit:
              name: limit
              in: query
              description: Names in a page of children; by default 1000, which is also the most by default
              schema:
                type: integer
                minimum: 1
            after-name:
              name: after-name
              in: query
              description: The page begins behind this name; give the next of the page before
              schema:
                type: string
            consistency:
              name: consistency
              in: query
              description: >-
                Local answers from this member at once, which may be behind; 503 no_quorum where it was never taken
                into an ensemble, or the others turn it away, and too_stale while they still bring it along
              schema:
                type: string
                enum: [linearizable, local]
                default: linearizable
            max-staleness:
              name: max-staleness
              in: query
              description: >-
                With consistency=local, 503 too_stale unless the member has proven, no longer ago than this, that
                all that had been acknowledged to anybody is applied here; it does so every 100 ms
              schema:
                $ref: "#/components/schemas/Duration"
            at-least:
              name: at-least
              in: query
              description: Answer from a state of this zxid or a newer one
              schema:
                type: integer
                minimum: 0
            after:
              name: after
              in: query
              description: The zxid that the client has seen; implies at-least
              schema:
                type: integer
                minimum: 0
            wait:
              name: wait
              in: query
              description: How long to wait for a change; longer ones are cut, by default to 5m, and up to 5 % are taken off
              schema:
                $ref: "#/components/schemas/Duration"
            mode:
              name: mode
              in: query
              description: Of a new znode; ephemeral, container and ttl are 501 in this version
              schema:
                type: string
                enum: [persistent, ephemeral, container, ttl]
                default: persistent
            parents:
              name: parents
              in: query
              description: Create missing parents in the same change
              allowEmptyValue: true
              schema:
                type: boolean
            version:
              name: version
              in: query
              description: The version that the znode must have; -1 is any
              schema:
                type: integer
                minimum: -1
                maximum: 2147483647
            recursive:
              name: recursive
              in: query
              description: The whole subtree
              allowEmptyValue: true
              schema:
                type: boolean
            Prefer:
              name: Prefer
              in: header
              description: Prefer wait=30 is the same as wait=30s (RFC 7240)
              schema:
                type: string
            If-Match:
              name: If-Match
              in: header
              description: The tags that the znode may have, or * for any; an absent znode is 412 no_node
              schema:
                type: string
            If-None-Match:
              name: If-None-Match
              in: header
              description: On a change only *, which creates only; on a read the tags that the client has
              schema:
                type: string
          headers:
            Allow:
              description: The methods of the path
              schema:
                type: string
            Aviary-Zxid:
              description: The state that the answer was evaluated at
              schema:
                type: integer
                minimum: 0
            Aviary-Staleness-Ms:
              description: >-
                Of a local read or feed, since when changes may have been acknowledged that this member has not
                applied; absent when nothing is proven since the member's start
              schema:
                type: integer
                minimum: 0
            Aviary-Leader:
              description: The leader's id, a space, and the address of its HTTP door
              schema:
                type: string
            ETag:
              description: Names the data, or with children the names of the children
              schema:
                type: string
            Location:
              description: The path of the new znode
              schema:
                type: string
            Retry-After:
              description: Seconds
              schema:
                type: integer
          requestBodies:
            Data:
              description: >-
                The data, by default of at most 1 MiB, kept as it comes; no Content-Encoding (415) and no
                Content-Range (400)
              content:
                "*/*":
                  schema:
                    type: string
                    contentMediaType: application/octet-stream
          responses:
            Created:
              description: Created
              headers:
                Aviary-Zxid:
                  $ref: "#/components/headers/Aviary-Zxid"
                ETag:
                  $ref: "#/components/headers/ETag"
                Location:
                  $ref: "#/components/headers/Location"
              content:
                application/json:
                  schema:
                    $ref: "#/components/schemas/Written"
            NotModified:
              description: The view is still the same
              headers:
                Aviary-Zxid:
                  $ref: "#/components/headers/Aviary-Zxid"
                ETag:
                  $ref: "#/components/headers/ETag"
                Aviary-Staleness-Ms:
                  $ref: "#/components/headers/Aviary-Staleness-Ms"
            BadRequest:
              description: bad_request, invalid_path or zxid_ahead
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            ForbiddenOrigin:
              description: forbidden_origin, a web page of an origin that is not allowed
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            NoNode:
              description: no_node; path names the znode that is missing
              headers:
                Aviary-Zxid:
                  $ref: "#/components/headers/Aviary-Zxid"
                Aviary-Staleness-Ms:
                  $ref: "#/components/headers/Aviary-Staleness-Ms"
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            MethodNotAllowed:
              description: method_not_allowed, of any method that is not described for this path
              headers:
                Allow:
                  $ref: "#/components/headers/Allow"
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            RequestTimeout:
              description: request_timeout, the head or the body came too slowly; the connection closes
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            Conflict:
              description: node_exists, not_empty or no_children_for_ephemerals
              headers:
                Aviary-Zxid:
                  $ref: "#/components/headers/Aviary-Zxid"
              content:
                application/problem+json:
                  schema:
                    $ref: "#/components/schemas/Problem"
            HistoryCompacted:
              description: history_compacted
              headers:

        """#
}
