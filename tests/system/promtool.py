"""promtool, Prometheus' own judge of rules and metrics, of Debian's package `prometheus`. Where it
is not installed it is taken out of that package, into the build's directory: to install the package
would start a service."""
import os
import shutil
import subprocess

from cluster import Skipped, equal


def _failed(directory, *command):
    """What it said; None: all went well."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300,
                          check=False)
    return None if done.returncode == 0 else done.stderr.strip() or "nothing"


def find_promtool(test):
    here = test.bin.parent / "promtool"
    installed = shutil.which("promtool")
    if installed or here.exists():
        return installed or str(here)
    with test.directory() as directory:
        words = _failed(directory, "apt-get", "download", "prometheus")
        if words and os.geteuid() == 0:  # its lists may be old
            _failed(directory, "apt-get", "update")
            words = _failed(directory, "apt-get", "download", "prometheus")
        words = words or _failed(directory, "sh", "-c", "dpkg -x prometheus_*.deb .")
        if words:
            raise Skipped(f"there is no promtool, and apt cannot get it: {words}")
        copy = here.with_name(f"promtool.{os.getpid()}")  # tests beside this one want it, too
        shutil.copy2(directory / "usr/bin/promtool", copy)
        copy.rename(here)
    return str(here)


def promtool(test, *arguments, directory=None, text=None):
    """It is content; with the text on its standard input, without a word."""
    done = subprocess.run([find_promtool(test), *arguments], cwd=directory, input=text, text=True,
                          capture_output=True, timeout=300, check=False)
    said = done.stdout + done.stderr
    equal((done.returncode, said if text else ""), (0, ""),
          f"status of promtool {' '.join(arguments)}, which said:\n{said}\n")
