"""Members with small limits: each refuses what is beyond it as documented, and goes on serving."""

import json
import select
import signal
import socket

import pytest

from ensemble import Ensemble, answer, eventually, exchange

H = "Host: localhost\r\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """One member of small sizes."""
    limits = (
        "request-line-bytes=256,field-line-bytes=512,fields=16,head-bytes=1024,data-bytes=1000,"
        "unwanted-body-bytes=10,deleted-znodes=3,history-bytes=1024,unfinished-body-bytes=2000")
    options = ["--limit", limits, "--limit", "page-names=3,feed-events=2,waits=2"]
    options += ["--limit", "chunk-extension-bytes=4,body-extension-bytes=6"]
    with Ensemble(tmp_path_factory.mktemp("small"), 1, options) as ensemble:
        yield ensemble.members[0]


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """One member of short times. They come by the variable, beside a flag."""
    ensemble = Ensemble(tmp_path_factory.mktemp("hasty"), 1, ["--limit", "wait-ms=50"])
    ensemble.wrapper = [
        "env", "AVIARY_LIMIT=head-ms=200,body-ms=200,body-bytes-per-second=1000000,idle-ms=200,"
        "requests-per-connection=2"]
    with ensemble:
        yield ensemble.members[0]


def serves(member):
    assert member.once("PUT", "/v1/znodes/alive", b"1").status in (200, 201)
    assert member.once("GET", "/v1/znodes/alive?raw").body == b"1"
    return True


def overloaded(status, fields, body):
    assert status == 503, (status, body)
    assert int(fields["retry-after"]) >= 1
    assert json.loads(body)["code"] == "overloaded"
    return True


def opened(member, request):
    """A connection on which `request` was sent and nothing is read."""
    connection = socket.create_connection(("127.0.0.1", member.http_port), timeout=10)
    connection.sendall(request.encode())
    return connection


def put(name, body, announced=None):
    length = len(body) if announced is None else announced
    return f"PUT /v1/znodes/{name} HTTP/1.1\r\n{H}Content-Length: {length}\r\n\r\n{body}"


def chunked(body):
    return f"PUT /v1/znodes/a HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n{body}"


SIZES = {
    "data": (put("a", "", 1001), 413, "too_large"),
    "an unwanted body": (
        f"DELETE /v1/znodes/a HTTP/1.1\r\n{H}Content-Length: 11\r\n\r\n", 413, "too_large"),
    "a request line": (f"GET /{'a' * 256} HTTP/1.1\r\n{H}\r\n", 414, "too_large"),
    "a field line": (f"GET / HTTP/1.1\r\n{H}A: {'b' * 512}\r\n\r\n", 431, "too_large"),
    "the extension of a chunk": (chunked("1;abcdef\r\nx\r\n"), 400, "bad_request"),
    "the extensions of a body": (chunked("1;abc\r\nx\r\n" * 3), 400, "bad_request"),
    "field lines": (
        "GET / HTTP/1.1\r\n" + H + "A: b\r\n" * 16 + "\r\n", 431, "too_large"),
    "a head": (
        "GET / HTTP/1.1\r\n" + H + f"A: {'b' * 400}\r\n" * 3 + "\r\n", 431, "too_large"),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_size_beyond_its_limit(small, name):
    request, status, code = SIZES[name]
    got, _, body = exchange(small.http_port, request)
    assert (got, json.loads(body)["code"]) == (status, code), body
    assert serves(small)


def test_data_at_its_limit_is_kept(small):
    assert small.once("PUT", "/v1/znodes/full", b"x" * 1000).status in (200, 201)


def test_more_znodes_than_one_delete_may_take(small):
    for path in ("many", "many/1", "many/2", "many/3"):
        assert small.once("PUT", f"/v1/znodes/{path}").status == 201
    refused = small.once("DELETE", "/v1/znodes/many?recursive")
    assert (refused.status, refused.code) == (413, "too_large")
    assert small.once("DELETE", "/v1/znodes/many/3").status == 204
    assert small.once("DELETE", "/v1/znodes/many?recursive").status == 204
    assert serves(small)


def test_events_older_than_the_history(small):
    first = small.once("PUT", "/v1/znodes/old").zxid
    for _ in range(100):
        last = small.once("PUT", "/v1/znodes/old", b"x").zxid
    refused = small.once("GET", f"/v1/watch/old?after={first}")
    assert (refused.status, refused.code) == (410, "history_compacted")
    assert small.once("GET", f"/v1/watch/old?after={last}").status == 200


def test_pages(small):
    start = small.once("PUT", "/v1/znodes/pages").zxid
    for name in "abcde":
        small.once("PUT", f"/v1/znodes/pages/{name}")
    page = small.once("GET", "/v1/znodes/pages?children").json
    assert page["children"] == ["a", "b", "c"] and page["next"]
    refused = small.once("GET", "/v1/znodes/pages?children&limit=4")
    assert (refused.status, refused.code) == (400, "bad_request")
    assert "from 1 to 3" in refused.json["detail"]
    feed = small.once("GET", f"/v1/watch/pages?recursive&types=created&after={start}").json
    assert len(feed["events"]) == 2


def test_more_waits_than_the_limit(small):
    zxid = small.once("PUT", "/v1/znodes/waited").zxid
    wait = f"GET /v1/znodes/waited?after={zxid}&wait=1m HTTP/1.1\r\n{H}\r\n"
    held = [opened(small, wait) for _ in range(2)]
    eventually(lambda: small.metric("aviary_waits") == 2, what="two waits are open")
    with opened(small, wait) as third:
        assert overloaded(*answer(third))
    assert serves(small)
    held.pop().close()
    eventually(
        lambda: small.once("GET", f"/v1/znodes/waited?after={zxid}&wait=1ms").status == 304,
        what="the place of a wait that went away")
    small.once("PUT", "/v1/znodes/waited", b"now")
    assert answer(held[0])[0] == 200
    held[0].close()


def test_more_unfinished_bodies_than_the_limit(small):
    half = put("half", "x" * 900, announced=1000)
    held = [opened(small, half) for _ in range(3)]
    try:
        readable = select.select(held, [], [], 10)[0]
        assert len(readable) == 1, "the third of 900 bytes each is above 2000"
        assert overloaded(*answer(readable[0]))
        held.remove(readable[0])
        readable[0].close()
        for connection in held:
            connection.sendall(b"x" * 100)
            assert answer(connection)[0] in (200, 201)
        assert serves(small)
    finally:
        for connection in held:
            connection.close()


def test_a_head_and_a_body_that_come_too_slowly(hasty):
    for request in ("GET / HTTP/1.1\r\nHost", put("slow", "1", announced=10)):
        status, fields, body = exchange(hasty.http_port, request)
        assert status == 408 and fields["connection"].lower() == "close", body
        assert serves(hasty)


def test_a_connection_that_is_idle_or_has_served_enough(hasty):
    request = f"GET /health/live HTTP/1.1\r\n{H}\r\n"
    with opened(hasty, request) as idle:
        assert "connection" not in answer(idle)[1]
        assert idle.recv(1) == b""
    with opened(hasty, request) as busy:
        answer(busy)
        busy.sendall(request.encode())
        assert answer(busy)[1]["connection"].lower() == "close"
    assert serves(hasty)


def test_a_wait_longer_than_the_limit_is_cut(hasty):
    zxid = hasty.once("PUT", "/v1/znodes/cut").zxid
    assert hasty.once("GET", f"/v1/znodes/cut?after={zxid}&wait=5m", timeout=60).status == 304


def test_a_full_store(tmp_path):
    with Ensemble(tmp_path, 1, ["--limit", "store-bytes=2000"]) as ensemble:
        member = ensemble.members[0]
        assert member.once("PUT", "/v1/znodes/a", b"x" * 1500).status == 201
        # A leader proposes its limits when it has begun to lead.
        refused = eventually(
            lambda: next(
                (a for a in [member.once("PUT", "/v1/znodes/b", b"x" * 1500)] if a.status == 507),
                None),
            what="the store's limit is in force")
        assert refused.code == "store_full"
        assert member.once("DELETE", "/v1/znodes/a").status == 204
        member.once("DELETE", "/v1/znodes/b")
        assert serves(member)


def test_members_of_different_limits_hold_the_same_tree(tmp_path):
    """What decides outcomes is the leader's, on every member: each gives the same verdict."""
    ensemble = Ensemble(tmp_path)
    store = {}

    def limit(member, store_bytes, deleted_znodes):
        store[member] = store_bytes
        # No door refuses data of 90 bytes.
        member.options = [
            "--limit", f"data-bytes={store_bytes // 10},store-bytes={store_bytes},"
            f"deleted-znodes={deleted_znodes},history-bytes={store_bytes}"]

    def verdicts(method, target, body=None):
        given = [member.once(method, target, body) for member in ensemble.running]
        return {(one.status, one.status >= 400 and one.code) for one in given}

    def filled_as_the_leader_says():
        for name in ensemble.leader().once("GET", "/v1/znodes/full?children").json["children"]:
            ensemble.members[0].once("DELETE", f"/v1/znodes/full/{name}")
        number, status = 0, 201
        while status == 201:
            member = ensemble.running[number % 3]
            number, status = number + 1, member.once("PUT", f"/v1/znodes/full/{number}", b"x" * 90).status
        most = store[ensemble.leader()]
        # Until its limits are in force, those of the one before hold.
        return (
            status == 507
            and verdicts("PUT", f"/v1/znodes/full/{number}", b"x" * 90) == {(507, "store_full")}
            and most - 200 < ensemble.leader().metric("aviary_store_bytes") <= most)

    for member in ensemble.members:
        limit(member, 1000 * (member.id + 1), member.id)
    with ensemble:
        assert ensemble.leader().once("PUT", "/v1/znodes/full").status == 201
        for turn in range(3):
            eventually(filled_as_the_leader_says, 60, what="one limit, that of the leader, holds for all")
            assert verdicts("DELETE", "/v1/znodes/full?recursive") == {(413, "too_large")}
            ensemble.same_everywhere()
            # Another one leads, with limits of its own.
            leader = ensemble.leader()
            leader.kill()
            limit(leader, 5000 + 1000 * turn, 9)
            leader.start()
            ensemble.ready()


