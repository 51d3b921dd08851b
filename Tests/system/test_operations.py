"""Probes, lists, documents, the command line, and a real HAProxy in front."""

import json
import pathlib
import re
import shutil
import signal
import subprocess

from ensemble import (
    PATIENCE, PROGRAM, Client, Member, Unreachable, contiguous_ports, eventually, free_ports)

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_probes_answer_get_head_and_options(three):
    leader = three.leader()
    for member in three.members:
        for probe in ("/health", "/health/ready", "/health/read", "/health/live", "/leader"):
            want = 200 if probe != "/leader" or member is leader else 503
            answers = {m: member.once(m, probe) for m in ("GET", "HEAD", "OPTIONS")}
            assert [a.status for a in answers.values()] == [want] * 3, (probe, answers)
            assert answers["HEAD"].body == answers["OPTIONS"].body == b""
            assert answers["GET"].headers["Cache-Control"] == "no-store"
            if want == 503:
                assert answers["GET"].headers["Aviary-Leader"]
                assert str(leader.http_port) in answers["GET"].body.decode()


def test_members_are_listed_by_each_member(three):
    leader = three.leader()
    for member in three.members:
        def listed():
            answer = member.once("GET", "/v1/members").json
            return answer if all(m["role"] for m in answer["members"]) else None
        answer = eventually(listed, what="all members are known")
        assert answer["failure_tolerance"] == 1 and answer["term"] >= 1
        assert str(answer["leader"]) == str(leader.id)
        assert [str(m["id"]) for m in answer["members"]] == ["1", "2", "3"]
        assert [str(m["id"]) for m in answer["members"] if m["self"]] == [str(member.id)]
        assert all(m["voter"] and m["version"] for m in answer["members"])
        assert {m["http"] for m in answer["members"]} == {f"127.0.0.1:{m.http_port}" for m in three.members}


def test_metrics_documents_and_the_front_door(three):
    client = three.members[0].client()
    metrics = client.get("/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    names = set(re.findall(r"^# TYPE (\S+) ", metrics.body.decode(), re.M))
    assert {"aviary_applied_zxid", "aviary_waits", "aviary_is_leader"} <= names
    if shutil.which("promtool"):
        subprocess.run(["promtool", "check", "metrics"], input=metrics.body, check=True)
    document = client.get("/openapi.json").json
    assert document["openapi"].startswith("3.1") and "/v1/znodes/{path}" in document["paths"]
    assert client.get("/openapi.yaml").body == (ROOT / "openapi/aviary.yaml").read_bytes()
    assert "/v1/znodes" in client.get("/").body.decode()


def test_status_shows_the_members_and_tries_the_next_server(fresh):
    down = fresh.members[0]
    servers = ",".join(member.url for member in fresh.members)
    down.kill()
    table = subprocess.run([PROGRAM, "status", "--server", servers], capture_output=True, text=True)
    assert table.returncode == 0, table
    assert "leader" in table.stdout and str(fresh.members[1].http_port) in table.stdout
    nothing = subprocess.run(
        [PROGRAM, "status", "--server", down.url], capture_output=True, text=True)
    assert nothing.returncode not in (0, 64) and nothing.stderr


def test_version_help_and_usage_errors():
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True)
    assert version.returncode == 0 and re.fullmatch(r"\d+\.\d+\.\d+\S*\n", version.stdout)
    for words in (["--help"], ["serve", "--help"], ["dev", "--help"], ["status", "--help"]):
        text = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
        assert text.returncode == 0 and "USAGE" in text.stdout
        assert words == ["--help"] or "EXAMPLE" in text.stdout.upper()
    wrong = subprocess.run([PROGRAM, "serve", "--colour", "red"], capture_output=True, text=True)
    assert wrong.returncode == 64 and wrong.stderr


