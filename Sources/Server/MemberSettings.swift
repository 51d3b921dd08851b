// From flags and environment variables to a member's configuration. A flag wins over its variable;
// what is wrong is named by the place where it was written.

internal import Ensemble
internal import HTTP
internal import Raft
internal import System
internal import Znodes

/// One setting of `aviary serve`: the flag `--data` and the variable `AVIARY_DATA`.
package enum MemberSetting: String, CaseIterable, Sendable {
    case id
    case data
    case http
    case peer
    case ensemble
    case advertiseHTTP = "advertise-http"
    case loops
    case heartbeatMs = "heartbeat-ms"
    case electionMs = "election-ms"
    case snapshotEntries = "snapshot-entries"
    case limit
    case drainMs = "drain-ms"
    case allowedOrigins = "allowed-origins"
    case hostNames = "host-names"
    case logLevel = "log-level"
    case logFormat = "log-format"

    /// What cannot be the same for several members of one machine.
    package static let ofOneMember: [MemberSetting] = [
        .id, .data, .http, .peer, .ensemble, .advertiseHTTP,
    ]

    package var flag: String { "--" + rawValue }
    package var variable: String {
        "AVIARY_" + String(rawValue.map { $0 == "-" ? "_" : $0 }).uppercased()
    }
}

package struct SettingError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
}

