"""The network between members: a TCP proxy for each ordered pair of them, in a process of its own.

It holds bytes, delays them or cuts connections, as it is told; it never changes a byte. What one
member says to another can be held while the other direction goes on: a partition that is one-way.
Held bytes are sent on when the way opens again, as TCP sends lost segments again."""

import asyncio
import json
import random
import subprocess
import sys

CHUNK = 65536
# TCP's least time until it sends a lost segment again (RFC 6298 2.4 as Linux has it), doubled.
RETRANSMISSION = 0.2


class Way:
    """What one member says to another."""

    def __init__(self):
        self.open = asyncio.Event()
        self.open.set()
        self.healed = asyncio.Event()
        self.delay = self.loss = 0.0

    def become(self, hold=False, delay=0.0, loss=0.0):
        self.delay, self.loss = delay, loss
        (self.open.clear if hold else self.open.set)()
        (self.healed.clear if delay or loss else self.healed.set)()

    async def let_through(self, chance):
        """Returns when a chunk that has come may go on."""
        await self.open.wait()
        wait, again = self.delay, RETRANSMISSION
        while chance.random() < self.loss:
            wait, again = wait + again, again * 2
        if wait:
            try:
                await asyncio.wait_for(self.healed.wait(), wait)
            except asyncio.TimeoutError:
                pass


class Proxy:
    def __init__(self, seed):
        self.ways, self.connections = {}, {}
        self.chance = random.Random(seed)

    async def open(self, dialler, other, port):
        for way in ((dialler, other), (other, dialler)):
            self.ways.setdefault(way, Way())

        async def accepted(reader, writer):
            await self.carry(dialler, other, port, reader, writer)

        server = await asyncio.start_server(accepted, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def carry(self, dialler, other, port, reader, writer):
        ends = [writer]
        held = self.connections.setdefault((dialler, other), set())
        held.add(writer)
        try:
            # Neither a SYN nor its answer comes through a way that is held.
            for way in ((dialler, other), (other, dialler)):
                await self.ways[way].let_through(self.chance)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            ends.append(far_writer)
            held.add(far_writer)
            pumps = [
                asyncio.ensure_future(self.pump((dialler, other), reader, far_writer)),
                asyncio.ensure_future(self.pump((other, dialler), far_reader, writer))]
            done, rest = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in rest:
                pump.cancel()
            for pump in done:
                pump.exception()
        except OSError:
            pass
        finally:
            for end in ends:
                held.discard(end)
                end.transport.abort()

    async def pump(self, way, reader, writer):
        while chunk := await reader.read(CHUNK):
            await self.ways[way].let_through(self.chance)
            writer.write(chunk)
            await writer.drain()

    def obey(self, order):
        for one, other, how in order.get("ways", ()):
            self.ways[one, other].become(**how)
        for pair in order.get("reset", ()):
            for end in list(self.connections.get(tuple(pair), ())):
                end.transport.abort()


async def _serve():
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    first = json.loads(await reader.readline())
    proxy = Proxy(first["seed"])
    ports = []
    for one, other, port in first["pairs"]:
        ports.append([one, other, await proxy.open(one, other, port)])
    print(json.dumps(ports), flush=True)
    while line := await reader.readline():
        proxy.obey(json.loads(line))
        print("{}", flush=True)


class Links:
    """The tests' side of it."""

    name = "proxy"
    delays = True

    def __init__(self, ports, seed):
        """`ports`: where each member's own peer port is, by its number."""
        self.members, self.peer_ports = sorted(ports), ports
        self.pairs = [(a, b) for a in self.members for b in self.members if a != b]
        self.process = subprocess.Popen(
            [sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        answer = self._tell(seed=seed, pairs=[[a, b, ports[b]] for a, b in self.pairs])
        self.ports = {(one, other): port for one, other, port in answer}

    def _tell(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def address(self, dialler, other):
        return f"127.0.0.1:{self.ports[dialler, other]}"

    def listener(self, member):
        return f"127.0.0.1:{self.peer_ports[member]}"

    def hold(self, ways):
        self._tell(ways=[[a, b, {"hold": True}] for a, b in ways])

    def delay(self, ways, seconds):
        self._tell(ways=[[a, b, {"delay": seconds}] for a, b in ways])

    def lose(self, ways, percent):
        self._tell(ways=[[a, b, {"loss": percent / 100}] for a, b in ways])

    def reset(self, pairs=None):
        self._tell(reset=[list(pair) for pair in pairs or self.pairs])

    def heal(self):
        self._tell(ways=[[a, b, {}] for a, b in self.pairs])

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_serve())
