#!/usr/bin/python3
"""Hold a simulated day beside the real one that its shapes were fitted on.

    outcry simulate --file day.csv --symbols AAPL --rate 13.47 --spread 0.15 --base-price 585 \\
        --size 100 --duration 23400
    bench/flow_plots.py --data .../lobster --simulated day.csv

The simulated day is looked at as the real one was recorded: by an observer of the first level, who
is told of an order when it comes, changes or goes at the best price (LOBSTER's AAPL_1). Writes
bench/plots/simulate_{spread,depth,interarrival,lifetime}.svg and prints the table of RESULTS.md.
Needs python3-numpy, python3-scipy and python3-matplotlib.
"""

import argparse
import collections
import csv
import gzip
import heapq
import pathlib

import matplotlib
matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot
from scipy import stats

from flow_shapes import CLOSE_S, DELETE, FILL, NEW, OPEN_S, REDUCE, Day

PLOTS = pathlib.Path(__file__).resolve().parent / "plots"
POINTS = 120  # of a curve: enough for the eye
Order = collections.namedtuple("Order", "id side price")


class Observer:
    """A price-time book, and what an observer of its first level writes down."""

    def __init__(self, tick):
        self.tick = tick
        self.levels = {1: {}, -1: {}}  # side -> price -> {id: qty}, oldest first
        self.heaps = {1: [], -1: []}
        self.orders = {}
        self.messages, self.book = [], []

    def best(self, side):
        heap, levels = self.heaps[side], self.levels[side]
        while heap and -side * heap[0] not in levels:
            heapq.heappop(heap)
        return -side * heap[0] if heap else None

    def tell(self, time_s, kind, order, qty):
        row = []
        for side, empty in ((-1, 9999999999), (1, -9999999999)):
            price = self.best(side)
            row += [empty, 0] if price is None else \
                [price, sum(self.levels[side][price].values())]
        self.messages.append([time_s, kind, order.id, qty, order.price, order.side])
        self.book.append(row)

    def seen(self, order):
        best = self.best(order.side)
        return best is None or (order.price - best) * order.side >= 0

    def add(self, time_s, order, qty):
        seen = self.seen(order)
        level = self.levels[order.side].setdefault(order.price, {})
        if not level:
            heapq.heappush(self.heaps[order.side], -order.side * order.price)
        level[order.id] = qty
        self.orders[order.id] = order
        if seen:
            self.tell(time_s, NEW, order, qty)

    def take_off(self, time_s, kind, order, qty):
        seen = self.seen(order)
        level = self.levels[order.side][order.price]
        level[order.id] -= qty
        if level[order.id] == 0:
            del level[order.id], self.orders[order.id]
            if not level:
                del self.levels[order.side][order.price]
        if seen:
            self.tell(time_s, kind, order, qty)

    def trade(self, time_s, side, limit, qty):
        while qty > 0 and self.best(-side) is not None:
            price = self.best(-side)
            if limit is not None and (price - limit) * side > 0:
                break
            maker, there = next(iter(self.levels[-side][price].items()))
            self.take_off(time_s, FILL, self.orders[maker], min(qty, there))
            qty -= min(qty, there)
        return qty

    def open_qty(self, order):
        return self.levels[order.side][order.price][order.id]

    def command(self, row):
        """A row of the form csv."""
        time_s, order_id = int(row["ts"]) / 1e9, int(row["order_id"])
        price = round(float(row["price"]) / self.tick) if row["price"] else None
        qty = int(float(row["qty"])) if row["qty"] else None
        kind = row["msg_type"]
        if kind in ("add", "market", "ioc"):
            side = 1 if row["side"] == "buy" else -1
            left = self.trade(time_s, side, None if kind == "market" else price, qty)
            if kind == "add" and left > 0:
                self.add(time_s, Order(order_id, side, price), left)
            return
        order = self.orders[order_id]
        there = self.open_qty(order)
        if kind == "cancel":
            self.take_off(time_s, DELETE, order, there)
        elif price in (None, order.price) and qty <= there:
            if qty < there:
                self.take_off(time_s, REDUCE, order, there - qty)
        else:
            self.take_off(time_s, DELETE, order, there)
            # LOBSTER gives what comes in again a number of its own.
            self.orders.pop(order_id, None)
            self.add(time_s, Order(order_id, order.side, price or order.price), qty)

    def day(self):
        messages, book = np.array(self.messages), np.array(self.book, dtype=float)
        whole = (book[:, 1] > 0) & (book[:, 3] > 0)
        return Day(messages[whole], book[whole])


