"""Real clusters for tests: matchers, market-data and, if asked for, gateways as processes of their
own, from a build's bin directory, in a fresh run directory, over ipc sockets in it.

    def a_trade_is_published(test):
        with test.cluster({"BTC-USD": {}}) as cluster:
            cluster.outcry("simulate", "--count", "100", "--rate", "1000")
            ...

    if __name__ == "__main__":
        main(__doc__, [a_trade_is_published])

A test is a list of claims, each a function. Waits are for conditions and bounded. Whatever a test
started it stops, by process id, and then every process is held to account: one that ended when
nobody asked, an exit status that is not 0, a word of a sanitizer, a failed CHECK or a log line of
level error fails the claim, with its log. If the test itself is killed, the kernel ends what it
started.

Exit status: 0; 1 if a claim does not hold; 77, with a line saying why, if something is absent.
"""
import argparse
import collections
import contextlib
import functools
import http.client
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "proto" / "python"))
import outcry  # pylint: disable=wrong-import-position

from ports import free_port  # pylint: disable=wrong-import-position
from process import (  # pylint: disable=wrong-import-position,unused-import
    WAIT_S, Failed, Process, clean_environment, expect)

SKIPPED = 77


class Skipped(Exception):
    """Something the test needs is not there."""


def equal(found, expected, what):
    expect(found == expected, lambda: f"{what}: found {found!r}, expected {expected!r}")


def until(condition, what, seconds=WAIT_S, watch=None):
    """Wait until condition() is true, and return it. watch() may raise meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if watch is not None:
            watch()
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.005)


def updates(reader, seconds=0.05):
    """The updates a Subscriber has within so many seconds; fewer if none come for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        update = reader.receive(0.01)
        if update is None:
            return
        yield update


class Gateway:
    """A gateway of a cluster, on ports of its own of this machine; rest.py speaks to it."""

    host = "127.0.0.1"

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self.port = free_port()
        self.admin_port = free_port()
        self.process = None

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    @property
    def admin_url(self):
        return f"http://{self.host}:{self.admin_port}"

    def begin(self):
        """Start it, and do not wait for it."""
        self.process = self.cluster.spawn(
            self.name, "outcry-gateway", "--gateway-name", self.name, "--gateway-address",
            f"{self.host}:{self.port}", "--admin-address", f"{self.host}:{self.admin_port}")

    def ready(self):
        """Whether it knows all orders and markets, by its own word."""
        probe = http.client.HTTPConnection(self.host, self.admin_port, timeout=WAIT_S)
        try:
            probe.request("GET", "/readyz")
            return probe.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            probe.close()

    def until_ready(self):
        self.cluster.until(self.ready, f"{self.name} is ready")

    def restart(self):
        """Once more, after its process has ended: the same name and ports."""
        self.begin()
        self.until_ready()


