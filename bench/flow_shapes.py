#!/usr/bin/python3
"""Measure two real days and fit the shapes that `outcry simulate` draws from.

    bench/flow_shapes.py --data .../lobster            what was measured, as a table
    bench/flow_shapes.py --data .../lobster --write    and services/simulate/flow_shapes.h from it

The days are LOBSTER's samples AAPL_1.zip, where one level is seen, and GOOG_5.zip, with five. What
an observer of so few levels cannot see is allowed for: lifetimes are estimated with orders that
leave the window as censored (Kaplan and Meier 1958), distances behind the best are measured while
the five levels reach far enough.

Executions of hidden orders are left out: they do not change the book. Fills of one aggressor are
one event, and a deletion with a new order on the same side in the same nanosecond is one amend.
Needs python3-numpy and python3-scipy.
"""

import argparse
import io
import pathlib
import subprocess
import zipfile

import numpy as np
from scipy import optimize, stats

from flow_shapes_header import header_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "services" / "simulate" / "flow_shapes.h"
NEW, REDUCE, DELETE, FILL, HIDDEN = 1, 2, 3, 4, 5
OPEN_S, CLOSE_S = 34200, 57600
TABLE = 64  # a quantile table has TABLE + 1 points
BURST_S = 0.1
NEAR = 0.25  # medians of the spread: behind the best, but not far
REACH = 0.5  # distances are measured when the window reaches so far
SPREAD_BINS = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0]  # upper edges, in medians


class Day:
    """A day as an observer of the first levels has it: messages, and the book behind each. Prices
    are in ticks."""

    def __init__(self, messages, book):
        keep = messages[:, 1] != HIDDEN
        messages, book = messages[keep], book[keep]
        self.time_ns = np.round(messages[:, 0] * 1e9).astype(np.int64)
        self.kind = messages[:, 1].astype(int)
        self.order = messages[:, 2].astype(np.int64)
        self.qty = messages[:, 3]
        self.price = messages[:, 4]
        self.side = messages[:, 5].astype(int)  # 1: the resting order buys
        self.ask, self.ask_qty, self.bid, self.bid_qty = book[:, :4].T
        self.far_ask, self.far_bid = book[:, -4], book[:, -2]

    @staticmethod
    def of_zip(path):
        with zipfile.ZipFile(path) as archive:
            def table(word):
                name = next(name for name in archive.namelist() if word in name)
                return np.loadtxt(io.BytesIO(archive.read(name)), delimiter=",")
            messages, book = table("message"), table("orderbook")
        messages[:, 4] /= 100
        book[:, 0::2] /= 100
        return Day(messages, book)

    def spread(self):
        return self.ask - self.bid

    def before(self, values):
        """As it stood before each message."""
        return np.concatenate([[np.nan], values[:-1]])

    def distance(self):
        """From the best price of the same side before: below zero is inside the spread."""
        return np.where(self.side == 1, self.before(self.bid) - self.price,
                        self.price - self.before(self.ask))

    def continues(self):
        """Whether a message belongs to the event of the one before it."""
        same = (np.diff(self.time_ns) == 0) & (np.diff(self.side) == 0)
        fills = (self.kind[1:] == FILL) & (self.kind[:-1] == FILL)
        amends = (self.kind[1:] == NEW) & (self.kind[:-1] == DELETE)
        return np.concatenate([[False], same & (fills | amends)]), \
            np.concatenate([[False], same & amends])

    def event_times(self):
        """Seconds since the opening, one an event."""
        return (self.time_ns[~self.continues()[0]] - OPEN_S * 10**9) / 1e9

    def takers(self):
        """Of each aggressor: its quantity, and what stood at the touch before it."""
        fill = self.kind == FILL
        group = np.cumsum(~self.continues()[0])[fill]
        qty = np.bincount(group, self.qty[fill])
        first = np.unique(group, return_index=True)[1]
        touch = np.where(self.side == 1, self.before(self.bid_qty), self.before(self.ask_qty))
        return qty[qty > 0], touch[fill][first]


# ---- arrivals ----

def excitement_of(beta, gaps):
    """The sum of e^(-beta age) over all events before, at each event."""
    excited, excitement = 0.0, [0.0]
    for kept in np.exp(-beta * gaps).tolist():
        excited = kept * (excited + 1.0)
        excitement.append(excited)
    return np.array(excitement)


def hawkes_negative_log_likelihood(parameters, gaps, left_s, span_s):
    count = (len(parameters) - 1) // 2
    base = np.exp(parameters[0])
    branching = 1 / (1 + np.exp(-parameters[1:1 + count]))
    decay = np.exp(parameters[1 + count:])
    if branching.sum() >= 0.98:
        return 1e12
    intensity = np.full(len(left_s), base)
    expected = base * span_s
    for n, beta in zip(branching, decay):
        intensity += n * beta * excitement_of(beta, gaps)
        expected += n * np.sum(1 - np.exp(-beta * left_s))
    return expected - np.log(intensity).sum()


