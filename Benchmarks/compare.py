"""Rates of one member of three beside nginx in the same run, and the user instructions of a GET.

Ratios count, not absolutes: runs are interleaved in pairs and the median ratio is printed. All
processes listen on loopback, and all that this script starts it ends. usage: make bench
"""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/system"))

from ensemble import PROGRAM, Ensemble, eventually, free_ports, Client, Unreachable  # noqa: E402

PAIRS = int(os.environ.get("PAIRS", "7"))
SECONDS = int(os.environ.get("SECONDS", "3"))
ZNODES = int(os.environ.get("ZNODES", "10000"))
VALUE = b"v" * 100

NGINX = """
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "{body}"; }}
    }}
}}
"""

GET = """
math.randomseed(%d)
request = function()
  return wrk.format("GET", string.format("/v1/znodes/bench/%%06d?consistency=local", math.random(0, %d)))
end
"""

PUT = """
math.randomseed(%d)
wrk.body = string.rep("v", 100)
request = function()
  return wrk.format("PUT", string.format("/v1/znodes/bench/%%06d", math.random(0, %d)))
end
"""


def wrk(port, script, folder, connections=64):
    path = folder / "wrk.lua"
    path.write_text(script)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", str(path),
         f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    if bad:
        sys.exit(f"wrk saw {bad.group(1)} failed requests\n{done.stdout}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1))


def nginx(folder, body):
    port = free_ports(1)[0]
    configuration = folder / "nginx.conf"
    text = body.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${dollar}")
    configuration.write_text(NGINX.format(folder=folder, port=port, body=text))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([program, "-c", str(configuration), "-p", str(folder)])

    def serves():
        try:
            return Client(port).get("/").status == 200
        except Unreachable:
            return False
    eventually(serves, what="nginx")
    return process, port


def rates(folder):
    with Ensemble(folder / "ensemble") as ensemble:
        leader = ensemble.leader()
        client = leader.client()
        client.put("/v1/znodes/bench")
        for number in range(ZNODES):
            client.put(f"/v1/znodes/bench/{number:06d}", VALUE)
        body = client.get("/v1/znodes/bench/000000").body.decode()
        process, port = nginx(folder, body)
        try:
            gets = []
            for seed in range(PAIRS):
                ours = wrk(leader.http_port, GET % (seed, ZNODES - 1), folder)
                theirs = wrk(port, GET % (seed, ZNODES - 1), folder)
                gets.append((ours, theirs))
            report("GET local, c64", "nginx return 200", gets)
            puts = []
            for seed in range(PAIRS):
                ours = wrk(leader.http_port, PUT % (seed, ZNODES - 1), folder)
                theirs = wrk(port, PUT % (seed, ZNODES - 1), folder)
                puts.append((ours, theirs))
            report("PUT durable at the leader, c64", "nginx return 200", puts)
            linear = []
            for seed in range(PAIRS):
                script = (GET % (seed, ZNODES - 1)).replace("?consistency=local", "")
                linear.append((wrk(leader.http_port, script, folder), wrk(port, script, folder)))
            report("GET linearizable at the leader, c64", "nginx return 200", linear)
        finally:
            process.terminate()
            process.wait()


def report(what, peer, pairs):
    ours = statistics.median(a for a, _ in pairs)
    theirs = statistics.median(b for _, b in pairs)
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{what:38} {ours:10,.0f}/s   {peer} {theirs:10,.0f}/s   ratio {ratio:.2f} (median of {len(pairs)} pairs)")


def instructions(folder):
    """User instructions of a local GET over one connection, on the thread of the event loop: the
    difference of two counted runs, so that start and stop fall out. Once with one request a turn of
    the loop, which pays the turn alone, and once with sixteen, which share it."""
    folder.mkdir()
    # Why without its debug information: older valgrinds give up on the newer forms of DWARF.
    program = folder / "aviary"
    subprocess.run(["objcopy", "--strip-debug", PROGRAM, str(program)], check=True)
    for burst, few, many in ((1, 500, 2_500), (16, 50, 450)):
        low, high = (counted(folder, program, turns, burst) for turns in (few, many))
        each = (high - low) / ((many - few) * burst)
        what = f"GET local, instructions, {burst} a turn"
        print(f"{what:38} {each:10,.0f}     bar 8,000", flush=True)


def counted(folder, program, turns, burst):
    """Instructions of the event loop's thread after so many turns."""
    part = folder / f"count-{turns}-{burst}"
    part.mkdir()
    port = free_ports(1)[0]
    process = subprocess.Popen(
        ["valgrind", "--tool=callgrind", "--separate-threads=yes",
         f"--callgrind-out-file={part}/callgrind.out", "--quiet",
         str(program), "serve", "--id", "1", "--data", str(part / "data"),
         "--http", f"127.0.0.1:{port}", "--loops", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = Client(port, timeout=60)

        def serves():
            if process.poll() is not None:
                sys.exit(f"the member under valgrind ended with {process.returncode}")
            try:
                return client.get("/health/ready").status == 200
            except Unreachable:
                return False
        eventually(serves, within=120, what="a member under valgrind")
        assert client.put("/v1/znodes/bench", VALUE).status == 201
        request = b"GET /v1/znodes/bench?consistency=local HTTP/1.1\r\nHost: localhost\r\n\r\n"
        socket = client.connection.sock
        socket.settimeout(60)
        for _ in range(turns):
            socket.sendall(request * burst)
            read_answers(socket, burst)
    finally:
        process.terminate()
        process.wait(120)
    # One file a thread; the event loop's is the one that names it.
    totals = []
    for path in part.glob("callgrind.out-*"):
        text = path.read_text()
        total = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
        if total and re.search(r"^c?fn=.*9EventLoopV", text, re.M):
            totals.append(int(total.group(1)))
    assert len(totals) == 1, f"{len(totals)} threads turned an event loop"
    return totals[0]


def read_answers(connection, count):
    received = b""
    while count > 0:
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.I) if end else None
        if length and len(body) >= int(length.group(1)):
            received = body[int(length.group(1)):]
            count -= 1
            continue
        more = connection.recv(65536)
        if not more:
            sys.exit("the member closed the connection")
        received += more


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="aviary-bench-"))
    try:
        (folder / "ensemble").mkdir()
        rates(folder)
        instructions(folder / "instructions")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