@pytest.mark.parametrize("limit, request_line", [
    ("queued-requests=1", "GET /v1/znodes"), ("uncommitted-bytes=1", "PUT /v1/znodes/a")])
def test_more_at_once_than_there_is_room_for(tmp_path, limit, request_line):
    with Ensemble(tmp_path, 1, ["--limit", limit]) as ensemble:
        member = ensemble.members[0]
        held = [opened(member, "") for _ in range(32)]

        def burst():
            for connection in held:
                connection.sendall(
                    f"{request_line} HTTP/1.1\r\n{H}Content-Length: 0\r\n\r\n".encode())
            answers = [answer(connection) for connection in held]
            assert {got[0] for got in answers} <= {200, 201, 503}
            return next((got for got in answers if got[0] == 503), None)

        assert overloaded(*eventually(burst, what="a request finds no room"))
        for connection in held:
            connection.close()
        eventually(lambda: member.answers("/v1/znodes"), what="there is room again")
        eventually(lambda: member.once("PUT", "/v1/znodes/a").status in (200, 201))


@pytest.mark.parametrize("limits", [
    "unsent-bytes=100000,write-stall-ms=3600000", "write-stall-ms=200"])
def test_a_client_that_does_not_read_its_answers(tmp_path, limits):
    with Ensemble(tmp_path, 1, ["--limit", limits]) as ensemble:
        member = ensemble.members[0]
        assert member.once("PUT", "/v1/znodes/big", b"x" * (1 << 20)).status == 201
        # More than the kernel takes for it.
        read = f"GET /v1/znodes/big?raw&consistency=local HTTP/1.1\r\n{H}\r\n" * 64
        with opened(member, read) as connection:
            # One byte, so that it is being served.
            assert connection.recv(1) == b"H"
            eventually(
                lambda: member.metric("aviary_http_connections") == 1,
                what="it is reset, and only the one that asks is there")
        assert serves(member)