def fit_hawkes(times, count):
    """Maximum likelihood of a Hawkes process whose kernel is a sum of `count` exponentials:
    base rate, branching ratios, decays (1/s), log likelihood an event over Poisson's, and how far
    the integrals of the intensity between events are from exponential."""
    span_s = CLOSE_S - OPEN_S
    rate = len(times) / span_s
    start = [np.log(rate * 0.3)] + [np.log(0.7 / count / (1 - 0.7 / count))] * count
    start += list(np.log([5000, 250, 2][:count]))
    found = optimize.minimize(hawkes_negative_log_likelihood, start, method="Nelder-Mead",
                              args=(np.diff(times), span_s - times, span_s),
                              options={"maxiter": 400 * count, "xatol": 1e-3, "fatol": 0.5})
    p = found.x
    gain = -found.fun / len(times) - (np.log(rate) - 1)
    base, branching, decay = np.exp(p[0]), 1 / (1 + np.exp(-p[1:1 + count])), np.exp(p[1 + count:])
    gaps = np.diff(times)
    integrals = base * gaps
    for n, beta in zip(branching, decay):
        integrals += n * (1 - np.exp(-beta * gaps)) * (excitement_of(beta, gaps)[:-1] + 1)
    return base, branching, decay, gain, stats.kstest(integrals, "expon").statistic


# ---- lifetimes ----

def lifetimes(day, wanted):
    """How long the wanted new orders stay: seconds, and whether they were cancelled then; else they
    were filled or left the window, and no more is known of them."""
    active = {1: {}, -1: {}}
    seconds, cancelled = [], []

    def leave(side, order, now, was_cancelled):
        born = active[side].pop(order)[0]
        seconds.append((now - born) / 1e9)
        cancelled.append(was_cancelled)

    for i in range(len(day.kind)):
        side, order, now = int(day.side[i]), int(day.order[i]), int(day.time_ns[i])
        if day.kind[i] == NEW and wanted[i]:
            active[side][order] = [now, day.price[i], day.qty[i]]
        elif order in active[side]:
            if day.kind[i] == DELETE:
                leave(side, order, now, True)
            else:
                active[side][order][2] -= day.qty[i]
                if active[side][order][2] <= 0:
                    leave(side, order, now, False)
        edge = day.far_bid[i] if side == 1 else day.far_ask[i]
        for other in [o for o, known in active[side].items() if (known[1] - edge) * side < 0]:
            leave(side, other, now, False)
    return np.array(seconds), np.array(cancelled)


def outbid_lifetimes(day):
    """The same, of orders at the best price, from when another betters it."""
    distance, since = day.distance(), {}
    best = {1: {}, -1: {}}  # ids and prices of those not outbid yet
    seconds, cancelled = [], []

    def leave(order, now, was_cancelled):
        if order in since:
            seconds.append((now - since.pop(order)) / 1e9)
            cancelled.append(was_cancelled)
    for i in range(1, len(day.kind)):
        side, order, now = int(day.side[i]), int(day.order[i]), int(day.time_ns[i])
        edge = day.far_bid[i] if side == 1 else day.far_ask[i]
        for other in [o for o, price in best[side].items() if (price - edge) * side < 0]:
            leave(other, now, False)
            del best[side][other]
        if day.kind[i] == NEW:
            touch = day.bid[i - 1] if side == 1 else day.ask[i - 1]
            for other, price in best[side].items():
                if distance[i] < 0 and price == touch:
                    since.setdefault(other, now)
            best[side][order] = day.price[i]
        elif day.kind[i] in (DELETE, FILL) and best[side].pop(order, None) is not None:
            leave(order, now, day.kind[i] == DELETE)
    return np.array(seconds), np.array(cancelled)


def kaplan_meier_quantiles(seconds, cancelled):
    """The quantiles of the time to cancellation; beyond what was seen an exponential with the
    hazard of its last part."""
    order = np.argsort(seconds)
    seconds, cancelled = seconds[order], cancelled[order]
    at_risk = len(seconds) - np.arange(len(seconds))
    alive = np.cumprod(1 - cancelled / at_risk)
    trusted = at_risk > 200
    last = np.flatnonzero(trusted)[-1]
    middle = np.flatnonzero(alive[:last + 1] <= alive[last] ** 0.5)[0]
    hazard = np.log(alive[middle] / alive[last]) / (seconds[last] - seconds[middle])
    quantiles = []
    for i in range(TABLE + 1):
        left = 1 - i / TABLE if i < TABLE else 1 / TABLE / 8
        known = np.flatnonzero(alive[:last + 1] <= left)
        quantiles.append(seconds[known[0]] if len(known) else
                         seconds[last] + np.log(alive[last] / left) / hazard)
    return np.array(quantiles), 1 - alive[last]


