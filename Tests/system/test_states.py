"""A member whose tree is another one than the others', though all checksums are right: it serves
nobody, ends, and fetches the state anew; of two that differ nobody can tell, and both say so."""

from ensemble import Ensemble, eventually
from forged_snapshot import forge

SNAPSHOTS = ["--snapshot-entries", "50"]
DIFFERS = 75


def fill(ensemble):
    client = ensemble.leader().client()
    for number in range(120):
        assert client.put(f"/v1/znodes/{number}", b"x" * 100).status == 201
    client.close()
    for member in ensemble.members:
        eventually(lambda: list(member.data.glob("snapshot-*")), 20, "a snapshot")


def start_with_another_state(member):
    """Its log does not say what its snapshot stands for: it loads what was forged."""
    assert member.stop() == 0
    for snapshot in member.data.glob("snapshot-*"):
        forge(snapshot, b"/7")
    member.start()


def test_a_member_with_another_state_fetches_it_anew(tmp_path):
    with Ensemble(tmp_path, options=SNAPSHOTS) as ensemble:
        fill(ensemble)
        wrong = ensemble.followers()[0]
        start_with_another_state(wrong)
        assert wrong.process.wait(timeout=30) == DIFFERS
        assert "a majority of the members holds another state" in wrong.log
        assert (wrong.data / "distrusted").exists()
        right = [member for member in ensemble.members if member is not wrong]
        eventually(
            lambda: all("a member holds another state" in member.log for member in right), 10,
            "the others say so")
        assert all(member.metric("aviary_state_differs") == 0 for member in right)
        assert all(member.metric("aviary_state_comparisons_total") > 0 for member in right)
        # What a supervisor does.
        wrong.process = None
        wrong.start()
        eventually(lambda: wrong.answers("/health/ready"), 30, "the member is ready again")
        assert "the state is not believed" in wrong.log and "repaired" in wrong.log
        assert not (wrong.data / "distrusted").exists()
        ensemble.same_everywhere()
        assert wrong.once("GET", "/v1/znodes/7?raw&consistency=local").body == b"x" * 100
        # It counts again.
        next(member for member in right if member is not ensemble.leader()).kill()
        assert ensemble.leader().once("PUT", "/v1/znodes/after", b"1").status == 201
        eventually(lambda: wrong.once("GET", "/v1/znodes/after?raw").body == b"1", 10)


def test_two_members_that_differ_serve_nobody_until_one_starts_anew(tmp_path):
    with Ensemble(tmp_path, members=2, options=SNAPSHOTS) as ensemble:
        fill(ensemble)
        wrong = ensemble.followers()[0]
        other = ensemble.leader()
        start_with_another_state(wrong)
        for member in (wrong, other):
            eventually(lambda: "no majority tells which is right" in member.log, 30, "it says so")
            assert member.metric("aviary_state_differs") == 1
            assert not member.answers("/health/ready") and not member.answers("/health/read")
            check = next(c for c in member.once("GET", "/health/ready").json["checks"]
                         if c["name"] == "state")
            assert check["status"] == "fail" and "nobody can tell" in check["detail"]
            for method, target in (
                    ("GET", "/v1/znodes/7"), ("GET", "/v1/znodes/7?consistency=local"),
                    ("PUT", "/v1/znodes/7")):
                answer = member.once(method, target)
                assert (answer.status, answer.code) == (503, "state_differs"), answer
        # What docs/operations.md tells the person who knows which one is right.
        assert wrong.stop() == 0
        (wrong.data / "distrusted").touch()
        wrong.start()
        ensemble.ready()
        ensemble.same_everywhere()
        assert wrong.once("GET", "/v1/znodes/7?raw").body == b"x" * 100
