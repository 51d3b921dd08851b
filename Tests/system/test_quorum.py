"""Without a quorum: no member claims to lead, changes and linearizable reads fail in bounded time with
the right code, local reads go on; with the quorum back, all go on from what was acknowledged."""

import signal
import threading

import pytest

from ensemble import Ensemble, eventually

# members, whether the leader is among those that are lost, and how they are lost
LOSSES = {
    "the leader and a follower of three are killed": (3, True, signal.SIGKILL),
    "the leader and a follower of three hang": (3, True, signal.SIGSTOP),
    "both followers of three are killed": (3, False, signal.SIGKILL),
    "both followers of three hang": (3, False, signal.SIGSTOP),
    "the leader and two more of five are killed": (5, True, signal.SIGKILL),
    "three followers of five are killed": (5, False, signal.SIGKILL),
    "three followers of five hang": (5, False, signal.SIGSTOP),
}

# A request that takes longer than this fails its test: the client gives up.
BOUND = 8.0


def lose(members, how):
    for member in members:
        if how == signal.SIGKILL:
            member.kill()
        else:
            member.signal(how)


def bring_back(members, how):
    for member in members:
        if how == signal.SIGKILL:
            member.start()
        else:
            member.signal(signal.SIGCONT)


@pytest.mark.parametrize("name", LOSSES)
def test_without_a_quorum_no_member_serves_more_than_local_reads(tmp_path, name):
    count, leader_too, how = LOSSES[name]
    with Ensemble(tmp_path, members=count) as ensemble:
        leader, followers = ensemble.leader(), ensemble.followers()
        zxid = leader.client().put("/v1/znodes/q", b"kept").zxid
        ensemble.same_everywhere()
        order = [leader, *followers] if leader_too else [*followers, leader]
        lost, survivors = order[:count // 2 + 1], order[count // 2 + 1:]
        lose(lost, how)

        # What comes at once may be in a log already: then it is unknown, never said to have failed.
        first, threads = [], []
        for member in survivors:
            def write(member=member):
                first.append(member.once("PUT", "/v1/znodes/q", b"unknown", timeout=BOUND))
            threads.append(threading.Thread(target=write))
            threads[-1].start()
        for member in survivors:
            for probe in ("/leader", "/health/ready"):
                eventually(lambda: member.answers(probe, 503), BOUND, f"{probe} of {member.id} 503")
        for thread in threads:
            thread.join(2 * BOUND)
        assert len(first) == len(survivors)
        assert {(a.status, a.code) for a in first} <= {(503, "no_quorum"), (504, "outcome_unknown")}

        for member in survivors:
            check_survivor(member, zxid)
        assert not any(member.answers("/leader") for member in survivors)

        bring_back(lost, how)
        ensemble.ready()
        ensemble.same_everywhere()
        unknown = any(answer.status == 504 for answer in first)
        for member in ensemble.members:
            data = member.once("GET", "/v1/znodes/q?raw").body
            assert data == b"kept" or (unknown and data == b"unknown")


def check_survivor(member, zxid):
    client = member.client(timeout=BOUND)
    refused = client.put("/v1/znodes/q", b"lost")
    assert refused.status == 503 and refused.code == "no_quorum", refused
    assert refused.headers["Retry-After"] and "nothing was changed" in refused.json["detail"]
    read = client.get("/v1/znodes/q")
    assert read.status == 503 and read.code == "no_quorum" and "Aviary-Zxid" not in read.headers
    assert "consistency=local" in read.json["detail"] and read.json["path"] == "/q"
    wait = client.get(f"/v1/znodes/q?after={zxid}&wait=100ms")
    assert wait.status == 503 and wait.code == "no_quorum"

    local = client.get("/v1/znodes/q?raw&consistency=local")
    assert local.status == 200 and local.body == b"kept" and local.zxid >= zxid
    assert "Aviary-Staleness-Ms" in local.headers
    stale = client.get("/v1/znodes/q?consistency=local&max-staleness=1ms")
    assert stale.status == 503 and stale.code == "too_stale"

    assert client.get("/health/read").status == 200
    assert client.get("/health/read?max-lag=1ms").status == 503
    assert client.get("/health/live").status == 200
    assert client.get("/leader").status == 503


def test_a_member_that_was_never_in_an_ensemble_serves_no_reads(tmp_path):
    ensemble = Ensemble(tmp_path, members=3)
    first, *others = ensemble.members
    try:
        first.start()
        eventually(lambda: first.answers("/health/live"), what="the first member is up")
        client = first.client(timeout=BOUND)
        assert client.get("/health/read").status == 503
        for target in ("znodes/q?consistency=local", "watch/q?consistency=local&after=0",
                       "znodes/q?consistency=local&after=0&wait=10s"):
            refused = client.get(f"/v1/{target}")
            assert refused.status == 503 and refused.code == "no_quorum", refused
            assert refused.json["path"] == "/q" and "ask another" in refused.json["detail"]
        refused = client.put("/v1/znodes/q", b"lost")
        assert refused.status == 503 and refused.code == "no_quorum", refused
        assert "knows no leader" in refused.json["detail"]

        for member in others:
            member.start()
        ensemble.ready()
        assert client.get("/health/read").status == 200
        local = client.get("/v1/znodes/q?consistency=local")
        assert local.status == 404 and "Aviary-Staleness-Ms" in local.headers
        for _ in range(3):
            assert client.put("/v1/znodes/q", b"kept").status in (200, 201)
        ensemble.same_everywhere()
        client.close()

        # Alone after a restart it has heard no leader, and serves what it has, of no known age.
        for member in ensemble.members:
            member.kill()
        first.start()
        eventually(lambda: first.answers("/health/read"), what="the survivor serves reads")
        client = first.client(timeout=BOUND)
        local = client.get("/v1/znodes/?consistency=local")
        assert local.status == 200 and "Aviary-Staleness-Ms" not in local.headers
        stale = client.get("/v1/znodes/?consistency=local&max-staleness=1000h")
        assert stale.status == 503 and stale.code == "too_stale", stale
        assert client.get("/health/read?max-lag=1000h").status == 503
        client.close()
    finally:
        ensemble.__exit__(None)
