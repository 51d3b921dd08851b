"""The fault runner, for less than a minute and always from the same seed. `make faults` runs it for
longer, and from fresh ones."""

import os
import pathlib
import subprocess
import sys

from ensemble import PROGRAM

# What takes long to come and go is left to `make faults`.
KINDS = (
    "KillLeader", "KillAll", "StopLeader", "IsolateLeader", "OneWay", "Reset", "RollingRestart",
    "FailingSync", "RottenLog", "RottenSnapshot", "ExchangedDisk")


def test_no_promise_is_broken_by_three_quarters_of_a_minute_of_faults(tmp_path):
    run = subprocess.run(
        [sys.executable, "-B", "-m", "faults", "--minutes", "0.75", "--seed", "45",
         "--kinds", ",".join(KINDS), "--folder", str(tmp_path)],
        cwd=pathlib.Path(__file__).parent, env={**os.environ, "AVIARY": PROGRAM},
        capture_output=True, text=True, timeout=300)
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "No promise was broken" in run.stdout
