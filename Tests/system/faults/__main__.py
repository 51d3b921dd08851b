"""python3 -m faults --minutes 10 --seed 7 --members 3

Runs itself in namespaces of its own where that is allowed: what it mounts and starts is gone when
it ends, however it ends."""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import traceback

from ensemble import PROGRAM

from . import packets
from .cluster import Violation
from .disks import in_namespaces
from .run import KINDS, Run

NAMESPACES = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"]


def into_namespaces():
    """Again, in namespaces of its own; returns where that is not allowed."""
    if "FAULTS_NAMESPACE" in os.environ or not all(
            shutil.which(program) for program in ("unshare", "ip", "mount")):
        return
    for namespaces in (NAMESPACES, [*NAMESPACES, "--map-root-user"]):
        if subprocess.run([*namespaces, "true"], capture_output=True).returncode == 0:
            os.environ["FAULTS_NAMESPACE"] = "1"
            os.execvp(namespaces[0], [
                *namespaces, sys.executable, "-B", "-m", "faults", *sys.argv[1:]])


def arguments():
    parser = argparse.ArgumentParser(
        prog="faults", description="Real members under faults, checked.")
    parser.add_argument("--minutes", type=float, default=10, help="default: 10")
    parser.add_argument("--seed", type=int, default=None, help="default: a fresh one")
    parser.add_argument("--members", type=int, default=3, choices=(3, 5))
    parser.add_argument("--network", choices=("proxy", "packets"), default=None,
                        help="what stands between the members; default: by the seed")
    parser.add_argument("--kinds", default="", help=f"of {','.join(KINDS)}; default: all")
    parser.add_argument("--folder", default=None, help="default: a temporary one")
    parser.add_argument("--keep", action="store_true", help="the folder, although nothing broke")
    wanted = parser.parse_args()
    if not wanted.minutes > 0:
        parser.error("--minutes is above 0")
    unknown = [kind for kind in wanted.kinds.split(",") if kind and kind not in KINDS]
    if unknown:
        parser.error(f"no kinds of faults: {', '.join(unknown)}")
    if not os.access(PROGRAM, os.X_OK):
        parser.error(f"{PROGRAM} is not there: make build, or name the program in AVIARY")
    return wanted


def choose_network(seed):
    """Nobody else's packets are touched: only in a namespace of its own."""
    if seed % 2 == 0 or not in_namespaces() or packets.left_out():
        return "proxy"
    return "packets"


def main():
    wanted = arguments()
    into_namespaces()
    if in_namespaces():
        # Semaphores and shared memory of its own, and a loopback interface.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    seed = random.SystemRandom().randrange(1 << 32) if wanted.seed is None else wanted.seed
    folder = tempfile.mkdtemp(prefix="aviary-faults-", dir=wanted.folder)
    kinds = [kind for kind in wanted.kinds.split(",") if kind]
    network = wanted.network or choose_network(seed)
    print(f"seed {seed}, {wanted.members} members, {network}, {wanted.minutes:g} minutes, "
          f"in {folder}", flush=True)
    run = Run(folder, wanted.minutes * 60, seed, wanted.members, network, kinds,
              lambda line: print(line, flush=True))
    try:
        run.go()
    except Violation as violation:
        print(run.table())
        print(f"BROKEN: {violation.rule}\n{violation.detail}\n"
              f"seed {seed}; history {run.history}; logs {folder}/member-*.log", flush=True)
        return 1
    except Exception:
        traceback.print_exc()
        print(f"The runner failed; seed {seed}; {folder}", flush=True)
        return 2
    print(run.table())
    print(f"No promise was broken; seed {seed}", flush=True)
    if not wanted.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
