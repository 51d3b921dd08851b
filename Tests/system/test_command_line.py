"""The command line: what a start refuses and how it says so, and how members and `dev` stop."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ensemble import PROGRAM, Client, Ensemble, Unreachable, contiguous_ports, eventually, free_ports
from forged_snapshot import forge


def run(*words, **variables):
    return subprocess.run(
        [PROGRAM, *words], capture_output=True, text=True, timeout=30, env={**os.environ, **variables})


def test_an_unknown_variable_ends_the_start(tmp_path):
    for words in (["serve", "--data", str(tmp_path / "d")], ["dev", "--data", str(tmp_path / "d")]):
        ended = run(*words, AVIARY_ENSEMBEL="1=127.0.0.1:1")
        assert ended.returncode == 64, ended
        assert "AVIARY_ENSEMBEL" in ended.stderr and "AVIARY_ENSEMBLE" in ended.stderr
    assert not (tmp_path / "d").exists()


def test_an_unknown_limit_ends_the_start_and_all_are_listed(tmp_path):
    listed = run("limits")
    names = [line.split()[0] for line in listed.stdout.splitlines()[1:]]
    assert listed.returncode == 0 and "waits" in names and "data-bytes" in names
    assert "aviary limits" in re.sub(r"\s+", " ", run("serve", "--help").stdout)
    for words, variables in ((["--limit", "wait=1"], {}), ([], {"AVIARY_LIMIT": "wait=1"})):
        ended = run("serve", "--data", str(tmp_path / "d"), *words, **variables)
        assert ended.returncode == 64
        assert ("AVIARY_LIMIT" if variables else "--limit") in ended.stderr
        assert all(name in ended.stderr for name in names)


def test_a_member_that_ends_at_its_start_is_not_waited_for(tmp_path):
    ensemble = Ensemble(tmp_path, 1, ["--limit", "none=1"])
    with pytest.raises(AssertionError, match="has ended with 64"):
        with ensemble:
            pass
    assert ensemble.running == []


def test_lines_of_help_are_whole():
    for words in (["--help"], ["serve", "--help"], ["dev", "--help"], ["status", "--help"], ["limits", "--help"]):
        text = run(*words).stdout
        examples = text[text.index("EXAMPLES"):].split("\n\n")[0].splitlines()[1:]
        assert all(line.startswith("  ") for line in examples), examples
    serve = re.sub(r"\s+", " ", run("serve", "--help").stdout)
    assert "on an empty directory. Required with --ensemble" in serve


def test_a_start_that_cannot_be_says_why_in_words(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words, code, why in (
                (["--data", str(file)], 73, "not a directory"),
                (["--data", str(file / "below")], 73, "not a directory"),
                (["--data", str(tmp_path / "no" / "parent")], 73, "parent directory"),
                # Of the kernel: nobody, root included, may make directories there.
                (["--data", "/sys/aviary"], 73, "permi"),
                (["--data", str(tmp_path / "d"), "--http", f"127.0.0.1:{port}"], 1, "already in use"),
                (["--data", str(tmp_path / "d"), "--peer", f"127.0.0.1:{port}"], 1, "already in use")):
            ended = run("serve", "--http", "127.0.0.1:0", *words) if "--http" not in words else run("serve", *words)
            assert ended.returncode == code, ended
            last = ended.stderr.splitlines()[-1]
            assert why in last.lower() and "error number" not in last, last


def test_a_member_on_every_address_is_told_of_by_its_own_entry(tmp_path):
    with Ensemble(tmp_path) as ensemble:
        for member in ensemble.members[:2]:
            member.stop()
        ensemble.members[0].start(["--http", f"0.0.0.0:{ensemble.members[0].http_port}"])
        ensemble.members[1].start(["--http", f"[::]:{ensemble.members[1].http_port}"])
        ensemble.ready()
        want = [f"127.0.0.1:{member.http_port}" for member in ensemble.members]
        for member in ensemble.members:
            eventually(
                lambda: [m["http"] for m in member.once("GET", "/v1/members").json["members"]] == want,
                what="usable addresses")


def test_only_a_leader_says_that_it_hands_over(tmp_path):
    with Ensemble(tmp_path) as ensemble:
        leader, followers = ensemble.leader(), ensemble.followers()
        assert followers[0].stop() == 0
        assert leader.stop() == 0
        assert "stopping" in followers[0].log and "handing" not in followers[0].log
        assert leader.log.count("handing leadership over") == 1


def test_numbers_in_the_log_are_numbers(tmp_path):
    with Ensemble(tmp_path, 1, ["--log-format", "json"]) as ensemble:
        member = ensemble.members[0]
        assert member.stop() == 0
        lines = [json.loads(line) for line in member.log.splitlines()]
    recovered = next(line for line in lines if line["message"] == "recovered")
    assert recovered["entries"] == 0 and recovered["term"] == 0 and recovered["snapshot"] is None
    assert {line["member"] for line in lines} == {1}
    leads = next(line for line in lines if line.get("role") == "leader")
    assert leads["leader"] == 1 and leads["term"] >= 1


def test_status_says_how_old_a_lag_is(tmp_path):
    with Ensemble(tmp_path) as ensemble:
        leader = ensemble.leader()
        def listed():
            answer = leader.once("GET", "/v1/members").json["members"]
            return answer if all(m["lag_age_ms"] is not None for m in answer) else None
        assert all(0 <= m["lag_age_ms"] < 60_000 for m in eventually(listed, what="all have reported"))
        table = run("status", "--server", leader.url).stdout.splitlines()
        assert "LAG  AS OF" in table[0]
        assert sum(" ms ago " in line for line in table) == 2, table
        assert sum(" now " in line for line in table) == 1, table


def test_status_notes_who_does_not_take_part_as_the_others():
    def member(number, **words):
        return {"id": str(number), "voter": True, "self": False, "disk_full": False} | words

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = json.dumps({"ensemble": None, "leader": "1", "term": 3, "failure_tolerance": 0, "members": [
                member(1, self=True), member(2, disk_full=True), member(3, voter=False),
                member(4, voter=False, disk_full=True), member(5, disk_full=None)]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        table = run("status", "--server", f"http://127.0.0.1:{door.server_port}").stdout.splitlines()
        door.shutdown()
    column = table[0].index("NOTES")
    assert [line[column:].strip() for line in table[1:6]] == [
        "-", "disk full", "new disk, not yet caught up", "new disk, not yet caught up; disk full", "-"]


# MARK: Stopping

def half_a_put(port):
    """A connection with a request under way, which holds up a drain."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(
        b"PUT /v1/znodes/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n1")
    return connection


