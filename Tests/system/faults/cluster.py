"""The members under faults: an ensemble whose links can be cut, by a proxy or in the kernel, and a
supervisor that starts a member again when it has ended, as systemd does. It knows nothing of
clients."""

import subprocess
import threading
import time

from ensemble import PATIENCE, Ensemble, Unreachable, eventually

from .links import Links
from .packets import Packets

# systemd's RestartSec=.
RESTART_SECONDS = 0.3

# After a fault has ended, all members serve again within this, without a person.
RECOVERY_SECONDS = 30

# Small, so that snapshots, pruned logs and members that need a snapshot belong to every run.
OPTIONS = ("--snapshot-entries", "1500")


class Violation(Exception):
    """A promise that was not kept: the rule, and what shows it."""

    def __init__(self, rule, detail):
        super().__init__(f"{rule}: {detail}")
        self.rule, self.detail = rule, detail


class Cluster(Ensemble):
    def __init__(self, folder, members, seed, network="proxy"):
        super().__init__(folder, members, OPTIONS)
        self.lock, self.closing = threading.RLock(), threading.Event()
        self.broken = []
        self.ended = []
        for member in self.members:
            # `wanted`: the supervisor keeps it running. `may_end_with`: as a fault makes it end.
            member.wanted, member.may_end_with, member.ended_at = True, set(), None
        ports = {member.id: member.peer_port for member in self.members}
        self.links = (
            Links(ports, seed) if network == "proxy" else Packets(ports, self.closing.wait))
        self.supervisor = threading.Thread(target=self._supervise)

    def peer_address(self, member, other):
        if member is other:
            return super().peer_address(member, other)
        return self.links.address(member.id, other.id)

    def listener(self, member):
        return self.links.listener(member.id)

    def __enter__(self):
        try:
            super().__enter__()
        except BaseException:
            self.__exit__(None)
            raise
        self.supervisor.start()
        return self

    def __exit__(self, kind, *rest):
        self.closing.set()
        if self.supervisor.ident is not None:
            self.supervisor.join()
        super().__exit__(None, *rest)
        self.links.close()

    # What faults do.

    def down(self, member):
        """kill -9, and the supervisor leaves it so."""
        with self.lock:
            member.wanted = False
            member.kill()

    def stop(self, member, within=30.0):
        """SIGTERM; the exit code has to be 0."""
        with self.lock:
            member.wanted = False
            process, member.process = member.process, None
        process.terminate()
        try:
            code = process.wait(timeout=within * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = "it does not end"
        if code != 0:
            raise Violation("a member that is asked to stop exits with 0",
                            f"member {member.id}: {code}: {self.last_words(member)}")

    def up(self, member, wrapper=None):
        with self.lock:
            member.wanted, member.ended_at = True, None
            member.start(wrapper=wrapper)

    def up_and_ends(self, member, and_then, within=20.0):
        """Starts it where it may refuse: its exit code, or None when it became ready."""
        with self.lock:
            member.wanted = False
            member.start()
        process = member.process
        and_then()
        eventually(lambda: process.poll() is not None or member.answers("/health/ready"), within,
                   f"member {member.id} refuses or is ready")
        with self.lock:
            code = process.poll()
            if code is None:
                member.wanted = True
            else:
                member.process = None
        return code

    # The supervisor.

    def _supervise(self):
        while not self.closing.wait(0.02):
            with self.lock:
                for member in self.members:
                    if member.wanted:
                        self._look_after(member)

    def _look_after(self, member):
        now = time.monotonic()
        if member.process is not None and member.process.poll() is not None:
            code, member.process, member.ended_at = member.process.returncode, None, now
            self.ended.append((member.id, code))
            if code not in member.may_end_with:
                self.broken.append(Violation(
                    "no member ends by itself",
                    f"member {member.id} ended with {code}: {self.last_words(member)}"))
        if member.process is None and now >= (member.ended_at or 0) + RESTART_SECONDS:
            member.start()

    def last_words(self, member):
        return " | ".join(member.log.splitlines()[-3:])

    # Health.

    def lead(self):
        """Of those that run, the one that leads, or the first where none does for long."""
        try:
            return self.leader(within=10.0)
        except AssertionError:
            return self.running[0]

    def check(self):
        if self.broken:
            raise self.broken[0]

    def recovered(self, within=RECOVERY_SECONDS):
        """Every member is ready, without anybody's doing."""
        def ready():
            self.check()
            return all(member.answers("/health/ready") for member in self.members)
        try:
            eventually(ready, within)
        except AssertionError:
            state = "; ".join(f"member {m.id}: {self._health(m)}" for m in self.members)
            raise Violation(
                f"after the last fault all serve again within {within:.0f} s", state) from None

    def _health(self, member):
        try:
            answer = member.once("GET", "/health/ready", timeout=3.0)
            return f"{answer.status} {answer.body.decode()[:400]}"
        except Unreachable as error:
            return f"{error}; {self.last_words(member)}"

    def agreed(self, within=RECOVERY_SECONDS):
        """Nothing is under way, and all hold the same."""
        try:
            eventually(lambda: all(self._quiet(member) for member in self.members), within)
            return self.same_everywhere(within)
        except AssertionError:
            raise Violation("all members hold the same tree at the end",
                            "; ".join(self._numbers(m) for m in self.members)) from None

    def _quiet(self, member):
        try:
            text = member.once("GET", "/metrics", timeout=3.0).body.decode()
        except Unreachable:
            return False
        return "\naviary_pending_writes 0\n" in text

    def _numbers(self, member):
        try:
            text = member.once("GET", "/metrics", timeout=3.0).body.decode()
        except Unreachable as error:
            return f"member {member.id}: {error}"
        shown = ("aviary_applied_zxid ", "aviary_tree_digest ", "aviary_pending_writes ")
        return f"member {member.id}: " + ", ".join(
            line for line in text.splitlines() if line.startswith(shown))
