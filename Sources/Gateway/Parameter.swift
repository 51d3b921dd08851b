// The parameters that a query may name, found by their bytes, each at most once. A query is read
// into places in its own bytes: values are looked at only by the route that wants them.

import HTTP

enum Parameter: UInt8 {
    case raw, encoding, children, limit, afterName, stat, data, recursive, depth, acl
    case consistency, maxStaleness, atLeast, after, wait
    case mode, ttl, parents, version, name, ifLock, fence
    case types, previous, initial, maxLag

    var name: StaticString {
        switch self {
        case .raw: "raw"
        case .encoding: "encoding"
        case .children: "children"
        case .limit: "limit"
        case .afterName: "after-name"
        case .stat: "stat"
        case .data: "data"
        case .recursive: "recursive"
        case .depth: "depth"
        case .acl: "acl"
        case .consistency: "consistency"
        case .maxStaleness: "max-staleness"
        case .atLeast: "at-least"
        case .after: "after"
        case .wait: "wait"
        case .mode: "mode"
        case .ttl: "ttl"
        case .parents: "parents"
        case .version: "version"
        case .name: "name"
        case .ifLock: "if-lock"
        case .fence: "fence"
        case .types: "types"
        case .previous: "previous"
        case .initial: "initial"
        case .maxLag: "max-lag"
        }
    }

    static func find(_ name: Span<UInt8>) -> Parameter? {
        if name.isEmpty { return nil }
        let candidate: Parameter
        switch (name.count, name[0]) {
        case (3, 0x72): candidate = .raw
        case (3, 0x61): candidate = .acl
        case (3, 0x74): candidate = .ttl
        case (4, 0x73): candidate = .stat
        case (4, 0x64): candidate = .data
        case (4, 0x77): candidate = .wait
        case (4, 0x6D): candidate = .mode
        case (4, 0x6E): candidate = .name
        case (5, 0x6C): candidate = .limit
        case (5, 0x64): candidate = .depth
        case (5, 0x61): candidate = .after
        case (5, 0x66): candidate = .fence
        case (5, 0x74): candidate = .types
        case (7, 0x70): candidate = .parents
        case (7, 0x76): candidate = .version
        case (7, 0x69): candidate = name[2] == 0x2D ? .ifLock : .initial
        case (7, 0x6D): candidate = .maxLag
        case (8, 0x65): candidate = .encoding
        case (8, 0x63): candidate = .children
        case (8, 0x61): candidate = .atLeast
        case (8, 0x70): candidate = .previous
        case (9, 0x72): candidate = .recursive
        case (10, 0x61): candidate = .afterName
        case (11, 0x63): candidate = .consistency
        case (13, 0x6D): candidate = .maxStaleness
        default: return nil
        }
        return Octets.equal(name, candidate.name) ? candidate : nil
    }
}

struct ParameterSet: OptionSet {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    init(_ parameter: Parameter) { rawValue = 1 &<< UInt32(parameter.rawValue) }

    static func of(_ parameters: Parameter...) -> ParameterSet {
        parameters.reduce(into: []) { $0.insert(ParameterSet($1)) }
    }
}

struct Query: ~Copyable {
    private(set) var present = ParameterSet()
    private var values = InlineArray<26, ByteRange>(repeating: ByteRange(0..<0))

    /// A query without parameters.
    init() {}

    /// Reads `query`, whose parameters must all be in `allowed` and come once.
    init(_ query: Span<UInt8>, allowed: ParameterSet, limits: GatewayLimits) throws(Problem) {
        var pairs = QueryIterator(query)
        while let pair = pairs.nextPair() {
            let name = pair.name.of(query)
            guard let parameter = Parameter.find(name), allowed.contains(ParameterSet(parameter))
            else {
                throw .badRequest(
                    "No parameter of this request is called '", Echo(name, limits),
                    "': remove it.")
            }
            if has(parameter) { throw .badParameter(parameter, "may come only once.") }
            present.insert(ParameterSet(parameter))
            values[Int(parameter.rawValue)] = pair.value ?? ByteRange(0..<0)
        }
    }

    func has(_ parameter: Parameter) -> Bool { present.contains(ParameterSet(parameter)) }

    /// Still percent-encoded; nil when the parameter is not there.
    @_lifetime(copy query)
    func value(_ parameter: Parameter, _ query: Span<UInt8>) -> Span<UInt8>? {
        has(parameter) ? values[Int(parameter.rawValue)].of(query) : nil
    }

    func flag(_ parameter: Parameter, _ query: Span<UInt8>) throws(Problem) -> Bool {
        guard let value = value(parameter, query) else { return false }
        if value.isEmpty || Octets.equal(value, "true") { return true }
        if Octets.equal(value, "false") { return false }
        throw .badParameter(parameter, "is a flag: give it no value, true or false.")
    }

    func number(_ parameter: Parameter, _ query: Span<UInt8>) throws(Problem) -> UInt64? {
        guard let value = value(parameter, query) else { return nil }
        guard let number = DecimalParsing.parse(value) else {
            throw .badParameter(parameter, "must be a whole number from 0 to 2^64-1.")
        }
        return number
    }

    func milliseconds(_ parameter: Parameter, _ query: Span<UInt8>) throws(Problem) -> UInt64? {
        guard let value = value(parameter, query) else { return nil }
        guard let number = DurationParsing.milliseconds(value) else {
            throw .badParameter(parameter, "must be a duration such as 500ms, 30s, 5m or 1h.")
        }
        return number
    }

    /// Percent-decoded.
    func text(_ parameter: Parameter, _ query: Span<UInt8>) throws(Problem) -> [UInt8]? {
        guard let value = value(parameter, query) else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(value.count)
        if PercentDecoding.decodeQuery(value, into: &decoded) != nil {
            throw .badParameter(parameter, "holds a % without two hexadecimal digits behind it.")
        }
        return decoded
    }
}

extension RequestHead {
    /// Empty without a query.
    @_lifetime(copy bytes)
    func queryText(in bytes: Span<UInt8>) -> Span<UInt8> {
        guard let query else { return bytes.extracting(0..<0) }
        return query.of(bytes)
    }

    @_lifetime(copy bytes)
    func hostText(in bytes: Span<UInt8>) -> Span<UInt8> {
        guard let host = range(of: .host) else { return bytes.extracting(0..<0) }
        return host.of(bytes)
    }
}
