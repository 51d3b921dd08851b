// What a newcomer or a machine asks first: `/`, the OpenAPI document, the list of members, metrics.
// None of them takes a parameter, none looks at the tree.

import Ensemble
import HTTP

extension RESTGateway {
    mutating func document(
        _ document: Document, _ head: RequestHead, _ bytes: Span<UInt8>,
        _ response: ResponseContext, _ context: borrowing RequestContext,
        _ out: inout ByteWriter
    ) throws(Problem) -> Disposition<PendingAnswer> {
        _ = try query(head, head.queryText(in: bytes), [])
        var answer = ResponseSerializer(status: 200, context: response, into: &out)
        answer.beginBody(contentType: Self.contentType(document), into: &out)
        switch document {
        case .members:
            MembersJSON.append(context, into: &out)
        case .metrics:
            Metrics.append(context, readings(), version: options.version, into: &out)
        case .openAPIYAML:
            for part in OpenAPIDocument.yaml { out.append(part) }
        case .openAPIJSON:
            for part in OpenAPIDocument.json { out.append(part) }
        case .index:
            appendIndex(&out)
        }
        answer.endBody(into: &out)
        return .answered(keepAlive: response.keepAlive)
    }

    private static func contentType(_ document: Document) -> StaticString {
        switch document {
        case .members, .openAPIJSON, .index: "application/json"
        case .metrics: "text/plain; version=0.0.4; charset=utf-8"
        case .openAPIYAML: "application/yaml"
        }
    }

    private func appendIndex(_ out: inout ByteWriter) {
        out.append("{\"name\":\"Aviary\",\"version\":\"")
        out.appendJSONEscaped(options.version.span)
        out.append("\",\"znodes\":\"/v1/znodes/\",\"watch\":\"/v1/watch/\"")
        out.append(",\"members\":\"/v1/members\",\"health\":\"/health\",\"leader\":\"/leader\"")
        out.append(",\"metrics\":\"/metrics\",\"openapi\":[\"/openapi.yaml\",\"/openapi.json\"]}\n")
    }
}
