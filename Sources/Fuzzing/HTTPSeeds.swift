// Requests to begin with: what clients send, and what has fooled other servers.

enum HTTPSeeds {
    static var all: [FuzzSeed] {
        texts.map { FuzzSeed($0.name, Array($0.text.utf8)) } + [FuzzSeed("bytes", everyByte)]
    }

    /// Every octet in the value of a field.
    private static let everyByte: [UInt8] =
        Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8) + Array(0x20...0xFF) + Array("\r\n\r\n".utf8)

    private static let texts: [(name: String, text: String)] = requests + bodies + nasty

    private static let requests: [(name: String, text: String)] = [
        ("get", "GET /v1/znodes/app HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"),
        ("head", "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        ("old", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
        ("options", "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
        ("absolute", "GET http://a.b:80/p?q=1 HTTP/1.1\r\nHost: A.B:80\r\n\r\n"),
        ("absolute-empty", "GET https://a?x HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("query", "GET /a%20b/%C3%A9?after=1&&wait=5s&x=%2F&=&y HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "conditions",
            "PUT /a HTTP/1.1\r\nHost: a\r\nIf-Match: \"1\", W/\"2\"\r\nIf-Match: \"3,4\"\r\n"
                + "If-None-Match: *\r\nContent-Length: 0\r\n\r\n"
        ),
        (
            "accept",
            "GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json;q=0.5, */*;q=0.001\r\n"
                + "Accept: text/event-stream\r\nPrefer: wait=10, respond-async\r\n\r\n"
        ),
        ("blank-line-first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("connection", "GET / HTTP/1.1\r\nHost: a\r\nConnection: , x ,Close\r\n\r\nGET"),
    ]

    private static let chunked = "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    private static let bodies: [(name: String, text: String)] = [
        (
            "length",
            "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n"
        ),
        (
            "continue",
            "PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"
        ),
        ("chunked", chunked + "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX: y\r\n\r\n"),
        ("chunked-twice", chunked + "1\r\na\r\n0\r\n\r\n" + chunked + "0\r\n\r\n"),
        ("chunk-extension", chunked + "1;a;b=c;d=\"e\\\"f\"\r\nx\r\n0;z\r\n\r\n"),
        ("chunk-sizes", chunked + "00000001\r\nx\r\nA\r\n0123456789\r\n00\r\n\r\n"),
        ("chunk-too-large", chunked + "ffffffff\r\nx"),
        ("chunk-digits", chunked + "000000001\r\nx\r\n0\r\n\r\n"),
        ("chunk-bare-lf", chunked + "1\nx\r\n0\r\n\r\n"),
        ("chunk-longer", chunked + "1\r\nxy\r\n0\r\n\r\n"),
        ("trailers", chunked + "0\r\nA: b\r\nContent-Length: 3\r\nHost: c\r\n\r\nGET"),
        ("length-too-large", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n"),
    ]

    private static let nasty: [(name: String, text: String)] = [
        (
            "length-and-coding",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0"
        ),
        (
            "two-lengths",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n"
        ),
        ("length-sign", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx"),
        ("two-codings", "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        (
            "coding-tab",
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked \r\n\r\n0\r\n\r\n"
        ),
        ("fold", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
        ("space-before-colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        ("two-hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        ("other-host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("bare-cr", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
        ("bare-lf", "GET / HTTP/1.1\nHost: a\n\n"),
        ("nul", "GET /\0 HTTP/1.1\r\nHost: a\0\r\n\r\n"),
        ("version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        ("preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("spaces", "GET  /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("empty-values", "GET / HTTP/1.1\r\nHost: a\r\nAccept:\r\nIf-Match: \t \r\nTE:,\r\n\r\n"),
        ("lone-cr", "\r"), ("tls", "\u{16}\u{03}\u{01}\u{00}"), ("empty", ""),
        (
            "fields",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "A: b\r\n", count: 100) + "\r\n"
        ),
    ]
}