# ---- placement ----

def placement(day):
    """Of new orders: the distance from the best, the spread before, the window's depth."""
    new = (day.kind == NEW) & (np.arange(len(day.kind)) > 0)
    window = np.where(day.side == 1, day.before(day.bid) - day.before(day.far_bid),
                      day.before(day.far_ask) - day.before(day.ask))
    spread = day.before(day.spread())
    return day.distance()[new], spread[new], window[new]


def by_spread(day, median):
    """Of each bin of the spread: the share of time, and a second of it, how many orders come inside
    the spread, at the best price, and to take."""
    before = day.before(day.spread()) / median
    gaps = np.diff(day.time_ns) / 1e9
    new = (day.kind == NEW) & (np.arange(len(day.kind)) > 0)
    take = (day.kind == FILL) & ~day.continues()[0]
    rows = []
    for low, high in zip([0] + SPREAD_BINS, SPREAD_BINS + [np.inf]):
        chosen = (before > low) & (before <= high)
        seconds = gaps[chosen[1:]].sum()
        counts = [(chosen & which).sum() for which in
                  (new & (day.distance() < 0), new & (day.distance() == 0), take)]
        rows.append([seconds / gaps.sum(), *(count / seconds for count in counts)])
    return np.array(rows)


def bursts(day):
    """How events that follow within BURST_S hang together: how much more often than all a new order
    comes at or inside the best price when the event before did, and when it did not; and the share
    of events on the side of the one before."""
    first = np.flatnonzero(~day.continues()[0])[1:]
    top = day.distance()[first] <= 0
    side, new = day.side[first], day.kind[first] == NEW
    close = np.diff(day.time_ns[first]) < BURST_S * 1e9
    after = new[1:] & close
    usual = top[new].mean()
    return (top[1:][after & top[:-1]].mean() / usual, top[1:][after & ~top[:-1]].mean() / usual,
            (side[1:] == side[:-1])[close].mean())


def quantiles(values, last=0.999):
    at = np.linspace(0, 1, TABLE + 1)
    at[-1] = last
    return np.quantile(values, at)


# ---- all of it ----

