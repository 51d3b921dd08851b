// Flags and environment variables: which wins, what is refused, and how that is said.

import Ensemble
import Raft
import Server
import System
import Testing

@Suite struct MemberSettingsTests {
    private func configuration(
        _ flags: [MemberSetting: String], _ variables: [String: String] = [:]
    ) throws -> MemberConfiguration {
        try MemberSettings(flags: flags, environment: variables).configuration()
    }

    @Test("A directory is enough for a member that works alone")
    func alone() throws {
        let configuration = try configuration([.data: "d"])
        #expect(configuration.id == MemberID(1))
        #expect(configuration.http.description == "127.0.0.1:8080")
        #expect(configuration.ensemble.map(\.id) == [MemberID(1)])
        #expect(configuration.peer == nil)
    }

    @Test("A flag wins over its variable, and a variable over the default")
    func precedence() throws {
        let variables = [
            "AVIARY_ID": "2", "AVIARY_DATA": "from-variable", "AVIARY_HTTP": "127.0.0.1:1",
            "AVIARY_ENSEMBLE": "1=a:1,2=b:2", "AVIARY_HEARTBEAT_MS": "100", "AVIARY_PEER": "",
        ]
        let configuration = try configuration([.data: "from-flag"], variables)
        #expect(configuration.id == MemberID(2))
        #expect(configuration.dataDirectory == "from-flag")
        #expect(configuration.http.port == 1)
        #expect(configuration.replica.raft.heartbeatTicks == 10)
        #expect(configuration.peer == nil)
        #expect(configuration.ensemble.map { "\($0.id)=\($0.address)" } == ["1=a:1", "2=b:2"])
    }

    @Test(
        "What Kubernetes tells a pod of Services named aviary... is passed over",
        arguments: [
            ("AVIARY_SERVICE_HOST", "10.0.0.1"), ("AVIARY_SERVICE_PORT", "80"),
            ("AVIARY_SERVICE_PORT_HTTP", "80"), ("AVIARY_PORT", "tcp://10.0.0.1:80"),
            ("AVIARY_PORT_8080_TCP", "tcp://10.0.0.1:8080"), ("AVIARY_PORT_8080_TCP_PROTO", "tcp"),
            ("AVIARY_PORT_8080_TCP_PORT", "8080"), ("AVIARY_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("AVIARY_PEER_SERVICE_HOST", "fd00::1"), ("AVIARY_PEER_SERVICE_PORT", "7000"),
            ("AVIARY_PEER_PORT", "udp://[fd00::1]:7000"),
            ("AVIARY_PEER_PORT_7000_UDP_PORT", "7000"),
        ])
    func ofServices(name: String, text: String) throws {
        #expect(try configuration([.data: "d"], [name: text]).http.port == 8080)
    }

    @Test(
        "A variable that is like a setting, or like one of a Service, is refused",
        arguments: [
            ("AVIARY_ENSEMBEL", "1=h:1"), ("AVIARY_PORT", "8080"), ("AVIARY_HTTP_PORT", "8080"),
            ("AVIARY_PEER_PORT", "10.0.0.1:7000"), ("AVIARY_PORTS", "tcp://10.0.0.1:80"),
            ("AVIARY_PORT_HTTP", "8080"), ("AVIARY_HOST", "10.0.0.1"), ("AVIARY_PATIENCE", "5"),
            ("AVIARY_PORT", "tcp://10.0.0.1:80 "), ("AVIARY_HTTP_PORT_", "8080"),
        ])
    func unknownVariables(name: String, text: String) {
        let error = #expect(throws: SettingError.self) {
            try configuration([.data: "d"], [name: text])
        }
        #expect(error?.description.contains("\(name) is none of: AVIARY_ID,") == true)
    }

    @Test("Every setting has a flag and a variable of the same name")
    func names() {
        #expect(MemberSetting.electionMs.flag == "--election-ms")
        #expect(MemberSetting.electionMs.variable == "AVIARY_ELECTION_MS")
        #expect(MemberSetting.advertiseHTTP.variable == "AVIARY_ADVERTISE_HTTP")
        let variables = Set(MemberSetting.allCases.map(\.variable))
        #expect(variables.count == MemberSetting.allCases.count)
    }