def test_dev_runs_three_members_until_it_is_told_to_stop(tmp_path):
    port = contiguous_ports()
    process = subprocess.Popen(
        [PROGRAM, "dev", "--data", str(tmp_path / "data"), "--port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if lines[-1] == "ready":
                break
        said = "\n".join(lines)
        for offset in range(3):
            assert f":{port + offset}" in said
        made = Client(port).put("/v1/znodes/dev", b"1")
        assert made.status == 201
        assert Client(port + 2).get("/v1/znodes/dev?raw").body == b"1"
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(30) == 0
        for offset in range(3):
            try:
                Client(port + offset).get("/health/live")
                raise AssertionError("a member is still there")
            except Unreachable:
                pass
    finally:
        process.kill()


def test_haproxy_sends_to_healthy_members_and_to_the_leader_only(fresh, tmp_path):
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    any_port, leader_port = free_ports(2)
    text = (ROOT / "deploy/haproxy/haproxy.cfg").read_text()
    for position, member in enumerate(fresh.members):
        text = text.replace(f"127.0.0.1:{8080 + position}", f"127.0.0.1:{member.http_port}")
    text = text.replace("bind 127.0.0.1:8000", f"bind 127.0.0.1:{any_port}")
    text = text.replace("bind 127.0.0.1:8001", f"bind 127.0.0.1:{leader_port}")
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(text)
    subprocess.run([program, "-c", "-q", "-f", str(configuration)], check=True)
    with open(tmp_path / "haproxy.log", "wb") as log:
        proxy = subprocess.Popen([program, "-db", "-f", str(configuration)], stdout=log, stderr=log)
    try:
        def served(port, method="GET", target="/v1/members"):
            try:
                answer = Client(port).request(method, target)
                return answer if answer.status in (200, 201) else None
            except Unreachable:
                return None

        eventually(lambda: served(any_port), what="any member")
        assert eventually(lambda: served(leader_port, "PUT", "/v1/znodes/proxied"))
        leader = fresh.leader()

        def behind(port):
            """The id of the member that answered."""
            answer = served(port)
            return answer and next(m["id"] for m in answer.json["members"] if m["self"])

        # HAProxy takes a server for healthy until its first check.
        eventually(
            lambda: all(behind(leader_port) == str(leader.id) for _ in range(10)),
            what="the leader only")
        leader.kill()
        eventually(
            lambda: behind(leader_port) not in (None, str(leader.id)),
            what="the proxy follows the leader")
        eventually(lambda: all(served(any_port) for _ in range(10)), what="the proxy skips the dead one")
    finally:
        proxy.kill()
        proxy.wait()


def second_process(ensemble, first, name):
    """The same member number once more, on ports of its own."""
    second = Member(ensemble, first.id, *free_ports(2))
    second.data = ensemble.folder / name
    second.log_path = ensemble.folder / f"{name}.log"
    return second


def test_a_second_process_on_a_data_directory_ends_with_73_and_harms_nothing(fresh):
    first = fresh.followers()[0]
    second = second_process(fresh, first, "second")
    second.data = first.data
    second.start()
    try:
        assert second.process.wait(timeout=20 * PATIENCE) == 73
    finally:
        second.kill()
    assert "another process uses this data directory" in second.log
    assert first.process.poll() is None and first.answers("/health/ready")
    # The lock is of the process, not of a file that a crash leaves.
    first.kill()
    first.start()
    fresh.ready()


def test_a_second_process_under_a_number_is_turned_away_while_the_first_is_there(fresh):
    first = fresh.followers()[0]
    leader = fresh.leader()
    admitted = leader.metric("aviary_disks_admitted_total")
    second = second_process(fresh, first, "second")
    second.start()
    try:
        eventually(lambda: "refused by member" in second.log, what="it says why")
        eventually(lambda: second.answers("/health/ready", 503), what="its door is open")
        assert second.once("PUT", "/v1/znodes/second", b"x").status == 503
        # It does not end: an empty disk is admitted when the first one is silent for long enough.
        assert second.process.poll() is None
        other = next(m for m in fresh.followers() if m is not first)
        other.kill()
        # The first one counts as before, with the leader alone.
        answer = fresh.leader().once("PUT", "/v1/znodes/first", b"x")
        assert answer.status == 201, answer
        assert first.answers("/health/ready")
        assert first.once("GET", "/v1/znodes/first?raw").body == b"x"
        assert not second.answers("/leader") and not second.answers("/health/ready")
        assert fresh.leader().metric("aviary_disks_admitted_total") == admitted
    finally:
        second.kill()