package struct MemberSettings {
    private struct Value {
        let text: String
        /// Where it was written, for messages.
        let origin: String
    }

    private var values: [MemberSetting: Value] = [:]
    /// The variable's first: a flag wins, limit by limit.
    private var limits: [Value] = []

    /// `environment`: all variables of the process, by name. One that is empty is not set.
    package init(
        flags: [MemberSetting: String], environment: [String: String]
    ) throws(SettingError) {
        try Self.checkNames(environment)
        for setting in MemberSetting.allCases {
            var given: [Value] = []
            if let text = environment[setting.variable], !text.isEmpty {
                given.append(Value(text: text, origin: setting.variable))
            }
            if let text = flags[setting] { given.append(Value(text: text, origin: setting.flag)) }
            values[setting] = given.last
            if setting == .limit { limits = given }
        }
    }

    /// Why: a misspelt AVIARY_ENSEMBLE would start a member that works alone.
    package static func checkNames(_ environment: [String: String]) throws(SettingError) {
        let known = MemberSetting.allCases.map(\.variable)
        for (name, text) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("AVIARY_") && !text.isEmpty && !known.contains(name)
            && !isOfService(name, text)
        {
            throw SettingError(
                description: "the environment variable \(name) is none of: "
                    + known.joined(separator: ", "))
        }
    }

    /// For a Service named `aviary-x`, Kubernetes puts AVIARY_X_SERVICE_HOST, AVIARY_X_SERVICE_PORT,
    /// AVIARY_X_PORT=tcp://HOST:PORT, AVIARY_X_PORT_80_TCP_ADDR and the like into every pod.
    private static func isOfService(_ name: String, _ text: String) -> Bool {
        name.contains(/_SERVICE_(HOST|PORT)|_PORT_[0-9]+_/)
            || (name.hasSuffix("_PORT") && text.contains(/^[a-z]+:\/\/.+:[0-9]+$/))
    }

    package func configuration() throws(SettingError) -> MemberConfiguration {
        let id = MemberID(try number(.id, in: 1...UInt64(Int64.max)) ?? 1)
        let ensemble = try self.ensemble()
        if !ensemble.isEmpty && !ensemble.contains(where: { $0.id == id }) {
            throw SettingError(
                description: "--ensemble does not name this member, \(id): see --id")
        }
        if values[.id] == nil && ensemble.count > 1 {
            throw SettingError(description: "missing --id (or AVIARY_ID): which member this is")
        }
        guard let data = values[.data] else {
            throw SettingError(
                description: "missing --data (or AVIARY_DATA): the directory that holds its log")
        }
        let (givenHTTP, peer) = (try address(.http), try address(.peer))
        let alone = EnsembleMember(id: id, address: peer ?? .nowhere)
        var configuration = MemberConfiguration(
            id: id, dataDirectory: data.text, http: givenHTTP ?? HostAndPort(loopbackPort: 8080),
            peer: peer,
            ensemble: ensemble.isEmpty ? [alone] : ensemble)
        configuration.advertisedHTTP = try address(.advertiseHTTP)
        try apply(to: &configuration)
        return configuration
    }

    private func apply(to configuration: inout MemberConfiguration) throws(SettingError) {
        try applyTimes(to: &configuration)
        if let loops = try number(.loops, in: 1...UInt64(RequestID.loopsMax)) {
            configuration.loops = Int(loops)
        }
        if let entries = try number(.snapshotEntries, in: 1...1_000_000_000) {
            configuration.replica.snapshotEntries = Int(entries)
            // Fewer entries are kept than lie between two snapshots.
            configuration.replica.retention.entries = min(
                configuration.replica.retention.entries, Int(entries))
        }
        for given in limits { try apply(given, to: &configuration) }
        if let ms = try number(.drainMs, in: 0...3_600_000) { configuration.drainMs = ms }
        configuration.allowedOrigins = list(.allowedOrigins)
        configuration.hostNames = list(.hostNames)
        try applyLog(to: &configuration)
    }

    /// `NAME=VALUE,...`, each name once.
    private func apply(
        _ given: Value, to configuration: inout MemberConfiguration
    ) throws(SettingError) {
        var seen: [String] = []
        for part in given.text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else {
                throw SettingError(
                    description: "\(given.origin) holds \"\(part)\", and should be: "
                        + "NAME=VALUE,..., such as waits=1000")
            }
            guard let limit = MemberLimit.named(sides[0]) else {
                throw SettingError(
                    description: "\(given.origin) names the limit \"\(sides[0])\", which is none "
                        + "of: " + MemberLimit.all.map(\.name).joined(separator: ", "))
            }
            guard let value = Self.decimal(sides[1]), limit.range.contains(value) else {
                throw SettingError(
                    description: "\(given.origin) gives the limit \(limit.name) \"\(sides[1])\", "
                        + "and should give: a number from \(limit.range.lowerBound) to "
                        + "\(limit.range.upperBound)")
            }
            if seen.contains(limit.name) {
                throw SettingError(
                    description: "\(given.origin) gives the limit \(limit.name) twice")
            }
            seen.append(limit.name)
            limit.set(value, in: &configuration)
        }
    }

    private func applyLog(to configuration: inout MemberConfiguration) throws(SettingError) {
        if let name = values[.logLevel] {
            guard let level = LogLevel(name: name.text) else {
                throw wrong(.logLevel, "one of debug, info, warning, error")
            }
            configuration.logLevel = level
        }
        if let name = values[.logFormat] {
            guard let format = LogFormat(rawValue: name.text) else {
                throw wrong(.logFormat, "text or json")
            }
            configuration.logFormat = format
        }
    }

    private func applyTimes(to configuration: inout MemberConfiguration) throws(SettingError) {
        let tickMs = configuration.replica.tickMs
        if let ms = try number(.heartbeatMs, in: tickMs...60_000) {
            guard ms % tickMs == 0 else { throw wrong(.heartbeatMs, "a multiple of \(tickMs)") }
            configuration.replica.raft.heartbeatTicks = Int(ms / tickMs)
        }
        if let text = values[.electionMs]?.text {
            let parts = text.split(separator: "..", omittingEmptySubsequences: false)
            guard parts.count == 2, let least = Self.decimal(parts[0]),
                let most = Self.decimal(parts[1]),
                least > 0, least < most, most <= 600_000, least % tickMs == 0, most % tickMs == 0
            else {
                throw wrong(.electionMs, "MIN..MAX, multiples of \(tickMs), such as 250..500")
            }
            configuration.replica.raft.electionTicksMin = Int(least / tickMs)
            configuration.replica.raft.electionTicksMax = Int(most / tickMs)
        }
        let raft = configuration.replica.raft
        guard raft.heartbeatTicks * 2 <= raft.electionTicksMin else {
            throw SettingError(
                description: "--heartbeat-ms must be at most half of the least --election-ms: a "
                    + "heartbeat that comes late would cost an election")
        }
        try checkProof(configuration.replica)
    }

    /// Why: `/leader` would never be 200, and a balancer would find no leader, though there is one.
    private func checkProof(_ replica: ReplicaOptions) throws(SettingError) {
        var enough = replica
        while enough.leadershipProofMs < enough.leadershipGapMs {
            enough.raft.electionTicksMin += 1
        }
        guard enough.raft.electionTicksMin > replica.raft.electionTicksMin else { return }
        throw SettingError(
            description: "the least --election-ms must be at least \(enough.raft.leaseMs) for this "
                + "--heartbeat-ms: what proves a leader would lapse before its next heartbeat")
    }

    // MARK: Values

    private func list(_ setting: MemberSetting) -> [String] {
        (values[setting]?.text ?? "").split(separator: ",").map { String($0).lowercased() }
    }

    private func ensemble() throws(SettingError) -> [EnsembleMember] {
        guard let text = values[.ensemble]?.text else { return [] }
        var members: [EnsembleMember] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let id = Self.decimal(sides[0]), id > 0 else {
                throw wrong(.ensemble, "ID=HOST:PORT,..., such as 1=10.0.0.1:7000")
            }
            do throws(SystemError) {
                let address = try HostAndPort(parsing: String(sides[1]))
                members.append(EnsembleMember(id: MemberID(id), address: address))
            } catch {
                throw wrong(.ensemble, "ID=HOST:PORT,...; \(error)")
            }
        }
        members.sort { $0.id < $1.id }
        for (one, next) in zip(members, members.dropFirst()) {
            if one.id == next.id {
                throw SettingError(description: "--ensemble names member \(one.id) twice")
            }
            if members.count(where: { $0.address == one.address }) > 1 {
                throw SettingError(
                    description: "--ensemble gives the address \(one.address) to two members")
            }
        }
        if members.contains(where: \.address.isEverywhere) {
            throw wrong(.ensemble, "addresses that the others reach; --peer may be every address")
        }
        if members.count > MemberConfiguration.membersMax {
            throw wrong(.ensemble, "at most \(MemberConfiguration.membersMax) members")
        }
        return members
    }

    private func address(_ setting: MemberSetting) throws(SettingError) -> HostAndPort? {
        guard let text = values[setting]?.text else { return nil }
        do throws(SystemError) {
            return try HostAndPort(parsing: text)
        } catch {
            throw wrong(setting, "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
        }
    }

    /// The one way that numbers are read: digits only. Swift's own would take "+5".
    private static func decimal(_ text: some StringProtocol) -> UInt64? {
        let digits = Array(text.utf8)
        return DecimalParsing.parse(digits.span)
    }

    private func number(
        _ setting: MemberSetting, in range: ClosedRange<UInt64>
    ) throws(SettingError) -> UInt64? {
        guard let text = values[setting]?.text else { return nil }
        guard let value = Self.decimal(text), range.contains(value) else {
            throw wrong(setting, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func wrong(_ setting: MemberSetting, _ expected: String) -> SettingError {
        let value = values[setting]
        return SettingError(
            description: "\(value?.origin ?? setting.flag) is \"\(value?.text ?? "")\", "
                + "and should be: \(expected)")
    }
}
