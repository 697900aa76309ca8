"""The faults of chaos.py. Each is drawn from the seed, takes what no other fault may touch
meanwhile, begins, and is over some seconds later.

    kill       kill -9 of one process, some, or all; started again a moment later
    stop       SIGTERM: it must end well, and soon; started again
    pause      SIGSTOP for seconds
    cut        links between hosts carry nothing, both ways or one
    weather    every link is slow and lossy
    full       no byte is left on a shard's disk
    slow       a shard's disk does a few writes a second
    clock      the clock of one process is off, and comes back; over 60 s ahead, a matcher takes
               no orders in until it does
    set        the clock of the whole machine is set, and stays: forward, far enough for an operator
               to have to confirm it, or back
"""
import signal

from clocks import JUMP_S, NOTICED_S
from cluster import expect, until
from rest import Rest

BACK_S = 20
CONFIRM_S = 30


class Fault:
    """seconds: how long it lasts. late_s: for how long after its end it is still felt, by what is
    promised. `words` say what it is."""

    kind = ""
    weight = 1
    alone = False  # nothing else happens meanwhile
    late_s = 0.0

    def __init__(self, cluster, chance):
        self.cluster = cluster
        self.chance = chance
        self.takes = set()
        self.seconds = chance.uniform(0.3, 4)
        self.words = ""

    def begin(self):
        raise NotImplementedError

    def end(self):
        """False: not yet; ask again."""
        raise NotImplementedError

    def _some(self, names):
        """One, some or all of these."""
        chance = self.chance.random()
        count = (1 if chance < 0.6 else len(names) if chance > 0.85 else
                 self.chance.randint(2, max(2, len(names) - 1)))
        return sorted(self.chance.sample(names, count))


class Kill(Fault):
    kind, weight = "kill", 4

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.names = self._some(cluster.names)
        self.takes = set(self.names)
        self.seconds = chance.choice((0, chance.uniform(0, 3)))
        self.words = "all" if len(self.names) == len(cluster.names) else " ".join(self.names)

    def begin(self):
        for name in self.names:
            self.cluster.process(name).begin_kill()

    def end(self):
        if any(self.cluster.process(name).running for name in self.names):
            return False
        self.cluster.restart(self.chance.sample(self.names, len(self.names)))
        return True


class Stop(Fault):
    kind, weight = "stop", 2

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.name = chance.choice(cluster.names)
        self.takes = {self.name}
        self.words = self.name

    def begin(self):
        process = self.cluster.process(self.name)
        process.asked_to_end = True
        process.send(signal.SIGTERM)

    def end(self):
        if self.cluster.process(self.name).running:
            return False
        self.cluster.restart([self.name])
        return True


class Pause(Fault):
    kind, weight = "pause", 2

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.names = self._some(cluster.names)
        self.takes = set(self.names)
        self.seconds = chance.uniform(0.2, 8)
        self.words = "all" if len(self.names) == len(cluster.names) else " ".join(self.names)

    def begin(self):
        for name in self.names:
            self.cluster.process(name).send(signal.SIGSTOP)

    def end(self):
        for name in self.names:
            self.cluster.process(name).send(signal.SIGCONT)
        return True


class Cut(Fault):
    kind, weight = "cut", 3

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.takes = {"links"}
        self.seconds = chance.uniform(0.3, 8)
        hosts = cluster.hosts.names
        some = chance.sample(hosts, chance.choice((1, 1, 1, 2)))
        others = [host for host in hosts if host not in some]
        if chance.random() < 0.6:
            others = chance.sample(others, 1)
        self.cut = some, others, chance.random() < 0.7
        way = "-" if self.cut[2] else ">"
        far = "all others" if len(some) + len(others) == len(hosts) else " ".join(others)
        self.words = f"{' '.join(some)} -{way} {far}"

    def begin(self):
        self.cluster.hosts.cut(*self.cut)

    def end(self):
        self.cluster.hosts.heal()
        return True


class Weather(Fault):
    kind = "weather"

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.takes = {"weather"}
        self.delay_ms, self.loss = chance.randint(1, 50), chance.choice((0.0, 0.01, 0.05))
        self.words = f"{self.delay_ms} ms, {self.loss:.0%} lost"

    def begin(self):
        self.cluster.hosts.conditions(self.delay_ms, self.loss)

    def end(self):
        self.cluster.hosts.conditions(0, 0.0)
        return True


