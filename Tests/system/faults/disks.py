"""Faults of disks and of clocks: a full disk, one that fails to sync, bytes that changed, one that
was exchanged, a wall clock that jumps. What a member with such a disk does, refuse or mend itself,
is told by its behaviour; a refusal is followed by what its operator would do."""

import email.utils
import os
import pathlib
import shutil
import struct
import subprocess
import time

from ensemble import Unreachable, eventually

from .cluster import Violation
from .kinds import Fault

# Exit codes, docs/operations.md.
DISK_FAILED, NO_DIRECTORY = 69, 73
MiB = 1 << 20


class Traced(Fault):
    """strace meddles with the syncs of a member."""

    @classmethod
    def left_out(cls, links):
        if shutil.which("strace") is None:
            return "no strace"
        works = subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True)
        return None if works.returncode == 0 else "strace may not trace"

    def up(self, meddling):
        # -D: the member stays the child, so that signals and the exit code are its own.
        self.cluster.up(self.member, wrapper=[
            "strace", "-D", "-f", "-qq", "-o", os.devnull, "-e", "trace=fdatasync,fsync", "-e",
            f"inject=fdatasync,fsync:{meddling}"])


class FailingSync(Traced):
    """The n-th sync and all after it fail."""

    kind = "sync fails (EIO)"
    seconds = (0.0, 0.5)

    def inflict(self):
        # Writes go on, so the n-th sync comes, unless the member has become a bystander.
        self.member = self.by_chance(of_leader=0.4)
        self.cluster.down(self.member)
        self.member.may_end_with = {DISK_FAILED}
        before, said = len(self.cluster.ended), self.member.log.count("sync")
        self.up(f"error=EIO:when={self.draw.randint(1, 80)}+")
        try:
            eventually(lambda: (self.member.id, DISK_FAILED) in self.cluster.ended[before:], 20)
        except AssertionError:
            raise Violation(
                "a sync that fails ends the member",
                f"member {self.member.id}: {self.cluster.last_words(self.member)}") from None
        if self.member.log.count("sync") == said:
            raise Violation("a member that ends says why", self.cluster.last_words(self.member))

    def heal(self):
        self.member.may_end_with = set()


class SlowSync(Traced):
    """Each sync of one member takes as long as with a disk in trouble."""

    kind = "sync is slow"
    seconds = (2.0, 5.0)

    def inflict(self):
        self.member = self.draw.choice(self.everyone)
        self.cluster.down(self.member)
        self.up(f"delay_enter={self.draw.randint(20_000, 700_000)}")

    def heal(self):
        self.cluster.down(self.member)
        self.cluster.up(self.member)


class FullDisk(Fault):
    """The member's directory moves to a small tmpfs, something else fills that, and large writes
    come. The member refuses changes, and does not end; with room again, it serves again."""

    kind = "disk full"
    seconds = (0.0, 1.0)

    @classmethod
    def left_out(cls, links):
        return None if in_namespaces() else "may not mount"

    def inflict(self):
        self.member = self.by_chance(of_leader=0.5)
        self.home = self.member.data
        small = pathlib.Path(f"{self.home}.small")
        self.cluster.down(self.member)
        used = sum(file.stat().st_size for file in self.home.iterdir())
        small.mkdir(exist_ok=True)
        room = used + self.draw.randint(1, 20) * MiB
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={room},mode=700", "tmpfs", str(small)],
            check=True)
        shutil.copytree(self.home, small, dirs_exist_ok=True)
        self.member.data = small
        self.cluster.up(self.member)
        self.member.fill_disk()
        self.write_much(self.refuses)
        self.way = "refused changes" if self.refuses() else "unnoticed"

    def write_much(self, enough):
        """More than fits into the segments that are there already."""
        target = "/v1/znodes/filler"
        for number in range(300):
            if enough():
                return
            member = self.everyone[number % len(self.everyone)]
            try:
                member.once("PUT", target, bytes(256 * 1024), timeout=5)
            except Unreachable:
                pass

    def refuses(self):
        try:
            answer = self.member.once("GET", "/health/ready", timeout=2)
            return answer.status == 503 and b"disk_full" in answer.body
        except Unreachable:
            return False

    def heal(self):
        small = self.member.data
        self.member.make_room()
        subprocess.run(["mount", "-o", f"remount,size={1 << 30}", str(small)], check=True)
        self.cluster.recovered()
        self.cluster.down(self.member)
        shutil.rmtree(self.home)
        shutil.copytree(small, self.home)
        subprocess.run(["umount", str(small)], check=True)
        self.member.data = self.home
        self.cluster.up(self.member)


