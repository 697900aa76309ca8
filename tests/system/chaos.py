#!/usr/bin/python3
"""Chaos: a whole cluster is broken in every way this machine knows, again and again, for as long
as asked for, and must come out right.

Two shards with followers, market-data and two gateways, each on a host of its own (spread.py), each
journal on a disk of its own (disks.py), clocks by libfaketime (clocks.py). Orders come in by REST
through both gateways and by ZeroMQ; readers follow, join and leave by ZeroMQ and WebSocket. In
episodes drawn from the seed, faults (chaos_faults.py) happen, one or several at a time; then all is
healed, and everything must work again. Every few minutes the load stops and the books are balanced
(chaos_load.py): nothing acknowledged is lost, nothing happened twice, what was unknown is certain,
gateways, readers and journals agree. At the end all are killed at once, everything must be there as
it was, and `outcry verify` runs each journal again. The figures are printed as a table.

A power cut is none of the faults: what a disk has not been told to keep, a loop file keeps all the
same. The simulator (tests/sim) does that.

    chaos.py --bin .build/release/bin --minutes 60 --seed 1

It needs root, in namespaces of its own; nothing is left behind.
"""
import collections
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time

import disks
import hosts
from chaos_cluster import ChaosCluster
from chaos_faults import KINDS, Slow, draw
from chaos_load import Load
from cluster import SKIPPED, WAIT_S, Failed, equal, expect, main, make_parser, until
from process import PR_SET_PDEATHSIG
from test_churn import disk_of
from test_kills import verified

SYMBOLS = {"BTC-USD": {}, "ETH-USD": {}, "AAPL": {"shard": 1}}
DEADLINE_MS = 4000
SETTINGS = {"deadline_ms": DEADLINE_MS, "answer_ms": 1000, "heartbeat_ms": 100,
            "accounts_max": 400, "finished_per_account": 20_000, "open_orders_max": 200_000,
            "origins_max": 256, "origin_window": 2048, "segment_mib": 4}
DISK_MIB = 384
PAUSE_S = 0.015  # of a trader between two commands
ERA_S = 150  # with no more commands than the journal is sure to hold
SNAPSHOT_COMMANDS = 20_000  # at most; a short run has some, too
SNAPSHOT_COMMANDS_A_MINUTE = 300
SETTLES_S = 20  # what the end of an era takes, about
LOOK_S = 0.5  # between two looks at all logs and workers
ACKS = 3  # of every trader on every shard, and service is there again
OWN = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]