def test_more_connections_than_the_limit(tmp_path):
    with Ensemble(tmp_path, 1, ["--limit", "connections=3"]) as ensemble:
        member = ensemble.members[0]
        request = f"GET /health/live HTTP/1.1\r\n{H}\r\n"
        held = []

        def hold():
            connection = opened(member, request)
            if answer(connection)[0] == 200:
                held.append(connection)
            else:
                connection.close()
            return len(held) == 3

        eventually(hold, what="three connections are served")
        with opened(member, "") as fourth:
            assert overloaded(*answer(fourth))
        for connection in held:
            connection.sendall(request.encode())
            assert answer(connection)[0] == 200
            connection.close()
        eventually(lambda: member.answers("/health/live"), what="places are free again")
        assert serves(member)


@pytest.fixture
def stuck(tmp_path, request):
    """The leader of three whose followers are paused, with a limit; nothing is decided meanwhile."""
    options = ["--limit", request.param, "--limit", "write-ms=60000,leaderless-request-ms=60000"]
    with Ensemble(tmp_path, 3, options) as ensemble:
        leader, followers = ensemble.leader(), ensemble.followers()
        for follower in followers:
            follower.signal(signal.SIGSTOP)

        def release():
            for follower in followers:
                follower.signal(signal.SIGCONT)
            ensemble.ready()

        leader.release = release
        yield leader


@pytest.mark.parametrize("stuck, count, body", [
    pytest.param("pending-writes=2", 2, "x", id="items"),
    pytest.param("pending-write-bytes=1000", 1, "x" * 1500, id="bytes"),
], indirect=["stuck"])
def test_more_pending_writes_than_the_limit(stuck, count, body):
    held = [opened(stuck, put(f"stuck-{number}", body)) for number in range(count)]
    eventually(
        lambda: stuck.metric("aviary_pending_writes") == count, what="the writes are pending")
    with opened(stuck, put("refused", "x")) as refused:
        assert overloaded(*answer(refused))
    stuck.release()
    for connection in held:
        assert answer(connection)[0] == 201
        connection.close()
    assert stuck.once("GET", "/v1/znodes/refused").status == 404
    assert serves(stuck)


@pytest.mark.parametrize("stuck", ["pending-reads=3"], indirect=True)
def test_more_pending_reads_than_the_limit(stuck):
    read = f"GET /v1/znodes HTTP/1.1\r\n{H}\r\n"
    held = []

    def refused():
        held.append(opened(stuck, read))
        return select.select(held, [], [], 0.05)[0]

    # How many the member's own proof that it is caught up leaves room for depends on the moment;
    # what was confirmed just before the pause is answered.
    def first_refusal():
        for connection in refused():
            held.remove(connection)
            with connection:
                got = answer(connection)
                if got[0] != 200:
                    return got
        return None

    assert overloaded(*eventually(first_refusal, what="a read is refused"))
    assert 2 <= len(held) <= 3
    assert stuck.once("GET", "/v1/znodes?consistency=local").status == 200
    stuck.release()
    for connection in held:
        assert answer(connection)[0] == 200
        connection.close()
    assert serves(stuck)