def in_drain(member):
    eventually(lambda: "draining" in member.log, what="the drain has begun")


def test_two_signals_at_once_do_not_skip_the_drain(tmp_path):
    with Ensemble(tmp_path, 1, ["--drain-ms", "60000"]) as ensemble:
        member = ensemble.members[0]
        with half_a_put(member.http_port) as connection:
            eventually(lambda: member.metric("aviary_http_connections") >= 2, what="half a request is there")
            # Different ones: a signal that is pending already is not told again.
            member.signal(signal.SIGTERM)
            member.signal(signal.SIGINT)
            in_drain(member)
            connection.sendall(b"2")
            assert connection.recv(4096).startswith(b"HTTP/1.1 ")
        assert member.process.wait(30) == 0
        member.process = None


def test_a_signal_before_a_member_is_up_ends_it_in_peace(tmp_path):
    with Ensemble(tmp_path, 1) as ensemble:
        member = ensemble.members[0]
        assert member.once("PUT", "/v1/znodes/kept", b"1").status == 201
        assert member.stop() == 0
        served = member.log.count("serving")
        member.start(wrapper=slow_recovery(member))
        eventually(lambda: "start" in threads(member.process.pid), what="it is recovering")
        assert member.stop() == 0
        assert "stopped before it was up" in member.log and member.log.count("serving") == served
        member.start()
        ensemble.ready()
        assert member.once("GET", "/v1/znodes/kept?raw").body == b"1"


def slow_recovery(member):
    """A read of one file takes seconds: recovery is far from its end when a signal comes."""
    return [
        "strace", "-D", "-f", "-qq", "-o", os.devnull, "-P", str(member.data / "identity"),
        "-e", "trace=pread64", "-e", "inject=pread64:delay_enter=10000000"]


def threads(process):
    folder = Path(f"/proc/{process}/task")
    return [(one / "comm").read_text().strip() for one in folder.iterdir()]


def test_a_later_signal_ends_a_member_at_once(tmp_path):
    with Ensemble(tmp_path, 1, ["--drain-ms", "600000", "--limit", "body-ms=600000"]) as ensemble:
        member = ensemble.members[0]
        with half_a_put(member.http_port):
            eventually(lambda: member.metric("aviary_http_connections") >= 2, what="half a request is there")
            member.signal(signal.SIGTERM)
            in_drain(member)
            insist_until_it_ends(member.process)
        assert member.process.wait(10) == 1
        assert "ending at once" in member.log
        member.process = None


def insist_until_it_ends(process):
    def ended():
        process.send_signal(signal.SIGTERM)
        return process.poll() is not None
    eventually(ended, what="a later signal is heard")


def test_an_end_does_not_wait_for_a_reader_of_the_log(tmp_path):
    with ExitStack() as stack:
        pipe = full_pipe(stack)
        stopped, insisted, early = (
            stack.enter_context(Ensemble(tmp_path / name, 1)).members[0]
            for name in ("stopped", "insisted", "early"))
        for member in (stopped, insisted, early):
            assert member.stop() == 0
        stopped.start(wrapper=pipe)
        insisted.start(["--drain-ms", "600000", "--limit", "body-ms=600000"], wrapper=pipe)
        early.start(wrapper=[*slow_recovery(early), *pipe])
        for member in (stopped, insisted):
            member.ensemble.ready()
        stack.enter_context(half_a_put(insisted.http_port))
        eventually(lambda: insisted.metric("aviary_http_connections") >= 2, what="half a request is there")
        eventually(lambda: "start" in threads(early.process.pid), what="it is recovering")
        for member in (stopped, early):
            member.signal(signal.SIGTERM)
        insist_until_it_ends(insisted.process)
        for member in (stopped, insisted, early):
            # All its time went by while its last lines waited.
            assert member.process.wait(20) == -signal.SIGALRM, member.data
            member.process = None


