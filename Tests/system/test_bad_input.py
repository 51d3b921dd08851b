"""Each malformed or impossible request gets its exact status and code, and the server goes on."""

import json
import socket

import pytest

from ensemble import exchange

H = "Host: localhost\r\n"


def get(target, fields=H, method="GET", version="HTTP/1.1"):
    return f"{method} {target} {version}\r\n{fields}\r\n"


def put(fields, body=""):
    return f"PUT /v1/znodes/bad HTTP/1.1\r\n{H}{fields}\r\n{body}"


CHUNKED = "Transfer-Encoding: chunked\r\n"

# request bytes, status, code, whether the connection is closed afterwards
FRAMING = {
    "length and transfer coding": (put("Content-Length: 3\r\n" + CHUNKED, "0\r\n\r\n"), 400, "bad_request"),
    "two equal lengths": (put("Content-Length: 1\r\nContent-Length: 1\r\n", "x"), 400, "bad_request"),
    "two different lengths": (put("Content-Length: 1\r\nContent-Length: 2\r\n", "xy"), 400, "bad_request"),
    "a list of lengths": (put("Content-Length: 1, 1\r\n", "x"), 400, "bad_request"),
    "a signed length": (put("Content-Length: +1\r\n", "x"), 400, "bad_request"),
    "a negative length": (put("Content-Length: -1\r\n"), 400, "bad_request"),
    "a hexadecimal length": (put("Content-Length: 0x1\r\n", "x"), 400, "bad_request"),
    "a length with a space inside": (put("Content-Length: 1 1\r\n", "x"), 400, "bad_request"),
    "an overflowing length": (put("Content-Length: 99999999999999999999\r\n"), 400, "bad_request"),
    "a length with an underscore": (put("Content-Length: 1_0\r\n", "x" * 10), 400, "bad_request"),
    "a length with leading zeros": (put("Content-Length: 01\r\n", "x"), 400, "bad_request"),
    "an empty length": (put("Content-Length:\r\n"), 400, "bad_request"),
    "chunked twice": (put("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400, "bad_request"),
    "chunked in two fields": (put(CHUNKED + CHUNKED, "0\r\n\r\n"), 400, "bad_request"),
    "chunked with a parameter": (put("Transfer-Encoding: chunked;x=1\r\n", "0\r\n\r\n"), 400, "bad_request"),
    "a coding before chunked": (put("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"), 400, "bad_request"),
    "an unknown transfer coding": (put("Transfer-Encoding: gzip\r\n"), 501, "not_implemented"),
    "a coding whose name ends in chunked": (put("Transfer-Encoding: xchunked\r\n"), 501, "not_implemented"),
    "chunked with a Kelvin sign": (put("Transfer-Encoding: chun\xe2\x84\xaaed\r\n"), 400, "bad_request"),
    "a vertical tab before chunked": (put("Transfer-Encoding: \x0bchunked\r\n"), 400, "bad_request"),
    "chunked in HTTP/1.0": ("PUT /v1/znodes/bad HTTP/1.0\r\n" + H + CHUNKED + "\r\n0\r\n\r\n", 400, "bad_request"),
    "a chunk size with a sign": (put(CHUNKED, "+1\r\nx\r\n0\r\n\r\n"), 400, "bad_request"),
    "a chunk size with 0x": (put(CHUNKED, "0x1\r\nx\r\n0\r\n\r\n"), 400, "bad_request"),
    "an endless chunk size": (put(CHUNKED, "fffffffff\r\n"), 400, "bad_request"),
    "a chunk size with a space": (put(CHUNKED, "1 \r\nx\r\n0\r\n\r\n"), 400, "bad_request"),
    "a chunk size that is no number": (put(CHUNKED, "g\r\nx\r\n0\r\n\r\n"), 400, "bad_request"),
    "no chunk size": (put(CHUNKED, "\r\n"), 400, "bad_request"),
    "a chunk longer than its size": (put(CHUNKED, "1\r\nxy\r\n0\r\n\r\n"), 400, "bad_request"),
    "a bare LF after a chunk size": (put(CHUNKED, "1\nx\r\n0\r\n\r\n"), 400, "bad_request"),
    "a control in a chunk extension": (put(CHUNKED, "1;\x01\r\nx\r\n0\r\n\r\n"), 400, "bad_request"),
    "a chunk extension over 256 bytes": (put(CHUNKED, "1;" + "a" * 300 + "\r\nx\r\n0\r\n\r\n"), 400, "bad_request"),
    "a trailer that is no field": (put(CHUNKED, "0\r\nnonsense\r\n\r\n"), 400, "bad_request"),
    "trailers over 32 KiB": (put(CHUNKED, "0\r\n" + ("A: " + "b" * 4000 + "\r\n") * 9), 400, "bad_request"),
    "a folded field": (get("/", H + "A: b\r\n c\r\n"), 400, "bad_request"),
    "a space before the colon": (get("/", "Host : localhost\r\n"), 400, "bad_request"),
    "an empty field name": (get("/", H + ": x\r\n"), 400, "bad_request"),
    "a field without a colon": (get("/", H + "nonsense\r\n"), 400, "bad_request"),
    "a field name that is no token": (get("/", H + "a(b: x\r\n"), 400, "bad_request"),
    "a NUL in a value": (get("/", H + "A: \x00\r\n"), 400, "bad_request"),
    "a control in a value": (get("/", H + "A: \x07\r\n"), 400, "bad_request"),
    "a bare CR in a value": (get("/", H + "A: x\ry\r\n"), 400, "bad_request"),
    "bare LF line ends": ("GET / HTTP/1.1\nHost: localhost\n\n", 400, "bad_request"),
    "no Host": (get("/", ""), 400, "bad_request"),
    "two Hosts": (get("/", H + H), 400, "bad_request"),
    "an invalid Host": (get("/", "Host: a b\r\n"), 400, "bad_request"),
    "two empty lines before the request": ("\r\n\r\n" + get("/"), 400, "bad_request"),
    "two spaces in the request line": ("GET  / HTTP/1.1\r\n" + H + "\r\n", 400, "bad_request"),
    "a tab in the request line": ("GET\t/ HTTP/1.1\r\n" + H + "\r\n", 400, "bad_request"),
    "a lower-case version": (get("/", version="http/1.1"), 400, "bad_request"),
    "no version": ("GET /\r\n\r\n", 400, "bad_request"),
    "HTTP/2.0 in a request line": (get("/", version="HTTP/2.0"), 505, "bad_request"),
    "HTTP/0.9 in a request line": (get("/", version="HTTP/0.9"), 505, "bad_request"),
    "HTTP/1.2": (get("/", version="HTTP/1.2"), 400, "bad_request"),
    "HTTP/1.9": (get("/", version="HTTP/1.9"), 400, "bad_request"),
    "HTTP/1.10": (get("/", version="HTTP/1.10"), 400, "bad_request"),
    "a version without a minor number": (get("/", version="HTTP/1"), 400, "bad_request"),
    "another protocol": (get("/", version="HTTPS/1.1"), 400, "bad_request"),
    "an absolute target for another host": (get("http://elsewhere/"), 400, "bad_request"),
    "an asterisk that is not OPTIONS": (get("*"), 400, "bad_request"),
    "a target without a slash": (get("v1/znodes"), 400, "bad_request"),
    "a space in the target": (get("/v1/zno des"), 400, "bad_request"),
    "a control in the target": (get("/\x01"), 400, "bad_request"),
    "a byte above 127 in the target": (get("/v1/znodes/\xe9"), 400, "bad_request"),
    "another expectation": (put("Expect: tea\r\nContent-Length: 1\r\n", "x"), 417, "bad_request"),
    "a method in lower case": (get("/", method="get"), 501, "not_implemented"),
    "an unknown method": (get("/", method="BREW"), 501, "not_implemented"),
    "CONNECT": (get("localhost:80", method="CONNECT"), 501, "not_implemented"),
    "TRACE": (get("/", method="TRACE"), 501, "not_implemented"),
    "a request line over 8 KiB": (get("/v1/znodes/" + "a" * 9000), 414, "too_large"),
    "a field line over 8 KiB": (get("/", H + "A: " + "b" * 9000 + "\r\n"), 431, "too_large"),
    "a hundred and one fields": (get("/", H + "".join(f"A{n}: b\r\n" for n in range(101))), 431, "too_large"),
    "a head over 32 KiB": (get("/", H + "".join(f"A{n}: {'b' * 4000}\r\n" for n in range(9))), 431, "too_large"),
    "a body over the limit": (put("Content-Length: 99999999\r\n"), 413, "too_large"),
    "a chunked body over the limit": (put(CHUNKED, "200000\r\n" + "x" * 0x200000 + "\r\n0\r\n\r\n"), 413, "too_large"),
    "a body that no one asked for": (get("/v1/znodes/a", H + "Content-Length: 70000\r\n"), 413, "too_large"),
}

# method, target, headers, status, code: well-formed HTTP that cannot be served
MEANING = {
    "a trailing slash": ("GET", "/v1/znodes/a/", {}, 400, "invalid_path"),
    "an empty segment": ("GET", "/v1/znodes/a//b", {}, 400, "invalid_path"),
    "a dot segment": ("GET", "/v1/znodes/a/./b", {}, 400, "invalid_path"),
    "two dots": ("GET", "/v1/znodes/a/../b", {}, 400, "invalid_path"),
    "an escaped dot segment": ("GET", "/v1/znodes/a/%2e%2e/b", {}, 400, "invalid_path"),
    "an escaped slash": ("GET", "/v1/znodes/a%2Fb", {}, 400, "invalid_path"),
    "an escaped NUL": ("GET", "/v1/znodes/a%00b", {}, 400, "invalid_path"),
    "an escaped control": ("GET", "/v1/znodes/a%1fb", {}, 400, "invalid_path"),
    "an escaped DEL": ("GET", "/v1/znodes/a%7fb", {}, 400, "invalid_path"),
    "half an escape": ("GET", "/v1/znodes/a%4", {}, 400, "invalid_path"),
    "an escape that is not hexadecimal": ("GET", "/v1/znodes/a%zz", {}, 400, "invalid_path"),
    "a percent sign alone": ("GET", "/v1/znodes/%", {}, 400, "invalid_path"),
    "overlong UTF-8": ("GET", "/v1/znodes/%C0%AF", {}, 400, "invalid_path"),
    "a lone surrogate": ("GET", "/v1/znodes/%ED%A0%80", {}, 400, "invalid_path"),
    "UTF-8 that is cut off": ("GET", "/v1/znodes/%E2%82", {}, 400, "invalid_path"),
    "an escaped C1 control": ("GET", "/v1/znodes/%C2%85", {}, 400, "invalid_path"),
    "a noncharacter": ("GET", "/v1/znodes/%EF%BF%BF", {}, 400, "invalid_path"),
    "a private-use character": ("GET", "/v1/znodes/%EE%80%80", {}, 400, "invalid_path"),
    "a name over 255 bytes": ("GET", "/v1/znodes/" + "a" * 256, {}, 400, "invalid_path"),
    "a path over 4,096 bytes": ("GET", "/v1/znodes" + ("/" + "a" * 200) * 21, {}, 400, "invalid_path"),
    "a path too deep": ("GET", "/v1/znodes" + "/a" * 256, {}, 400, "invalid_path"),
    "a slash in the name of a child": ("POST", "/v1/znodes/?name=a%2Fb", {}, 400, "invalid_path"),
    "the reserved subtree": ("PUT", "/v1/znodes/zookeeper/x", {}, 400, "invalid_path"),
    "deleting the root": ("DELETE", "/v1/znodes", {}, 400, "invalid_path"),
    "an unknown parameter": ("GET", "/v1/znodes/a?colour=red", {}, 400, "bad_request"),
    "an unknown parameter of a change": ("PUT", "/v1/znodes/a?raw", {}, 400, "bad_request"),
    "an unknown parameter of the feed": ("GET", "/v1/watch/?after=0&raw", {}, 400, "bad_request"),
    "an unknown parameter of a probe": ("GET", "/health?x", {}, 400, "bad_request"),
    "another probe's parameter": ("GET", "/leader?max-lag=1s", {}, 400, "bad_request"),
    "an unknown parameter of the members": ("GET", "/v1/members?x=1", {}, 400, "bad_request"),
    "an unknown parameter of the metrics": ("GET", "/metrics?x", {}, 400, "bad_request"),
    "an unknown parameter of a document": ("GET", "/openapi.json?x", {}, 400, "bad_request"),
    "an unknown parameter of the index": ("GET", "/?x", {}, 400, "bad_request"),
    "a parameter without a name": ("GET", "/v1/znodes/a?=1", {}, 400, "bad_request"),
    "a parameter with half an escape": ("GET", "/v1/znodes/?children&after-name=%4", {}, 400, "bad_request"),
    "a max-lag that is no duration": ("GET", "/health/read?max-lag=soon", {}, 400, "bad_request"),
    "a feed without a start": ("GET", "/v1/watch/", {}, 400, "bad_request"),
    "an event type that there is not": ("GET", "/v1/watch/?after=0&types=moved", {}, 400, "bad_request"),
    "a repeated parameter": ("GET", "/v1/znodes/a?raw&raw", {}, 400, "bad_request"),
    "a flag that is neither true nor false": ("GET", "/v1/znodes/a?raw=maybe", {}, 400, "bad_request"),
    "an unknown consistency": ("GET", "/v1/znodes/a?consistency=perfect", {}, 400, "bad_request"),
    "a version that is no number": ("DELETE", "/v1/znodes/a?version=one", {}, 400, "bad_request"),
    "a version that does not fit": ("DELETE", "/v1/znodes/a?version=2147483648", {}, 400, "bad_request"),
    "a wait without a start": ("GET", "/v1/znodes/a?wait=1s", {}, 400, "bad_request"),
    "a wait that is no duration": ("GET", "/v1/znodes/a?after=1&wait=soon", {}, 400, "bad_request"),
    "a negative after": ("GET", "/v1/znodes/a?after=-1", {}, 400, "bad_request"),
    "a zxid ahead": ("GET", "/v1/znodes/a?after=9223372036854775807", {}, 400, "zxid_ahead"),
    "an at-least ahead": ("GET", "/v1/znodes/a?at-least=9223372036854775807", {}, 400, "zxid_ahead"),
    "a limit of zero": ("GET", "/v1/znodes/?children&limit=0", {}, 400, "bad_request"),
    "a limit over a page": ("GET", "/v1/znodes/?children&limit=1001", {}, 400, "bad_request"),
    "an unknown mode": ("PUT", "/v1/znodes/a?mode=eternal", {}, 400, "bad_request"),
    "a mode to come": ("PUT", "/v1/znodes/a?mode=ephemeral", {}, 501, "not_implemented"),
    "a container to come": ("PUT", "/v1/znodes/a?mode=container", {}, 501, "not_implemented"),
    "a time to live to come": ("PUT", "/v1/znodes/a?mode=ttl&ttl=60s", {}, 501, "not_implemented"),
    "a fence to come": ("DELETE", "/v1/znodes/a?if-lock=/l&fence=1", {}, 501, "not_implemented"),
    "an ACL to come": ("GET", "/v1/znodes/a?acl", {}, 501, "not_implemented"),
    "a recursive listing to come": ("GET", "/v1/znodes/?children&recursive", {}, 501, "not_implemented"),
    "a depth to come": ("GET", "/v1/znodes/?children&depth=2", {}, 501, "not_implemented"),
    "stats in a listing to come": ("GET", "/v1/znodes/?children&stat", {}, 501, "not_implemented"),
    "data in a listing to come": ("GET", "/v1/znodes/?children&data", {}, 501, "not_implemented"),
    "values in the feed to come": ("GET", "/v1/watch/?after=0&data", {}, 501, "not_implemented"),
    "old values in the feed to come": ("GET", "/v1/watch/?after=0&previous", {}, 501, "not_implemented"),
    "a feed from the present state to come": ("GET", "/v1/watch/?initial", {}, 501, "not_implemented"),
    "resuming server-sent events to come": ("GET", "/v1/watch/", {"Last-Event-ID": "5"}, 501, "not_implemented"),
    "a session to come": ("PUT", "/v1/znodes/a", {"Aviary-Session": "t"}, 501, "not_implemented"),
    "an idempotency key to come": ("PUT", "/v1/znodes/a", {"Idempotency-Key": "k"}, 501, "not_implemented"),
    "a new member to come": ("POST", "/v1/members", {}, 501, "not_implemented"),
    "removing a member to come": ("DELETE", "/v1/members/1", {}, 501, "not_implemented"),
    "shedding to come": ("POST", "/v1/members/1/shed?percent=50", {}, 501, "not_implemented"),
    "a transfer to come": ("POST", "/v1/leader/transfer", {}, 501, "not_implemented"),
    "snapshots by request to come": ("POST", "/v1/snapshots", {}, 501, "not_implemented"),
    "backups to come": ("GET", "/v1/backup", {}, 501, "not_implemented"),
    "the console to come": ("GET", "/console", {}, 501, "not_implemented"),
    "locks to come": ("POST", "/v1/locks/a/b", {}, 501, "not_implemented"),
    "server-sent events to come": ("GET", "/v1/watch/?after=0", {"Accept": "text/event-stream"}, 501, "not_implemented"),
    "an entity tag without quotes": ("PUT", "/v1/znodes/a", {"If-Match": "abc"}, 400, "bad_request"),
    "two conditions that exclude each other": ("PUT", "/v1/znodes/a", {"If-Match": "*", "If-None-Match": "*"}, 400, "bad_request"),
    "an absent znode": ("GET", "/v1/znodes/absent", {}, 404, "no_node"),
    "a change of an absent znode": ("PUT", "/v1/znodes/absent", {"If-Match": "*"}, 412, "no_node"),
    "a version of an absent znode": ("PUT", "/v1/znodes/absent?version=0", {}, 404, "no_node"),
    "an absent parent": ("PUT", "/v1/znodes/absent/child", {}, 404, "no_node"),
    "a sequential child of nothing": ("POST", "/v1/znodes/absent?name=x-", {}, 404, "no_node"),
    "a wrong method on a znode": ("PATCH", "/v1/znodes/a", {}, 405, "method_not_allowed"),
    "a wrong method on a probe": ("PUT", "/health", {}, 405, "method_not_allowed"),
    "a wrong method on members": ("PUT", "/v1/members", {}, 405, "method_not_allowed"),
    "a wrong method on the leader": ("POST", "/leader", {}, 405, "method_not_allowed"),
    "a wrong method on the feed": ("POST", "/v1/watch/a", {}, 405, "method_not_allowed"),
    "a wrong method on the metrics": ("DELETE", "/metrics", {}, 405, "method_not_allowed"),
    "a wrong method on a document": ("PUT", "/openapi.yaml", {}, 405, "method_not_allowed"),
    "a wrong method on the index": ("POST", "/", {}, 405, "method_not_allowed"),
    "a compressed body": ("PUT", "/v1/znodes/a", {"Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
    "no such resource": ("GET", "/v2", {}, 404, "not_found"),
    "a slash behind the members": ("GET", "/v1/members/", {}, 404, "not_found"),
    "a slash behind a probe": ("GET", "/health/", {}, 404, "not_found"),
    "a slash behind what is to come": ("POST", "/v1/txn/", {}, 404, "not_found"),
    "a path in capitals": ("GET", "/V1/znodes/a", {}, 404, "not_found"),
    "a foreign Origin": ("PUT", "/v1/znodes/a", {"Origin": "http://evil.example"}, 403, "forbidden_origin"),
}

# method, target, a body that is no JSON: what takes JSON is to come, and is refused unread
NO_JSON = {
    "a transaction": ("POST", "/v1/txn", '{"then":['),
    "a transaction of the wrong type": ("POST", "/v1/txn", '"set"'),
    "a transaction with a key twice": ("POST", "/v1/txn", '{"then":[],"then":[]}'),
    "a wait": ("POST", "/v1/wait?wait=30s", "[{]"),
    "a session": ("POST", "/v1/sessions?ttl=10s", "\x00\xff{"),
    "a body that looks like a request": ("POST", "/v1/txn", "GET /leader HTTP/1.1\r\nHost: x\r\n\r\n"),
}


@pytest.fixture(scope="module")
def document(three):
    return three.members[0].client().get("/openapi.json").json


def assert_described(document, method, target, status):
    """The OpenAPI document says that the route may give this status."""
    path = target.partition("?")[0]
    for template, item in document["paths"].items():
        below = template.removesuffix("/{path}")
        if path == template or (below != template and (path + "/").startswith(below + "/")):
            break
    else:
        # A path that is described in words only.
        assert status in (400, 404, 501) and str(status) in document["info"]["description"]
        return
    operations = {name: one for name, one in item.items() if name not in ("parameters", "description")}
    named = operations.get(method.lower())
    for operation in [named] if named else operations.values():
        assert str(status) in operation["responses"], f"{method} {template} gives {status}"


@pytest.mark.parametrize("name", FRAMING)
def test_malformed_requests(three, document, name):
    data, status, code = FRAMING[name]
    # The server must end the connection by itself: the exchange reads until then.
    got, fields, body = exchange(three.members[0].http_port, data)
    assert got == status, body
    assert fields["content-type"] == "application/problem+json"
    assert fields["connection"].lower() == "close"
    problem = json.loads(body)
    assert problem["status"] == status and problem["code"] == code and problem["detail"]
    assert_described(document, *(data.split("\r\n")[0].split(" ") + [""])[:2], status)
    assert three.members[0].answers("/health/live")


@pytest.mark.parametrize("name", MEANING)
def test_impossible_requests(three, document, name):
    method, target, headers, status, code = MEANING[name]
    answer = three.members[1].once(method, target, headers=headers)
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status and answer.code == code and answer.json["detail"]
    assert ("Allow" in answer.headers) == (status == 405)
    assert ("Aviary-Zxid" in answer.headers) == (code in ("no_node", "node_exists", "bad_version", "not_empty")), answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert_described(document, method, target, status)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("name", NO_JSON)
def test_a_body_that_is_no_json_is_refused_and_the_next_request_is_found(three, name, chunked):
    method, target, body = NO_JSON[name]
    framing = CHUNKED if chunked else f"Content-Length: {len(body)}\r\n"
    framed = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n" if chunked else body
    first = f"{method} {target} HTTP/1.1\r\n{H}Content-Type: application/json\r\n{framing}\r\n{framed}"
    status, fields, rest = exchange(
        three.members[0].http_port, first + get("/health/live", H + "Connection: close\r\n"))
    assert status == 501 and "connection" not in fields
    length = int(fields["content-length"])
    assert json.loads(rest[:length])["code"] == "not_implemented"
    # Exactly one more answer: the body was taken as long as it was, no shorter and no longer.
    head, _, live = rest[length:].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and json.loads(live)["status"] == "pass"


def test_a_weak_tag_never_matches_and_the_answer_says_so(three):
    client = three.members[1].client()
    tag = client.put("/v1/znodes/weak", b"1").headers["ETag"]
    for method in ("PUT", "DELETE", "GET"):
        answer = client.request(method, "/v1/znodes/weak", headers={"If-Match": "W/" + tag})
        assert answer.status == 412 and answer.code == "bad_version"
        assert answer.json["detail"].startswith("Weak tags never match in If-Match")
    assert client.request("DELETE", "/v1/znodes/weak", headers={"If-Match": tag}).status == 204


def test_data_over_a_mebibyte_is_refused_before_it_is_sent(three):
    with socket.create_connection(("127.0.0.1", three.members[0].http_port), timeout=10) as connection:
        connection.sendall(put("Content-Length: 2000000\r\nExpect: 100-continue\r\n").encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_data_of_a_mebibyte_is_kept(three):
    client = three.members[2].client()
    data = bytes(range(256)) * 4096
    assert client.put("/v1/znodes/big", data).status == 201
    assert three.members[0].client().get("/v1/znodes/big?raw").body == data
    assert client.put("/v1/znodes/big", data + b"x").status == 413
    assert client.delete("/v1/znodes/big").status == 204
