"""The fault runner's checker on histories whose verdict is known, both ways: a checker that never
says no shows nothing."""

import itertools
import json
import random

import pytest

from faults import rules
from faults.cluster import Violation
from faults.history import load
from faults.linearizable import ABSENT, Operation, register, search


def by_trying_all(operations):
    """The definition itself: some order, with any of the unanswered left out, keeps real time and
    gives the answers."""
    answered = [one for one in operations if one.end is not None]
    unanswered = [one for one in operations if one.end is None]
    for count in range(len(unanswered) + 1):
        for some in itertools.combinations(unanswered, count):
            for order in itertools.permutations([*answered, *some]):
                if _keeps_real_time(order) and _gives_the_answers(order):
                    return "yes"
    return "no"


def _keeps_real_time(order):
    return not any(
        later.end is not None and later.end < earlier.start
        for at, earlier in enumerate(order) for later in order[at + 1:])


def _gives_the_answers(order):
    state = ABSENT
    for one in order:
        state = register(state, one)
        if state is False:
            return False
    return True


def some_history(draw):
    """A few operations that overlap; most answers come from an order, a few from nowhere."""
    instants = draw.sample(range(100), 10)
    operations, state = [], ABSENT
    for number in range(draw.randint(2, 5)):
        start, end = sorted(instants[2 * number:2 * number + 2])
        kind = draw.choice(("get", "put", "set", "create", "delete"))
        expected = draw.choice((None, 0, 1)) if kind in ("set", "delete") else None
        if kind == "get":
            seen = state if draw.random() < 0.8 else draw.choice((ABSENT, ("0", 0), ("1", 1)))
            status, (value, version) = (404, (None, None)) if seen is ABSENT else (200, seen)
            operations.append(Operation(start, end, kind, value, None, status, version))
            continue
        unanswered = Operation(start, None, kind, str(number), expected, None, None)
        after = register(state, unanswered)
        if draw.random() < 0.2:
            operations.append(unanswered)
            state = draw.choice((state, after))
            continue
        for status in (200, 201, 204, 404, 412):
            answered = unanswered._replace(
                end=end, status=status, version=after[1] if after else None)
            if draw.random() < 0.1 or register(state, answered) is not False:
                operations.append(answered)
                break
        state = after
    return operations


def test_the_search_agrees_with_trying_all_orders():
    draw, verdicts = random.Random(20), {"yes": 0, "no": 0}
    for _ in range(1500):
        operations = some_history(draw)
        verdict = search(operations)
        assert verdict == by_trying_all(operations), operations
        verdicts[verdict] += 1
    assert min(verdicts.values()) > 200, verdicts


def test_what_cannot_be_decided_within_the_bound_is_too_hard():
    writes = [Operation(n, None, "put", str(n), None, None, None) for n in range(7)]
    read = Operation(200, 201, "get", "not written", None, 200, 6)
    assert search([*writes, read], steps_max=100) == "too hard"
    assert search([*writes, read]) == "no"


class Story:
    """A history, an instant for each line."""

    def __init__(self):
        self.lines, self.now, self.count = [], 0, 0

    def begin(self, op, path, client="a", member=1, **args):
        self.now, self.count = self.now + 1, self.count + 1
        self.lines.append({"event": "invoke", "ns": self.now, "id": self.count, "client": client,
                           "member": member, "op": op, "path": path, "args": args})
        return self.count

    def end(self, number, status=None, zxid=None, outcome="ok", **result):
        self.now += 1
        self.lines.append({"event": "return", "ns": self.now, "id": number, "outcome": outcome,
                           "status": status, "zxid": zxid, "result": result})

    def put(self, path, value, zxid, status=200, version=1, op="put", **how):
        self.end(self.begin(op, path, value=value, **how), status, zxid, version=version)

    def lost_sight_of(self, op, path, outcome="unknown", **how):
        self.end(self.begin(op, path, **how), outcome=outcome)

    def get(self, path, value, zxid, mzxid, version=1, op="get", status=200, **how):
        number = self.begin(op, path, **how)
        if status == 404:
            self.end(number, 404, zxid)
        else:
            self.end(number, status, zxid, value=value, version=version, mzxid=mzxid)

    def history(self):
        return load(json.dumps(line) for line in self.lines)


