#!/usr/bin/python3
"""A fresh machine: both commands of README's first screen in a bare Debian, as root, and as a user
with sudo. So no package is taken for granted that `./outcry` does not install itself.

Each is a root file system of its own, made by mmdebstrap with nothing but apt (and sudo), from
where this machine's apt gets its packages, with the commit that is checked out. In it:

    ./outcry up      until it says that it is up; an order is placed; Ctrl-C, and it ends well
    ./outcry test    and its last line is `N passed, 0 failed`

Root runs all tests, the user some, or all with --all. The root file systems, mounts and processes
are gone afterwards: everything happens in mount and process namespaces of its own. It is on this
machine's network, with the ports `up` has by default.

    fresh_machine.py --only 'python_client|system_harness' --kind release     # some, as both
"""
import argparse
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from cluster import ROOT, SKIPPED, Skipped, Failed, equal, expect, until
from process import PR_SET_PDEATHSIG
from rest import Rest

ALONE = "TEST_IS_ALONE"
OWN = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
PORT = 8000
UP = "Outcry is up"
BUILD_S = 3600  # to install and build
TEST_S = 7200
STOP_S = 30
SOME = "unit_|system_(harness|up)$"
USER = "someone"
SUITE = "bookworm"


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True,
                          text=True, **options)
    expect(done.returncode == 0, lambda: f"{' '.join(map(str, command))} ended with status "
                                         f"{done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def sources():
    """Where this machine's apt gets Debian, as lines of a sources.list."""
    text = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
               "Created-By: Packages")
    return "".join(f"deb {uri} {release} {component}\n"
                   for uri, release, component in sorted({tuple(line.split())
                                                          for line in text.splitlines()})
                   if release.startswith(SUITE))


def apt_options():
    """What of this machine's apt is about the way there."""
    shown = run("apt-config", "dump", "--format", "%f \"%v\";%n")
    return [line for line in shown.splitlines()
            if re.match(r"Acquire::(https?::(Proxy|CA|Verify)|Check-)", line)]