def simulated_day(path, tick):
    opened = gzip.open if str(path).endswith(".gz") else open
    observer = Observer(tick)
    with opened(path, "rt", encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            observer.command(row)
    return observer.day()


def lifetimes_seen(day):
    """Seconds from an order's coming to its cancellation, where both were seen."""
    born, seconds = {}, []
    for time_ns, kind, order in zip(day.time_ns.tolist(), day.kind.tolist(), day.order.tolist()):
        if kind == NEW:
            born[order] = time_ns
        elif kind == DELETE and order in born:
            seconds.append((time_ns - born.pop(order)) / 1e9)
    return np.array(seconds)


def by_time(day, values):
    """Values as they stood at the end of every tenth of a second."""
    at = np.arange((OPEN_S + 60) * 10, CLOSE_S * 10) * 10**8
    return values[np.searchsorted(day.time_ns, at) - 1]


def measures(day):
    return {
        "spread": by_time(day, day.spread()),
        "depth": np.concatenate([by_time(day, day.bid_qty), by_time(day, day.ask_qty)]),
        "interarrival": np.diff(day.event_times()),
        "lifetime": lifetimes_seen(day),
    }


TITLES = {
    "spread": ("Spread", "ticks", (1, 60), "linear"),
    "depth": ("Depth at the best price", "shares", (1, 3000), "log"),
    "interarrival": ("Time between events", "seconds", (1e-5, 30), "log"),
    "lifetime": ("Lifetime of cancelled orders", "seconds", (1e-5, 100), "log"),
}


def curve(values, limits, scale):
    """The distribution function at a few points."""
    low, high = limits
    x = np.linspace(low, high, high - low + 1) if scale == "linear" else \
        np.geomspace(low, high, POINTS)
    return x, np.searchsorted(np.sort(values), x, side="right") / len(values)


def plot(name, real, simulated, folder):
    title, unit, limits, scale = TITLES[name]
    figure, axes = pyplot.subplots(figsize=(5.2, 3.2), constrained_layout=True)
    step = "steps-post" if scale == "linear" else "default"
    for values, label, style in [(real, "AAPL, 2012-06-21", "-"), (simulated, "simulated", "--")]:
        axes.plot(*curve(values, limits, scale), style, label=label, drawstyle=step)
    axes.set(title=title, xlabel=unit, ylabel="share not above", xscale=scale, xlim=limits,
             ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    folder.mkdir(exist_ok=True)
    figure.savefig(folder / f"simulate_{name}.svg", metadata={"Date": None})
    pyplot.close(figure)


def table(real, simulated):
    """The rows of RESULTS.md."""
    lines = ["| | | 5% | 25% | median | 75% | 95% | KS |", "|---|---|---|---|---|---|---|---|"]
    for name, (title, unit, _, _) in TITLES.items():
        distance = stats.ks_2samp(real[name], simulated[name]).statistic
        for values, who in [(real[name], "AAPL"), (simulated[name], "simulated")]:
            points = " | ".join(f"{value:.3g}" for value in
                                np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]))
            head = f"{title}, {unit}" if who == "AAPL" else ""
            tail = f"{distance:.3f}" if who == "AAPL" else ""
            lines.append(f"| {head} | {who} | {points} | {tail} |")
    return "\n".join(lines)


def facts(day):
    counts = {kind: int((day.kind == kind).sum()) for kind in (NEW, REDUCE, DELETE, FILL)}
    mid = (day.bid + day.ask) / 2
    steps = {minutes: np.diff(mid[np.searchsorted(
        day.time_ns, np.arange(OPEN_S + 60, CLOSE_S, 60 * minutes) * 10**9) - 1]).std()
             for minutes in (1, 30)}
    return (f"{len(day.event_times())} events seen: {counts[NEW]} new, {counts[DELETE]} deleted, "
            f"{counts[REDUCE]} reduced, {counts[FILL]} fills of {len(day.takers()[0])} aggressors; "
            f"mid price moves {steps[1]:.1f} ticks a minute, {steps[30]:.0f} in half an hour")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=pathlib.Path, help="the folder of the zips")
    parser.add_argument("--simulated", required=True, help="a file of outcry simulate, form csv")
    parser.add_argument("--tick", type=float, default=0.01)
    parser.add_argument("--plots", type=pathlib.Path, default=PLOTS, help="where plots go")
    options = parser.parse_args()
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "outcry", "font.size": 9})
    real_day = Day.of_zip(options.data / "AAPL_1.zip")
    simulated = simulated_day(options.simulated, options.tick)
    print("AAPL:", facts(real_day))
    print("simulated:", facts(simulated))
    real, flow = measures(real_day), measures(simulated)
    for name in TITLES:
        plot(name, real[name], flow[name], options.plots)
    print(table(real, flow))


if __name__ == "__main__":
    main()
