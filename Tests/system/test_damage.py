"""Files of a stopped member rot: it starts all the same, is repaired by the others and counts again;
where nobody could repair it, it says what was found and what to do."""

from ensemble import Ensemble, eventually
from faults.disks import flip


def fill(ensemble, count):
    client = ensemble.leader().client()
    assert client.put("/v1/znodes/d").status == 201
    for number in range(count):
        assert client.put(f"/v1/znodes/d/{number}", b"x" * 300).status == 201
    client.close()
    # A write needs two of three; the third may have none of them yet.
    ensemble.same_everywhere()


def used_sectors(path):
    """The sectors of a log file that hold groups, as far as they are not zero."""
    data = path.read_bytes()
    return [at for at in range(512, len(data), 512) if any(data[at:at + 512])]


def repairs_and_counts(ensemble, harmed):
    """It comes back whole, and is one of the two that a write needs."""
    harmed.start()
    eventually(lambda: harmed.answers("/health/ready"), 30, "the damaged member is ready")
    assert "files are damaged" in harmed.log and "repaired" in harmed.log
    assert harmed.metric("aviary_storage_repairs_total") == 1
    assert harmed.metric("aviary_storage_repairing") == 0
    ensemble.same_everywhere()
    other = next(m for m in ensemble.followers() if m is not harmed)
    other.kill()
    answer = ensemble.leader().once("PUT", "/v1/znodes/after", b"counted")
    assert answer.status in (200, 201), answer
    assert harmed.once("GET", "/v1/znodes/after?raw").body == b"counted"
    assert harmed.once("GET", "/v1/znodes/d/7?raw").body == b"x" * 300


def test_damaged_files_are_repaired_by_the_others(fresh):
    fill(fresh, 60)
    harmed = fresh.followers()[0]
    assert harmed.stop() == 0
    log = sorted(harmed.data.glob("log-*"))[0]
    sectors = used_sectors(log)
    for part in (0, len(sectors) // 3, len(sectors) // 2):
        flip(log, sectors[part] + 77, 0x10)
    repairs_and_counts(fresh, harmed)
    # What it wrote is whole: nothing is found at the next start.
    assert harmed.stop() == 0
    harmed.start()
    fresh.ready()
    assert harmed.log.count("files are damaged") == 1


def test_a_damaged_snapshot_is_repaired_by_the_others(tmp_path):
    with Ensemble(tmp_path, options=["--snapshot-entries", "50"]) as ensemble:
        fill(ensemble, 200)
        harmed = ensemble.followers()[0]
        eventually(lambda: list(harmed.data.glob("snapshot-*")), 20, "a snapshot")
        assert harmed.stop() == 0
        for snapshot in harmed.data.glob("snapshot-*"):
            flip(snapshot, snapshot.stat().st_size // 2, 0x10)
        log = sorted(harmed.data.glob("log-*"))[0]
        flip(log, used_sectors(log)[1] + 200, 0x10)
        repairs_and_counts(ensemble, harmed)


SCRUBBED = ["--limit", "log-segment-bytes=65536", "--limit", "scrub-pause-ms=100"]


def found(member):
    return member.metric("aviary_scrub_damage_total")


def test_damage_at_rest_is_found_and_healed_while_the_member_runs(tmp_path):
    with Ensemble(tmp_path, options=SCRUBBED) as ensemble:
        fill(ensemble, 700)
        harmed = ensemble.followers()[0]
        eventually(lambda: harmed.metric("aviary_scrub_passes_total") > 1, 20, "a pass")
        assert harmed.metric("aviary_scrub_bytes_total") > 65536 and found(harmed) == 0
        # A segment that is not written any more.
        log = sorted(harmed.data.glob("log-*"))[1]
        sectors = used_sectors(log)
        flip(log, sectors[len(sectors) // 2] + 77, 0x10)
        eventually(lambda: found(harmed) == 1 and not log.exists(), 20, "the segment is gone")
        assert f"{log.name} is damaged at offset" in harmed.log
        assert "damage is healed" in harmed.log
        # The snapshot that has taken its place.
        snapshot, = harmed.data.glob("snapshot-*[0-9a-f]")
        flip(snapshot, snapshot.stat().st_size // 2, 0x10)
        rotten = snapshot.read_bytes()

        def replaced():
            names = [file for file in harmed.data.glob("snapshot-*") if file.suffix != ".tmp"]
            return found(harmed) > 1 and all(file.read_bytes() != rotten for file in names)

        eventually(replaced, 20, "another snapshot")
        passes = harmed.metric("aviary_scrub_passes_total")
        eventually(
            lambda: harmed.metric("aviary_scrub_passes_total") > passes + 1, 20, "a pass")
        for member in ensemble.members:
            member.kill()
        for member in ensemble.members:
            member.start()
        ensemble.ready()
        assert "files are damaged" not in harmed.log and "damaged snapshot" not in harmed.log
        ensemble.same_everywhere()
        assert harmed.once("GET", "/v1/znodes/d/7?raw").body == b"x" * 300


def test_a_sole_member_heals_itself_while_it_runs(tmp_path):
    with Ensemble(tmp_path, members=1, options=SCRUBBED) as ensemble:
        fill(ensemble, 700)
        member = ensemble.members[0]
        log = sorted(member.data.glob("log-*"))[0]
        flip(log, used_sectors(log)[5] + 77, 0x10)
        eventually(lambda: found(member) == 1 and not log.exists(), 20, "the segment is gone")
        member.kill()
        member.start()
        ensemble.ready()
        assert member.once("GET", "/v1/znodes/d/7?raw").body == b"x" * 300


def test_a_leader_that_lost_its_log_while_all_were_down_follows_those_that_have_it(fresh):
    fill(fresh, 40)
    harmed = fresh.leader()
    for member in fresh.members:
        member.kill()
    log = sorted(harmed.data.glob("log-*"))[0]
    flip(log, 512 + 40, 0x10)
    for member in fresh.members:
        member.start()
    fresh.ready()
    assert "files are damaged" in harmed.log
    fresh.same_everywhere()
    assert harmed.once("GET", "/v1/znodes/d/39?raw").body == b"x" * 300


def test_a_sole_member_with_damaged_files_says_what_to_do(tmp_path):
    with Ensemble(tmp_path, members=1) as ensemble:
        member = ensemble.members[0]
        client = member.client()
        for number in range(20):
            client.put(f"/v1/znodes/{number}", b"x")
        client.close()
        assert member.stop() == 0
        log = sorted(member.data.glob("log-*"))[0]
        flip(log, used_sectors(log)[3] + 60, 0x10)
        member.start()
        assert member.process.wait(timeout=20) == 65
        member.process = None
        assert f"{log.name} is damaged at offset" in member.log
        assert "docs/operations.md, damaged disk" in member.log