class ReadOnlyDisk(Fault):
    """The file system is read-only when the member starts. It refuses, and is started again and
    again until the file system can be written."""

    kind = "disk read-only at the start"
    seconds = (0.5, 2.0)

    @classmethod
    def left_out(cls, links):
        return None if in_namespaces() else "may not mount"

    def inflict(self):
        self.member = self.by_chance(of_leader=0.5)
        data = str(self.member.data)
        self.cluster.down(self.member)
        subprocess.run(["mount", "--bind", data, data], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", data], check=True)
        self.member.may_end_with = {NO_DIRECTORY}
        before = len(self.cluster.ended)
        self.cluster.up(self.member)
        eventually(lambda: len(self.cluster.ended) > before, 20, "it refuses")

    def heal(self):
        self.cluster.down(self.member)
        subprocess.run(["umount", str(self.member.data)], check=True)
        self.member.may_end_with = set()
        self.cluster.up(self.member)


def in_namespaces():
    """Of the runner itself, so that nothing that it mounts outlives it."""
    return os.environ.get("FAULTS_NAMESPACE") == "1"


class Rot(Fault):
    """A bit changes in a file of a stopped member, where a checksum covers it and the member can tell
    it from what a crash leaves. It finds it, starts all the same, and is mended by the others, or by
    what is intact."""

    # What it says at its start when it has found such damage.
    says = "?"

    def choose(self):
        """A file, and the offset of a byte that had been durable, or None."""
        raise NotImplementedError

    def stop(self):
        self.member = self.a_follower() if self.draw.random() < 0.7 else self.cluster.lead()
        self.cluster.down(self.member)

    def start_the_rest(self):
        """When the damaged one has been started."""

    def inflict(self):
        self.stop()
        chosen = self.choose()
        if chosen is None:
            self.way = "nothing to damage"
            return
        mended = self.member.log.count("repaired")
        found = self.member.log.count(self.says)
        file, offset = chosen
        self.detail = f"member {self.member.id}, {file.name} byte {offset}"
        bit = 1 << self.draw.randrange(8)
        flip(file, offset, bit)
        try:
            code = self.cluster.up_and_ends(self.member, self.start_the_rest)
        except AssertionError:
            code = "hung"
        if code is not None:
            raise Violation(
                "damage is mended",
                f"{self.detail}: {code}: {self.cluster.last_words(self.member)}")
        # It says so before it serves.
        if self.member.log.count(self.says) == found:
            raise Violation(
                "damage that the member can know of is found",
                f"{self.detail}: nothing is said of it: {self.cluster.last_words(self.member)}")
        again = self.member.log.count("repaired") > mended
        self.way = "found, mended" if again else "found, intact without it"

    def heal(self):
        if self.member.process is None:
            self.cluster.up(self.member)


class RottenLog(Rot):
    kind = "bit flipped in the log"
    seconds = (0.0, 0.0)
    says = "files are damaged"

    def choose(self):
        """In a group that a later header claims was durable: behind the last such one, damage looks
        like what a crash leaves, and is dropped without a word."""
        groups = [group for file in sorted(self.member.data.glob("log-*"))
                  for group in groups_of(file)]
        # Not of a log that was given up, of which a file may be left.
        groups = [group for group in groups if group.log == groups[-1].log]
        mark = max((group.durable_through for group in groups), default=0)
        durable = [group for group in groups if group.sequence <= mark]
        if not durable:
            return None
        group = self.draw.choice(durable)
        return group.file, group.offset + self.draw.randrange(group.bytes)


class RottenLogWhileAllAreDown(RottenLog):
    """Nobody leads who could tell the damaged one what it had acknowledged."""

    kind = "bit flipped in the log, all down"

    def stop(self):
        self.member = self.draw.choice(self.everyone)
        for member in self.everyone:
            self.cluster.down(member)
        self.rest = [member for member in self.everyone if member is not self.member]
        for member in self.draw.sample(self.rest, self.draw.randint(0, len(self.rest))):
            self.rest.remove(member)
            self.cluster.up(member)

    def start_the_rest(self):
        while self.rest:
            self.cluster.up(self.rest.pop())

    def heal(self):
        self.start_the_rest()
        super().heal()


class RottenSnapshot(Rot):
    kind = "bit flipped in a snapshot"
    seconds = (0.0, 0.0)
    says = "a damaged snapshot is passed over"

    def choose(self):
        files = sorted(self.member.data.glob("snapshot-*"))
        files = [file for file in files if file.suffix != ".tmp"]
        if not files:
            return None
        file = files[-1]
        return file, self.draw.randrange(file.stat().st_size)


class Group:
    """Where a group of the log lies, docs/storage-format.md."""

    HEADER = 104

    def __init__(self, file, offset, log, sequence, durable_through, payload):
        self.file, self.offset, self.log, self.sequence = file, offset, log, sequence
        self.durable_through = durable_through
        self.bytes = -(-(self.HEADER + payload) // 512) * 512


def groups_of(file):
    data, offset = file.read_bytes(), 512
    log = data[16:32]
    while offset + Group.HEADER <= len(data) and data[offset:offset + 4] == b"AVGP":
        if data[offset + 8:offset + 24] != log:
            return
        sequence, durable_through = struct.unpack_from("<QQ", data, offset + 24)
        group = Group(file, offset, log, sequence, durable_through,
                      struct.unpack_from("<I", data, offset + 56)[0])
        yield group
        offset += group.bytes


def flip(file, offset, bit):
    with open(file, "r+b") as opened:
        opened.seek(offset)
        byte = opened.read(1)[0]
        opened.seek(offset)
        opened.write(bytes([byte ^ bit]))


class ExchangedDisk(Fault):
    """A member comes back with an empty directory. The others take it in, without anybody's doing."""

    kind = "disk exchanged for an empty one"
    seconds = (0.0, 0.0)

    def inflict(self):
        self.member = self.a_follower()
        self.cluster.down(self.member)
        shutil.rmtree(self.member.data)
        self.cluster.up(self.member)


class ClockJump(Fault):
    """The wall clock of one member jumps to and fro by up to a day while it runs (libfaketime)."""

    kind = "wall clock jumps"
    seconds = (0.0, 0.0)

    @classmethod
    def left_out(cls, links):
        if shutil.which("faketime") is None or cls.library() is None:
            return "no libfaketime"
        return None if in_namespaces() else "no namespaces of its own"

    @staticmethod
    def library():
        found = list(pathlib.Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))
        return str(found[0]) if found else None

    def inflict(self):
        self.member = self.draw.choice(self.everyone)
        told = self.member.data.with_suffix(".clock")
        told.write_text("+0")
        # Without what is shared, the library would make it and set a variable; and a Swift program
        # whose environment has moved before it begins does not find its arguments.
        self.holder = subprocess.Popen(
            ["faketime", "-m", "-f", "+0", "sh", "-c", "echo $FAKETIME_SHARED; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        shared = self.holder.stdout.readline().strip()
        self.cluster.down(self.member)
        self.cluster.up(self.member, wrapper=[
            "env", f"LD_PRELOAD={self.library()}", f"FAKETIME_SHARED={shared}",
            f"FAKETIME_TIMESTAMP_FILE={told}", "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1"])
        self.cluster.recovered()
        for _ in range(self.draw.randint(2, 5)):
            other = pathlib.Path(f"{told}.new")
            days = self.draw.randint(-86400, 86400)
            other.write_text(f"{days:+d}")
            other.rename(told)
            self.pause(self.draw.uniform(0.2, 1.5))
            shown = self.clock_of_member()
            if shown is not None and abs(shown - time.time() - days) > 60:
                raise Violation("the runner itself works", f"the clock shows {shown}, {days:+d}")

    def clock_of_member(self):
        """What the member's answers are dated with."""
        try:
            date = self.member.once("GET", "/health/live").headers["Date"]
        except Unreachable:
            return None
        return email.utils.parsedate_to_datetime(date).timestamp()

    def heal(self):
        self.cluster.down(self.member)
        self.cluster.up(self.member)
        self.holder.communicate()


DISKS_AND_CLOCKS = (
    FailingSync, SlowSync, FullDisk, ReadOnlyDisk, RottenLog, RottenLogWhileAllAreDown,
    RottenSnapshot, ExchangedDisk, ClockJump)
