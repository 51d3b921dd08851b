"""Clients that try on whatever happens, and record what they asked and what they were told. They
judge nothing but that an answer is one of those that the interface may give."""

import json
import random
import threading
import time

from ensemble import Client, Unreachable

from .cluster import Violation
from .history import OK, REFUSED, UNKNOWN

# Longer than a member takes for a write that it cannot decide (3 s), so that its word is heard.
TIMEOUT = 5.0
PAUSE_AFTER_A_FAILURE = 0.02
EVALUATED = {200, 201, 204, 304, 404, 409, 412}


class Worker(threading.Thread):
    """One client: one thread, one request under way, one connection to each member."""

    name_of_kind = "worker"

    def __init__(self, load, number, members):
        super().__init__(daemon=True)
        self.load, self.recorder, self.root = load, load.recorder, load.root
        self.client_name = f"{self.name_of_kind}-{number}"
        self.draw = random.Random(f"{load.seed} {self.root} {self.client_name}")
        self.members, self.number = members, number
        self.position = number % len(members)
        self.connections = {m.id: Client(m.http_port, self.timeout()) for m in members}
        self.seen = 0

    def timeout(self):
        return TIMEOUT

    def run(self):
        try:
            self.begin()
            while not self.load.over.is_set():
                self.turn()
            self.finish()
        except Violation as violation:
            self.load.broken.append(violation)
        except Exception as error:
            self.load.broken.append(Violation("the runner itself works", repr(error)))
            raise
        finally:
            for connection in self.connections.values():
                connection.close()

    def begin(self):
        pass

    def finish(self):
        pass

    def turn(self):
        raise NotImplementedError

    def ask(self, op, path, target=None, method="GET", body=None, headers=None, result=None,
            **args):
        """Sends and records one request: the outcome, and the answer if there was one."""
        member = self.members[self.position % len(self.members)]
        number = self.recorder.invoke(self.client_name, member.id, op, path, **args)
        outcome, answer, what = UNKNOWN, None, {}
        try:
            answer = self.connections[member.id].request(
                method, target or f"/v1/znodes{path}", body, headers)
        except Unreachable as error:
            # Never sent: nobody has it.
            if isinstance(error.__cause__, ConnectionRefusedError):
                outcome = REFUSED
            what["error"] = repr(error.__cause__)
        if answer is not None:
            what["status"] = answer.status
            if answer.status in EVALUATED:
                outcome = OK
                what["zxid"] = answer.zxid
                self.seen = max(self.seen, answer.zxid)
                if result and answer.status in (200, 201):
                    what["result"] = result(answer)
            if answer.status not in (200, 201, 204, 304):
                what["code"] = answer.code
            if answer.status == 503 or (answer.status == 400 and answer.code == "zxid_ahead"):
                outcome = REFUSED
        at = self.recorder.returned(number, outcome, **what)
        if outcome == OK:
            if method != "GET" and answer.status in (200, 201, 204):
                self.load.served(at)
            return outcome, answer
        self.check_failure(op, path, answer)
        self.position += 1
        self.load.over.wait(PAUSE_AFTER_A_FAILURE)
        return outcome, answer

    def check_failure(self, op, path, answer):
        known = answer is None or answer.status in (503, 504) or answer.code == "zxid_ahead"
        if not known:
            raise Violation("an answer is one that the interface may give",
                            f"{self.client_name}: {op} {path}: {answer}")

    def put(self, path, value, query="", op="put", headers=None, **args):
        return self.ask(op, path, f"/v1/znodes{path}{query}", "PUT", value.encode(), headers,
                        lambda answer: {"version": answer.json["stat"]["version"]},
                        value=value, **args)


def _read(answer):
    stat = answer.json["stat"]
    return {"value": answer.json["data"], "version": stat["version"], "mzxid": stat["mzxid"]}


class RegisterClient(Worker):
    """Reads, sets, conditional sets, creates and deletes of a few znodes that all such clients
    share. After so many operations a znode is left and another one taken."""

    name_of_kind = "register"

    def turn(self):
        path = self.load.registers.take(self.draw)
        kind = self.draw.choices(
            ("get", "put", "set", "create", "delete"), (40, 22, 20, 8, 10))[0]
        value = f"{self.client_name}:{self.recorder.counts[OK]}:{self.draw.getrandbits(40):x}"
        if kind == "get":
            self.ask("get", path, result=_read)
        elif kind == "put":
            self.put(path, value)
        elif kind == "create":
            self.put(path, value, op="create", headers={"If-None-Match": "*"})
        else:
            known = self.load.registers.version(path, self.draw)
            if kind == "set":
                self.put(path, value, f"?version={known}", "set", expected=known)
            elif self.draw.random() < 0.5:
                self.ask("delete", path, method="DELETE", expected=None)
            else:
                self.ask("delete", path, f"/v1/znodes{path}?version={known}", "DELETE",
                         expected=known)


