// Answers, to the byte.

import HTTP
import Testing

struct ResponseSerializerTests {
    private static let date = HTTPDate(unixSeconds: 784_111_777)
    private static let fixed =
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    private func context(_ request: String, mayKeepAlive: Bool = true) -> ResponseContext {
        let bytes = Array((request + "\r\n\r\n").utf8)
        var parser = RequestParser()
        guard case .head(let head, _) = parser.parseHead(bytes.span, limits: HTTPLimits()) else {
            Issue.record("the request was refused")
            return ResponseContext(closingAt: ResponseSerializerTests.date)
        }
        return ResponseContext(
            answering: head, mayKeepAlive: mayKeepAlive, date: ResponseSerializerTests.date)
    }

    private func answer(
        _ status: Int, _ context: ResponseContext,
        _ write: (inout ResponseSerializer, inout ByteWriter) -> Void
    ) -> String {
        var out = ByteWriter()
        out.append("an answer before\n")
        var response = ResponseSerializer(status: status, context: context, into: &out)
        write(&response, &out)
        let text = ByteWriterTests.text(out)
        #expect(text.hasPrefix("an answer before\n"))
        return String(text.dropFirst("an answer before\n".count))
    }

    @Test("A 200 with a body written in pieces has its exact length")
    func bodyInPieces() {
        let text = answer(200, context("GET / HTTP/1.1\r\nHost: a")) { response, out in
            response.entityTag(42, into: &out)
            response.field("Aviary-Zxid", number: 43, into: &out)
            response.beginBody(contentType: "application/json", into: &out)
            out.append("{\"path\":")
            out.append("\"/\"}")
            response.endBody(into: &out)
        }
        #expect(
            text == "HTTP/1.1 200 OK\r\n" + ResponseSerializerTests.fixed
                + "ETag: \"42\"\r\nAviary-Zxid: 43\r\nContent-Type: application/json\r\n"
                + "Content-Length: 12\r\n\r\n{\"path\":\"/\"}")
    }

    @Test("HEAD gets the same head as GET, and no body")
    func head() {
        for request in ["GET", "HEAD"] {
            let text = answer(404, context("\(request) / HTTP/1.1\r\nHost: a")) { response, out in
                response.beginBody(contentType: "application/problem+json", into: &out)
                out.append("{}")
                response.endBody(into: &out)
            }
            let expected =
                "HTTP/1.1 404 Not Found\r\n" + ResponseSerializerTests.fixed
                + "Content-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n"
            #expect(text == expected + (request == "GET" ? "{}" : ""))
            let known = answer(200, context("\(request) / HTTP/1.1\r\nHost: a")) { response, out in
                let body = Array("abc".utf8)
                response.finish(
                    contentType: "application/octet-stream", body: body.span, into: &out)
            }
            #expect(known.hasSuffix("Content-Length: 3\r\n\r\n" + (request == "GET" ? "abc" : "")))
        }
    }

    @Test("204 and 304 have neither body nor length, other empty answers a length of 0")
    func empty() {
        for (status, phrase) in [(204, "No Content"), (304, "Not Modified"), (201, "Created")] {
            let text = answer(status, context("GET / HTTP/1.1\r\nHost: a")) { response, out in
                response.finishEmpty(into: &out)
            }
            let length = status == 201 ? "Content-Length: 0\r\n" : ""
            let start = "HTTP/1.1 \(status) \(phrase)\r\n"
            #expect(text == start + ResponseSerializerTests.fixed + length + "\r\n")
        }
    }

    @Test("Connection tells what the version does not")
    func connection() {
        let table: [(String, Bool, String?)] = [
            ("GET / HTTP/1.1\r\nHost: a", true, nil),
            ("GET / HTTP/1.1\r\nHost: a", false, "close"),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close", true, "close"),
            ("GET / HTTP/1.0", true, "close"),
            ("GET / HTTP/1.0\r\nConnection: keep-alive", true, "keep-alive"),
            ("GET / HTTP/1.0\r\nConnection: keep-alive", false, "close"),
        ]
        for (request, mayKeepAlive, option) in table {
            let made = context(request, mayKeepAlive: mayKeepAlive)
            let text = answer(200, made) { response, out in response.finishEmpty(into: &out) }
            let field = option.map { "Connection: \($0)\r\n" } ?? ""
            let expected = "GMT\r\n" + field + "Content-Length: 0\r\n\r\n"
            #expect(text.hasSuffix(expected), "\(request)")
        }
        let unread = ResponseContext(closingAt: ResponseSerializerTests.date)
        let text = answer(400, unread) { response, out in response.finishEmpty(into: &out) }
        #expect(text.contains("\r\nConnection: close\r\n"))
    }

    @Test("A value from outside cannot end its line")
    func noSplitting() {
        let text = answer(201, context("PUT / HTTP/1.1\r\nHost: a")) { response, out in
            let evil = Array("a\r\nSet-Cookie: b\0".utf8)
            response.field("Aviary-Leader", bytes: evil.span, into: &out)
            response.location("/v1/znodes", path: evil.span, into: &out)
            response.finishEmpty(into: &out)
        }
        #expect(text.contains("Aviary-Leader: a  Set-Cookie: b \r\n"))
        #expect(text.contains("Location: /v1/znodesa%0D%0ASet-Cookie%3A%20b%00\r\n"))
    }

    @Test("An answer that was begun can be taken back")
    func cancel() {
        let text = answer(200, context("GET / HTTP/1.1\r\nHost: a")) { response, out in
            response.beginBody(contentType: "application/json", into: &out)
            out.append("half a bo")
            response.cancel(in: &out)
            out.append("nothing else")
        }
        #expect(text == "nothing else")
    }

    @Test("Every status that is sent has its phrase, and 100 Continue is whole")
    func phrases() {
        let sent = [
            200, 201, 204, 304, 400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 414, 415, 417,
            421, 429, 431, 500, 501, 503, 504, 505, 507,
        ]
        for status in sent { #expect(StatusPhrase.of(status).utf8CodeUnitCount > 0, "\(status)") }
        var out = ByteWriter()
        ResponseSerializer.appendContinue(into: &out)
        #expect(ByteWriterTests.text(out) == "HTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test("Dates are written as RFC 9110 5.6.7 says")
    func dates() {
        let table: [(Int64, String)] = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ]
        for (seconds, text) in table {
            let date = HTTPDate(unixSeconds: seconds)
            var out = ByteWriter()
            out.append(date.bytes)
            #expect(ByteWriterTests.text(out) == text)
        }
    }
}
