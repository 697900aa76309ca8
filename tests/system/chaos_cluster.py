"""What chaos.py breaks: a cluster spread over hosts (spread.py), each shard's journal on a disk of
its own (disks.py), each process with a clock that can be set (clocks.py)."""
import os
import shutil
import time

from cluster import expect
from disks import Disk
from process import STOP_S
from spread import CLIENTS, Spread


def not_to_keep(directory, names):
    """Of a failed run: the disks themselves, and sockets."""
    return [name for name in names if name.endswith(".image") or name in ("lost+found", "ballast")
            or not (os.path.isfile(os.path.join(directory, name))
                    or os.path.isdir(os.path.join(directory, name)))]


class ChaosCluster(Spread):
    """As a context, like a Cluster. keep: where logs and journals go if it fails, or None."""

    def __init__(self, binaries, symbols, seed, settings, disk_mib, keep=None):
        super().__init__(binaries, symbols, seed, settings=settings, clocks=True)
        self.disk_mib = disk_mib
        self.disks = {}
        self.keep = keep
        self.epochs = {}
        self.restarts = 0

    def start(self):
        for shard in range(self.shards):
            self.disks[shard] = Disk(self.journal(shard), self.run_dir / f"{shard}.image",
                                     self.disk_mib)
        super().start()
        self.epochs = {shard: self.epoch(shard) for shard in range(self.shards)}

    @property
    def names(self):
        return sorted(self.parts())

    def process(self, name):
        return self.parts()[name][0]

    def restart(self, names):
        """Hold what ended to account, forget it, and start each once more; not waited for."""
        for name in names:
            process = self.process(name)
            process.wait(STOP_S)
            process.check()
            self.check_epoch(name, process)
            self.processes.remove(process)
        super().restart(names)
        self.restarts += len(names)

    def check_epoch(self, name, process):
        """No history began anew."""
        if name.startswith("matcher-"):
            for fact in process.facts("started"):
                expect(fact["epoch"] == self.epochs[int(name.rpartition("-")[2])],
                       f"{name} began another history: {fact}\n{process.tail()}")

    def now(self):
        """By the machine's clock, as the test has set it. Unix seconds."""
        return time.time() + self.clocks.base

    def forget_commands(self):
        """Commands that have ended, and been held to account."""
        for process in [one for one in self.processes if self.host_of(one.name) == CLIENTS]:
            if not process.running:
                process.check()
                self.processes.remove(process)

    def end(self, failed):
        for disk in self.disks.values():
            disk.free()
            disk.quicken()
        try:
            if failed and self.keep is not None:
                self._keep()
            super().end(failed)
        finally:
            for disk in self.disks.values():
                disk.close()
            shutil.rmtree(self.run_dir, ignore_errors=True)

    def _keep(self):
        """As it is, with what it did last."""
        for process in self.processes:
            if process.running:
                process.kill()
        shutil.copytree(self.run_dir, self.keep, dirs_exist_ok=True, ignore=not_to_keep)
