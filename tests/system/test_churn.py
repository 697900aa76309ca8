"""An hour of placing and cancelling, or as many minutes as asked for: memory is flat, the disk is
bounded, and no file or socket is left open. The figures are printed as a line of JSON.

It warms up at full speed first, until the windows that are bounded by count (finished orders, kept
frames) have filled; from then on nothing may grow."""
import json
import time

from cluster import equal, expect, main, make_parser
from load import RestTrader, Watcher

SYMBOLS = {"BTC-USD": {"tick_size": "0.01"}, "ETH-USD": {}, "AAPL": {"shard": 1}}
SHARDS = 2
SEGMENT_MIB = 8
SETTINGS = {"finished_per_account": 500, "accounts_max": 100, "open_orders_max": 20_000,
            "kept_mib": 1, "segment_mib": SEGMENT_MIB, "snapshot_commands": 20_000,
            "checkpoint_commands": 50_000, "batch_commands_max": 1024, "origin_window": 2048}
WARM_RATE = 50_000
WARM_COMMANDS = 1_500_000
# Two snapshots of history, the segment they begin in, the one being written and the next one; what
# is written between a snapshot and the removal; and as much again.
SEGMENTS_MAX = 10
SAMPLE_S = 2
SLACK_BYTES = 3 << 20  # what an allocator may keep or give back
SLACK_SHARE = 0.02
MIB = 1 << 20


class Sample:
    """One look at everything."""

    def __init__(self, cluster, start):
        self.seconds = time.monotonic() - start
        processes = {name: process for name, (process, _) in cluster.parts().items()}
        self.memory = {name: process.memory() for name, process in processes.items()}
        self.descriptors = {name: process.descriptors() for name, process in processes.items()}
        self.disk = {shard: disk_of(cluster.journal(shard)) for shard in range(SHARDS)}


def disk_of(journal):
    """Bytes of all files; one may be removed while we look."""
    size = 0
    for path in journal.iterdir():
        try:
            size += path.stat().st_blocks * 512
        except FileNotFoundError:
            pass
    return size


def highest(samples, what):
    return {name: max(getattr(sample, what)[name] for sample in samples)
            for name in getattr(samples[0], what)}


def nothing_grows(test):
    seconds = 60 * test.options.minutes
    with test.cluster(SYMBOLS, shards=SHARDS, gateways=2, followers=True,
                      settings=SETTINGS) as cluster:
        cluster.outcry("simulate", "--rate", WARM_RATE, "--count", test.count(WARM_COMMANDS),
                       "--seed", test.seed + 1, name="warm")
        start = time.monotonic()
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", test.options.rate, "--seed",
                             test.seed)
        trader = RestTrader(cluster, "churn", test.seed, pause_s=0.01).start()
        watcher = Watcher("public", cluster.address("market_data"),
                          ["bbo.BTC-USD", "trade.AAPL"]).start()
        samples = []
        try:
            while time.monotonic() < start + seconds:
                samples.append(Sample(cluster, start))
                cluster.check()
                trader.check()
                watcher.check()
                time.sleep(SAMPLE_S)
        finally:
            trader.stopping.set()
            watcher.stopping.set()
        trader.stop()
        flow.stop()
        watcher.finish()
        watcher.close()
        report(test, cluster, samples, flow)


def report(test, cluster, samples, flow):
    middle = len(samples) // 2
    early, late = samples[:middle], samples[middle:]
    commands = {shard: cluster.stop_matcher(shard)["seq"] for shard in range(SHARDS)}
    figures = {
        "minutes": round(samples[-1].seconds / 60, 1),
        "commands": sum(commands.values()),
        "memory_mib": {name: [round(size / MIB, 1), round(highest(late, "memory")[name] / MIB, 1)]
                       for name, size in highest(early, "memory").items()},
        "descriptors": {name: [count, highest(late, "descriptors")[name]]
                        for name, count in highest(early, "descriptors").items()},
        "disk_mib": {shard: round(size / MIB, 1)
                     for shard, size in highest(samples, "disk").items()},
    }
    print(json.dumps(figures), flush=True)
    for name, size in highest(early, "memory").items():
        found = highest(late, "memory")[name]
        expect(found <= size * (1 + SLACK_SHARE) + SLACK_BYTES,
               f"{name} grew from {size / MIB:.1f} to {found / MIB:.1f} MiB")
    for name, count in highest(early, "descriptors").items():
        found = highest(late, "descriptors")[name]
        expect(found <= count + 1, f"{name} had {count} descriptors open, and then {found}")
    for shard, size in highest(samples, "disk").items():
        expect(size <= SEGMENTS_MAX * SEGMENT_MIB * MIB,
               f"the journal of shard {shard} took {size / MIB:.1f} MiB")
        written = commands[shard] * 150  # bytes a command, at least
        if test.options.minutes >= 10:
            expect(size < written / 2, f"nothing was released: {size / MIB:.1f} MiB")
    expect("refused" in flow.words or flow.popen.returncode == 0, f"the flow: {flow.words}")
    equal(min(commands.values()) > 0, True, f"both shards traded: {commands}")


if __name__ == "__main__":
    parser = make_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=1, help="for how long")
    parser.add_argument("--rate", type=int, default=1500, help="commands a second")
    main(__doc__, [nothing_grows], parser)