def end_with_parent():
    """However this program ends: what it has started ends, too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def alone():
    """Go on in namespaces of our own, or skip, saying why. Whoever waits outside puts back what
    outlives them."""
    if os.environ.get(hosts.ALONE):
        disks.mount_shared_memory()
        return
    if os.geteuid() != 0:
        print("skipped: only root may mount disks")
        sys.exit(SKIPPED)
    tried = subprocess.run([*OWN, "test", "-w", hosts.TUN], check=False, capture_output=True,
                           text=True)
    if tried.returncode != 0:
        print(f"skipped: no hosts can be made here: {tried.stderr.strip() or hosts.TUN}")
        sys.exit(SKIPPED)
    sys.stdout.flush()
    try:
        with subprocess.Popen([*OWN, sys.executable, *sys.argv],
                              env={**os.environ, hosts.ALONE: "1"},
                              preexec_fn=end_with_parent) as inner:
            status = inner.wait()
    finally:
        disks.quicken_all()
    sys.exit(status)


class Chaos:
    """One run."""

    def __init__(self, test, cluster):
        self.options = test.options
        self.cluster = cluster
        self.random = test.random
        self.begin = time.monotonic()
        self.seconds = 60 * test.options.minutes
        self.era_s = min(ERA_S, self.seconds / 2)
        self.faults = collections.Counter()
        self.recoveries = []  # (seconds, what had happened)
        self.allowed = {kind.kind for kind in KINDS}
        if test.options.kinds:
            self.allowed &= set(test.options.kinds.split(","))
        if not disks.Disk.can_be_slow():
            print("without slow disks: there is no blkio cgroup")
            self.allowed.discard("slow")
        self.load = Load(cluster, test.seed, PAUSE_S, DEADLINE_MS / 1000)
        self.journal_mib = 0
        self.sync_s = []  # what a sync took before anything happened
        self.repairs = collections.Counter()  # what readers have done
        self.epochs = {}  # of each shard, in the end
        self.snapshots = {}  # where each shard's last start began
        self._looked = 0.0

    @property
    def elapsed(self):
        return time.monotonic() - self.begin

    def run(self):
        self.sync_s = [disk.sync_s() for disk in self.cluster.disks.values() for _ in range(20)]
        try:
            while self.elapsed < self.seconds - SETTLES_S:  # what is left is worth an era
                self._run_era()
            self._finish()
        finally:
            self.load.stop()

    def _run_era(self):
        self.load.begin()
        self._recover(0, "an era begins", count=False)
        end = min(self.elapsed + self.era_s, self.seconds - SETTLES_S / 2)
        while self.elapsed < end:
            self._run_episode()
            if self.random.random() < 0.3:
                self._pass_time(self.random.uniform(0, 3))
        self.journal_mib = max(self.journal_mib, *(disk_of(self.cluster.journal(shard)) / disks.MIB
                                                   for shard in self.cluster.disks))
        self.load.settle()
        self._say(f"settled: {dict(self.load.counts)}")

    def _run_episode(self):
        faults = draw(self.cluster, self.random, self.allowed)
        now = time.monotonic()
        todo = [(now + (0 if number == 0 else self.random.uniform(0, 2)), fault, True)
                for number, fault in enumerate(faults)]
        give_up = now + 2 + max(fault.seconds for fault in faults) + WAIT_S
        while todo:
            todo.sort(key=lambda one: one[0])
            due, fault, begins = todo.pop(0)
            self._pass_time(due - time.monotonic())
            if begins:
                self._say(f"{fault.kind} {fault.words}, {fault.seconds:.1f} s")
                self.faults[fault.kind] += 1
                fault.begin()
                todo.append((due + fault.seconds, fault, False))
            elif not fault.end():
                expect(time.monotonic() < give_up, f"{fault.kind} {fault.words} does not end")
                todo.append((time.monotonic() + 0.05, fault, False))
        self._recover(max(fault.late_s for fault in faults),
                      ", ".join(f"{fault.kind} {fault.words}" for fault in faults))

    def _recover(self, late_s, what, count=True):
        """Everything works again: from when it should, how long that took."""
        since = time.monotonic() + late_s
        before = self.load.acks()

        def works():
            now = self.load.acks()
            return all(now[key] >= acks + ACKS for key, acks in before.items()) and all(
                gateway.ready() for gateway in self.cluster.gateways)
        try:
            until(works, "everything works again", WAIT_S + late_s, watch=self._look)
        except Failed as fault:
            raise Failed(f"{fault} after {what}; {self._stuck(before)}") from None
        if count:
            self.recoveries.append((max(0.0, time.monotonic() - since), what))

    def _stuck(self, before):
        """Who does not go on."""
        now = self.load.acks()
        stuck = [f"{name} on shard {shard}" for (name, shard), acks in before.items()
                 if now[name, shard] < acks + ACKS]
        stuck += [gateway.name for gateway in self.cluster.gateways if not gateway.ready()]
        last = [f"{trader.name}: {dict(trader.outcomes)}" for trader in self.load.traders]
        return f"not {', '.join(stuck)}; {'; '.join(last)}"

    def _look(self):
        if time.monotonic() > self._looked + LOOK_S:
            self.load.check()
            self._looked = time.monotonic()
            self._show()

    def _pass_time(self, seconds):
        end = time.monotonic() + seconds
        while True:
            self._look()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.05))

    def _finish(self):
        """All are killed at once; everything must be there, and each journal right."""
        self.cluster.kill(self.cluster.names)
        self.cluster.restart(self.cluster.names)
        for gateway in self.cluster.gateways:
            gateway.until_ready()
        self.load.check_retired()
        self.repairs = self.load.finish()
        for shard in range(self.cluster.shards):
            self.snapshots[shard] = self.cluster.recovered(shard)["snapshot_seq"]
            self.epochs[shard] = self.cluster.epoch(shard)
            last = self.cluster.stop_matcher(shard)
            equal(verified(self.cluster, shard), last["state_hash"],
                  f"the state hash of shard {shard}, by its journal and of its matcher")
            expect(self.snapshots[shard] > 0, f"shard {shard} began with a snapshot")

    # ---- what is told ----

    def _say(self, words):
        if not sys.stdout.isatty():
            print(f"{self.elapsed:8.1f} s  {words}", flush=True)

    def _show(self):
        if sys.stdout.isatty():
            share = min(1.0, self.elapsed / self.seconds)
            print(f"\r[{'#' * int(40 * share):40}] {self.elapsed / 60:.1f} of "
                  f"{self.seconds / 60:.0f} minutes, {sum(self.faults.values())} faults ",
                  end="", flush=True)

    def table(self):
        """(what, figure) of all."""
        orders, outcomes = self.load.counts, self.load.outcomes
        took = sorted(seconds for seconds, _ in self.recoveries)
        worst, what = max(self.recoveries)
        wire = self.cluster.hosts.counts()
        rows = [("minutes", f"{self.elapsed / 60:.1f}")]
        rows += [(f"faults: {kind}", count) for kind, count in sorted(self.faults.items())]
        rows += [("faults", sum(self.faults.values())), ("episodes", len(self.recoveries)),
                 ("processes started again", self.cluster.restarts),
                 ("eras settled", self.load.era),
                 ("orders sent", orders["there"] + orders["absent"] + orders["unknown"]),
                 ("orders acknowledged", orders["there"]),
                 ("orders refused for certain", orders["absent"]),
                 ("orders whose outcome was unknown, certain when asked for in time",
                  outcomes["resolved"]),
                 ("orders whose outcome was left unknown", orders["unknown"]),
                 ("of these, there in the end", orders["uncertain, and there"]),
                 ("answers unknown (202, 504)", outcomes["unknown"]),
                 ("answers lost", outcomes["lost"]),
                 ("acknowledged orders lost", orders["there"] - orders["found"]),
                 ("orders doubled", orders["doubled"]),
                 ("service again after the last fault healed, median",
                  f"{took[len(took) // 2]:.2f} s"),
                 ("service again, 99th percentile", f"{took[len(took) * 99 // 100]:.2f} s"),
                 ("service again, worst", f"{worst:.2f} s ({what})")]
        rows += [(f"shard {shard}: epoch, first and last",
                  f"{self.cluster.epochs[shard]}, {self.epochs[shard]}") for shard in self.epochs]
        rows += [(f"shard {shard}: sequence", f"{self.load.journaled[shard]}, the last start from "
                  f"a snapshot at {self.snapshots[shard]}") for shard in self.cluster.disks]
        rows += [("journal of a shard, most", f"{self.journal_mib:.1f} MiB"),
                 ("frames read by subscribers, each hash compared", self.repairs["frames"]),
                 ("gaps they repaired", self.repairs["gaps"]),
                 ("snapshots they took", self.repairs["snapshots"]),
                 ("subscribers that came and went", self.load.visitor.visits),
                 ("WebSockets that came and went",
                  sum(socket.connections for socket in self.load.sockets)),
                 ("network frames carried, lost, cut",
                  f"{wire['carried']}, {wire.get('lost', 0)}, {wire.get('cut', 0)}"),
                 ("a sync, median", f"{1000 * middle(self.sync_s):.2f} ms")]
        if Slow.syncs_s:
            rows.append(("a sync on a slow disk, median", f"{1000 * middle(Slow.syncs_s):.0f} ms"))
        return rows


def middle(values):
    return sorted(values)[len(values) // 2]


def chaos_ends_with_everything_right(test):
    options = test.options
    settings = {**SETTINGS, "snapshot_commands": min(
        SNAPSHOT_COMMANDS, max(1, round(SNAPSHOT_COMMANDS_A_MINUTE * options.minutes)))}
    keep = pathlib.Path(options.keep) if options.keep else None
    with ChaosCluster(test.bin, SYMBOLS, test.seed, settings, DISK_MIB, keep) as cluster:
        chaos = Chaos(test, cluster)
        chaos.run()
        rows = chaos.table()
        print()
        for what, figure in rows:
            print(f"    {what:64} {figure}", flush=True)


if __name__ == "__main__":
    parser = make_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=1, help="for how long")
    parser.add_argument("--kinds", default="", help="only these faults, with commas between them")
    parser.add_argument("--keep", default="", help="directory for logs and journals if it fails")
    parser.parse_args()
    alone()
    main(__doc__, [chaos_ends_with_everything_right], parser)
