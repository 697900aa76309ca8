"""Hosts that are network namespaces, with a wire between them (wire.py) that can be slow, lossy or
cut, one direction at a time.

    alone()                                       # everything else happens in namespaces of its own
    with Hosts(["clients", "matcher"], seed) as hosts:
        with hosts.inside("matcher"):             # what is started here is on that host
            subprocess.Popen(...)
        hosts.stay("clients")                     # this thread, and threads it starts
        hosts.cut("clients", "matcher")
        hosts.heal()

They share the file system. Nothing of it is seen from outside: `alone` runs the test as the first
process of a user, network and process namespace. When that ends, however it ends, the kernel kills
what it started and takes its devices away. It needs no root where the system lets users make
namespaces.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import random
import subprocess
import sys
import threading

from process import expect
from wire import CLONE_NEWNET, enter, set_up

SKIPPED = 77
ALONE = "TEST_IS_ALONE"
OWN = ["unshare", "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child"]
TUN = "/dev/net/tun"
_libc = ctypes.CDLL(None, use_errno=True)


def alone():
    """Go on as the first process of namespaces of our own, or skip the test, saying why."""
    if os.environ.get(ALONE):
        return
    try:
        tried = subprocess.run([*OWN, "test", "-w", TUN], check=False, capture_output=True,
                               text=True)
        why = tried.stderr.strip() or f"{TUN} cannot be opened"
    except OSError as error:
        tried, why = None, str(error)
    if tried is None or tried.returncode != 0:
        print(f"skipped: no hosts can be made here: {why}")
        sys.exit(SKIPPED)
    sys.stdout.flush()
    os.execvpe(OWN[0], [*OWN, sys.executable, *sys.argv], {**os.environ, ALONE: "1"})


def address_of(number):
    return f"10.77.0.{number + 1}"


def _new_namespace():
    """A network namespace that is there as long as this descriptor."""
    made = []

    def make():
        if _libc.unshare(CLONE_NEWNET) == 0:
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))

    thread = threading.Thread(target=make)  # the others stay where they are
    thread.start()
    thread.join()
    expect(made, "no network namespace could be made")
    return made[0]


class Hosts:
    """Hosts by name, each with an address of its own, and the wire between them."""

    def __init__(self, names, seed=None):
        self.names = list(names)
        seed = random.randrange(2**32) if seed is None else seed
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        set_up("lo")
        self._namespaces = [_new_namespace() for _ in self.names]
        wire = pathlib.Path(__file__).with_name("wire.py")
        self._wire = subprocess.Popen(
            [sys.executable, wire, str(seed), *map(str, self._namespaces)],
            pass_fds=self._namespaces, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """The wire is gone, and this thread where it was."""
        self._wire.stdin.close()
        self._wire.wait()
        self._wire.stdout.close()
        enter(self._home)
        for descriptor in (self._home, *self._namespaces):
            os.close(descriptor)

    def address(self, name):
        return address_of(self.names.index(name))

    def stay(self, name):
        """This thread is on that host from now on, and what it starts."""
        enter(self._namespaces[self.names.index(name)])

    @contextlib.contextmanager
    def inside(self, name):
        """What is opened and started within is on that host."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.stay(name)
        try:
            yield
        finally:
            enter(before)
            os.close(before)

    # ---- the wire ----

    def cut(self, some, others, back=True):
        """Nothing goes from some hosts to others any more; back=False: the other way all does."""
        self._set(some, others, back, cut=True)

    def conditions(self, delay_ms=0, loss=0.0):
        """Of every link, each way."""
        self._set(self.names, self.names, False, delay_ms=delay_ms, loss=loss)

    def heal(self):
        """No link is cut."""
        self._set(self.names, self.names, False, cut=False)

    def counts(self):
        """Frames carried, lost, cut, and refused by their receiver."""
        return self._say({})

    def _set(self, some, others, back, **what):
        some, others = ([self.names.index(name) for name in
                         ([names] if isinstance(names, str) else names)]
                        for names in (some, others))
        for sender, receiver in [(some, others)] + ([(others, some)] if back else []):
            self._say({"from": sender, "to": receiver, **what})

    def _say(self, line):
        self._wire.stdin.write(json.dumps(line) + "\n")
        self._wire.stdin.flush()
        return self._answer()

    def _answer(self):
        answer = self._wire.stdout.readline()
        expect(answer, "the wire has ended")
        return json.loads(answer)
