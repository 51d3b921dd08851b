"""Disks without room: a member keeps what it has promised, takes no changes, and takes them again once
there is room, without a restart. Each member's directory is a small file system of its own."""

import subprocess

import pytest
from ensemble import Ensemble, Unreachable, eventually

MiB = 1 << 20
# All that a test writes, on a member that nothing else takes room from.
SIZE = 160 * MiB


@pytest.fixture
def small(tmp_path):
    ensemble, mounted = Ensemble(tmp_path / "small"), []
    try:
        for member in ensemble.members:
            member.data.mkdir(mode=0o700)
            made = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(member.data)],
                capture_output=True)
            if made.returncode != 0:
                pytest.skip("may not mount")
            mounted.append(member.data)
        with ensemble:
            yield ensemble
    finally:
        for path in mounted:
            subprocess.run(["umount", "-l", str(path)], check=True)


def is_full(member):
    answer = member.once("GET", "/health/ready")
    return answer.status == 503 and b"disk_full" in answer.body


def write_until(ensemble, condition):
    """Large changes through whoever takes them, more than fits into the segments that are there."""
    for number in range(400):
        if condition():
            return
        writer = ensemble.members[number % len(ensemble.members)]
        try:
            writer.once("PUT", "/v1/znodes/filler", bytes(250_000), timeout=5)
        except Unreachable:
            pass
    eventually(condition, 10, "the members notice")


def put(member, name):
    return member.once("PUT", f"/v1/znodes/{name}", name.encode())


def refuses(member, name):
    answer = put(member, name)
    return (answer.status == 503 and answer.code == "disk_full"
            and int(answer.headers["Retry-After"]) >= 1)


def takes_no_changes(member):
    before = member.once("GET", "/v1/znodes/kept?consistency=local&raw")
    assert before.status == 200 and before.body == b"kept"
    assert refuses(member, "refused")
    assert member.once("GET", "/health/read").status == 200
    assert member.metric("aviary_disk_full") == 1
    eventually(lambda: member.metric("aviary_data_free_bytes") < 4 * MiB, 10, "the room is sampled")


def test_full_disks_come_back_without_a_restart(small):
    processes = [member.process.pid for member in small.members]
    assert put(small.leader(), "kept").status == 201
    small.same_everywhere()

    # A follower: the others go on, and know.
    leader, full = small.leader(), small.followers()[0]
    full.fill_disk()
    write_until(small, lambda: is_full(full))
    takes_no_changes(full)
    eventually(lambda: put(small.leader(), "by-two").status in (200, 201), 10, "two go on")
    told = eventually(lambda: [
        m["id"] for m in small.leader().once("GET", "/v1/members").json["members"]
        if m["disk_full"]], 10, "the leader knows")
    assert told == [str(full.id)]

    # It hears the leader as before, and knows all the same that others have moved on.
    assert put(leader, "kept-elsewhere").status == 201
    bounded = "/v1/znodes/kept-elsewhere?consistency=local&max-staleness=400ms"
    eventually(lambda: leader.once("GET", bounded).status == 200, 10, "the leader proves it")
    eventually(lambda: full.once("GET", bounded).code == "too_stale", 10, "it grows older")
    assert full.once("GET", "/health/read?max-lag=400ms").status == 503
    assert full.once("GET", "/health/read").status == 200
    full.make_room()
    small.ready()
    small.same_everywhere()
    assert full.once("GET", "/v1/znodes/by-two?raw").body == b"by-two"
    assert full.log.count("the disk is full") == full.log.count("the disk has room again") == 1

    # The leader: another one leads.
    leader = small.leader()
    leader.fill_disk()
    write_until(small, lambda: is_full(leader))
    eventually(lambda: small.leader() is not leader, 10, "another one leads")
    takes_no_changes(leader)
    eventually(lambda: put(small.leader(), "by-others").status in (200, 201), 10, "others go on")

    # All: nobody takes changes, whoever leads, and what is there is served.
    for member in small.members:
        if member is not leader:
            member.fill_disk()
    write_until(small, lambda: all(refuses(member, "filler") for member in small.members))
    assert sum(is_full(member) for member in small.members) >= 2
    for member in small.members:
        assert refuses(member, "refused")
        if is_full(member):
            takes_no_changes(member)

    for member in small.members:
        member.make_room()
    small.ready()
    for member in small.members:
        assert put(member, f"after-{member.id}").status == 201
        assert member.once("GET", "/v1/znodes/refused").status == 404
    small.same_everywhere()
    assert [member.process.pid for member in small.members] == processes
    assert all(member.process.poll() is None for member in small.members)


def test_a_full_member_that_is_killed_comes_back_full_and_votes(small):
    assert put(small.leader(), "kept").status == 201
    small.same_everywhere()
    full = small.followers()[0]
    full.fill_disk()
    write_until(small, lambda: is_full(full))
    leader = small.leader()
    full.kill()
    full.start()
    eventually(lambda: full.answers("/health/live"), 10, "it starts on a full disk")
    leader.kill()
    # Of the two that are left one has room: the vote of the other makes it the leader.
    third = next(m for m in small.members if m is not full and m is not leader)
    # With no quorum for its first entry it proves nothing yet.
    eventually(
        lambda: third.once("GET", "/v1/members").json["leader"] == str(third.id), 20,
        "the one with room leads")
    full.make_room()
    eventually(lambda: put(third, "by-two").status in (200, 201), 20, "two with room go on")
    leader.start()
    small.ready()
    small.same_everywhere()


def test_the_log_gives_way_and_no_full_disk_fills_another(small):
    full = small.followers()[0]
    full.fill_disk()
    writer = small.leader()

    def write(number):
        nonlocal writer
        try:
            answer = writer.once("PUT", f"/v1/znodes/f{number % 5}", bytes(60_000), timeout=5)
            if answer.status in (200, 201):
                return True
        except Unreachable:
            pass
        leaders = [m for m in small.members if m.answers("/leader")]
        writer = leaders[0] if leaders else writer
        return False

    # More than a disk has room for, of a tree that is small.
    for number in range(4000):
        if not write(number):
            eventually(lambda: write(number), 20, "the others take changes")
    assert is_full(full)
    for member in small.members:
        if member is not full:
            eventually(lambda: not is_full(member), 20, "its own log does not keep it full")
    full.make_room()
    small.ready()
    small.same_everywhere()
