"""scripts/mutations in a tree where the simulator is a shell script: it must fail whenever it has not
shown that a bug is found which the tree without it does not have."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]

# Stands for `swift build`: a tree with the word BROKEN does not build.
SWIFT = """#!/bin/sh
sources=$3/Sources
mkdir -p "$3/.build/release"
if grep -rq BROKEN "$sources"; then echo "error: no such thing"; exit 1; fi
cp "$sources/Simulation/simulate" "$3/.build/release/aviary-simulate"
"""

# Stands for the simulator. What it finds depends on the bug and on one line that patches change.
SIMULATE = """#!/bin/bash
# usage: --seeds A..B [--bug NAME]
state=whole
# one
# two
# three
# four
if [ "$1" = --bug ]; then echo "Error: bug is one of onSwitch, offSwitch"; exit 64; fi
from=${2%%..*} to=${2##*..}
if [ $state = slow ]; then exec tail -f /dev/null; fi
if [ $state = crashed ]; then echo "cannot start"; exit 64; fi
if [ $state = early ] || [ "$4" = onSwitch ] || [ "$state $4" = "deep everything" ]; then
  echo "seed $from: VIOLATION of digest: two"; exit 1
fi
if [ $state = quiet ] && [ "$from" -le 3 ]; then
  echo "seed 3: VIOLATION of quietRun: little"; exit 1
fi
echo "done: $((to - from + 1)) seeds, 5 events"
"""

OPTIONS = """package enum PlantedBug {
    /// It is on.
    case onSwitch
    /// It finds nothing.
    case offSwitch
}
"""


def patch(state, line="state=whole", hunt=(), context=("# usage: --seeds A..B [--bug NAME]",
                                              "# one", "# two", "# three")):
    before, *after = context
    return "\n".join([
        f"The state is {state}.", *hunt, "", "--- a/Sources/Simulation/simulate",
        "+++ b/Sources/Simulation/simulate", "@@ -2,5 +2,5 @@", f" {before}", f"-{line}",
        f"+state={state}", *(f" {one}" for one in after), ""])


class Tree:
    def __init__(self, path):
        self.path = path
        (path / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/mutations", path / "scripts/mutations")
        (path / "Sources/Simulation").mkdir(parents=True)
        (path / "Tests/Mutations").mkdir(parents=True)
        (path / "bin").mkdir()
        (path / "Package.swift").write_text("")
        (path / "Sources/Simulation/WorldOptions.swift").write_text(OPTIONS)
        self.program(path / "bin/swift", SWIFT)
        self.simulator(SIMULATE)

    def program(self, file, text):
        file.write_text(text)
        file.chmod(0o755)

    def simulator(self, text):
        self.program(self.path / "Sources/Simulation/simulate", text)

    def plant(self, name, text):
        (self.path / f"Tests/Mutations/{name}.patch").write_text(text)

    def hunt(self, *names, **environment):
        return subprocess.run(
            [self.path / "scripts/mutations", *names], capture_output=True, text=True,
            timeout=60, env={**os.environ, "SEEDS": "9", **environment,
                             "PATH": f"{self.path}/bin:{os.environ['PATH']}"})


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def test_a_bug_that_is_found_is_a_row_and_no_failure(tree):
    tree.plant("01-early", patch("early"))
    for name, row in (("01-early", "| 01-early | The state is early. | 1 | `digest` |"),
                      ("onSwitch", "| onSwitch | It is on. | 1 | `digest` |")):
        done = tree.hunt(name)
        assert done.returncode == 0, done
        assert row in done.stdout.splitlines()


def test_a_bug_that_is_not_found_fails(tree):
    tree.plant("02-other", patch("other"))
    for name in ("02-other", "offSwitch"):
        done = tree.hunt(name)
        assert done.returncode == 1 and "| not found |" in done.stdout


def test_a_bug_is_hunted_with_the_arguments_that_its_patch_names(tree):
    tree.plant("07-deep", patch("deep", hunt=["hunt: --profile everything"]))
    done = tree.hunt("07-deep")
    assert done.returncode == 0, done
    assert "| 07-deep | The state is deep. | 1 | `digest` |" in done.stdout.splitlines()
    tree.plant("07-deep", patch("deep"))
    assert tree.hunt("07-deep").returncode == 1


def test_the_control_is_run_with_the_arguments_of_each_patch(tree):
    tree.plant("01-early", patch("early", line="state=deep"))
    tree.simulator(SIMULATE.replace("whole", "deep"))
    assert tree.hunt("01-early").returncode == 0
    tree.plant("01-early", patch("early", line="state=deep", hunt=["hunt: --profile everything"]))
    done = tree.hunt("01-early")
    assert done.returncode == 1 and "without a bug" in done.stderr


def test_a_tree_that_breaks_a_rule_without_a_bug_shows_nothing(tree):
    tree.simulator(SIMULATE.replace("whole", "early"))
    done = tree.hunt("onSwitch")
    assert done.returncode == 1
    assert "without a bug" in done.stderr and "VIOLATION of digest" in done.stderr
    assert "onSwitch" not in done.stdout


def test_a_run_that_says_nothing_is_passed_over_in_the_control_too(tree):
    tree.simulator(SIMULATE.replace("whole", "quiet"))
    done = tree.hunt("onSwitch")
    assert done.returncode == 0, done


@pytest.mark.parametrize("state", ["slow", "crashed"])
def test_a_control_that_does_not_end_its_seeds_shows_nothing(tree, state):
    tree.simulator(SIMULATE.replace("whole", state))
    done = tree.hunt("onSwitch", SECONDS_MAX="1")
    assert done.returncode == 1 and "without a bug" in done.stderr


@pytest.mark.parametrize("state", ["slow", "crashed"])
def test_a_hunt_that_does_not_end_its_seeds_says_so_and_fails(tree, state):
    tree.plant("03-odd", patch(state))
    done = tree.hunt("03-odd", SECONDS_MAX="1")
    assert done.returncode == 1 and "| not all seeds ran |" in done.stdout


def test_a_name_that_matches_nothing_fails(tree):
    tree.plant("01-early", patch("early"))
    done = tree.hunt("nothing-like-it")
    assert done.returncode == 1 and "no bug" in done.stderr


def test_a_bug_that_does_not_build_fails_and_shows_the_log(tree):
    tree.plant("04-broken", patch("BROKEN"))
    tree.plant("05-early", patch("early"))
    done = tree.hunt("-")
    assert done.returncode == 1
    assert "| 04-broken | does not build | | |" in done.stdout and "no such thing" in done.stderr
    assert "| 05-early | The state is early. | 1 | `digest` |" in done.stdout, "it goes on"


def test_a_patch_lands_where_all_its_lines_are_or_fails(tree):
    tree.plant("06-elsewhere", patch("early", context=(
        "# something else", "# one", "# two", "# three")))
    done = tree.hunt("06-elsewhere")
    assert done.returncode == 1
    assert "| 06-elsewhere | does not apply | | |" in done.stdout