class Cluster:
    """Matchers, market-data and, if asked for, a follower a matcher and so many gateways. As a
    context: they are ready within it, and have stopped well after it. Commands that ask a gateway
    ask the first. Journals are in its run directory, and outlive the processes."""

    def __init__(self, binaries, symbols, shards=1, settings=None, first_seconds=WAIT_S,
                 gateways=0, followers=False):
        self.binaries = pathlib.Path(binaries).resolve()
        self.symbols = symbols
        self.shards = shards
        self.seconds = first_seconds
        self.run_dir = pathlib.Path(tempfile.mkdtemp(prefix="outcry-test-"))
        self.config = self.run_dir / "cluster.cfg"
        self.processes = []  # all that ever ran here
        self.matchers = {}
        self.followers = dict.fromkeys(range(shards)) if followers else {}
        self.market_data = None
        addresses = {"market_data_address": f"ipc://{self.run_dir}/market-data",
                     "market_data_requests_address": f"ipc://{self.run_dir}/market-data.requests"}
        self.gateways = [Gateway(self, f"gateway-{number}") for number in range(gateways)]
        if self.gateways:
            addresses["gateway_address"] = f"127.0.0.1:{self.gateways[0].port}"
            addresses["admin_address"] = f"127.0.0.1:{self.gateways[0].admin_port}"
        self.settings = {"run_dir": str(self.run_dir), **addresses, **(settings or {})}
        self.write_config()

    def write_config(self):
        """Settings go by the environment, the symbols by the file."""
        lines = [f"shards = {self.shards}", "symbols"]
        for name, options in self.symbols.items():
            lines.append(f"    {name}")
            lines += [f"        {key} = {value}" for key, value in options.items()]
        self.config.write_text("\n".join(lines) + "\n", encoding="ascii")

    @property
    def environment(self):
        settings = {f"OUTCRY_{name.upper()}": str(value) for name, value in self.settings.items()}
        return clean_environment(OUTCRY_CONFIG=str(self.config), **settings)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.end(failed=True)
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.end(failed=kind is not None)

    # ---- addresses ----

    def address(self, what, shard=0):
        """Of a matcher's `commands`, `requests`, `private` or `public`, or market-data's
        `market_data` or `market_data_requests`."""
        default = f"ipc://{self.run_dir}/{{shard}}.{what}"
        address = self.settings.get(f"{what}_address", default)
        address = address.replace("{shard}", str(shard)).replace("{run_dir}", str(self.run_dir))
        return re.sub(r"\{(\d+)\+shard\}", lambda sum: str(int(sum[1]) + shard), address)

    @property
    def keys(self):
        """The directory of its keys; None: it has none."""
        return self.settings.get("keys_dir")

    def shard_of(self, symbol):
        return int(self.symbols[symbol].get("shard", 0))

    # ---- processes ----

    def spawn(self, name, *command, environment=None):
        process = Process(name, [self.binaries / command[0], *command[1:]], self.run_dir,
                          {**self.environment, **(environment or {})})
        self.processes.append(process)
        return process

    def start_matcher(self, shard=0, environment=None):
        matcher = self.spawn(f"matcher-{shard}", "outcry-matcher", "--shard", shard,
                             environment=environment)
        self.matchers[shard] = matcher
        return matcher

    def start_follower(self, shard=0):
        follower = self.spawn(f"follower-{shard}", "outcry-matcher", "--shard", shard, "--follow")
        self.followers[shard] = follower
        return follower

    def start_market_data(self):
        self.market_data = self.spawn("market-data", "outcry-market-data")
        return self.market_data

    def start(self):
        for shard in range(self.shards):
            self.start_matcher(shard)
        for shard in self.followers:
            self.start_follower(shard)
        self.start_market_data()
        self.until_ready()
        for gateway in self.gateways:
            gateway.begin()
        for gateway in self.gateways:
            gateway.until_ready()

    def start_gateway(self):
        """One more, ready."""
        gateway = Gateway(self, f"gateway-{len(self.gateways)}")
        self.gateways.append(gateway)
        gateway.restart()
        return gateway

    def epoch(self, shard=0):
        """The epoch its matcher says it is in."""
        return self.started(shard)["epoch"]

    def started(self, shard=0):
        """What its matcher says when it serves."""
        matcher = self.matchers[shard]
        return self.until(lambda: matcher.facts("started"), "a matcher says that it started")[0]

    def recovered(self, shard=0):
        """What its matcher says of the journal it began with; None: there was none."""
        self.started(shard)
        facts = self.matchers[shard].facts("recovered")
        return facts[0] if facts else None

    def stop_matcher(self, shard=0):
        """Its last words: seq and state_hash among them."""
        matcher = self.matchers[shard]
        matcher.stop()
        matcher.check()
        return matcher.facts("stopped")[-1]

    def journal(self, shard=0):
        """The directory of its journal."""
        return pathlib.Path(self.settings.get("journal_dir", self.run_dir / "journal"), str(shard))

    # ---- what can be killed and started again, by name ----

    def parts(self):
        """The process of each, and what starts it."""
        parts = {"market-data": (self.market_data, self.start_market_data)}
        for shard, matcher in self.matchers.items():
            parts[f"matcher-{shard}"] = (matcher, functools.partial(self.start_matcher, shard))
        for shard, follower in self.followers.items():
            parts[f"follower-{shard}"] = (follower, functools.partial(self.start_follower, shard))
        for gateway in self.gateways:
            parts[gateway.name] = (gateway.process, gateway.begin)
        return parts

    def kill(self, names):
        """kill -9, all of them before any is waited for."""
        processes = [self.parts()[name][0] for name in names]
        for process in processes:
            process.begin_kill()
        for process in processes:
            process.kill()

    def restart(self, names):
        """Once more, after they have ended; not waited for."""
        for name in names:
            self.parts()[name][1]()

    def until_ready(self):
        """A reader like any other can follow every symbol, in the matchers' newest epochs."""
        epochs = {shard: self.epoch(shard) for shard in self.matchers}
        topics = [f"{kind}.{name}" for name in self.symbols for kind in ("bbo", "l2")]
        with outcry.Subscriber(self.address("market_data"), topics, keys=self.keys) as reader:
            def ready():
                collections.deque(updates(reader), 0)
                return reader.live and all(
                    one.epoch >= epochs[self.shard_of(topic.split(".", 1)[1])]
                    for topic, one in reader.readers.items())
            self.until(ready, "every symbol can be followed", self.seconds)

    def follow(self, *topics):
        """A Subscriber to topics of market-data, live."""
        reader = outcry.Subscriber(self.address("market_data"), topics, keys=self.keys)

        def joined():
            collections.deque(updates(reader), 0)
            return reader.live
        self.until(joined, f"a reader of {' '.join(topics)} joins")
        return reader

    def until(self, condition, what, seconds=WAIT_S):
        return until(condition, what, seconds, watch=self.check)

    def outcry(self, *arguments, status=0, seconds=600, name=None):
        """Run a command of the command line to its end; the Process."""
        process = self.spawn(name or f"outcry-{arguments[0]}", "outcry", *arguments)
        process.allowed = {status}
        process.wait(seconds)
        process.check()
        return process

    def check(self):
        for process in self.processes:
            process.check()
        services = [*self.matchers.values(), *self.followers.values(), self.market_data]
        for process in services + [gateway.process for gateway in self.gateways]:
            if process is not None and not process.running and not process.asked_to_end:
                raise Failed(f"{process.name} ended by itself\n{process.tail()}")

    def end(self, failed):
        """Stop the readers before what they read; then hold every process to account."""
        faults = []
        for process in reversed(self.processes):
            try:
                process.stop()
                process.check()
            except Failed as fault:
                faults.append(str(fault))
        if failed:
            for process in self.processes:
                print(process.tail(), file=sys.stderr)
        shutil.rmtree(self.run_dir, ignore_errors=True)
        if faults and not failed:
            raise Failed("\n".join(faults))
        for fault in faults:
            print(fault, file=sys.stderr)