class Registers:
    """Which znodes are in use."""

    def __init__(self, root, width=4, operations_max=150):
        self.root, self.operations_max = root, operations_max
        self.lock, self.paths, self.counts, self.next = threading.Lock(), [], {}, 0
        for _ in range(width):
            self.paths.append(self._another())

    def _another(self):
        path = f"{self.root}/r/{self.next}"
        self.next += 1
        self.counts[path] = 0
        return path

    def take(self, draw):
        with self.lock:
            at = draw.randrange(len(self.paths))
            if self.counts[self.paths[at]] >= self.operations_max:
                self.paths[at] = self._another()
            path = self.paths[at]
            self.counts[path] += 1
            return path

    def version(self, path, draw):
        """A guess that is right now and then."""
        return draw.randrange(0, 4 + self.counts[path] // 20)

    @property
    def all(self):
        return list(self.counts)


class UniqueClient(Worker):
    """Creates znodes whose names nobody uses again, so that each stands for one acknowledgement."""

    name_of_kind = "unique"
    count_max = 3000

    def begin(self):
        self.count = 0

    def turn(self):
        if self.count == self.count_max:
            self.load.over.wait()
            return
        self.count += 1
        name = f"{self.client_name}-{self.count}"
        self.put(f"{self.root}/u/{name}", name, op="unique")


class SequentialClient(UniqueClient):
    """Creates sequential znodes, each under a name of its own: two children of one are one too
    many."""

    name_of_kind = "sequential"

    def turn(self):
        if self.count == self.count_max:
            self.load.over.wait()
            return
        self.count += 1
        name = f"{self.client_name}-{self.count}-"
        self.ask(
            "sequential", f"{self.root}/s", f"/v1/znodes{self.root}/s?name={name}", "POST", b"",
            result=lambda answer: {"path": answer.json["path"]}, name=name)


class CounterClient(Worker):
    """The only one to set its znode, to 1, 2, 3, ...: the version counts how many were applied. One
    for each member and bound to it; together they show when the service was there at any member."""

    name_of_kind = "counter"

    def begin(self):
        self.value = 0

    def turn(self):
        self.value += 1
        self.put(f"{self.root}/c/{self.number}", str(self.value), op="count")
        self.load.over.wait(0.005)

    def timeout(self):
        return 2.5


class WaitingClient(Worker):
    """Follows a counter by a loop of waits, at whichever member answers."""

    name_of_kind = "waiting"

    def begin(self):
        self.path, self.after, self.last = f"{self.root}/c/{self.number}", None, None

    def timeout(self):
        return TIMEOUT + 2

    def turn(self):
        if self.after is None:
            outcome, answer = self.ask("get", self.path, result=_read)
        else:
            outcome, answer = self.ask(
                "wait", self.path, f"/v1/znodes{self.path}?after={self.after}&wait=1s",
                result=_read, after=self.after)
        if outcome == OK:
            self.after = answer.zxid
            if answer.status == 200:
                self.last = answer.json["data"]

    def finish(self):
        """Until it has seen the end."""
        end = time.monotonic() + 30
        while self.after is None or self.after < self.load.last_zxid():
            if time.monotonic() > end:
                raise Violation("a loop of waits reaches the final state",
                                f"{self.client_name} is at {self.after} of {self.load.last_zxid()}")
            self.turn()
        self.recorder.note(what="waited", client=self.client_name, path=self.path, value=self.last)


class FeedClient(Worker):
    """Follows all that happens to the registers."""

    name_of_kind = "feed"

    def begin(self):
        self.after = self.load.feed_start

    def timeout(self):
        return TIMEOUT + 2

    def turn(self):
        target = (f"/v1/watch{self.root}/r?recursive&types=created,changed,deleted"
                  f"&after={self.after}&wait=1s")
        outcome, answer = self.ask(
            "feed", f"{self.root}/r", target, after=self.after, result=lambda answer: {
                "events": [[e["zxid"], e["type"], e["path"]] for e in answer.json["events"]],
                "next": answer.json["next"]})
        if outcome == OK:
            self.after = answer.json["next"]

    def finish(self):
        end = time.monotonic() + 30
        while self.after < self.load.last_zxid():
            if time.monotonic() > end:
                raise Violation("a feed reaches the final state",
                                f"it is at {self.after} of {self.load.last_zxid()}")
            self.turn()


class LocalReader(Worker):
    """Local reads, from where it has been: what it sees never goes back, at whichever member."""

    name_of_kind = "local"

    def turn(self):
        path = self.load.registers.take(self.draw)
        if self.draw.random() < 0.1:
            self.position += 1
        self.ask("local", path, f"/v1/znodes{path}?consistency=local&at-least={self.seen}",
                 result=_read, at_least=self.seen)
        self.load.over.wait(0.005)


class Load:
    """All clients of a round, below one znode of its own."""

    def __init__(self, cluster, recorder, root, seed):
        self.cluster, self.recorder, self.root, self.seed = cluster, recorder, root, seed
        self.over, self.broken = threading.Event(), []
        self.registers = Registers(root)
        self.instants, self.instants_lock, self._last_zxid = [], threading.Lock(), 0
        members = cluster.members
        count = len(members)
        self.clients = [RegisterClient(self, n, members) for n in range(5)]
        self.clients += [UniqueClient(self, n, members) for n in range(2)]
        self.clients += [SequentialClient(self, n, members) for n in range(2)]
        self.clients += [CounterClient(self, n, [members[n]]) for n in range(count)]
        self.clients += [WaitingClient(self, n, members) for n in range(2)]
        self.clients += [FeedClient(self, 1, members), LocalReader(self, 0, members)]

    def start(self):
        client = self.cluster.leader().client()
        for path in ("", "/r", "/u", "/s", "/c"):
            answer = client.put(f"/v1/znodes{self.root}{path}")
            if answer.status not in (200, 201):
                raise Violation("a calm ensemble takes writes", repr(answer))
        self.feed_start = answer.zxid
        client.close()
        for each in self.clients:
            each.start()

    def served(self, instant):
        with self.instants_lock:
            self.instants.append(instant)

    def last_zxid(self):
        return self._last_zxid

    def stop(self, last_zxid):
        """`last_zxid()`: the newest one, asked for when no client changes anything any more."""
        following = [c for c in self.clients if isinstance(c, (WaitingClient, FeedClient))]
        self._last_zxid = 1 << 62
        self.over.set()
        for each in self.clients:
            if each not in following:
                each.join(60)
        self._last_zxid = last_zxid()
        for each in following:
            each.join(60)
        for each in self.clients:
            if each.is_alive():
                self.broken.append(
                    Violation("each request ends", f"{each.client_name} still waits"))
        self.check()

    def check(self):
        if self.broken:
            raise self.broken[0]

    def longest_gap(self, start, end):
        """Of the instants in between, in seconds: the longest without an acknowledged write."""
        with self.instants_lock:
            inside = sorted(at for at in self.instants if start <= at <= end)
        points = [start, *inside, end]
        return max(b - a for a, b in zip(points, points[1:])) / 1e9


def final_state(cluster, recorder, load):
    """What each member holds at the end, as part of the history."""
    for member in cluster.members:
        client = member.client()

        def ask(op, path, target, result):
            number = recorder.invoke(f"final-{member.id}", member.id, op, path)
            answer = client.get(target)
            if answer.status not in (200, 404):
                raise Violation("at the end each member answers local reads", repr(answer))
            recorder.returned(number, OK, status=answer.status, zxid=answer.zxid,
                              result=result(answer) if answer.status == 200 else {})
            return answer

        counters = [f"{load.root}/c/{n}" for n in range(len(cluster.members))]
        for path in [*load.registers.all, *counters]:
            ask("final", path, f"/v1/znodes{path}?consistency=local", _read)
        for parent in (f"{load.root}/u", f"{load.root}/s"):
            after = ""
            while after is not None:
                target = f"/v1/znodes{parent}?children&consistency=local{after}"
                page = ask("children", parent, target, lambda a: {"names": a.json["children"]}).json
                after = f"&after-name={page['next']}" if page["next"] else None
        client.close()


def remove(cluster, root):
    """The znodes of a round that is over, in deletes that are each below the limit."""
    client = cluster.leader().client(30)
    for path in ("/r", "/u", "/s", "/c", ""):
        answer = client.delete(f"/v1/znodes{root}{path}?recursive")
        if answer.status not in (204, 404, 503, 504):
            raise Violation("a calm ensemble takes writes", repr(answer) + json.dumps(root))
    client.close()
