"""What tests of the journal share: a shard to start again and again on what was done to its files,
a history to put into it, and the words of a refusal."""
import collections
import contextlib
import re
import shutil
import struct

import outcry
from cluster import Cluster, expect

SYMBOLS = {"BTC-USD": {"tick_size": "0.01"}, "ETH-USD": {}}
SMALL = {"open_orders_max": 10_000, "accounts_max": 16, "finished_per_account": 100,
         "origins_max": 32, "kept_mib": 4, "heartbeat_ms": 50, "batch_commands_max": 256}
IN_FLIGHT = 100
SEGMENT_HEADER, RECORD_HEADER, RECORD_MAGIC = 4096, 80, b"OCRD"  # as in journal/record_format.h

# How a start ended: with status 1 and these words, or in this history.
Refused = collections.namedtuple("Refused", "words")
Started = collections.namedtuple("Started", "epoch seq state_hash cut snapshot_seq words")


class Shard(Cluster):
    """A matcher alone, on a journal that may be another cluster's or a copy."""

    def start(self):
        """Nothing by itself."""

    def attempt(self, environment=None):
        """Start it, and stop it if it starts: Refused or Started."""
        matcher = self.start_matcher(environment=environment)
        self.until(lambda: matcher.facts("started") or not matcher.running,
                   "it starts, or refuses to")
        if not matcher.running:
            matcher.allowed = {1}
            matcher.check()
            said = [line for line in matcher.words.splitlines() if not line.startswith("{")]
            expect(len(said) == 1, f"a refusal is one line, not {said}")
            return Refused(said[0])
        return self.outcome()

    def outcome(self):
        """Of a start that went well; it is stopped again."""
        matcher = self.matchers[0]
        recovered = self.recovered()
        epoch = self.epoch()
        stopped = self.stop_matcher()
        cut = matcher.facts("journal_cut")
        return Started(epoch, stopped["seq"], (recovered or stopped)["state_hash"],
                       cut[0] if cut else None, (recovered or {}).get("snapshot_seq", 0),
                       matcher.words)

    def check(self):
        """An end by itself is an answer here."""
        for process in self.processes:
            process.check()

    def spawn(self, *arguments, **options):
        process = super().spawn(*arguments, **options)
        process.allowed.add(1)
        return process


@contextlib.contextmanager
def shard_on(test, journal, binaries=None, **settings):
    """A Shard whose journal is a copy of that directory."""
    with test.directory() as directory:
        shutil.copytree(journal, directory / "0", ignore=shutil.ignore_patterns("lock"))
        with Shard(binaries or test.bin, SYMBOLS,
                   settings={**SMALL, "journal_dir": str(directory), **settings}) as shard:
            yield shard


def origin(cluster, name):
    return outcry.Origin(cluster.address("commands"), cluster.address("private"), name)


def trade(sender, chance, count, in_flight=IN_FLIGHT):
    """So many commands of all kinds; their results."""
    results, orders = [], []

    def take():
        result = sender.receive(30)
        expect(result is not None, f"no result; {sender.unanswered} are missing")
        results.append(result)
    for _ in range(count):
        symbol = chance.choice(list(SYMBOLS))
        what = chance.random()
        if orders and what < 0.2:
            symbol, account, name = chance.choice(orders[-30:])
            sender.send("cancel_order", symbol=symbol, account=account, order_id=0,
                        client_order_id=name)
        elif orders and what < 0.3:
            symbol, account, name = chance.choice(orders[-30:])
            sender.send("amend_order", symbol=symbol, account=account, order_id=0,
                        client_order_id=name, qty_is="total", qty=chance.randint(1, 20),
                        price=None)
        else:
            side = chance.choice(("buy", "sell"))
            account = chance.choice("ABC")
            name = f"{sender.name}-{chance.getrandbits(60):x}"
            sender.send("new_order", symbol=symbol, account=account, side=side, type="limit",
                        time_in_force=chance.choice(("GTC", "GTC", "GTC", "IOC", "FOK")),
                        post_only=False, stp="none", qty=chance.randint(0, 9),
                        price=1000 + chance.randint(-9, 3) * (1 if side == "buy" else -1),
                        client_order_id=name)
            orders.append((symbol, account, name))
        while sender.unanswered >= in_flight:
            take()
    while sender.unanswered:
        take()
    while True:  # those that came while we sent
        result = sender.receive(0)
        if result is None:
            return results
        results.append(result)


def segments(journal):
    return sorted(journal.glob("*.segment"))


def snapshots(journal):
    return sorted(journal.glob("*.snapshot"))


def told(words):
    """(file, offset) a refusal or a cut names."""
    file = re.search(r"\b\d{20}\.(segment|snapshot)\b", words)
    offset = re.search(r"\b(?:offset|byte|at) (\d+)", words)
    return file and file.group(), offset and int(offset.group(1))


def checked_bytes(path):
    """Offsets of the bytes of a segment that matter: all but the zeros that fill a record up to a
    multiple of 8 bytes, and those behind the last."""
    data = path.read_bytes()
    at, offsets = SEGMENT_HEADER, list(range(SEGMENT_HEADER))
    while data[at:at + 4] == RECORD_MAGIC:
        size, = struct.unpack_from("<I", data, at + 8)
        offsets += range(at, at + RECORD_HEADER + size)
        at += RECORD_HEADER + (size + 7) // 8 * 8
    return offsets


def flip(path, offset, mask):
    """Change bits of a byte of a file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ mask]))
