"""A container engine of the test's own: dockerd, from Debian's packages, that lives in namespaces
made for it and goes with them.

The test runs itself again in them (`enter`), twice: with mounts and processes of its own, but this
machine's network, where an engine without bridge and iptables builds the image (`build_inside`);
and with a network of its own as well, where another works with the same store (`begin_inside`).
Bridges, addresses, iptables rules, published ports and mounts are those of the namespaces: nobody
else sees them, and they go when the test ends, however it ends. What is left is one directory and
the control groups, for `remove`.
"""
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from cluster import ROOT, Failed, Skipped, expect

BASE = "debian:bookworm-slim"
IMAGE = "outcry:latest"
PROGRAMS = ["dockerd", "docker-compose", "mmdebstrap", "iptables", "unshare", "ip"]
DOCKER = "/usr/bin/docker"  # not whatever else PATH may have
UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
START_S = 60
CONTROL_GROUPS = pathlib.Path("/sys/fs/cgroup")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def need_engine():
    """Whether one can run here at all is seen when it starts."""
    if os.geteuid() != 0:
        raise Skipped("only root may run a container engine")
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    missing += [] if os.path.exists(DOCKER) else [DOCKER]
    if missing:
        raise Skipped(f"{' '.join(missing)} not installed (docker.io docker-compose mmdebstrap "
                      "iptables iproute2)")


def end_with_us():
    """For a child: the kernel ends it when its parent has ended."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Engine:
    """dockerd, its store in a directory."""

    def __init__(self, directory, *options):
        self.directory = directory
        self.log = directory / "dockerd.log"
        socket = f"unix://{directory}/docker.sock"
        self.environment = {**os.environ, "DOCKER_HOST": socket, "DOCKER_BUILDKIT": "0",
                            "COMPOSE_PROJECT_NAME": "outcry", "COMPOSE_HTTP_TIMEOUT": "180",
                            "HOME": str(directory)}  # nobody's docker configuration
        command = ["dockerd", "--data-root", directory / "store", "--exec-root",
                   directory / "exec", "--host", socket, "--pidfile", directory / "dockerd.pid",
                   "--cgroup-parent", f"/{directory.name}", *options]
        (directory / "dockerd.pid").unlink(missing_ok=True)  # of one that was killed
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, preexec_fn=end_with_us)

    def until_ready(self):
        """Skipped: it cannot run on this machine."""
        end = time.monotonic() + START_S
        while self.docker("version", check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                words = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
                raise Skipped("no container engine runs here: " + " ".join(words[-1:]))
            time.sleep(0.1)
        return self

    def docker(self, *arguments, check=True, seconds=120):
        return self.run(DOCKER, *arguments, check=check, seconds=seconds)

    def run(self, *command, check=True, seconds=120, **environment):
        """A command to its end; what it said."""
        done = subprocess.run([str(part) for part in command], check=False, timeout=seconds,
                              capture_output=True, text=True, errors="replace", cwd=ROOT,
                              env={**self.environment, **environment}, stdin=subprocess.DEVNULL)
        expect(not check or done.returncode == 0,
               lambda: f"{' '.join(map(str, command))} ended with status {done.returncode}:\n"
                       f"{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(START_S)
        self.process.kill()
        self.process.wait()


# ---- the image ----

def mirrors():
    """Where this machine's apt gets Debian: the image's build arguments."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)",
                           "Created-By: Packages"], check=True, capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        address, release = line.split()
        found.setdefault(release, address.rstrip("/"))
    proxy = subprocess.run(["apt-config", "shell", "PROXY", "Acquire::http::Proxy"], check=True,
                           capture_output=True, text=True).stdout.strip()
    arguments = {"APT_MIRROR": found.get("bookworm", ""),
                 "APT_SECURITY_MIRROR": found.get("bookworm-security", ""),
                 "APT_PROXY": proxy.partition("=")[2].strip("'")}
    return {name: value for name, value in arguments.items() if value not in ("", "DIRECT")}


def say(words, since=None):
    print(f"    {words}" + ("" if since is None else f" ({time.monotonic() - since:.0f} s)"),
          flush=True)


def build(engine, directory):
    """The base as Debian's packages make it, and the image upon it, by docker-compose."""
    begin = time.monotonic()
    base = directory / "base.tar"
    where = mirrors()
    mirror = [where[name] for name in ("APT_MIRROR",) if name in where]
    proxy = [f'--aptopt=Acquire::http::Proxy "{where[name]}"' for name in ("APT_PROXY",)
             if name in where]
    slim = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "locale", "man")]
    engine.run("mmdebstrap", "--variant=minbase", *slim, *proxy, "bookworm", base, *mirror,
               seconds=600)
    engine.docker("import", base, BASE)
    base.unlink()
    say("the base, from mmdebstrap", begin)
    begin = time.monotonic()
    override = directory / "build.yml"
    override.write_text("services: {keys: {build: {network: host}}}\n", encoding="ascii")
    engine.run("docker-compose", "-f", "docker-compose.yml", "-f", override, "--project-directory",
               ROOT, "build", "keys", seconds=1800, **where)
    say("the image, from docker-compose build", begin)


def build_inside(directory):
    """The image, in the store in this directory, unless it is there."""
    engine = Engine(directory, "--bridge", "none", "--iptables=false", "--ip-masq=false",
                    "--ip-forward=false")
    try:
        engine.until_ready()
        if engine.docker("image", "inspect", IMAGE, check=False).returncode != 0:
            build(engine, directory)
    finally:
        engine.stop()


# ---- the namespaces ----

def enter(stage, *namespaces):
    """This test once more, in namespaces of its own; its exit status."""
    command = [*UNSHARE, *namespaces, sys.executable, *sys.argv, "--stage", stage]
    return subprocess.Popen(command, preexec_fn=end_with_us).wait()


def begin_inside(directory):
    """The engine in the namespaces we are in. One that built an image is no reason to skip."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        return Engine(directory).until_ready()
    except Skipped as reason:
        raise Failed(str(reason)) from None


def remove(directory, keep=False):
    """All that is left of the engines; but for the store, if that is to be kept."""
    for group in CONTROL_GROUPS.glob(f"*/{directory.name}"):
        for child in sorted(group.rglob("*"), reverse=True):
            if child.is_dir():
                with contextlib.suppress(OSError):
                    child.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()
    if not keep:
        shutil.rmtree(directory, ignore_errors=True)