    @Test("Times become ticks")
    func times() throws {
        let configuration = try configuration([
            .data: "d", .heartbeatMs: "100", .electionMs: "1000..2000", .snapshotEntries: "50",
        ])
        #expect(configuration.replica.raft.heartbeatTicks == 10)
        #expect(configuration.replica.raft.electionTicksMin == 100)
        #expect(configuration.replica.raft.electionTicksMax == 200)
        #expect(configuration.replica.snapshotEntries == 50)
        #expect(configuration.replica.retention.entries == 50)
    }

    @Test(
        "What is wrong is named by its flag",
        arguments: [
            (MemberSetting.id, "0"), (.id, "one"), (.http, "8080"), (.peer, "host"),
            (.ensemble, "1"), (.ensemble, "1=h:1,1=h:2"), (.ensemble, "1=h:1,2=h:1"),
            (.ensemble, "2=h:1"), (.ensemble, "1=0.0.0.0:1"), (.ensemble, "0=h:1"),
            (.ensemble, "1=h:1,"),
            (.electionMs, "500..250"), (.electionMs, "250"), (.electionMs, "255..500"),
            (.heartbeatMs, "0"), (.heartbeatMs, "55"), (.heartbeatMs, "-50"), (.loops, "0"),
            (.logLevel, "loud"), (.logFormat, "xml"), (.snapshotEntries, "0"), (.limit, "waits"),
            (.limit, "waits=many"), (.limit, "waits=-1"), (.limit, ""), (.limit, "waits=1,"),
            (.limit, "data-bytes=5000000000"), (.limit, "waits=1,waits=2"), (.limit, "wait=1"),
            (.limit, "waits=+5"), (.id, "+1"), (.ensemble, "+1=h:1"), (.electionMs, "+250..500"),
            (.electionMs, "250..+500"), (.drainMs, "+5"), (.drainMs, "5 "), (.peer, "h:+80"),
        ] as [(MemberSetting, String)])
    func refused(setting: MemberSetting, text: String) {
        var flags: [MemberSetting: String] = [.data: "d", .id: "1"]
        flags[setting] = text
        do {
            _ = try configuration(flags)
            Issue.record("\(setting.flag) \(text) was taken")
        } catch let error as SettingError {
            #expect(error.description.contains(setting.flag), "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("What is wrong in a variable is named by the variable")
    func wrongVariable() {
        let error = #expect(throws: SettingError.self) {
            try configuration([.data: "d"], ["AVIARY_LOOPS": "x"])
        }
        #expect(error?.description.contains("AVIARY_LOOPS") == true)
    }

    @Test("What is missing is asked for", arguments: [MemberSetting.data, .id])
    func missing(setting: MemberSetting) {
        var flags: [MemberSetting: String] = [
            .data: "d", .id: "1", .ensemble: "1=h:1,2=h:2,3=h:3",
        ]
        flags[setting] = nil
        let error = #expect(throws: SettingError.self) { try configuration(flags) }
        #expect(error?.description.contains(setting.flag) == true)
    }

    @Test("A heartbeat must fit well into an election time-out")
    func heartbeatAgainstElection() {
        #expect(throws: SettingError.self) {
            try configuration([.data: "d", .heartbeatMs: "200", .electionMs: "250..500"])
        }
    }

    @Test("What proves a leader must outlast its heartbeat; the message says what is needed")
    func proofAgainstHeartbeat() throws {
        for election in ["20..30", "50..100"] {
            let error = #expect(throws: SettingError.self) {
                try configuration([.data: "d", .heartbeatMs: "10", .electionMs: election])
            }
            #expect(error?.description.contains("--election-ms must be at least 60") == true)
        }
        let least = try configuration([.data: "d", .heartbeatMs: "10", .electionMs: "60..120"])
        #expect(least.replica.leadershipProofMs >= least.replica.leadershipGapMs)
    }
}
