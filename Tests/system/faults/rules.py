"""The promises, as rules on a history. Each is a function that yields what breaks it; none trusts
what another one has found. `check` runs them all."""

import bisect
from collections import Counter, defaultdict

from . import linearizable
from .cluster import Violation
from .history import OK, REFUSED, UNKNOWN

CHANGES = {"put", "set", "create", "delete", "unique", "sequential", "count"}
# Answered from a state that is the newest when it is looked at; the others may be older.
CURRENT = CHANGES | {"get"}
STORED = {200, 201, 204}


def _acknowledged(one):
    return one.op in CHANGES and one.outcome == OK and one.status in STORED


def _by_path(history, ops):
    found = defaultdict(list)
    for one in history:
        if one.op in ops:
            found[one.path].append(one)
    return found


def each_znode_is_linearizable(history):
    """Without a look at zxids. The state at the end is a last read."""
    registers = {one.path for one in history if one.op in ("put", "set", "create", "delete")}
    found = _by_path(history, {"put", "set", "create", "delete", "get", "final"})
    for path in sorted(registers):
        ops = found[path]
        operations = [_for_search(one) for one in ops if _says_something(one)]
        verdict = linearizable.search(operations)
        if verdict != "yes":
            yield f"{path}: {len(operations)} operations: {verdict}"


def _says_something(one):
    if one.outcome == REFUSED:
        return False
    return one.outcome == OK or one.op in CHANGES


def _for_search(one):
    read = one.op in ("get", "final")
    return linearizable.Operation(
        one.start, one.end if one.outcome == OK else None, "get" if read else one.op,
        one.result.get("value") if read else one.args.get("value"), one.args.get("expected"),
        one.status if one.outcome == OK else None, one.result.get("version"))


def zxids_follow_real_time(history):
    """What began after an answer had been heard is of no older state; a write is of a newer one."""
    answered = sorted((o for o in history if o.outcome == OK and o.op in CURRENT),
                      key=lambda o: o.end)
    ends, newest = [o.end for o in answered], []
    for one in answered:
        newest.append(max(one.zxid, newest[-1] if newest else 0))
    for one in answered:
        before = bisect.bisect_left(ends, one.start)
        if before and one.zxid < newest[before - 1] + (1 if _acknowledged(one) else 0):
            yield f"{one}: zxid {newest[before - 1]} had been heard of before it began"
    for zxid, count in Counter(o.zxid for o in history if _acknowledged(o)).items():
        if count > 1:
            yield f"zxid {zxid} was given to {count} writes"


def no_client_sees_zxids_go_back(history):
    seen = {}
    for one in sorted((o for o in history if o.outcome == OK), key=lambda o: o.end):
        if one.zxid < seen.get(one.client, 0):
            yield f"{one}: it had seen {seen[one.client]}"
        seen[one.client] = max(one.zxid, seen.get(one.client, 0))


def reads_show_what_was_written(history):
    """At each state the newest acknowledged value, or one of a write whose outcome was unknown."""
    writes, unknown = defaultdict(dict), defaultdict(set)
    for one in history:
        if one.op in ("put", "set", "create", "count", "delete"):
            if _acknowledged(one):
                writes[one.path][one.zxid] = one.args.get("value")
            elif one.outcome == UNKNOWN:
                unknown[one.path].add(one.args.get("value"))
    ordered = {path: sorted(found) for path, found in writes.items()}
    for one in history:
        if one.op not in ("get", "local", "wait", "final") or one.outcome != OK:
            continue
        if one.status not in (200, 404):
            continue
        zxids = ordered.get(one.path, [])
        at = bisect.bisect_right(zxids, one.zxid)
        newest = zxids[at - 1] if at else 0
        if one.status == 404:
            if newest and writes[one.path][newest] is not None and None not in unknown[one.path]:
                yield f"{one}: {writes[one.path][newest]!r} was written at {newest}"
            continue
        value, mzxid = one.result["value"], one.result["mzxid"]
        if mzxid > one.zxid:
            yield f"{one}: of a state before its own mzxid"
        if mzxid < newest:
            yield f"{one}: stale, {writes[one.path][newest]!r} was written at {newest}"
        elif mzxid == newest and writes[one.path][mzxid] != value:
            yield f"{one}: {writes[one.path][mzxid]!r} was written at {mzxid}"
        elif mzxid != newest and value not in unknown[one.path]:
            yield f"{one}: a value of no write that may have happened"


def nothing_acknowledged_is_lost_and_nothing_refused_is_there(history):
    """Of creates under names of their own; on each member."""
    names = _children(history, "unique")
    for one in history:
        if one.op != "unique":
            continue
        for member, there in names.items():
            name = one.path.rpartition("/")[2]
            if _acknowledged(one) and not there[name]:
                yield f"{one}: lost on member {member}"
            if one.outcome == REFUSED and there[name]:
                yield f"{one}: refused, and yet on member {member}"