class Test:
    """What a claim is given."""

    def __init__(self, options):
        self.options = options
        self.bin = pathlib.Path(options.bin).resolve()
        self.data = pathlib.Path(options.data) if options.data else None
        self.random = random.Random(options.seed)
        self.seed = options.seed

    def count(self, number):
        """How many of something, by --scale."""
        return max(1, round(number * self.options.scale))

    def cluster(self, symbols, **options):
        return Cluster(self.bin, symbols, **options)

    def need(self, *parts):
        """A file of the real data."""
        if self.data is None:
            raise Skipped("--data is not given")
        path = self.data.joinpath(*parts)
        if not path.exists():
            raise Skipped(f"{path} is absent")
        return path

    @contextlib.contextmanager
    def directory(self):
        """A directory of its own, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="outcry-test-") as path:
            yield pathlib.Path(path)


def make_parser(description):
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="the build's bin directory")
    parser.add_argument("--data", default=os.environ.get("OUTCRY_TEST_DATA", ""),
                        help="the directory of real data (shared/data)")
    parser.add_argument("--seed", type=int, default=None, help="of what is random")
    parser.add_argument("--scale", type=float, default=1.0, help="how much, of what can be scaled")
    parser.add_argument("--only", default="", help="claims whose name holds this")
    return parser


def main(description, claims, parser=None):
    """Run the claims; exits."""
    options = (parser or make_parser(description)).parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(2**32)
    print(f"seed {options.seed}", flush=True)
    failed, skipped = [], []
    for claim in claims:
        if options.only not in claim.__name__:
            continue
        start = time.monotonic()
        outcome = "holds"
        try:
            claim(Test(options))
        except Skipped as why:
            outcome = f"skipped: {why}"
            skipped.append(claim.__name__)
        except Failed as why:
            outcome = f"FAILED: {why}"
            failed.append(claim.__name__)
        except Exception:
            outcome = f"FAILED:\n{traceback.format_exc()}"
            failed.append(claim.__name__)
        print(f"{claim.__name__} ({time.monotonic() - start:.1f} s) {outcome}", flush=True)
    if failed:
        print(f"failed with --seed {options.seed}: {' '.join(failed)}", file=sys.stderr)
        sys.exit(1)
    sys.exit(SKIPPED if skipped and len(skipped) == len(claims) else 0)
