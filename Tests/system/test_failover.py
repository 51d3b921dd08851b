"""What an ensemble owes its clients while members die, hang, forget and come back."""

import itertools
import json
import shutil
import signal
import subprocess
import threading
import time

from ensemble import PROGRAM, Ensemble, Unreachable, eventually


class Writer(threading.Thread):
    """Sets /w/N for N = 0, 1, ... through whichever member answers, and keeps what was acknowledged.

    A number whose outcome is unknown is never used again, so an acknowledgement is unambiguous.
    """

    def __init__(self, ensemble):
        super().__init__()
        self.ensemble, self.acknowledged, self.ended = ensemble, {}, threading.Event()

    def run(self):
        clients = [member.client(timeout=8.0) for member in self.ensemble.members]
        position = 0
        for number in itertools.count():
            if self.ended.is_set():
                return
            try:
                answer = clients[position % len(clients)].put(
                    f"/v1/znodes/w/{number}?parents", str(number).encode())
                if answer.status == 201:
                    self.acknowledged[number] = answer.zxid
                    continue
            except Unreachable:
                pass
            position += 1

    def end(self):
        self.ended.set()
        self.join(30)


def assert_all_there(ensemble, acknowledged):
    for member in ensemble.members:
        client = member.client()
        for number, zxid in acknowledged.items():
            answer = client.get(f"/v1/znodes/w/{number}?consistency=local")
            assert answer.status == 200, (member.id, number, zxid, answer)
            assert answer.json["data"] == str(number) and answer.json["stat"]["czxid"] == zxid


def test_ten_leader_kills_lose_nothing(fresh):
    writer = Writer(fresh)
    writer.start()
    for _ in range(10):
        count = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > count + 20, what="writes go on")
        leader = fresh.leader()
        leader.kill()
        count = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > count + 20, what="the others go on")
        leader.start()
        fresh.ready([leader])
    writer.end()
    fresh.same_everywhere()
    assert_all_there(fresh, writer.acknowledged)