def sequential_creates_are_applied_once(history):
    names = _children(history, "sequential")
    for member, there in names.items():
        prefixes = Counter(name[:-10] for name in there.elements())
        for one in history:
            if one.op != "sequential":
                continue
            count = prefixes[one.args["name"]]
            if count > 1:
                yield f"{one}: applied {count} times on member {member}"
            if _acknowledged(one) and not there[one.result["path"].rpartition("/")[2]]:
                yield f"{one}: lost on member {member}"
            if one.outcome == REFUSED and count:
                yield f"{one}: refused, and yet on member {member}"


def _children(history, op):
    parents = {one.path if op == "sequential" else one.path.rpartition("/")[0]
               for one in history if one.op == op}
    found = {}
    for one in history:
        if one.op == "children" and one.path in parents:
            found.setdefault(one.member, Counter()).update(one.result["names"])
    return found


def counters_count_each_write_once(history):
    """A znode that one client sets: its version says how many of its writes were applied."""
    finals = _by_path(history, {"final"})
    for path, ops in _by_path(history, {"count"}).items():
        stored = [one for one in ops if _acknowledged(one)]
        unknown = [one for one in ops if one.outcome == UNKNOWN]
        refused = {one.args["value"] for one in ops if one.outcome == REFUSED}
        for final in finals[path]:
            applied = final.result["version"] + 1 if final.status == 200 else 0
            if not len(stored) <= applied <= len(stored) + len(unknown):
                yield (f"{final}: {applied} applied, {len(stored)} acknowledged, "
                       f"{len(unknown)} unknown")
            if applied and final.result["value"] in refused:
                yield f"{final}: it holds a value that was refused"


def feeds_tell_everything_once_and_in_order(history):
    types = {201: "created", 200: "changed", 204: "deleted"}
    pages = sorted((o for o in history if o.op == "feed" and o.outcome == OK), key=lambda o: o.end)
    if not pages:
        return
    told, last = {}, pages[0].args["after"]
    for page in pages:
        for zxid, kind, path in page.result["events"]:
            if zxid <= last or zxid > page.result["next"]:
                yield f"{page}: an event of {zxid} after {last}"
            last = zxid
            told[zxid] = (kind, path)
        last = max(last, page.result["next"])
    changes = _by_path(history, {"put", "set", "create", "delete"})
    counts = Counter(path for _, path in told.values())
    for path, ops in changes.items():
        stored = [one for one in ops if _acknowledged(one)]
        unknown = sum(one.outcome == UNKNOWN for one in ops)
        for one in stored:
            if told.get(one.zxid) != (types[one.status], path):
                yield f"{one}: the feed says {told.get(one.zxid)}"
        # More than these: one that was refused had been applied, or one twice.
        if counts[path] > len(stored) + unknown:
            yield (f"{path}: {counts[path]} events, {len(stored)} acknowledged writes, {unknown} "
                   "unknown ones")


def waits_miss_nothing(history):
    """“Unchanged” is true, and values come in the order of the writes."""
    written = defaultdict(list)
    for one in history:
        if _acknowledged(one):
            written[one.path].append(one.zxid)
    for zxids in written.values():
        zxids.sort()
    last = {}
    for one in sorted((o for o in history if o.op == "wait" and o.outcome == OK),
                      key=lambda o: o.end):
        zxids = written[one.path]
        if one.status == 304:
            at = bisect.bisect_right(zxids, one.args["after"])
            if at < len(zxids) and zxids[at] <= one.zxid:
                yield f"{one}: a write at {zxids[at]} was acknowledged"
        elif one.status == 200:
            mzxid, before = one.result["mzxid"], last.get((one.client, one.path), 0)
            if mzxid < before:
                yield f"{one}: after it had seen {before}"
            last[one.client, one.path] = mzxid


def members_are_equal_at_the_end(history):
    found = defaultdict(dict)
    for one in history:
        if one.op == "final":
            found[one.path][one.member] = (one.status, sorted(one.result.items()))
        elif one.op == "children":
            found[one.path].setdefault(one.member, []).extend(one.result["names"])
    for path, states in found.items():
        if any(state != next(iter(states.values())) for state in states.values()):
            yield f"{path}: {states}"


RULES = (
    no_client_sees_zxids_go_back, zxids_follow_real_time, reads_show_what_was_written,
    nothing_acknowledged_is_lost_and_nothing_refused_is_there, sequential_creates_are_applied_once,
    counters_count_each_write_once, feeds_tell_everything_once_and_in_order, waits_miss_nothing,
    members_are_equal_at_the_end, each_znode_is_linearizable)


def check(history):
    for rule in RULES:
        for detail in rule(history):
            raise Violation(rule.__name__.replace("_", " "), detail)
