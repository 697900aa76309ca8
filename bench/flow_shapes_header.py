"""What flow_shapes.py measured, as services/simulate/flow_shapes.h; clang-format does the rest."""

import numpy as np

TOP = """/* flow_shapes: what two real days looked like, as numbers: NASDAQ's AAPL and GOOG of
 * 2012-06-21, from LOBSTER's samples of one and of five levels. Written by bench/flow_shapes.py,
 * which says how each was estimated; do not edit.
 *
 * Units: a price distance is in medians of the spread ({spread:.0f} ticks of AAPL,
 * {goog_spread:.0f} of GOOG), a time in mean intervals between commands ({aapl_rate:.2f}/s for
 * AAPL, by its {aapl_takers_per_s:.3f} aggressors a second; {goog_rate:.2f}/s seen of GOOG), a
 * size in medians of it ({size_median:.0f} shares). A table of FLOW_TABLE + 1 numbers holds
 * quantiles at equal steps of probability; between them a straight line is drawn. Its last entry
 * may be cut (at the 99.5th percentile or so), so that one order out of a thousand does not rule.
 *
 * Of GOOG's {events} events {mix[0]:.1f}% are new orders, {mix[1]:.1f}% cancels, {mix[2]:.1f}%
 * amends and {mix[3]:.1f}% aggressors. */
#ifndef OUTCRY_SIMULATE_FLOW_SHAPES_H
#define OUTCRY_SIMULATE_FLOW_SHAPES_H

enum {{ FLOW_TABLE = {table}, FLOW_KERNELS = 3, FLOW_SPREAD_BINS = {bins} }};
"""

LIVES = {
    "inside": "placed inside the spread: AAPL",
    "at": "placed at the best price: AAPL",
    "near": "placed near it: GOOG",
    "far": "placed further behind: GOOG",
    "outbid": "at the best price, from when another betters it: GOOG",
}


def table(name, size, values, comment):
    numbers = ", ".join(f"{value:.4g}" for value in values)
    return f"\n/* {comment} */\nstatic const double {name}[{size}] = {{{numbers}}};\n"


def number(name, value, comment):
    return f"\n/* {comment} */\nstatic const double {name} = {value:.4g};\n"


def quantiles(name, values, comment):
    return table(name, "FLOW_TABLE + 1", values, comment)


def by_bin(name, values, comment):
    return table(name, "FLOW_SPREAD_BINS", values, comment)


def arrivals(m, burst_s):
    gains = [fit[3] for fit in m["hawkes"].values()]
    _, branching, decay, _, error = m["hawkes"][3]
    yield table("flow_branching", "FLOW_KERNELS", branching,
                f"""Arrivals: a Hawkes process whose kernel is a sum of three exponentials, by
 * maximum likelihood on the {m["events"]} events of GOOG. It gains {gains[2]:.2f} nats an event
 * over a Poisson process; one exponential gains {gains[0]:.2f}, two {gains[1]:.2f}. The integrals
 * of its intensity between events, which should be exponential, are so within a
 * Kolmogorov-Smirnov distance of {error:.3f} (of a Poisson process {m["poisson_ks"]:.3f}).
 * First how many events each part brings forth per event""")
    yield table("flow_decay", "FLOW_KERNELS", decay / m["goog_rate"],
                "then how fast it decays, per mean interval")
    yield number("flow_burst", burst_s * m["goog_rate"],
                 "Bursts: what follows within so many intervals hangs together. GOOG")
    yield number("flow_burst_top", m["bursts"][0],
                 """How much more often new orders come inside the spread or at the best price if
 * what was before did""")
    yield number("flow_burst_behind", m["bursts"][1], "and if it did not")
    yield number("flow_burst_side", m["bursts"][2], "Share on the side of what was before")


def state(m, bins):
    share, inside, at, take = m["state"].T
    news = np.sum(share * (inside + at)) / (1 - m["behind_share"])
    shares = " ".join(f"{part * 100:.0f}" for part in share)
    yield table("flow_spread_edges", "FLOW_SPREAD_BINS - 1", bins,
                f"""What depends on how wide the spread is: AAPL, in bins up to these edges; the
 * last is wider than all. Of its time it was in them {shares}%""")
    yield by_bin("flow_inside", inside / news,
                 """How many orders come inside the spread, for each that comes on average
 * anywhere""")
    yield by_bin("flow_at", at / news, "and how many at the best price")
    yield by_bin("flow_take", take / np.sum(share * take),
                 "How much more often than on average aggressors come")
    yield by_bin("flow_one_tick", m["one_tick"],
                 "Of those inside, who betters the price by one tick, where more was possible")


def placement(m, near):
    yield quantiles("flow_improvement", m["improvement"],
                    f"""By how much the others better it, as a share of the spread:
 * {m["further_count"]} orders of AAPL""")
    yield number("flow_behind_share", m["behind_share"],
                 f"""New orders behind the best price: of GOOG's {m["behind_count"]}, while its five
 * levels reached half a median of the spread""")
    yield quantiles("flow_behind", m["behind"], "How far behind: the same orders")
    yield number("flow_near", near, "What is near the best price")
    yield quantiles("flow_size", m["size"],
                    f"""Sizes of new orders: the {m["size_count"]} of AAPL. Over half are one round
 * lot""")
    for name, who in LIVES.items():
        yield quantiles(f"flow_life_{name}", m["life"][name],
                        f"""Lifetimes until cancellation, were they not filled, of
 * {m["life_count"][name]} orders {who};
 * {m["life_seen"][name] * 100:.0f}% of the distribution was seen, the rest is an exponential""")
    yield number("flow_reductions", m["reductions"],
                 """Share of amends that only make an order smaller: AAPL; the others are a deletion
 * and a new order in the same nanosecond""")


def takers(m):
    yield number("flow_take_less", m["take_less"],
                 f"""Aggressors: share of AAPL's {m["take_count"]} that takes less than what stands
 * at the best price""")
    yield number("flow_take_all", m["take_all"], "exactly that; the rest more")
    yield quantiles("flow_less", m["take_less_table"],
                    "How much of what stands there: those who take less")
    yield quantiles("flow_more", m["take_more_table"], "and how much more, in median sizes")


def price(m):
    yield number("flow_volatility", m["volatility_30"],
                 """Standard deviation of the mid price over one interval, from steps of half an
 * hour: AAPL""")
    yield number("flow_wobble", m["wobble"],
                 """What steps of a minute have beyond that, as the standard deviation of a price
 * that comes back: AAPL""")


def header_of(m, points, bins, near, burst_s):
    """The whole file. m: what flow_shapes.measure() returns."""
    top = TOP.format(table=points, bins=len(bins) + 1, **m)
    parts = [*arrivals(m, burst_s), *state(m, bins), *placement(m, near), *takers(m), *price(m)]
    return top + "".join(parts) + "\n#endif\n"
