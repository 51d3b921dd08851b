"""A run: rounds of faults under load, each with its own znodes, history and verdict; the table."""

import pathlib
import random
import statistics
import threading
import time

from .clients import Load, final_state, remove
from .cluster import RECOVERY_SECONDS, Cluster, Violation
from .disks import DISKS_AND_CLOCKS
from .history import OK, Recorder, load
from .kinds import PROCESS_AND_NETWORK
from .rules import check

ROUND_SECONDS = 75
# A round with fewer acknowledged operations a second shows nothing.
LEAST_PER_SECOND = 2

KINDS = {fault.__name__: fault for fault in (*PROCESS_AND_NETWORK, *DISKS_AND_CLOCKS)}


class Deck:
    """Every kind comes once before one comes again."""

    def __init__(self, kinds, draw):
        self.kinds, self.draw, self.left = list(kinds), draw, []

    def next(self):
        if not self.left:
            self.left = self.draw.sample(self.kinds, len(self.kinds))
        return self.left.pop()


class Run:
    def __init__(self, folder, seconds, seed, members, network="proxy", kinds=None, say=print):
        self.folder, self.seconds, self.seed = pathlib.Path(folder), seconds, seed
        self.members, self.say = members, say
        self.draw = random.Random(seed)
        self.wanted = [KINDS[name] for name in kinds] if kinds else list(KINDS.values())
        self.network = network
        self.gaps, self.recoveries, self.ways = {}, {}, {}
        self.counts = {"ok": 0, "refused": 0, "unknown": 0}
        self.rounds = 0
        self.history = None

    def go(self):
        """Raises `Violation` for the first promise that is not kept."""
        end = time.monotonic() + self.seconds
        with Cluster(self.folder, self.members, self.seed, self.network) as cluster:
            self.cluster = cluster
            reasons = {kind: kind.left_out(cluster.links) for kind in self.wanted}
            for kind, why in reasons.items():
                if why:
                    self.say(f"left out: {kind.kind}: {why}")
            self.deck = Deck([kind for kind in self.wanted if not reasons[kind]], self.draw)
            while time.monotonic() < end:
                self.round(min(end, time.monotonic() + ROUND_SECONDS))

    def round(self, until):
        self.rounds += 1
        root, before = f"/{self.rounds}", self.history
        self.history = self.folder / f"history-{self.rounds}.jsonl"
        recorder = Recorder(self.history)
        clients = Load(self.cluster, recorder, root, self.seed)
        begun = time.monotonic()
        try:
            clients.start()
            self.fault_after_fault(clients, recorder, until)
            clients.stop(self.newest_zxid)
            self.cluster.agreed()
            final_state(self.cluster, recorder, clients)
        finally:
            clients.over.set()
            for client in clients.clients:
                if client.ident is not None:
                    client.join(30)
            recorder.close()
        for outcome, count in recorder.counts.items():
            self.counts[outcome] += count
        least = LEAST_PER_SECOND * (time.monotonic() - begun)
        if recorder.counts[OK] < least:
            raise Violation("a quiet run shows nothing",
                            f"{recorder.counts[OK]} operations, {least:.0f} wanted")
        begun = time.monotonic()
        with open(self.history, encoding="utf-8") as lines:
            check(load(lines))
        self.say(f"round {self.rounds}: {recorder.counts}, checked in "
                 f"{time.monotonic() - begun:.1f} s")
        if before:
            before.unlink()
        remove(self.cluster, root)

    def newest_zxid(self):
        return self.cluster.leader(RECOVERY_SECONDS).once("GET", "/v1/znodes").zxid

    def fault_after_fault(self, clients, recorder, until):
        over = threading.Event()
        over.wait(self.draw.uniform(0.5, 1.5))
        while time.monotonic() < until:
            fault = self.deck.next()(self.cluster, self.draw, over.wait)
            recorder.note(what="fault", kind=fault.kind)
            start = time.monotonic_ns()
            fault.inflict()
            over.wait(self.draw.uniform(*fault.seconds))
            recorder.note(what="heal", kind=fault.kind, way=fault.way, detail=fault.detail)
            fault.heal()
            healed = time.monotonic()
            self.cluster.recovered()
            self.serves(clients)
            clients.check()
            recovery = time.monotonic() - healed
            recorder.note(what="recovered", kind=fault.kind)
            gap = clients.longest_gap(start, time.monotonic_ns())
            self.gaps.setdefault(fault.kind, []).append(gap)
            self.recoveries.setdefault(fault.kind, []).append(recovery)
            if fault.way:
                key = (fault.kind, fault.way)
                self.ways[key] = self.ways.get(key, 0) + 1
            self.say(f"  {fault.kind}{': ' + fault.way if fault.way else ''}: without service "
                     f"{gap:.2f} s, recovered after {recovery:.2f} s")
            over.wait(self.draw.uniform(0.2, 1.5))

    def serves(self, clients):
        since, end = time.monotonic_ns(), time.monotonic() + RECOVERY_SECONDS
        wait = threading.Event()
        while not any(at > since for at in clients.instants[-50:]):
            if time.monotonic() > end:
                raise Violation(
                    f"after the last fault writes are served within {RECOVERY_SECONDS} s", "none")
            clients.check()
            wait.wait(0.02)

    def table(self):
        wide = max([len(kind) for kind in self.gaps] + [4])
        lines = ["seconds without service, and from the end of a fault until all had recovered:",
                 f"{'kind':{wide}}  count  median    max  recovered"]
        for kind, gaps in sorted(self.gaps.items()):
            ways = ", ".join(f"{way} {count}" for (of, way), count in sorted(self.ways.items())
                             if of == kind)
            lines.append(f"{kind:{wide}}  {len(gaps):5}  {statistics.median(gaps):6.2f} "
                         f"{max(gaps):6.2f} {max(self.recoveries[kind]):10.2f}  {ways}".rstrip())
        operations = sum(self.counts.values())
        lines.append(f"{operations} operations: {self.counts['ok']} answered, "
                     f"{self.counts['unknown']} unknown, {self.counts['refused']} refused; "
                     f"{self.rounds} rounds; {len(self.cluster.ended)} ends of members for "
                     "their disks")
        return "\n".join(lines)
