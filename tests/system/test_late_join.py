"""Joining late, while the symbol trades at full speed: the C reader, 200 times over."""
import re

from cluster import equal, expect, main

SYMBOL = "BTC-USD"
RATE = 100_000  # asked for; what the machine gives is printed


def join(test, joins, *arguments, rate=RATE):
    """Let late_join join that often beside a flow of orders; what it counted."""
    with test.cluster({SYMBOL: {"tick_size": "0.01"}}) as cluster:
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", rate, "--seed", test.seed)
        joiner = cluster.spawn("late_join", "late_join", "--symbol", SYMBOL, "--joins", joins,
                               *arguments)
        joiner.wait(600)
        flow.stop()
        cluster.check()
        print(f"    {joiner.said.strip()}; {flow.words.strip()}")
        counts = {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", joiner.said)}
        equal(counts["joins"], joins, "joins")
        return counts


def a_late_reader_has_no_gap_and_every_hash_right(test):
    join(test, test.count(200), "--frames", 20)


def a_reader_whose_frames_are_dropped_repairs_itself(test):
    counts = join(test, test.count(50), "--frames", test.count(1000), "--drop", 100)
    expect(counts["resends"] > 0, f"nothing was asked for again: {counts}")


def a_reader_that_loses_every_fifth_message_repairs_itself(test):
    """Answers to its requests included, so it is live only now and then."""
    join(test, test.count(5), "--frames", 20, "--drop", 5, rate=200)


if __name__ == "__main__":
    main(__doc__, [a_late_reader_has_no_gap_and_every_hash_right,
                   a_reader_whose_frames_are_dropped_repairs_itself,
                   a_reader_that_loses_every_fifth_message_repairs_itself])
