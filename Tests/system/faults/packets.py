"""The network between members as packets that the kernel drops or rejects (nftables), in the
network namespace that the runner has for itself. Members reach each other directly.

Member A dials member B at 127.1.A.B, where B listens as well: so a packet's address tells which
connection it belongs to, and whether it is the dialler's or the answer."""

import shutil
import subprocess

TABLE = "table ip faults { chain in { type filter hook input priority 0; }; }"


def left_out():
    """Why this machine cannot do it, or None."""
    if shutil.which("nft") is None:
        return "no nft"
    made = subprocess.run(["nft", TABLE], capture_output=True)
    return None if made.returncode == 0 else "nft may not"


class Packets:
    name = "packets"
    # What it cannot do: the kernel need not have netem.
    delays = False

    def __init__(self, ports, pause):
        self.members = sorted(ports)
        self.pairs = [(a, b) for a in self.members for b in self.members if a != b]
        self.peer_ports, self.pause = ports, pause
        subprocess.run(["nft", TABLE], check=True)

    def address(self, dialler, other):
        return f"127.1.{dialler}.{other}:{self.peer_ports[other]}"

    def listener(self, member):
        return f"0.0.0.0:{self.peer_ports[member]}"

    def _matches(self, one, other):
        """What `one` says to `other`, on its own connection and on the other's."""
        return [f"ip daddr 127.1.{one}.{other}", f"ip saddr 127.1.{other}.{one}"]

    def _rules(self, ways, verdict):
        lines = ["flush chain ip faults in"]
        for one, other in ways:
            lines += [f"add rule ip faults in {match} {verdict}"
                      for match in self._matches(one, other)]
        subprocess.run(["nft", "-f", "-"], input="\n".join(lines), text=True, check=True)

    def hold(self, ways):
        self._rules(ways, "drop")

    def lose(self, ways, percent):
        self._rules(ways, f"numgen random mod 100 < {percent} drop")

    def reset(self, pairs=None):
        """For as long as a few heartbeats take: each packet is answered with a reset."""
        self._rules(pairs or self.pairs, "meta l4proto tcp reject with tcp reset")
        self.pause(0.15)
        self.heal()

    def heal(self):
        self._rules([], "")

    def close(self):
        subprocess.run(["nft", "delete table ip faults"], check=False)