class Machine:
    """A bare Debian in a directory, with a checkout in the home of who works there."""

    def __init__(self, directory, user):
        self.root = directory / (user or "root")
        self.user = user
        self.home = f"/home/{user}" if user else "/root"
        self.log = directory / f"{user or 'root'}.log"
        begin = time.monotonic()
        (directory / "sources.list").write_text(sources(), encoding="ascii")
        run("mmdebstrap", "--variant=minbase", *(f"--aptopt={line}" for line in apt_options()),
            *(["--include=sudo"] if user else []), SUITE, self.root, directory / "sources.list")
        for name in ("resolv.conf", "hosts"):
            shutil.copyfile(f"/etc/{name}", self.root / "etc" / name)
        if user:
            self._add_user()
        self._check_out()
        for name in ("dev", "sys"):
            run("mount", "--rbind", f"/{name}", self.root / name)
        run("mount", "-t", "proc", "proc", self.root / "proc")
        print(f"    {user or 'root'}: a bare Debian ({time.monotonic() - begin:.0f} s)", flush=True)

    def _add_user(self):
        run("chroot", self.root, "useradd", "--create-home", "--shell", "/bin/bash", self.user)
        allowed = self.root / "etc/sudoers.d" / self.user
        allowed.write_text(f"{self.user} ALL=(ALL) NOPASSWD: ALL\n", encoding="ascii")
        allowed.chmod(0o440)

    def _check_out(self):
        checkout = self.root / self.home[1:] / "outcry"
        checkout.mkdir()
        archive = self.root / "checkout.tar"
        run("git", "-C", ROOT, "archive", "-o", archive, "HEAD")
        run("tar", "xf", archive, "-C", checkout)
        archive.unlink()
        if self.user:
            run("chroot", self.root, "chown", "-R", f"{self.user}:{self.user}",
                f"{self.home}/outcry")

    def begin(self, *arguments):
        """`./outcry ARGUMENTS` in the checkout, as typed into a terminal of its own."""
        with open(self.log, "wb") as log:
            return subprocess.Popen(
                ["chroot", *([f"--userspec={self.user}:{self.user}"] if self.user else []),
                 self.root, "/usr/bin/env", "-i", f"HOME={self.home}",
                 f"USER={self.user or 'root'}",
                 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb",
                 "bash", "-c", 'cd ~/outcry && exec ./outcry "$@"', "outcry", *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True)

    @property
    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, process, condition, what, seconds):
        def watch():
            expect(process.poll() is None,
                   lambda: f"it ended with status {process.returncode}:\n{self.said[-4000:]}")
        until(condition, what, seconds, watch=watch)

    # ---- the two commands ----

    def goes_up(self):
        begin = time.monotonic()
        process = self.begin("up")
        self.until(process, lambda: UP in self.said, f"it says `{UP}`: {self.log}", BUILD_S)
        rest = Rest(PORT)
        placed = rest.place("BTC-USD", "buy", "0.001", "100")
        equal(placed.status, 201, f"an order: {placed}")
        rest.close()
        os.killpg(process.pid, signal.SIGINT)
        equal(process.wait(STOP_S), 0, f"its exit status after Ctrl-C; it said {self.said[-2000:]}")
        print(f"    {self.user or 'root'}: ./outcry up, an order, Ctrl-C "
              f"({time.monotonic() - begin:.0f} s)", flush=True)

    def tests_pass(self, only, kind):
        begin = time.monotonic()
        process = self.begin("test", *(["--only", only] if only else []),
                             *(["--kind", kind] if kind else []))
        status = process.wait(TEST_S)
        said = self.said
        last = said.strip().rpartition("\n")[2]
        expect(status == 0 and re.fullmatch(r"[1-9]\d* passed, 0 failed", last),
               f"./outcry test ended with status {status}:\n{said[-6000:]}")
        skipped = [line for line in said.splitlines() if re.fullmatch(r"\d+ skipped: .*", line)]
        print(f"    {self.user or 'root'}: ./outcry test: {last}; {skipped[-1]} "
              f"({time.monotonic() - begin:.0f} s)", flush=True)


def end_with_parent():
    """However this program ends: what it has started ends, too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def alone():
    """Go on in namespaces of our own, and remove afterwards what was on disk."""
    if os.geteuid() != 0:
        raise Skipped("only root may make a root file system")
    if shutil.which("mmdebstrap") is None:
        raise Skipped("mmdebstrap is not installed")
    tried = subprocess.run([*OWN, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        raise Skipped(f"no namespaces: {tried.stderr.strip()}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and what is on disk goes, too
    with tempfile.TemporaryDirectory(prefix="outcry-fresh-", dir="/var/tmp") as directory:
        with subprocess.Popen([*OWN, sys.executable, *sys.argv],
                              env={**os.environ, ALONE: directory},
                              preexec_fn=end_with_parent) as inner:
            return inner.wait()


def work(options):
    directory = pathlib.Path(os.environ[ALONE])
    for user in options.user or ("root", USER):
        machine = Machine(directory, None if user == "root" else user)
        machine.goes_up()
        machine.tests_pass(options.only or ("" if options.all or user == "root" else SOME),
                           options.kind)
        run("umount", "-R", "-l", *(machine.root / name for name in ("proc", "sys", "dev")))
        shutil.rmtree(machine.root)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="all tests as the user, too")
    parser.add_argument("--only", metavar="REGEX", default="",
                        help="tests whose name fits, as both")
    parser.add_argument("--kind", default="", help="tests of this build only, as both")
    parser.add_argument("--user", choices=("root", USER), action="append", help="only as that one")
    options = parser.parse_args()
    try:
        if not os.environ.get(ALONE):
            return alone()
        work(options)
    except Skipped as why:
        print(f"skipped: {why}")
        return SKIPPED
    except Failed as why:
        print(f"FAILED: {why}")
        return 1
    print("a fresh machine runs both commands", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
