"""`outcry bench rest websocket`: it runs to its end on a cluster of its own, every figure has the
documented form, nothing is left behind. How fast anything is, is not tested."""
import glob
import json
import math
import shutil
import signal

from cluster import Process, equal, expect, main, until

KEYS = {"bench", "case", "ours", "floor", "ratio", "unit", "p50", "p99", "p999", "rate", "runs"}
ROWS = [("rest", "order to answer, 1 connection", "us"),
        ("rest", "orders, 64 connections", "/s"),
        ("rest", "orders at 1,000 a second", "us"),
        ("rest", "orders at 10,000 a second", "/s"),
        ("rest", "order book, 1 connection", "us"),
        ("websocket", "BBO change to a ZeroMQ subscriber", "us"),
        ("websocket", "trade to a ZeroMQ subscriber", "us"),
        ("websocket", "BBO change to a WebSocket", "us"),
        ("websocket", "trade to a WebSocket", "us"),
        ("websocket", "broadcast to 100 clients", "/s"),
        ("websocket", "latency of a broadcast to 100", "us"),
        ("websocket", "broadcast to 500 clients", "/s"),
        ("websocket", "latency of a broadcast to 500", "us")]
WITHOUT_FLOOR = {case for _, case, _ in ROWS if case.startswith(("BBO change", "trade"))}
BENCH_S = 300


def left_behind():
    return set(glob.glob("/tmp/outcry-bench-*"))


def bench(test, directory, *arguments):
    return Process("bench", [test.bin / "outcry", "bench", *arguments], directory)


def check_row(row):
    name = f"{row['bench']}, {row['case']}"
    equal(set(row), KEYS, f"the keys of {name}")
    equal(len(row["runs"]), 1, f"runs of {name}")
    equal(row["ours"], row["runs"][0], f"ours of {name}: the median of one run")
    if row["case"] in WITHOUT_FLOOR:
        equal((row["floor"], row["ratio"]), (None, None), f"the floor of {name}")
    else:
        better = row["ours"] / row["floor"]  # more is better, of times less is
        better = 1 / better if row["unit"] == "us" else better
        expect(math.isclose(row["ratio"], better, rel_tol=1e-4),
               f"the ratio of {name} is {row['ratio']}, expected {better}")
    expect(0 < row["p50"] <= row["p99"] <= row["p999"], f"the percentiles of {name}: {row}")
    expect(row["ours"] > 0 and row["rate"] > 0, f"{name}: {row}")


def every_figure_has_its_row(test):
    before = left_behind()
    with test.directory() as directory:
        file = directory / "rows.json"
        process = bench(test, directory, "rest", "websocket", "--quick", "--json", file)
        status = process.wait(BENCH_S)
        expect(status == 0, f"it ended with status {status}\n{process.tail()}")
        process.check()
        rows = json.loads(file.read_text(encoding="ascii"))
        equal([(row["bench"], row["case"], row["unit"]) for row in rows], ROWS, "the rows")
        for row in rows:
            check_row(row)
        for words in ["conceived target", "order submission to answer", "10,000 orders a second",
                      "p99.9"]:
            expect(words in process.words, f"the table does not say \"{words}\"")
    equal(left_behind() - before, set(), "run directories left behind")


def a_name_selects_a_bench(test):
    with test.directory() as directory:
        process = bench(test, directory, "websocket", "--quick", "--json", directory / "rows.json")
        equal(process.wait(BENCH_S), 0, "its status")
        rows = json.loads((directory / "rows.json").read_text(encoding="ascii"))
        equal({row["bench"] for row in rows}, {"websocket"}, "the benches")


def an_interrupted_bench_leaves_nothing_behind(test):
    before = left_behind()
    with test.directory() as directory:
        process = bench(test, directory, "rest")
        process.allowed.add(128 + signal.SIGINT)
        until(lambda: "rest " in process.words, "the first figure", BENCH_S, watch=process.check)
        expect(left_behind() - before, "there is no run directory while it runs")
        process.send(signal.SIGINT)
        equal(process.wait(), 128 + signal.SIGINT, "its status")
        process.check()
    equal(left_behind() - before, set(), "run directories left behind")


def a_cluster_that_cannot_start_is_told_in_words(test):
    before = left_behind()
    with test.directory() as directory:
        shutil.copy(test.bin / "outcry", directory / "outcry")  # nothing else is beside it
        process = Process("bench", [directory / "outcry", "bench", "rest", "--quick"], directory)
        equal(process.wait(), 1, "its status")
        expect("cannot start" in process.words and "outcry-matcher" in process.words,
               f"it said: {process.words}")
    equal(left_behind() - before, set(), "run directories left behind")


def a_mistake_is_told_in_words(test):
    with test.directory() as directory:
        for arguments, found in [(["speed"], '"speed"'), (["rest", "--json"], '"--json"'),
                                 (["rest", "--seed", "1"], '"--seed"')]:
            process = bench(test, directory, *arguments)
            equal(process.wait(), 2, f"the status of {arguments}")
            expect(f"found {found}, expected" in process.words, f"it said: {process.words}")
        process = bench(test, directory, "rest", "--json", directory / "no" / "such")
        equal(process.wait(), 1, "the status without a directory")
        expect("No such file or directory" in process.words, f"it said: {process.words}")


if __name__ == "__main__":
    main(__doc__, [every_figure_has_its_row, a_name_selects_a_bench,
                   an_interrupted_bench_leaves_nothing_behind,
                   a_cluster_that_cannot_start_is_told_in_words, a_mistake_is_told_in_words])
