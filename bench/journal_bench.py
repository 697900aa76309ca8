#!/usr/bin/python3
"""What durability costs, and how long a start takes: real processes, a real disk.

    bench/journal_bench.py --bin .build/release/bin --data ../shared/data
    bench/journal_bench.py --bin .build/release/bin --data ../shared/data --only recovery

sync      a real day (AAPL, 176,428 commands) through the live cluster, in turn with `sync`,
          `async` and `none`; then one command at a time beside its floor: an echo over the same
          sockets, and one write and sync of a file there, both measured in the same run
recovery  a journal of so many million commands; seconds from SIGKILL until the matcher serves
          again, from its snapshot and from the beginning, and the commands replayed a second
"""
import gzip
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "system"))
from cluster import Cluster, make_parser  # pylint: disable=wrong-import-position

SYMBOL = "AAPL"
SYMBOLS = {SYMBOL: {"tick_size": "0.0001"}}
RUNS = 5
SYNCS = 2000
RECORD = 4096  # bytes of one write
SNAPSHOT_COMMANDS = 100_000


def spread(values, digits=0):
    return (f"{statistics.median(values):,.{digits}f} "
            f"({min(values):,.{digits}f} to {max(values):,.{digits}f})")


def replay(cluster, commands, *more):
    """What `outcry replay` reports, its numbers by the first word of the line."""
    process = cluster.outcry("replay", commands, "--format", "commands", "--symbol", SYMBOL, *more)
    lines = (line.split(None, 1) for line in process.said.splitlines() if " " in line)
    return {words[0]: words[1] for words in lines}


def number(text, before="", behind=""):
    """The number in front of these words, or behind them."""
    words = text.split(before)[0].split()[-1] if before else text.split(behind)[1].split()[0]
    return float(words.replace(",", ""))


def one_sync_us(directory):
    """p50 of a write of 4 KiB into a zero-filled file and its sync."""
    path = pathlib.Path(directory) / "floor"
    with open(path, "wb", buffering=0) as file:
        file.write(bytes(RECORD * SYNCS))
        os.fsync(file.fileno())
    file = os.open(path, os.O_WRONLY)
    times = []
    for index in range(SYNCS):
        start = time.perf_counter_ns()
        os.pwrite(file, b"x" * 160, index * 240)
        os.fdatasync(file)
        times.append(time.perf_counter_ns() - start)
    os.close(file)
    path.unlink()
    return statistics.median(times) / 1000


def cluster_of(options, mode, **settings):
    return Cluster(options.bin, SYMBOLS, settings={"journal_mode": mode, **settings})


def bench_sync(options, commands):
    rates = {"sync": [], "async": [], "none": []}
    ones, floors, syncs, echoes = [], [], [], []
    for _ in range(options.runs):
        for mode, found in rates.items():
            with cluster_of(options, mode) as cluster:
                found.append(number(replay(cluster, commands)["rate"], "commands a second"))
        with cluster_of(options, "sync") as cluster:
            sync_us = one_sync_us(cluster.journal())
            report = replay(cluster, options.short, "--window", "1", "--echo")
            ones.append(number(report["latency"], behind="p50"))
            echo_us = 1e6 / number(report["echo"], "commands a second")
        syncs.append(sync_us)
        echoes.append(echo_us)
        floors.append(sync_us + echo_us)
    print("commands a second, acknowledged, 4,096 outstanding:")
    for mode, found in rates.items():
        print(f"  {mode:6} {spread(found)}")
    ratios = [ours / floor for ours, floor in zip(ones, floors)]
    print(f"one at a time: ack p50 {spread(ones)} us; echo {spread(echoes)} us; "
          f"one sync {spread(syncs)} us; ours / (echo + sync) {spread(ratios, 2)}")


def restart_seconds(cluster):
    """From SIGKILL to a start that serves; and what it says of it."""
    matcher = cluster.matchers[0]
    start = time.monotonic()
    matcher.kill()
    cluster.start_matcher(0)
    fact = cluster.recovered(0)
    return time.monotonic() - start, fact


def newest_snapshot(cluster):
    """The command it was written behind; 0: there is none."""
    return max((int(path.stem) for path in cluster.journal().glob("*.snapshot")), default=0)


def bench_recovery(options, commands):
    with cluster_of(options, "sync", snapshot_commands="1000000000") as cluster:
        done = 0
        while done < options.millions * 1_000_000:
            done += number(replay(cluster, commands)["commands"], "acknowledged")
            print(f"\r{done:,.0f} commands", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        size = sum(path.stat().st_size for path in cluster.journal().glob("*.segment"))
        seconds, fact = restart_seconds(cluster)
        replayed, took = fact["commands"], float(fact["seconds"])
        print(f"from the beginning: {replayed:,} commands, {size / 2**20:,.0f} MiB on disk, "
              f"{replayed / took:,.0f} a second; {seconds:.2f} s from SIGKILL to serving")
        hash_before = fact["state_hash"]
        cluster.settings["snapshot_commands"] = str(SNAPSHOT_COMMANDS)
        cluster.start_follower(0)
        cluster.until(lambda: newest_snapshot(cluster) > fact["seq"] - SNAPSHOT_COMMANDS,
                      "a snapshot near the end", 300)
        seconds, fact = restart_seconds(cluster)
        print(f"from a snapshot: {fact['commands']:,} commands behind it; "
              f"{seconds:.2f} s from SIGKILL to serving; the same state hash: "
              f"{fact['state_hash'] == hash_before}")


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--millions", type=float, default=10)
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="outcry-bench-"))
    commands = pathlib.Path(options.data) / "lobster" / "AAPL_1_commands.csv.gz"
    benches = {"sync": bench_sync, "recovery": bench_recovery}
    options.short = directory / "short.csv"
    with gzip.open(commands, "rt", encoding="ascii") as file:
        options.short.write_text("".join(line for line, _ in zip(file, range(10_001))))
    for name, bench in benches.items():
        if options.only in name:
            print(f"--- {name}", flush=True)
            bench(options, commands)
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