def full_pipe(stack):
    """What starts a program with the writing end of a full pipe, which nobody reads, for its log."""
    reading, writing = os.pipe()
    stack.callback(os.close, reading)
    stack.callback(os.close, writing)
    os.set_blocking(writing, False)
    os.write(writing, bytes(fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)))
    return ["sh", "-c", f'exec "$@" 2>/proc/{os.getpid()}/fd/{writing}', "sh"]


@pytest.fixture
def dev(tmp_path):
    port = contiguous_ports()
    started = []

    def start(*words, **variables):
        process = subprocess.Popen(
            [PROGRAM, "dev", "--data", str(tmp_path / "data"), "--port", str(port), *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **variables})
        # What is read from it then ends, instead of hanging a test for ever.
        deadline = threading.Timer(60, process.kill)
        deadline.start()
        started.append((process, deadline))
        said = []
        for line in process.stdout:
            said.append(line.rstrip())
            if said[-1] == "ready":
                break
        assert said[-1] == "ready", said
        return process, port
    yield start
    for process, deadline in started:
        deadline.cancel()
        process.kill()
        process.wait()


def gone(port):
    for offset in range(3):
        with pytest.raises(Unreachable):
            Client(port + offset).get("/health/live")


def test_dev_keeps_what_says_who_a_member_is_and_hands_on_the_rest(dev, tmp_path):
    one, two, three = free_ports(3)
    process, port = dev(
        AVIARY_ID="9", AVIARY_DATA=str(tmp_path / "other"), AVIARY_HTTP=f"127.0.0.1:{one}",
        AVIARY_PEER=f"127.0.0.1:{two}", AVIARY_ENSEMBLE=f"9=127.0.0.1:{two}",
        AVIARY_ADVERTISE_HTTP=f"127.0.0.1:{three}", AVIARY_LIMIT="data-bytes=10")
    members = Client(port).get("/v1/members").json["members"]
    assert [m["id"] for m in members] == ["1", "2", "3"]
    assert [m["http"] for m in members] == [f"127.0.0.1:{port + n}" for n in range(3)]
    assert Client(port).put("/v1/znodes/a", b"x" * 11).status == 413
    assert not (tmp_path / "other").exists()
    process.terminate()
    process.stdout.read()
    assert process.wait(30) == 0


def test_dev_says_once_what_is_wrong_for_all_members(tmp_path):
    ended = run("dev", "--data", str(tmp_path / "data"), "--", "--drain-ms", "soon")
    assert ended.returncode == 64
    assert ended.stderr.count('--drain-ms is "soon"') == 1 and "pid" not in ended.stdout
    assert not (tmp_path / "data").exists()


def test_dev_stops_all_when_its_terminal_goes_away(dev):
    process, port = dev()
    process.send_signal(signal.SIGHUP)
    assert "stopping" in process.stdout.read()
    assert process.wait(30) == 0
    gone(port)


def test_two_signals_at_once_to_dev_do_not_skip_the_drain(dev):
    process, port = dev("--", "--drain-ms", "60000")
    with half_a_put(port) as connection:
        eventually(
            lambda: Client(port).metrics()["aviary_http_connections"] == "2",
            what="half a request is there")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            if line.startswith("[1]") and "draining" in line:
                break
        connection.sendall(b"2")
        assert connection.recv(4096).startswith(b"HTTP/1.1 ")
    said = process.stdout.read()
    assert process.wait(30) == 0
    assert not re.search(r"at once|signal 9", said)
    gone(port)


def test_a_later_signal_to_dev_does_not_wait(dev):
    process, port = dev("--", "--drain-ms", "600000", "--limit", "body-ms=600000")
    with half_a_put(port):
        eventually(
            lambda: Client(port).metrics()["aviary_http_connections"] == "2",
            what="half a request is there")
        process.send_signal(signal.SIGTERM)
        insist_until_it_ends(process)
    assert process.wait(10) == 0
    gone(port)


def test_dev_starts_a_member_again_that_asks_for_it(dev, tmp_path):
    words = ("--", "--snapshot-entries", "50")
    process, port = dev(*words)
    client = Client(port)
    for number in range(120):
        assert client.put(f"/v1/znodes/{number}", b"x" * 100).status == 201
    client.close()
    folder = tmp_path / "data" / "member-1"
    eventually(lambda: list(folder.glob("snapshot-*")), 20, "a snapshot")
    process.terminate()
    process.stdout.read()
    assert process.wait(30) == 0
    for snapshot in folder.glob("snapshot-*"):
        forge(snapshot, b"/7")
    dev(*words)

    def has_fetched_it_anew():
        try:
            return (Client(port).metrics().get("aviary_storage_repairs_total") == "1"
                    and Client(port).get("/health/ready").status == 200)
        except Unreachable:
            return False
    eventually(has_fetched_it_anew, 30, "the member is back with the others' state")
    assert Client(port).get("/v1/znodes/7?raw").body == b"x" * 100
