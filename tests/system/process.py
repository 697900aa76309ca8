"""A program under test at work: its log, its signals, and what it must not say or do.

A service (outcry-...) has one log of all that it says, on stdout and stderr; of a command, what it
says on stderr is its log, and its data on stdout is kept apart.
"""
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import time

WAIT_S = 60  # a condition that takes longer will not come true
STOP_S = 20
LAST_LINES = 30
BROKEN = r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|CHECK failed"
ERRORS = r'"level":"error"|\.\d{6}Z error '
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Failed(Exception):
    """A claim does not hold."""


def expect(condition, words):
    """A claim's assertion: `words` say what was found instead."""
    if not condition:
        raise Failed(words() if callable(words) else words)


def clean_environment(**more):
    """Ours, without settings of a cluster, and with the sanitizers set up."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("OUTCRY_")}
    suppressions = pathlib.Path(__file__).resolve().parents[1] / "tsan.supp"
    environment["TSAN_OPTIONS"] = f"suppressions={suppressions} second_deadlock_stack=1"
    environment["ASAN_OPTIONS"] = "detect_leaks=1 strict_string_checks=1"
    environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return {**environment, **more}


class Process:
    """A program of ours at work, and its log."""

    def __init__(self, name, command, directory, environment=None):
        self.name = name
        self.log = directory / f"{name}.{time.monotonic_ns()}.log"  # one a life
        service = pathlib.Path(command[0]).name.startswith("outcry-")
        self.output = self.log if service else self.log.with_suffix(".out")
        self.allowed = {0}
        self.faults = re.compile(f"{BROKEN}|{ERRORS}")
        self.asked_to_end = False
        with open(self.log, "ab") as log, open(self.output, "ab") as output:
            self.popen = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=log, cwd=directory, env=environment or clean_environment(),
                preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))

    @property
    def pid(self):
        return self.popen.pid

    @property
    def running(self):
        return self.popen.poll() is None

    @property
    def words(self):
        """Its log: all it said on stderr, and a service on stdout."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def said(self):
        """All it said on stdout."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def memory(self):
        """Resident, in bytes."""
        pages = pathlib.Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def facts(self, event):
        """Its log lines of this event, as dicts."""
        lines = (json.loads(line) for line in self.words.splitlines() if line.startswith("{"))
        return [fact for fact in lines if fact["event"] == event]

    def send(self, signal_number):
        self.popen.send_signal(signal_number)

    def wait(self, seconds=WAIT_S):
        """Its exit status."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Failed(f"{self.name} was still running after {seconds} s\n"
                         f"{self.tail()}") from None

    def stop(self):
        """SIGTERM; it must end well."""
        self.asked_to_end = True
        if self.running:
            self.send(signal.SIGTERM)
        self.wait(STOP_S)

    def begin_kill(self):
        """kill -9, as a test of others, without waiting for its end."""
        self.asked_to_end = True
        self.allowed.add(-signal.SIGKILL)
        if self.running:
            self.send(signal.SIGKILL)

    def kill(self):
        """kill -9, as a test of others."""
        self.begin_kill()
        self.wait(STOP_S)

    def expect_failure(self):
        """It is about to be given a reason to end with status 1, and to say that somebody must
        act."""
        self.asked_to_end = True
        self.allowed.add(1)
        self.faults = re.compile(BROKEN)

    def tail(self):
        lines = self.words.splitlines()
        return "\n".join([f"    ... the log of {self.name}:", *("    " + line[:400] for line in
                                                               lines[-LAST_LINES:])])

    def check(self):
        """Raise if it said or did what it must not."""
        fault = self.faults.search(self.words)
        if fault is not None:
            line = self.words.count("\n", 0, fault.start()) + 1
            found = "\n".join(self.words.splitlines()[line - 1:line + 40])
            raise Failed(f"{self.name} said at line {line} of its log:\n{found}")
        status = self.popen.poll()
        if status is not None and status not in self.allowed:
            raise Failed(f"{self.name} ended with status {status}\n{self.tail()}")
