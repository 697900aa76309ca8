"""Clocks that are wrong: a process's wall clock is as far from the right one as a test says, by
libfaketime. Its clocks of time since boot are left alone."""
import glob
import time

from cluster import Skipped

LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"
NOTICED_S = 1.1  # it looks once a second
JUMP_S = 60  # a matcher does not believe that its clock went further


class Clocks:
    """Of processes by name. `base`: how far the whole machine's clock is off, in seconds."""

    def __init__(self, directory):
        found = glob.glob(LIBRARIES)
        if not found:
            raise Skipped("libfaketime is absent (Debian's package faketime)")
        self.library = found[0]
        self.directory = directory
        self.base = 0
        self.own = {}
        self._agree_at = 0.0  # by time.monotonic(); None: they do not
        self._furthest = 0  # of what was believed, off the right clock, in seconds
        self._highest = 0.0  # the latest moment by any clock that may be believed

    def environment(self, name):
        """What it is started with."""
        self.own.setdefault(name, 0)
        self._write(name)
        return {"LD_PRELOAD": self.library, "FAKETIME_TIMESTAMP_FILE": str(self._file(name)),
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_FORCE_MONOTONIC_FIX": "0", "NO_FAKE_STAT": "1"}

    def set(self, name, seconds):
        """Ahead of the machine's clock, or behind."""
        self._agree_at = None
        self._remember()
        self.own[name] = seconds
        if seconds <= JUMP_S:
            self._furthest = max(self._furthest, self.base + seconds)
        self._write(name)

    def step(self, seconds):
        """The machine's clock goes on from there."""
        self._agree_at = None
        self._remember()
        self.base += seconds
        self._furthest = max(self._furthest, self.base)
        for name in self.own:
            self._write(name)

    def confirm(self):
        """What was set has been set back, or everybody goes by it."""
        if not any(self.own.values()):
            self._agree_at = time.monotonic() + NOTICED_S

    @property
    def agree(self):
        """Whether all processes have the machine's time."""
        return self._agree_at is not None and time.monotonic() > self._agree_at

    def latest(self):
        """The latest moment any process may take it to be: what one has stamped it does not take
        back when its clock is set back. Unix seconds."""
        self._remember()
        return self._highest

    def behind(self):
        """How far the machine's clock is behind what any process has believed; seconds."""
        return self._furthest - self.base

    def _remember(self):
        ahead = max((own for own in self.own.values() if own <= JUMP_S), default=0)
        self._highest = max(self._highest, time.time() + self.base + max(0, ahead))

    def _file(self, name):
        return self.directory / f"{name}.clock"

    def _write(self, name):
        new = self.directory / f"{name}.clock.new"
        new.write_text(f"{self.base + self.own[name]:+d}\n", encoding="ascii")
        new.rename(self._file(name))
