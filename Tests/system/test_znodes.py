"""The main job through real sockets: create, read, change, delete, wait, through any member."""

import concurrent.futures
import threading

from ensemble import eventually


def test_each_member_serves_the_whole_life_of_a_znode(three):
    for position, member in enumerate(three.members):
        other = three.members[(position + 1) % 3].client()
        client = member.client()
        path = f"/v1/znodes/crud-{member.id}"
        made = client.put(path, b"one")
        assert made.status == 201 and made.headers["Location"] == path and made.json["created"]
        read = other.get(path)
        assert read.status == 200 and read.json["data"] == "one" and read.zxid >= made.zxid
        assert read.headers["ETag"] == made.headers["ETag"]
        changed = other.put(path, b"\x00\xff")
        assert changed.status == 200 and changed.json["stat"]["version"] == 1
        raw = client.get(path + "?raw")
        assert raw.body == b"\x00\xff" and raw.headers["Aviary-Version"] == "1"
        assert client.get(path).json["encoding"] == "base64"
        head = client.request("HEAD", path)
        assert head.status == 200 and head.body == b"" and head.headers["ETag"] == changed.headers["ETag"]
        assert other.delete(path).status == 204
        gone = client.get(path)
        assert gone.status == 404 and gone.code == "no_node" and gone.zxid > changed.zxid


def test_what_a_client_wrote_it_reads_through_any_member(three):
    clients = [member.client() for member in three.members]
    for turn in range(60):
        written = clients[turn % 3].put("/v1/znodes/own", str(turn).encode())
        assert written.status in (200, 201)
        assert clients[(turn + 1) % 3].get("/v1/znodes/own?raw").body == str(turn).encode()
        reread = clients[(turn + 2) % 3].get(
            f"/v1/znodes/own?raw&consistency=local&at-least={written.zxid}")
        assert reread.body == str(turn).encode() and reread.zxid >= written.zxid


def test_of_a_hundred_conditional_writers_one_wins_each_round(three):
    path = "/v1/znodes/race"
    tag = three.members[0].client().put(path, b"start").headers["ETag"]
    clients = [three.members[n % 3].client() for n in range(100)]
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        for turn in range(10):
            answers = list(pool.map(
                lambda n: clients[n].put(path, f"{turn}/{n}".encode(), If_Match=tag), range(100)))
            winners = [n for n, answer in enumerate(answers) if answer.status == 200]
            assert len(winners) == 1, answers
            assert {a.code for a in answers if a.status != 200} == {"bad_version"}
            read = clients[0].get(path)
            assert read.json["data"] == f"{turn}/{winners[0]}"
            tag = read.headers["ETag"]
            assert tag == answers[winners[0]].headers["ETag"]


def test_a_thousand_concurrent_sequential_creates_give_a_thousand_names(three):
    assert three.members[0].client().put("/v1/znodes/queue").status == 201
    clients = [three.members[n % 3].client() for n in range(50)]

    def create(worker):
        answers = [
            clients[worker].post("/v1/znodes/queue?name=job-", f"{worker}/{n}".encode())
            for n in range(20)]
        assert {answer.status for answer in answers} == {201}
        return [(answer.json["path"], answer.zxid) for answer in answers]

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        made = [one for part in pool.map(create, range(50)) for one in part]
    made.sort(key=lambda pair: pair[1])
    assert [path for path, _ in made] == [f"/queue/job-{n:010d}" for n in range(1000)]
    names, after = [], ""
    while after is not None:
        page = clients[0].get(f"/v1/znodes/queue?children&limit=300{after}").json
        names += page["children"]
        after = f"&after-name={page['next']}" if page["next"] else None
    assert names == [f"job-{n:010d}" for n in range(1000)]


def test_a_recursive_delete_is_one_change(three):
    client = three.members[1].client()
    for path in ("", "/a", "/a/b", "/c"):
        assert client.put(f"/v1/znodes/tree{path}?parents").status == 201
    before = client.get("/v1/znodes/tree")
    assert client.delete("/v1/znodes/tree").code == "not_empty"
    assert client.delete("/v1/znodes/tree?recursive").status == 204
    events = client.get(f"/v1/watch/tree?recursive&after={before.zxid}&types=deleted").json["events"]
    assert [event["path"] for event in events] == ["/tree/a/b", "/tree/a", "/tree/c", "/tree"]
    assert len({event["zxid"] for event in events}) == 1


def test_a_wait_on_one_member_is_answered_by_a_change_through_another(three):
    waiting, writing = three.members[0].client(40), three.members[2].client()
    first = writing.put("/v1/znodes/waited", b"1")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        waiting.get(f"/v1/znodes/waited?after={first.zxid}&wait=30s")))
    thread.start()
    eventually(lambda: three.members[0].metric("aviary_waits") >= 1, what="the wait is open")
    second = writing.put("/v1/znodes/waited", b"2")
    thread.join(20)
    assert answers[0].status == 200 and answers[0].json["data"] == "2"
    assert answers[0].zxid >= second.zxid


def test_a_wait_whose_client_goes_away_is_freed(three):
    member = three.members[1]
    client = member.client()
    zxid = member.client().put("/v1/znodes/left", b"").zxid
    thread = threading.Thread(target=lambda: swallow(
        lambda: client.get(f"/v1/znodes/left?after={zxid}&wait=60s")))
    thread.start()
    eventually(lambda: member.metric("aviary_waits") == 1, what="the wait is open")
    client.connection.sock.shutdown(2)
    thread.join(20)
    eventually(lambda: member.metric("aviary_waits") == 0, what="the wait is freed")


def test_a_feed_tells_every_change_in_order_and_goes_on_from_next(three):
    client = three.members[2].client()
    start = client.put("/v1/znodes/fed", b"").zxid
    for n in range(30):
        assert client.put(f"/v1/znodes/fed/{n}", b"").status == 201
    seen, after = [], start
    while len(seen) < 30:
        page = three.members[0].client().get(
            f"/v1/watch/fed?recursive&after={after}&types=created&wait=10s").json
        seen += [event["path"] for event in page["events"]]
        assert page["next"] >= after
        after = page["next"]
    assert seen == [f"/fed/{n}" for n in range(30)]


def swallow(action):
    try:
        action()
    except Exception:
        pass
