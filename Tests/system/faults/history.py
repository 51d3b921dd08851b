"""What clients asked and were told: JSON lines, one for each invocation and each return, with
instants of the monotonic clock in nanoseconds. The checker reads nothing but such a file."""

import itertools
import json
import threading
import time

# Outcomes. "ok": evaluated, whatever the status. "refused": nowhere applied, and never will be
# (503, or never sent). "unknown": it may have been applied, or may be later.
OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"


class Operation:
    """One invocation, with its return where there was one."""

    __slots__ = ("number", "client", "member", "op", "path", "args", "start", "end", "outcome",
                 "status", "code", "zxid", "result")

    def __init__(self, line):
        self.number, self.client, self.member = line["id"], line["client"], line["member"]
        self.op, self.path, self.args = line["op"], line["path"], line.get("args", {})
        self.start, self.end, self.outcome = line["ns"], None, UNKNOWN
        self.status = self.code = self.zxid = None
        self.result = {}

    def returned(self, line):
        self.end, self.outcome = line["ns"], line["outcome"]
        self.status, self.code, self.zxid = line.get("status"), line.get("code"), line.get("zxid")
        self.result = line.get("result", {})

    def __repr__(self):
        return (f"#{self.number} {self.client} at member {self.member}: {self.op} {self.path} "
                f"{self.args} -> {self.outcome} {self.status} zxid={self.zxid} {self.result}")


class Recorder:
    """Appends to a history; for many threads."""

    def __init__(self, path):
        self.path, self.numbers, self.lock = path, itertools.count(), threading.Lock()
        self.file = open(path, "w", encoding="utf-8")
        self.counts = {OK: 0, REFUSED: 0, UNKNOWN: 0}

    def invoke(self, client, member, op, path, **args):
        with self.lock:
            number = next(self.numbers)
            self._write(event="invoke", ns=time.monotonic_ns(), id=number, client=client,
                        member=member, op=op, path=path, args=args)
        return number

    def returned(self, number, outcome, **what):
        """The instant of the return; it is taken here, after the answer."""
        with self.lock:
            now = time.monotonic_ns()
            self.counts[outcome] += 1
            self._write(event="return", ns=now, id=number, outcome=outcome, **what)
        return now

    def note(self, **what):
        with self.lock:
            self._write(event="note", ns=time.monotonic_ns(), **what)

    def _write(self, **line):
        self.file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def close(self):
        with self.lock:
            self.file.close()


def load(lines):
    """The operations of a history, by invocation. Notes are passed over."""
    operations = {}
    for line in lines:
        line = json.loads(line)
        if line["event"] == "invoke":
            operations[line["id"]] = Operation(line)
        elif line["event"] == "return":
            operations[line["id"]].returned(line)
    return list(operations.values())
