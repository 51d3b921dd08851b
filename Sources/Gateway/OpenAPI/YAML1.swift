// swift-format-ignore-file
// Made by openapi/generate.py from openapi/aviary.yaml: change that, never this.

extension OpenAPIDocument {
    static let yaml1: StaticString = #"""
        openapi: 3.1.0
        info:
          title: Aviary
          version: 0.1.0
          summary: A replicated tree of small values, served over HTTP.
          description: >-
            Znodes live below /v1/znodes and hold bytes. The body of a PUT or POST is the data, verbatim,
            whatever its Content-Type. Each answer about the tree carries Aviary-Zxid, the state that it was
            evaluated at. Every answer has Cache-Control no-store. A flag of a query is empty, true or false;
            an unknown or repeated parameter is 400 bad_request. Names of parameters and their values are taken
            literally, but for the values of name, after-name and types, which are percent-decoded. What is known and not built yet is refused
            with 501 not_implemented, also where its path is not described here; any other such path is 404
            not_found. HEAD answers as GET without a body, OPTIONS names the methods in Allow. What no server
            should guess about, malformed HTTP, is 400 bad_request, and the connection closes.
          license:
            name: Apache-2.0
            identifier: Apache-2.0
        servers:
          - url: http://localhost:8080
            description: The first member of make run
        security: []
        tags:
          - name: znodes
            description: Reading, changing and waiting
          - name: operations
            description: Probes, members, metrics and documents
        paths:
          /v1/znodes/{path}:
            description: >-
              The path is split on slashes, then each name is percent-decoded once; %2F is refused. The root is
              /v1/znodes or /v1/znodes/, and any other slash at the end is 400 invalid_path. Names are UTF-8 of
              at most 255 bytes and compare as bytes; a path has at most 4096 bytes and 255 names.
            parameters:
              - $ref: "#/components/parameters/path"
            get:
              operationId: readZnode
              tags: [znodes]
              summary: Read a znode, or list its children, or wait until it changes
              description: >-
                Linearizable unless consistency=local. Without a wait, after=N and If-None-Match answer at once.
                With a wait, the answer comes as soon as the view has changed, else 304 when the wait is over;
                go on with the Aviary-Zxid that came, and no final state is missed. An absent znode is a state
                too: still absent is 304, newly absent is 404. If-None-Match * waits for the end of the znode.
              parameters:
                - $ref: "#/components/parameters/raw"
                - $ref: "#/components/parameters/encoding"
                - $ref: "#/components/parameters/children"
                - $ref: "#/components/parameters/limit"
                - $ref: "#/components/parameters/after-name"
                - $ref: "#/components/parameters/consistency"
                - $ref: "#/components/parameters/max-staleness"
                - $ref: "#/components/parameters/at-least"
                - $ref: "#/components/parameters/after"
                - $ref: "#/components/parameters/wait"
                - $ref: "#/components/parameters/Prefer"
                - $ref: "#/components/parameters/If-None-Match"
                - $ref: "#/components/parameters/If-Match"
              responses:
                "200":
                  description: The znode, or a page of its children
                  headers:
                    Aviary-Zxid:
                      $ref: "#/components/headers/Aviary-Zxid"
                    ETag:
                      $ref: "#/components/headers/ETag"
                    Aviary-Staleness-Ms:
                      $ref: "#/components/headers/Aviary-Staleness-Ms"
                  content:
                    application/json:
                      schema:
                        oneOf:
                          - $ref: "#/components/schemas/Znode"
                          - $ref: "#/components/schemas/Children"
                    application/octet-stream:
                      schema:
                        description: The data; the stat is in fields named Aviary-Version and so on.
                        type: string
                        contentMediaType: application/octet-stream
                "304": { $ref: "#/components/responses/NotModified" }
                "400": { $ref: "#/components/responses/BadRequest" }
                "404": { $ref: "#/components/responses/NoNode" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "412": { $ref: "#/components/responses/ConditionFailed" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
            head:
              operationId: probeZnode
              tags: [znodes]
              summary: As GET, with waits, without the body
              responses:
                "200":
                  description: The znode is there
                  headers:
                    Aviary-Zxid:
                      $ref: "#/components/headers/Aviary-Zxid"
                    ETag:
                      $ref: "#/components/headers/ETag"
                    Aviary-Staleness-Ms:
                      $ref: "#/components/headers/Aviary-Staleness-Ms"
                "304": { $ref: "#/components/responses/NotModified" }
                "400": { $ref: "#/components/responses/BadRequest" }
                "404": { $ref: "#/components/responses/NoNode" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "412": { $ref: "#/components/responses/ConditionFailed" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
            put:
              operationId: writeZnode
              tags: [znodes]
              summary: Create a znode, or set its data
              parameters:
                - $ref: "#/components/parameters/mode"
                - $ref: "#/components/parameters/parents"
                - $ref: "#/components/parameters/version"
                - $ref: "#/components/parameters/If-Match"
                - $ref: "#/components/parameters/If-None-Match"
              requestBody:
                $ref: "#/components/requestBodies/Data"
              responses:
                "200":
                  description: Set
                  headers:
                    Aviary-Zxid:
                      $ref: "#/components/headers/Aviary-Zxid"
                    ETag:
                      $ref: "#/components/headers/ETag"
                  content:
                    application/json:
                      schema:
                        $ref: "#/components/schemas/Written"
                "201": { $ref: "#/components/responses/Created" }
                "400": { $ref: "#/components/responses/BadRequest" }
                "403": { $ref: "#/components/responses/ForbiddenOrigin" }
                "404": { $ref: "#/components/responses/NoNode" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "409": { $ref: "#/components/responses/Conflict" }
                "412": { $ref: "#/components/responses/ConditionFailed" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "415": { $ref: "#/components/responses/UnsupportedCoding" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "421": { $ref: "#/components/responses/MisdirectedRequest" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/OutcomeUnknown" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
                "507": { $ref: "#/components/responses/StoreFull" }
            post:
              operationId: createSequential
              tags: [znodes]
              summary: Create a child whose name ends in a sequence number
              description: >-
                The name is what the parameter gives and ten digits, the count of the creates that the parent
                has seen. The names of one parent never come again.
              parameters:
                - name: name
                  in: query
                  description: What the name begins with
                  schema:
                    type: string
                    default: ""
                - $ref: "#/components/parameters/mode"
              requestBody:
                $ref: "#/components/requestBodies/Data"
              responses:
                "201": { $ref: "#/components/responses/Created" }
                "400": { $ref: "#/components/responses/BadRequest" }
                "403": { $ref: "#/components/responses/ForbiddenOrigin" }
                "404": { $ref: "#/components/responses/NoNode" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "409": { $ref: "#/components/responses/Conflict" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "415": { $ref: "#/components/responses/UnsupportedCoding" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "421": { $ref: "#/components/responses/MisdirectedRequest" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/OutcomeUnknown" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
                "507": { $ref: "#/components/responses/StoreFull" }
            delete:
              operationId: deleteZnode
              tags: [znodes]
              summary: Delete a znode, or a whole subtree at once
              description: A recursive delete is one change, by default of at most 10000 znodes and 8 MiB of paths, else 413 too_large.
              parameters:
                - $ref: "#/components/parameters/recursive"
                - $ref: "#/components/parameters/version"
                - $ref: "#/components/parameters/If-Match"
              responses:
                "204":
                  description: Deleted
                  headers:
                    Aviary-Zxid:
                      $ref: "#/components/headers/Aviary-Zxid"
                "400": { $ref: "#/components/responses/BadRequest" }
                "403": { $ref: "#/components/responses/ForbiddenOrigin" }
                "404": { $ref: "#/components/responses/NoNode" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "409": { $ref: "#/components/responses/Conflict" }
                "412": { $ref: "#/components/responses/ConditionFailed" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "421": { $ref: "#/components/responses/MisdirectedRequest" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/OutcomeUnknown" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /v1/watch/{path}:
            parameters:
              - $ref: "#/components/parameters/path"
            get:
              operationId: watch
              tags: [znodes]
              summary: Every event after a zxid, in order
              description: >-
                Answers as soon as there is an event, with all that there are, up to a page that never splits a
                zxid; go on with after=next. A quiet feed answers 200 without events and the newest next, or, of
                a long history, one that is as far as it looked. A
                zxid older than the history is 410 history_compacted: list again, and go on from that zxid.
              parameters:
                - name: after
                  in: query
                  required: true
                  description: Events with a greater zxid are wanted
                  schema:
                    type: integer
                    minimum: 0
                - $ref: "#/components/parameters/wait"
                - $ref: "#/components/parameters/Prefer"
                - name: recursive
                  in: query
                  description: All below the path as well
                  allowEmptyValue: true
                  schema:
                    type: boolean
                - name: types
                  in: query
                  description: Of created, changed, deleted and children; all when absent
                  explode: false
                  schema:
                    type: array
                    minItems: 1
                    items:
                      $ref: "#/components/schemas/EventType"
                - $ref: "#/components/parameters/consistency"
                - $ref: "#/components/parameters/max-staleness"
              responses:
                "200":
                  description: Events, or a bookmark
                  headers:
                    Aviary-Zxid:
                      $ref: "#/components/headers/Aviary-Zxid"
                    Aviary-Staleness-Ms:
                      $ref: "#/components/headers/Aviary-Staleness-Ms"
                  content:
                    application/json:
                      schema:
                        $ref: "#/components/schemas/Events"
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "410": { $ref: "#/components/responses/HistoryCompacted" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /v1/members:
            get:
              operationId: listMembers
              tags: [operations]
              summary: The members, as this one sees them
              responses:
                "200":
                  description: Always
                  content:
                    application/json:
                      schema:
                        $ref: "#/components/schemas/Members"
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
          /health:
            get:
              operationId: healthDefault
              tags: [operations]
              summary: As /health/ready
              responses:
                "200": { $ref: "#/components/responses/Healthy" }
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unhealthy" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /health/ready:
            get:
              operationId: healthReady
              tags: [operations]
              summary: Whether this member serves reads and writes
              description: Stays 200 through an election of under a second.
              responses:
                "200": { $ref: "#/components/responses/Healthy" }
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unhealthy" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /health/read:
            get:
              operationId: healthRead
              tags: [operations]
              summary: Whether this member can serve local reads that are fresh enough
              parameters:
                - name: max-lag
                  in: query
                  description: >-
                    How old local reads may be: all that was acknowledged longer ago is applied here. When absent,
                    of any age, as long as the member serves local reads at all
                  schema:
                    $ref: "#/components/schemas/Duration"
              responses:
                "200": { $ref: "#/components/responses/Healthy" }
                "400": { $ref: "#/components/responses/BadRequest" }
                "405": { $ref: "#/components/responses/MethodNotAllowed" }
                "408": { $ref: "#/components/responses/RequestTimeout" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "414": { $ref: "#/components/responses/TargetTooLong" }
                "417": { $ref: "#/components/responses/UnknownExpectation" }
                "431": { $ref: "#/components/responses/HeadTooLarge" }
                "501": { $ref: "#/components/responses/NotImplemented" }
                "503": { $ref: "#/components/responses/Unhealthy" }
                "505": { $ref: "#/components/responses/UnknownVersion" }
          /health/live:
            get:
              operationId: healthLive
              tags: [operations]
              summary: Whether the process makes progress
              responses:
                "200": { $ref: "#/components/responses/Healthy" }
                "400": { $ref: "#/components/responses/BadRequest" }

        """#
}