class DiskFault(Fault):
    """Of one shard's disk."""

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.shard = chance.randrange(cluster.shards)
        self.disk = cluster.disks[self.shard]
        self.takes = {f"disk {self.shard}"}


class Full(DiskFault):
    kind, weight = "full", 2

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.keep_bytes = chance.choice((0, 0, chance.randrange(1 << 20)))
        self.words = f"disk {self.shard}, {self.keep_bytes} bytes left"

    def begin(self):
        self.disk.fill(self.keep_bytes)

    def end(self):
        self.disk.free()
        return True


class Slow(DiskFault):
    kind, weight = "slow", 2
    syncs_s = []  # what a sync took meanwhile

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.writes = chance.choice((2, 5, 20, 100))
        self.words = f"disk {self.shard}, {self.writes} writes/s"

    def begin(self):
        self.disk.slow(self.writes)

    def end(self):
        if self.writes >= 20:
            Slow.syncs_s.append(self.disk.sync_s())
        self.disk.quicken()
        return True


class Clock(Fault):
    kind, weight, late_s = "clock", 2, NOTICED_S

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.name = chance.choice(cluster.names)
        # Nothing else may be known of its clock, so nobody starts it again meanwhile.
        self.takes = {self.name}
        self.seconds = chance.uniform(NOTICED_S, 6)
        steps = (1, 3, 20, -1, -3, -30)
        if not self.name.startswith("gateway"):  # whose deadlines would be as far away
            steps += (50, 90, 3600)
        self.step_s = chance.choice(steps)
        self.words = f"{self.name} by {self.step_s:+d} s"

    def begin(self):
        self.cluster.clocks.set(self.name, self.step_s)

    def end(self):
        self.cluster.clocks.set(self.name, 0)
        self.cluster.clocks.confirm()
        return True


class Set(Fault):
    kind, weight, late_s = "set", 2, NOTICED_S

    def __init__(self, cluster, chance):
        super().__init__(cluster, chance)
        self.takes = {"clocks"}
        self.seconds = NOTICED_S
        self.step_s = chance.choice((chance.randint(1, JUMP_S - 1), -chance.randint(1, BACK_S),
                                     chance.randint(JUMP_S + 5, 300)))
        self.alone = self.step_s > JUMP_S
        self.words = f"{self.step_s:+d} s"

    def begin(self):
        """A jump is one over what was believed so far, also if the clock was set back since."""
        clocks = self.cluster.clocks
        clocks.step(self.step_s + (clocks.behind() if self.alone else 0))

    def end(self):
        if self.alone:
            self._confirm()
        self.cluster.clocks.confirm()
        return True

    def _confirm(self):
        """The operator: orders are refused because of the clock, and taken in again once it is
        confirmed."""
        for gateway in self.cluster.gateways:
            rest = Rest(gateway.port, host=gateway.host)
            self._until_all_stand(rest, "clock_jump")
            until(lambda: self._all_refused(rest), "orders are refused for the clock", CONFIRM_S)
            rest.close()
        self.cluster.outcry("resume")
        for gateway in self.cluster.gateways:
            rest = Rest(gateway.port, host=gateway.host)
            self._until_all_stand(rest, "open")
            rest.close()

    def _all_refused(self, rest):
        """Right after the step a gateway, whose clock it was, too, may still miss heartbeats."""
        answers = [rest.place(symbol, "buy", 1, 1, account="operator")
                   for symbol in self.cluster.symbols]
        expect(all(answer.status == 503 for answer in answers),
               f"orders while the clock is in doubt: {answers}")
        return all(answer.error == "INTAKE_STOPPED" for answer in answers)

    def _until_all_stand(self, rest, standing):
        def all_stand():
            return {shard["standing"] for shard in rest.get("/health").json["shards"]} == {standing}
        until(all_stand, f"every shard is {standing}", CONFIRM_S)


KINDS = (Kill, Stop, Pause, Cut, Weather, Full, Slow, Clock, Set)


def draw(cluster, chance, allowed):
    """The faults of one episode, none of which takes what another has."""
    kinds = [kind for kind in KINDS if kind.kind in allowed]
    weights = [kind.weight for kind in kinds]
    faults, taken = [], set()
    for _ in range(chance.choices((1, 2, 3, 4), (5, 4, 2, 1))[0]):
        fault = chance.choices(kinds, weights)[0](cluster, chance)
        if fault.alone and faults:
            continue
        if not fault.takes & taken:
            faults.append(fault)
            taken |= fault.takes
        if fault.alone:
            break
    return faults
