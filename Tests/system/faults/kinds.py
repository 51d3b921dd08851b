"""Faults of processes and of the network, one small class each: `inflict`, a while that the runner
waits, `heal`. What needs time of its own takes it in `inflict`. None of them looks at a clock to
decide whether the ensemble was right."""

import signal


class Fault:
    # What the table calls it.
    kind = "?"
    # How long it lasts, in seconds.
    seconds = (0.5, 4.0)

    def __init__(self, cluster, draw, pause):
        """`pause(seconds)` waits, and ends early when the run does."""
        self.cluster, self.draw, self.pause = cluster, draw, pause
        # A word for the report, where the fault may go one way or another.
        self.way = ""
        # What exactly was done, for the history.
        self.detail = ""

    @classmethod
    def left_out(cls, links):
        """Why this machine, or these links, cannot do it, or None."""
        return None

    def inflict(self):
        raise NotImplementedError

    def heal(self):
        pass

    def a_follower(self):
        leader = self.cluster.lead()
        return self.draw.choice([m for m in self.cluster.members if m is not leader])

    def by_chance(self, of_leader):
        """The leader with this probability, or else a follower."""
        return self.cluster.lead() if self.draw.random() < of_leader else self.a_follower()

    @property
    def everyone(self):
        return list(self.cluster.members)

    def some(self, count):
        return self.draw.sample(self.everyone, count)


class Kill(Fault):
    """kill -9, and the supervisor starts it again after a while."""

    def victims(self):
        raise NotImplementedError

    def inflict(self):
        self.killed = self.victims()
        for member in self.killed:
            self.cluster.down(member)

    def heal(self):
        for member in self.killed:
            self.cluster.up(member)


class KillLeader(Kill):
    kind = "kill -9 of the leader"

    def victims(self):
        return [self.cluster.lead()]


class KillFollower(Kill):
    kind = "kill -9 of a follower"

    def victims(self):
        return [self.a_follower()]


