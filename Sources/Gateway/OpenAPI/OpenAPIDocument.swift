enum OpenAPIDocument { static let yaml: [StaticString] = []; static let json: [StaticString] = [] }
