import Ensemble
import Gateway
import HTTP
import Testing
import Znodes

private func options(_ change: (inout GatewayOptions) -> Void) -> GatewayOptions {
    var options = GatewayOptions(version: Array("1".utf8), jitterSeed: 42, dataBytesMax: 1 << 20)
    change(&options)
    return options
}

private func status(_ asked: OneMember.Asked) -> Int? {
    guard case .answer(let bytes) = asked else { return nil }
    return Int(String(decoding: bytes.dropFirst(9).prefix(3), as: UTF8.self))
}

private func request(_ line: String, _ fields: String..., body: String = "") -> [UInt8] {
    let host = fields.contains { $0.hasPrefix("Host:") } ? [] : ["Host: localhost"]
    let head = ["\(line) HTTP/1.1"] + host + fields + ["Content-Length: \(body.utf8.count)"]
    return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
}

@Test("An allowed origin may change the tree under the names that the server goes by")
func originsAreAllowed() {
    let member = OneMember(
        options: options {
            $0.allowedOrigins = [Array("https://Ops.example.com".utf8)]
            $0.hostNames = [Array("aviary.example.com".utf8)]
        })
    func put(_ host: String, _ origin: String) -> Int? {
        status(member.ask(request("PUT /v1/znodes/a", "Host: \(host)", "Origin: \(origin)")))
    }
    #expect(put("aviary.example.com", "https://ops.example.com") == 201)
    #expect(put("Aviary.Example.COM:8080", "HTTPS://ops.example.com") == 200)
    #expect(put("localhost:8080", "https://ops.example.com") == 200)
    #expect(put("10.0.0.7:8080", "https://ops.example.com") == 200)
    #expect(put("[fe80::1]:8080", "https://ops.example.com") == 200)
    #expect(put("rebound.example.net", "https://ops.example.com") == 421)
    #expect(put("10.0.0", "https://ops.example.com") == 421)
    #expect(put("aviary.example.com", "https://ops.example.com.evil.net") == 403)
    #expect(put("aviary.example.com", "http://ops.example.com") == 403)
    #expect(put("aviary.example.com", "http://aviary.example.com") == 403)
    #expect(status(member.ask(request("PUT /v1/znodes/a", "Host: anything.example"))) == 200)
}

@Test("Data longer than the limit is 413, and of its very length is kept")
func dataIsLimited() {
    let member = OneMember(options: options { $0.dataBytesMax = 8 })
    #expect(status(member.ask(request("PUT /v1/znodes/a", body: "12345678"))) == 201)
    #expect(status(member.ask(request("PUT /v1/znodes/a", body: "123456789"))) == 413)
    #expect(status(member.ask(request("POST /v1/znodes/a", body: "123456789"))) == 413)
    #expect(status(member.ask(request("GET /v1/znodes/a", body: "123456789"))) == 200)
}

@Test("The end of a wait varies, by at most 5 % and only downwards")
func waitsEndApart() {
    let member = OneMember()
    member.apply(
        .put(
            path: ZnodePath(trusted: Array("/a".utf8)), data: [], mode: .persistent,
            explicitMode: false, condition: .none, makeParents: false))
    var ends: Set<UInt64> = []
    for _ in 0..<100 {
        let asked = member.ask(request("GET /v1/znodes/a?after=1&wait=10s"))
        guard case .waits(.wait(let wait)) = asked else {
            Issue.record("no wait")
            return
        }
        #expect(
            (member.context.nowMs + 9_500...member.context.nowMs + 10_000).contains(wait.deadlineMs)
        )
        ends.insert(wait.deadlineMs)
    }
    #expect(ends.count > 50)
}