def measure(data):
    """Everything that is fitted, by name."""
    aapl = Day.of_zip(pathlib.Path(data) / "AAPL_1.zip")
    goog = Day.of_zip(pathlib.Path(data) / "GOOG_5.zip")
    m = {}

    _, amends = goog.continues()
    takers = len(goog.takers()[0])
    counts = np.array([(goog.kind == NEW).sum() - amends.sum(),
                       (goog.kind == DELETE).sum() - amends.sum(),
                       amends.sum() + (goog.kind == REDUCE).sum(), takers])
    m["mix"] = counts / counts.sum() * 100
    m["goog_rate"] = counts.sum() / (CLOSE_S - OPEN_S)
    m["aapl_takers_per_s"] = len(aapl.takers()[0]) / (CLOSE_S - OPEN_S)
    m["aapl_rate"] = m["aapl_takers_per_s"] / (m["mix"][3] / 100)

    times = goog.event_times()
    m["events"] = len(times)
    m["hawkes"] = {count: fit_hawkes(times, count) for count in (1, 2, 3)}
    m["hawkes_aapl"] = fit_hawkes(aapl.event_times(), 3)
    m["aapl_seen_rate"] = len(aapl.event_times()) / (CLOSE_S - OPEN_S)
    m["poisson_ks"] = stats.kstest(np.diff(times) * m["goog_rate"], "expon").statistic
    m["bursts"] = bursts(goog)

    m["spread"] = np.median(aapl.spread())
    m["state"] = by_spread(aapl, m["spread"])
    distance, spread, _ = placement(aapl)
    improving = (distance < 0) & (spread >= 3)
    m["one_tick"] = [
        (distance[improving & (spread > low) & (spread <= high)] == -1).mean() for low, high in
        zip(np.array([0] + SPREAD_BINS) * m["spread"], np.array(SPREAD_BINS + [99]) * m["spread"])]
    further = improving & (distance < -1)
    m["further_count"] = further.sum()
    m["improvement"] = quantiles(-distance[further] / spread[further], 1.0)
    m["inside_share"] = (distance < 0).mean()

    distance, _, window = placement(goog)
    m["goog_spread"] = np.median(goog.spread())
    chosen = distance[window >= REACH * m["goog_spread"]]
    m["behind_share"] = (chosen > 0).mean()
    m["behind_count"] = len(chosen)
    m["behind"] = quantiles(chosen[chosen > 0] / m["goog_spread"], 0.995)

    m["size_count"] = (aapl.kind == NEW).sum()
    m["size_median"] = np.median(aapl.qty[aapl.kind == NEW])
    m["size"] = quantiles(aapl.qty[aapl.kind == NEW] / m["size_median"])
    m["size_goog"] = quantiles(goog.qty[goog.kind == NEW] / np.median(goog.qty[goog.kind == NEW]))

    qty, touch = aapl.takers()
    ratio = qty / touch
    m["take_count"] = len(qty)
    m["take_less"], m["take_all"], m["take_more"] = \
        (ratio < 1).mean(), (ratio == 1).mean(), (ratio > 1).mean()
    m["take_less_table"] = quantiles(ratio[ratio < 1], 1.0)
    m["take_more_table"] = quantiles((qty - touch)[ratio > 1] / m["size_median"], 0.995)

    m["life"], m["life_seen"], m["life_count"] = {}, {}, {}
    near = NEAR * m["goog_spread"]
    for name, day, where in [
            ("inside", aapl, aapl.distance() < 0), ("at", aapl, aapl.distance() == 0),
            ("near", goog, (goog.distance() > 0) & (goog.distance() <= near)),
            ("far", goog, goog.distance() > near)]:
        rate = m["goog_rate"] if day is goog else m["aapl_rate"]
        seconds, cancelled = lifetimes(day, where)
        table, m["life_seen"][name] = kaplan_meier_quantiles(seconds, cancelled)
        m["life"][name], m["life_count"][name] = table * rate, len(seconds)
    seconds, cancelled = outbid_lifetimes(goog)
    table, m["life_seen"]["outbid"] = kaplan_meier_quantiles(seconds, cancelled)
    m["life"]["outbid"], m["life_count"]["outbid"] = table * m["goog_rate"], len(seconds)
    for name, where in [("inside", goog.distance() < 0), ("at", goog.distance() == 0)]:
        m["life"][name + " (GOOG)"] = \
            kaplan_meier_quantiles(*lifetimes(goog, where))[0] * m["goog_rate"]

    reduced, amended = (aapl.kind == REDUCE).sum(), aapl.continues()[1].sum()
    m["reductions"] = reduced / (reduced + amended)

    mid = (aapl.ask + aapl.bid) / 2
    for minutes in (1, 30):
        at = np.arange(OPEN_S + 60, CLOSE_S, 60 * minutes) * 10**9
        steps = np.diff(mid[np.searchsorted(aapl.time_ns, at) - 1])
        m[f"volatility_{minutes}"] = steps.std() / m["spread"] / np.sqrt(
            60 * minutes * m["aapl_rate"])
    over = (m["volatility_1"] ** 2 - m["volatility_30"] ** 2) * 60 * m["aapl_rate"]
    m["wobble"] = np.sqrt(over / 2)
    return m


def report(m):
    print("mix (new cancel amend take), %:", m["mix"].round(2))
    print(f"rates: GOOG {m['goog_rate']:.2f}/s, AAPL {m['aapl_rate']:.2f}/s by its takers "
          f"({m['aapl_takers_per_s']:.3f}/s), {m['aapl_seen_rate']:.2f}/s seen at the touch")
    for count, (base, n, beta, gain, error) in m["hawkes"].items():
        print(f"Hawkes of {count}: base {base:.3f}/s, branching {n.round(4)}, decay {beta.round(3)}"
              f"/s, {gain:.3f} nats an event over Poisson, KS {error:.3f}")
    print("  AAPL:", m["hawkes_aapl"])
    for name in ("spread", "state", "bursts", "inside_share", "one_tick", "behind", "behind_share",
                 "behind_count", "size_median", "size", "size_goog", "take_less",
                 "take_all", "take_more", "volatility_1", "volatility_30", "life_seen"):
        print(f"{name}: {m[name]}")
    for name, table in m["life"].items():
        print(f"lifetime {name}, commands:", np.asarray(table)[::4].round(3))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="the folder of the zips")
    parser.add_argument("--write", action="store_true", help=f"write {HEADER.relative_to(ROOT)}")
    options = parser.parse_args()
    m = measure(options.data)
    report(m)
    if options.write:
        HEADER.write_text(header_of(m, TABLE, SPREAD_BINS, NEAR, BURST_S), encoding="ascii")
        subprocess.run(["clang-format", "-i", str(HEADER)], check=True)


if __name__ == "__main__":
    main()
