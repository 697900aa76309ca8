"""A disk of its own for a test: ext4 on a loop file, small enough to fill, slow when asked to be.
Mounted by root in a mount namespace nobody else sees, so it is gone with the test."""
import glob
import os
import pathlib
import subprocess
import time

from cluster import Skipped

MIB = 1 << 20
THROTTLE = pathlib.Path("/sys/fs/cgroup/blkio/blkio.throttle.write_iops_device")


def _run(*command):
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise Skipped(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout.strip()


def quicken_all():
    """No loop device is slow any more: a limit outlives the namespace of who has set it."""
    if THROTTLE.exists():
        for path in glob.glob("/sys/block/loop*/dev"):
            number = pathlib.Path(path).read_text(encoding="ascii").strip()
            if f"{number} " in THROTTLE.read_text(encoding="ascii"):
                THROTTLE.write_text(f"{number} 0", encoding="ascii")


def mount_shared_memory():
    """A /dev/shm of our own: what libfaketime leaves there of processes that were killed goes."""
    _run("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")


class Disk:
    """A file system at `directory`, in the file `image`."""

    def __init__(self, directory, image, mib):
        self.directory = pathlib.Path(directory)
        self.ballast = self.directory / "ballast"
        self._probe = self.directory / "probe"
        image = pathlib.Path(image)
        with open(image, "wb") as file:
            file.truncate(mib * MIB)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E",
             "lazy_itable_init=0,lazy_journal_init=0", image)
        self.directory.mkdir(parents=True)
        _run("mount", "-o", "loop", image, self.directory)
        device = _run("findmnt", "-no", "SOURCE", self.directory)
        self._number = pathlib.Path("/sys/block", pathlib.Path(device).name,
                                    "dev").read_text(encoding="ascii").strip()

    def close(self):
        self.quicken()
        _run("umount", "-l", self.directory)

    # ---- full ----

    def fill(self, keep_bytes=0):
        """Until so much is left."""
        space = os.statvfs(self.directory)
        size = max(0, space.f_bavail * space.f_frsize - keep_bytes)
        with open(self.ballast, "ab") as file:
            while size >= space.f_frsize:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
                except OSError:  # what holds the ballast's own blocks takes some, too
                    size //= 2

    def free(self):
        self.ballast.unlink(missing_ok=True)

    # ---- slow ----

    @staticmethod
    def can_be_slow():
        return THROTTLE.exists()

    def slow(self, writes_per_second):
        """By the block layer's own limit. A sync here is at least two writes."""
        THROTTLE.write_text(f"{self._number} {writes_per_second}", encoding="ascii")

    def quicken(self):
        if THROTTLE.exists():
            THROTTLE.write_text(f"{self._number} 0", encoding="ascii")

    def sync_s(self):
        """How long a write and its sync take now."""
        descriptor = os.open(self._probe, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            begin = time.monotonic()
            os.pwrite(descriptor, os.urandom(16), 0)
            os.fdatasync(descriptor)
            return time.monotonic() - begin
        finally:
            os.close(descriptor)