def good():
    """A little of everything, as it should be."""
    story = Story()
    story.put("/r/1", "x", 10, 201, 0)
    story.put("/r/1", "y", 11, 200, 1)
    story.get("/r/1", "y", 11, 11)
    story.lost_sight_of("put", "/r/1", value="z")
    story.lost_sight_of("put", "/r/1", outcome="refused", value="never")
    story.get("/r/1", "y", 11, 11, op="local", client="b")
    story.end(story.begin("delete", "/r/1", expected=None), 204, 13)
    story.get("/r/1", None, 13, None, status=404)
    story.end(story.begin("feed", "/r", client="f", after=9), 200, 13, next=13, events=[
        [10, "created", "/r/1"], [11, "changed", "/r/1"], [12, "changed", "/r/1"],
        [13, "deleted", "/r/1"]])
    story.put("/u/a-1", "a-1", 14, 201, 0, op="unique")
    story.lost_sight_of("unique", "/u/a-2", outcome="refused")
    story.lost_sight_of("unique", "/u/a-3")
    story.end(story.begin("sequential", "/s", name="a-1-"), 201, 15, path="/s/a-1-0000000000")
    story.lost_sight_of("sequential", "/s", name="a-2-")
    story.put("/c/0", "1", 17, 201, 0, op="count", client="c")
    story.lost_sight_of("count", "/c/0", client="c", value="2")
    story.put("/c/0", "3", 19, 200, 2, op="count", client="c")
    story.get("/c/0", "3", 19, 19, 2, op="wait", client="w", after=17)
    story.end(story.begin("wait", "/c/0", client="w", after=19), 304, 19)
    for member in (1, 2):
        who = {"client": f"final-{member}", "member": member}
        story.get("/r/1", None, 20, None, op="final", status=404, **who)
        story.get("/c/0", "3", 20, 19, 2, op="final", **who)
        story.end(story.begin("children", "/u", **who), 200, 20, names=["a-1"])
        story.end(story.begin("children", "/s", **who), 200, 20,
                  names=["a-1-0000000000", "a-2-0000000001"])
    return story


def test_a_history_without_fault_passes():
    rules.check(good().history())


def change(op, nth=0, event="return", **what):
    """Another word in the nth operation of its kind."""
    def apply(story):
        numbers = [line["id"] for line in story.lines if line.get("op") == op]
        for line in story.lines:
            if line["id"] == numbers[nth] and line["event"] == event:
                for key, value in what.items():
                    (line if key in line else line[
                        "result" if event == "return" else "args"])[key] = value
    return apply


BROKEN = {
    "a client's zxid goes back": (
        change("local", zxid=11), "no client sees zxids go back",
        lambda story: story.get("/r/1", "x", 10, 10, 0, op="local", client="b")),
    "a read that began later is of an older state": (
        lambda story: story.get("/r/1", None, 13, None, status=404, client="n"),
        "zxids follow real time", None),
    "a write gets a zxid that was heard of": (
        change("unique", zxid=13), "zxids follow real time", None),
    "a local read shows another value": (
        change("local", value="x"), "reads show what was written", None),
    "a read shows what was refused": (
        change("local", value="never", mzxid=12, zxid=12), "reads show what was written", None),
    "a local read is older than it says": (
        change("local", value="x", mzxid=10), "reads show what was written", None),
    "an acknowledged create is lost on one member": (
        change("children", 2, names=[]),
        "nothing acknowledged is lost and nothing refused is there", None),
    "a refused create is there": (
        change("children", 0, names=["a-1", "a-2"]),
        "nothing acknowledged is lost and nothing refused is there", None),
    "a sequential create came twice": (
        change("children", 1, names=["a-1-0000000000", "a-1-0000000001"]),
        "sequential creates are applied once", None),
    "an acknowledged sequential create is lost": (
        change("children", 1, names=["a-2-0000000001"]),
        "sequential creates are applied once", None),
    "a counter's write came twice": (
        change("final", 1, version=3), "counters count each write once", None),
    "a counter's write was lost": (
        change("final", 1, version=0), "counters count each write once", None),
    "a feed leaves out an event": (
        change("feed", events=[[10, "created", "/r/1"], [13, "deleted", "/r/1"]]),
        "feeds tell everything once and in order", None),
    "a feed is out of order": (
        change("feed", events=[[11, "changed", "/r/1"], [10, "created", "/r/1"],
                               [13, "deleted", "/r/1"]]),
        "feeds tell everything once and in order", None),
    "a feed tells more than was written": (
        change("feed", events=[[10, "created", "/r/1"], [11, "changed", "/r/1"],
                               [12, "changed", "/r/1"], [13, "deleted", "/r/1"],
                               [13.5, "created", "/r/1"]], next=14),
        "feeds tell everything once and in order", None),
    "a wait is told that nothing changed": (
        change("wait", 1, event="invoke", after=17), "waits miss nothing", None),
    "a wait goes back": (
        change("wait", 1, status=200, value="1", version=0, mzxid=17),
        "reads show what was written", None),
    "members differ": (
        change("children", 3, names=["a-1-0000000000"]), "members are equal at the end", None),
    "answers on one znode fit no order": (
        change("put", 1, version=5), "each znode is linearizable", None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_found(name):
    alter, rule, more = BROKEN[name]
    story = good()
    alter(story)
    if more:
        more(story)
    with pytest.raises(Violation) as found:
        rules.check(story.history())
    assert found.value.rule == rule, found.value
