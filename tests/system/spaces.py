"""A small file system of its own, for what happens when it is full. Mounted as root only, and gone
with the test at the latest: it is in a mount namespace nobody else sees."""
import ctypes
import os
import subprocess

from cluster import Skipped

CLONE_NEWNS = 0x00020000
_libc = ctypes.CDLL(None, use_errno=True)
_state = {"ours": False}


def mount(directory, mib):
    """tmpfs on this directory; processes started from this thread afterwards see it."""
    if os.geteuid() != 0:
        raise Skipped("only root may mount a small file system")
    if not _state["ours"]:
        if _libc.unshare(CLONE_NEWNS) != 0:
            raise Skipped(f"unshare: {os.strerror(ctypes.get_errno())}")
        _run("mount", "--make-rprivate", "/")
        _state["ours"] = True
    _run("mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(directory))


def unmount(directory):
    _run("umount", "-l", str(directory))


def _run(*command):
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Skipped(f"{' '.join(command)}: {done.stderr.strip()}")
