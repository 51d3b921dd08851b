"""The fault runner's bit flips, on a member that is made up: one that does not find what it can find
is caught, and only what it can find is damaged."""

import random
import struct

import pytest

from faults.cluster import Violation
from faults.disks import RottenLog, RottenSnapshot, groups_of


def group(log, sequence, durable_through, payload):
    """docs/storage-format.md; the checksums do not matter here."""
    head = b"AVGP" + bytes(4) + log + struct.pack("<QQ", sequence, durable_through)
    head += bytes(16) + struct.pack("<I", payload) + bytes(44)
    return (head + bytes(payload)).ljust(-(-(104 + payload) // 512) * 512, b"\0")


def segment(log, *groups):
    return (b"AVIARYLG".ljust(16, b"\0") + log).ljust(512, b"\0") + b"".join(groups) + bytes(4096)


LOG = b"L" * 16


class MadeUp:
    """A member, and the cluster of which it is the one that is harmed."""

    def __init__(self, folder, says):
        self.id, self.data, self.log, self.says = 1, folder, "recovered\n", says

    def lead(self):
        return self

    def down(self, member):
        pass

    def up_and_ends(self, member, and_then):
        and_then()
        self.log += self.says
        return None

    def last_words(self, member):
        return self.log.splitlines()[-1]


def inflict(kind, member, seed=1):
    fault = kind(member, random.Random(seed), None)
    fault.a_follower = member.lead
    fault.inflict()
    return fault


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "log-0000000000000001").write_bytes(segment(
        LOG, group(LOG, 1, 0, 300), group(LOG, 2, 1, 900), group(LOG, 3, 1, 10),
        group(b"O" * 16, 4, 3, 10)))
    (tmp_path / "snapshot-0000000000000003-0000000000000001").write_bytes(b"s" * 700)
    return tmp_path


FOUND = [
    (RottenLog, "warning files are damaged: the log is given up\n"),
    (RottenSnapshot, "warning a damaged snapshot is passed over\n")]


@pytest.mark.parametrize("kind, says", FOUND)
def test_damage_that_is_found_is_told_apart_by_whether_it_was_mended(kind, says, folder):
    assert inflict(kind, MadeUp(folder, says)).way == "found, intact without it"
    member = MadeUp(folder, f"{says}info repaired: what damage took is back\n")
    assert inflict(kind, member).way == "found, mended"


@pytest.mark.parametrize("kind, says", FOUND)
def test_damage_that_goes_unnoticed_breaks_a_rule(kind, says, folder):
    for silent in ("", "info repaired: what damage took is back\n"):
        with pytest.raises(Violation, match="damage that the member can know of is found"):
            inflict(kind, MadeUp(folder, silent))
    # What it said of damage before does not count.
    member = MadeUp(folder, "")
    member.log = says
    with pytest.raises(Violation):
        inflict(kind, member)


def test_only_what_a_later_header_claims_is_damaged_in_the_log(folder):
    log = folder / "log-0000000000000001"
    assert [one.sequence for one in groups_of(log)] == [1, 2, 3]
    whole = log.read_bytes()
    for seed in range(50):
        fault = inflict(RottenLog, MadeUp(folder, FOUND[0][1]), seed)
        now = log.read_bytes()
        at, = (at for at in range(len(whole)) if now[at] != whole[at])
        assert 512 <= at < 1024 and f"byte {at}" in fault.detail
        log.write_bytes(whole)


def test_there_may_be_nothing_to_damage(tmp_path):
    (tmp_path / "log-0000000000000001").write_bytes(segment(LOG, group(LOG, 1, 0, 300)))
    for kind, _ in FOUND:
        assert inflict(kind, MadeUp(tmp_path, "")).way == "nothing to damage"
