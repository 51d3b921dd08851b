"""Real `aviary serve` processes on loopback, and a small HTTP client that talks to them.

Nothing here waits for a length of time: `eventually` polls for a condition until a deadline.
"""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

PROGRAM = os.environ.get(
    "AVIARY", str(pathlib.Path(__file__).resolve().parents[2] / ".build/release/aviary"))


# A program that was built with a sanitizer takes longer for everything. Not AVIARY_...: members take
# variables of that form for settings.
PATIENCE = float(os.environ.get("PATIENCE", "1"))


def eventually(condition, within=20.0, what=""):
    """The first true value of `condition()`; fails after `within` seconds."""
    within *= PATIENCE
    end = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {within} s: {what or condition}"
        time.sleep(0.01)


def free_ports(count):
    """Ports that are free now; held open together so that none is given twice."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def contiguous_ports():
    """A port with the next two, and their peers' ports, free at this moment."""
    def free(port):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return True
            except OSError:
                return False

    while True:
        port = free_ports(1)[0]
        if port < 60000 and all(free(port + n + base) for n in range(3) for base in (0, 1000)):
            return port


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def zxid(self):
        return int(self.headers["Aviary-Zxid"])

    @property
    def code(self):
        return self.json["code"]

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class Unreachable(Exception):
    """No answer: the connection was refused, reset or timed out."""


class Client:
    """One keep-alive connection to one member."""

    def __init__(self, port, timeout=15.0):
        self.port, self.timeout, self.connection = port, timeout * PATIENCE, None

    def request(self, method, target, body=None, headers=None):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(
                    "127.0.0.1", self.port, timeout=self.timeout)
            self.connection.request(method, target, body, headers or {})
            answer = self.connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{method} {target} on {self.port}: {error!r}") from error

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def get(self, target, **headers):
        return self.request("GET", target, headers=_fields(headers))

    def put(self, target, body=b"", **headers):
        return self.request("PUT", target, body, _fields(headers))

    def post(self, target, body=b"", **headers):
        return self.request("POST", target, body, _fields(headers))

    def delete(self, target, **headers):
        return self.request("DELETE", target, headers=_fields(headers))

    def metrics(self):
        """What `/metrics` says, each number as written there."""
        lines = self.get("/metrics").body.decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def _fields(words):
    return {name.replace("_", "-"): value for name, value in words.items()}


def exchange(port, data):
    """Everything that the server says to `data`, until it closes, and the parts of the last answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data.encode("latin-1"))
        received = b""
        while True:
            part = connection.recv(65536)
            if not part:
                break
            received += part
    return _parts(received)


def answer(connection):
    """Of an answer with a Content-Length: status, fields, body."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        assert part, received
        received += part
    status, fields, body = _parts(received)
    while len(body) < int(fields.get("content-length", 0)):
        body += connection.recv(65536)
    return status, fields, body


def _parts(received):
    """Status, fields by small names, and what follows the head."""
    head, _, rest = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), fields, rest


class Member:
    def __init__(self, ensemble, member, http_port, peer_port):
        self.ensemble, self.id = ensemble, member
        self.http_port, self.peer_port = http_port, peer_port
        self.data = ensemble.folder / f"member-{member}"
        self.log_path = ensemble.folder / f"member-{member}.log"
        self.process = None
        # Besides those of all members.
        self.options = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    def start(self, extra=(), wrapper=None):
        """`wrapper`: a program and its arguments in front of the member's own."""
        wrapper = self.ensemble.wrapper if wrapper is None else wrapper
        assert self.process is None
        peers = ",".join(
            f"{m.id}={self.ensemble.peer_address(self, m)}" for m in self.ensemble.members)
        command = [
            *wrapper, PROGRAM, "serve", "--id", str(self.id), "--data", str(self.data),
            "--http", f"127.0.0.1:{self.http_port}"]
        if len(self.ensemble.members) > 1:
            command += ["--peer", self.ensemble.listener(self), "--ensemble", peers]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.ensemble.options, *self.options, *extra], stdout=log, stderr=log)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, within=20.0):
        """SIGTERM, and the exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=within * PATIENCE)
        self.process = None
        return code

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def client(self, timeout=15.0):
        return Client(self.http_port, timeout)

    def once(self, method, target, body=None, headers=None, timeout=15.0):
        """One request on a connection of its own."""
        client = self.client(timeout)
        try:
            return client.request(method, target, body, headers)
        finally:
            client.close()

    def metrics(self):
        client = self.client()
        try:
            return client.metrics()
        finally:
            client.close()

    def metric(self, name):
        return float(self.metrics()[name])

    def fill_disk(self):
        """Something else takes all the room that is left."""
        with open(self.data / "ballast", "wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass

    def make_room(self):
        (self.data / "ballast").unlink()

    def answers(self, target, status=200):
        try:
            return self.once("GET", target, timeout=3.0).status == status
        except Unreachable:
            return False


class Ensemble:
    def __init__(self, folder, members=3, options=()):
        self.folder, self.options = pathlib.Path(folder), list(options)
        self.wrapper = ()
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = free_ports(2 * members)
        self.members = []
        for number in range(members):
            self.members.append(Member(self, number + 1, ports[2 * number], ports[2 * number + 1]))

    def __enter__(self):
        for member in self.members:
            member.start()
        try:
            self.ready()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            for member in self.members:
                tail = member.log[-3000:] if member.log_path.exists() else ""
                print(f"--- member {member.id} ---\n{tail}")
        for member in self.members:
            if member.process is not None:
                member.process.send_signal(signal.SIGCONT)
            member.kill()

    def peer_address(self, member, other):
        """Where `member` reaches `other`."""
        return f"127.0.0.1:{other.peer_port}"

    def listener(self, member):
        """Where it takes the others' connections."""
        return f"127.0.0.1:{member.peer_port}"

    @property
    def running(self):
        return [member for member in self.members if member.process is not None]

    def ready(self, members=None, within=20.0):
        for member in members or self.running:
            def is_ready():
                code = member.process.poll()
                assert code is None, f"member {member.id} has ended with {code}"
                return member.answers("/health/ready")
            eventually(is_ready, within, f"member {member.id} is ready")

    def leader(self, within=20.0):
        def find():
            return next((m for m in self.running if m.answers("/leader")), None)
        return eventually(find, within, "a leader")

    def followers(self):
        leader = self.leader()
        return [member for member in self.running if member is not leader]

    def same_everywhere(self, within=20.0):
        """All running members have applied the same zxid and hold the same tree."""
        def digests():
            found = set()
            for member in self.running:
                try:
                    told = member.metrics()
                except Unreachable:
                    return None
                found.add((told["aviary_applied_zxid"], told["aviary_tree_digest"]))
            return found if len(found) == 1 else None
        return eventually(digests, within, "equal digests")
