// The OpenAPI document inside the program, in parts of moderate length, in order.
// Made by openapi/generate.py from openapi/aviary.yaml: change that, never this.

package enum OpenAPIDocument {
    package static let yaml: [StaticString] = [yaml1, yaml2, yaml3]
    package static let json: [StaticString] = [json1]
}