def test_a_create_is_applied_once_though_leaders_fall_and_return_at_once(fresh):
    """Each create has a name of its own, so that one that was applied twice shows as two children."""
    eventually(lambda: fresh.members[0].client().put("/v1/znodes/once").status in (200, 201))
    acknowledged, done = set(), threading.Event()

    def post(worker):
        client = fresh.members[worker % 3].client(timeout=8.0)
        for number in itertools.count():
            if done.is_set():
                return
            name = f"{worker}x{number}-"
            try:
                if client.post(f"/v1/znodes/once?name={name}").status == 201:
                    acknowledged.add(name)
            except Unreachable:
                client = fresh.members[(worker + number) % 3].client(timeout=8.0)

    threads = [threading.Thread(target=post, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        count = len(acknowledged)
        eventually(lambda: len(acknowledged) > count + 50, what="creates go on")
        leader = fresh.leader()
        leader.kill()
        leader.start()
    fresh.ready()
    done.set()
    for thread in threads:
        thread.join(30)
    names, after, client = [], "", fresh.members[0].client()
    while after is not None:
        page = client.get(f"/v1/znodes/once?children{after}").json
        names += [name[:-10] for name in page["children"]]
        after = f"&after-name={page['next']}" if page["next"] else None
    assert len(names) == len(set(names))
    assert acknowledged <= set(names)
    fresh.same_everywhere()


def test_power_loss_of_all_members_loses_nothing(fresh):
    writer = Writer(fresh)
    writer.start()
    eventually(lambda: len(writer.acknowledged) > 200, what="writes")
    for member in fresh.members:
        member.kill()
    writer.end()
    for member in fresh.members:
        member.start()
    fresh.ready()
    fresh.same_everywhere()
    assert_all_there(fresh, writer.acknowledged)


def test_a_wait_across_a_leader_kill_misses_nothing(fresh):
    leader = fresh.leader()
    waiting, writing = fresh.followers()
    zxid = writing.client().put("/v1/znodes/x", b"0").zxid
    seen, done = [], threading.Event()

    def follow():
        client, after = waiting.client(40), zxid
        while not done.is_set() or seen[-1:] != [b"30"]:
            answer = client.get(f"/v1/znodes/x?raw&after={after}&wait=2s")
            if answer.status in (200, 304):
                assert answer.zxid >= after
                after = answer.zxid
                if answer.status == 200:
                    seen.append(answer.body)

    thread = threading.Thread(target=follow)
    thread.start()
    client = writing.client()
    for number in range(1, 31):
        if number == 10:
            leader.kill()
        eventually(
            lambda: client.put("/v1/znodes/x", str(number).encode()).status == 200,
            what="a write that was surely not applied is repeated")
    done.set()
    thread.join(40)
    assert not thread.is_alive() and seen[-1] == b"30"
    assert [int(value) for value in seen] == sorted({int(value) for value in seen})


def test_a_feed_across_a_leader_kill_has_no_gap(fresh):
    leader = fresh.leader()
    reading, writing = fresh.followers()
    zxid = writing.client().put("/v1/znodes/f", b"").zxid
    client = writing.client()
    for number in range(40):
        if number == 20:
            leader.kill()
        eventually(lambda: client.put(f"/v1/znodes/f/{number}", b"").status in (200, 201))
    seen, after, feed = [], zxid, reading.client(40)
    while len(seen) < 40:
        page = feed.get(f"/v1/watch/f?recursive&types=created&after={after}&wait=10s").json
        seen += [event["path"] for event in page["events"]]
        after = page["next"]
    assert seen == [f"/f/{number}" for number in range(40)]


def test_a_member_away_for_longer_than_the_log_catches_up_by_snapshot(tmp_path):
    options = ["--snapshot-entries", "200"]
    with Ensemble(tmp_path, options=options) as ensemble:
        away = ensemble.followers()[0]
        away.kill()
        client = ensemble.running[0].client()
        for number in range(1500):
            assert client.put(f"/v1/znodes/s/{number % 97}?parents", str(number).encode()).status in (200, 201)
        away.start()
        ensemble.ready([away], within=30)
        ensemble.same_everywhere()
        assert "snapshot installed" in away.log
        assert away.client().get("/v1/znodes/s/44?consistency=local").json["data"] == "1499"


def test_a_hung_leader_is_replaced_and_two_never_claim_to_lead(fresh):
    answers, done = [], threading.Event()

    def watch(member):
        while not done.is_set():
            begun = time.monotonic()
            try:
                answer = member.once("GET", "/leader", timeout=1.0)
            except Unreachable:
                continue
            if answer.status == 200:
                answers.append((begun, time.monotonic(), answer.json["term"], member.id))

    threads = [threading.Thread(target=watch, args=(member,)) for member in fresh.members]
    for thread in threads:
        thread.start()
    for _ in range(3):
        leader = fresh.leader()
        others = [member for member in fresh.members if member is not leader]
        leader.signal(signal.SIGSTOP)
        eventually(lambda: any(m.answers("/leader") for m in others), what="another leads")
        eventually(
            lambda: others[0].once("PUT", "/v1/znodes/hung", b"").status in (200, 201),
            what="writes go on")
        leader.signal(signal.SIGCONT)
        fresh.ready([leader])
    done.set()
    for thread in threads:
        thread.join(10)
    assert len({term for _, _, term, _ in answers}) >= 4
    for begun, _, term, member in answers:
        for _, ended, later_term, other in answers:
            # A claim that was asked for after a newer leader's claim had been heard is false.
            assert not (ended < begun and later_term > term), (member, term, other, later_term)
    by_term = {}
    for _, _, term, member in answers:
        assert by_term.setdefault(term, member) == member


def test_a_wiped_disk_does_not_vote_and_is_admitted_without_a_person(fresh):
    wiped, other = fresh.followers()
    leader = fresh.leader()
    leader.client().put("/v1/znodes/kept", b"1")
    fresh.same_everywhere()
    wiped.kill()
    shutil.rmtree(wiped.data)
    wiped.start()
    eventually(lambda: "refused by member" in wiped.log, what="it says why")
    assert "An empty one is admitted" in wiped.log
    eventually(lambda: wiped.answers("/health/ready", 503), what="its door is open")
    eventually(lambda: "This disk is new here" in wiped.once("GET", "/health/ready").body.decode(),
               what="its readiness says so")
    # One that remembers and one that forgot are no quorum, or what was acknowledged could be lost.
    leader.kill()
    refused = eventually(
        lambda: (lambda a: a if a.status == 503 else None)(other.once("PUT", "/v1/znodes/kept", b"2")))
    assert refused.code == "no_quorum"
    assert not wiped.answers("/leader") and not other.answers("/leader")
    leader.start()
    fresh.ready()
    assert other.once("GET", "/v1/znodes/kept?raw").body == b"1"
    assert wiped.once("GET", "/v1/znodes/kept?raw").body == b"1"


def test_a_member_whose_disk_is_lost_under_load_counts_again(fresh):
    wiped, other = fresh.followers()
    leader = fresh.leader()
    stop, written, failed = threading.Event(), [], []

    def write():
        client = leader.client()
        while not stop.is_set():
            name = f"/v1/znodes/load-{len(written) + len(failed)}"
            (written if client.put(name, b"x").status == 201 else failed).append(name)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        eventually(lambda: len(written) > 100, what="writes go")
        wiped.kill()
        shutil.rmtree(wiped.data)
        wiped.start()
        eventually(lambda: "votes again" in leader.log, 30, what="the new disk counts")
        fresh.ready()
    finally:
        stop.set()
        writer.join()
    members = json.loads(leader.once("GET", "/v1/members").body)
    assert members["failure_tolerance"] == 1 and all(m["voter"] for m in members["members"])
    # With the member that was wiped, one of the others is a majority.
    other.kill()
    assert leader.client().put("/v1/znodes/after", b"").status == 201
    for name in written[-50:]:
        assert wiped.once("GET", name).status == 200, name


def test_a_member_of_another_ensemble_is_turned_away(tmp_path):
    with Ensemble(tmp_path / "a") as ours:
        ours.leader().client().put("/v1/znodes/ours", b"")
        lost = ours.followers()[0]
        lost.kill()
        # The same number and address, with a disk that belongs to another ensemble.
        with Ensemble(tmp_path / "b") as theirs:
            theirs.leader().client().put("/v1/znodes/theirs", b"")
            theirs.same_everywhere()
            for member in theirs.members:
                member.stop()
            shutil.rmtree(lost.data)
            shutil.copytree(theirs.members[lost.id - 1].data, lost.data)
        lost.start()
        eventually(lambda: "refused by member" in lost.log, what="it is turned away")
        assert "another ensemble" in lost.log
        eventually(lambda: lost.answers("/health/ready", 503), what="its door is open")
        assert ours.leader().client().get("/v1/znodes/ours").status == 200


def test_a_stranger_is_turned_away(fresh):
    stranger = Ensemble(fresh.folder / "stranger", members=4)
    for position in range(3):
        stranger.members[position].peer_port = fresh.members[position].peer_port
    fourth = stranger.members[3]
    try:
        fourth.start()
        eventually(lambda: "refused by member" in fourth.log, what="the stranger is refused")
        eventually(lambda: fourth.answers("/health/ready", 503), what="its door is open")
        assert fresh.leader().client().put("/v1/znodes/fine", b"").status == 201
        listed = fresh.leader().client().get("/v1/members").json["members"]
        assert [member["id"] for member in listed] == ["1", "2", "3"] or [m["id"] for m in listed] == [1, 2, 3]
    finally:
        fourth.kill()


def test_a_graceful_stop_of_the_leader_fails_no_client_that_retries_elsewhere(fresh):
    leader = fresh.leader()
    others = [member for member in fresh.members if member is not leader]
    done, failures, acknowledged = threading.Event(), [], []

    def write(start):
        clients = [leader.client(), others[start % 2].client()]
        for number in itertools.count():
            if done.is_set():
                return
            path = f"/v1/znodes/g/{start}-{number}?parents"
            for client in clients:
                try:
                    answer = client.put(path, b"")
                except Unreachable:
                    continue
                if answer.status in (200, 201):
                    acknowledged.append(path)
                    break
                if answer.status == 503:
                    continue
                failures.append(answer)
            else:
                failures.append(path)

    threads = [threading.Thread(target=write, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(acknowledged) > 50)
    assert leader.stop() == 0
    count = len(acknowledged)
    eventually(lambda: len(acknowledged) > count + 50, what="the others go on")
    done.set()
    for thread in threads:
        thread.join(20)
    assert failures == []


def test_a_single_member_works_alone_and_keeps_its_data(tmp_path):
    with Ensemble(tmp_path, members=1) as alone:
        member = alone.members[0]
        assert member.once("PUT", "/v1/znodes/solo", b"1").status == 201
        assert member.answers("/leader")
        assert member.stop() == 0
        member.start()
        alone.ready()
        assert member.once("GET", "/v1/znodes/solo?raw").body == b"1"


def test_a_second_process_on_the_same_data_is_refused(fresh):
    member = fresh.members[0]
    twin = type(member)(fresh, member.id, member.http_port, member.peer_port)
    twin.log_path = fresh.folder / "twin.log"
    twin.start()
    assert twin.process.wait(20) not in (0, None)
    assert "lock" in twin.log.lower() or "in use" in twin.log.lower()
    assert member.answers("/health/live")


def test_a_failing_sync_ends_the_member_and_loses_nothing(tmp_path):
    alone = Ensemble(tmp_path, members=1)
    member = alone.members[0]
    inject = ["strace", "-f", "-qq", "-o", str(tmp_path / "strace.log")]
    member.start(wrapper=[*inject, "-e", "inject=fdatasync:error=EIO:when=60+"])
    try:
        alone.ready()
        client, acknowledged = member.client(), []
        try:
            for number in range(10_000):
                assert client.put(f"/v1/znodes/{number}").status == 201
                acknowledged.append(number)
        except Unreachable:
            pass
        assert member.process.wait(20) == 69
        member.process = None
        assert "sync" in member.log and 0 < len(acknowledged) < 10_000
        member.start()
        alone.ready()
        client = member.client()
        for number in acknowledged:
            assert client.get(f"/v1/znodes/{number}").status == 200
    finally:
        member.kill()


def test_a_start_for_other_members_than_the_directory_was_made_for_is_refused(fresh):
    member = fresh.followers()[0]
    fresh.leader().client().put("/v1/znodes/one", b"")
    fresh.same_everywhere()
    member.stop()
    command = [PROGRAM, "serve", "--id", str(member.id), "--data", str(member.data),
               "--http", f"127.0.0.1:{member.http_port}"]
    alone = f"{member.id}=127.0.0.1:{member.peer_port}"
    for ensemble in (alone, alone + ",8=127.0.0.1:1,9=127.0.0.1:2"):
        refused = subprocess.run(
            [*command, "--ensemble", ensemble], capture_output=True, text=True, timeout=20)
        assert refused.returncode == 77, refused
        assert "members 1, 2, 3" in refused.stderr
    member.start()
    fresh.ready()
    fresh.same_everywhere()