class KillMajority(Kill):
    kind = "kill -9 of a majority"
    seconds = (0.2, 2.0)

    def victims(self):
        return self.some(len(self.everyone) // 2 + 1)


class KillAll(Kill):
    kind = "kill -9 of all"
    seconds = (0.0, 1.0)

    def victims(self):
        return self.everyone


class KillAgainAndAgain(Fault):
    """The leader dies and is started at once, and the next one."""

    kind = "kill -9 of leader after leader"
    seconds = (0.0, 0.0)

    def inflict(self):
        for _ in range(self.draw.randint(2, 4)):
            leader = self.cluster.lead()
            self.cluster.down(leader)
            self.cluster.up(leader)
            self.pause(self.draw.uniform(0.0, 1.0))


class RollingRestart(Fault):
    """SIGTERM, exit code 0, start, ready: one after the other, as an operator does."""

    kind = "rolling restart"
    seconds = (0.0, 0.0)

    def inflict(self):
        for member in self.some(len(self.everyone)):
            self.cluster.stop(member)
            self.cluster.up(member)
            self.cluster.recovered()


class Stop(Fault):
    """SIGSTOP, SIGCONT."""

    seconds = (1.0, 8.0)

    def inflict(self):
        self.stopped = self.victims()
        for member in self.stopped:
            member.signal(signal.SIGSTOP)

    def heal(self):
        for member in self.stopped:
            member.signal(signal.SIGCONT)


class StopLeader(Stop):
    kind = "SIGSTOP of the leader"

    def victims(self):
        return [self.cluster.lead()]


class StopFollower(Stop):
    kind = "SIGSTOP of a follower"

    def victims(self):
        return [self.a_follower()]


class StopAll(Stop):
    kind = "SIGSTOP of all"
    seconds = (0.5, 3.0)

    def victims(self):
        return self.everyone


class Network(Fault):
    """The links change; now and then, connections are cut as they heal."""

    def between(self, some, others):
        return [(a.id, b.id) for a in some for b in others if a is not b]

    def apart(self, some, others):
        """Both ways."""
        return self.between(some, others) + self.between(others, some)

    def heal(self):
        self.cluster.links.heal()
        if self.draw.random() < 0.3:
            self.cluster.links.reset()


class Split(Network):
    kind = "partition: a minority apart"
    seconds = (1.0, 6.0)

    def inflict(self):
        apart = self.some(len(self.everyone) // 2)
        rest = [m for m in self.everyone if m not in apart]
        self.cluster.links.hold(self.apart(apart, rest))


class IsolateLeader(Network):
    kind = "partition: the leader alone"
    seconds = (1.0, 6.0)

    def inflict(self):
        self.cluster.links.hold(self.apart([self.cluster.lead()], self.everyone))


class AllApart(Network):
    kind = "partition: each member alone"

    def inflict(self):
        self.cluster.links.hold(self.cluster.links.pairs)


class OneWay(Network):
    kind = "partition: one way"
    seconds = (1.0, 6.0)

    def inflict(self):
        one = self.by_chance(of_leader=0.6)
        ways = self.between([one], self.everyone)
        if self.draw.random() < 0.5:
            ways = [(b, a) for a, b in ways]
        self.cluster.links.hold(ways)


class OneLink(Network):
    """Two members do not hear each other; a third one hears both."""

    kind = "partition: one link of the leader"
    seconds = (1.0, 6.0)

    def inflict(self):
        leader, follower = self.cluster.lead(), self.a_follower()
        self.cluster.links.hold(self.apart([leader], [follower]))


class Flapping(Network):
    kind = "partitions that come and go"
    seconds = (0.0, 0.0)

    def inflict(self):
        for _ in range(self.draw.randint(3, 8)):
            one = self.draw.choice(self.everyone)
            self.cluster.links.hold(self.apart([one], self.everyone))
            self.pause(self.draw.uniform(0.1, 0.7))
            self.cluster.links.heal()
            self.pause(self.draw.uniform(0.0, 0.5))


class Loss(Network):
    kind = "30 % loss"
    seconds = (2.0, 6.0)

    def inflict(self):
        self.cluster.links.lose(self.cluster.links.pairs, percent=30)


class Delay(Network):
    kind = "delay"
    seconds = (2.0, 6.0)

    @classmethod
    def left_out(cls, links):
        return None if links.delays else "not by packets"

    def inflict(self):
        for pair in self.cluster.links.pairs:
            self.cluster.links.delay([pair], self.draw.uniform(0.0, 0.1))


class Reset(Network):
    kind = "connections reset"
    seconds = (0.0, 0.0)

    def inflict(self):
        for _ in range(self.draw.randint(3, 20)):
            pairs = self.cluster.links.pairs
            self.cluster.links.reset(self.draw.sample(pairs, self.draw.randint(1, len(pairs))))
            self.pause(self.draw.uniform(0.0, 0.3))


class KillInPartition(Network):
    """Those that were apart come back when the leader of the others has just died."""

    kind = "kill -9 as a partition heals"

    def inflict(self):
        apart = self.a_follower()
        rest = [m for m in self.everyone if m is not apart]
        self.cluster.links.hold(self.apart([apart], rest))
        self.pause(self.draw.uniform(0.5, 3.0))
        self.killed = self.cluster.lead()
        self.cluster.down(self.killed)

    def heal(self):
        super().heal()
        self.pause(self.draw.uniform(0.0, 2.0))
        self.cluster.up(self.killed)


PROCESS_AND_NETWORK = (
    KillLeader, KillFollower, KillMajority, KillAll, KillAgainAndAgain, RollingRestart, StopLeader,
    StopFollower, StopAll, Split, IsolateLeader, AllApart, OneWay, OneLink, Flapping, Loss, Delay,
    Reset, KillInPartition)
