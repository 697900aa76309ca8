/* flow_shapes: what two real days looked like, as numbers: NASDAQ's AAPL and GOOG of
 * 2012-06-21, from LOBSTER's samples of one and of five levels. Written by bench/flow_shapes.py,
 * which says how each was estimated; do not edit.
 *
 * Units: a price distance is in medians of the spread (15 ticks of AAPL,
 * 28 of GOOG), a time in mean intervals between commands (13.47/s for
 * AAPL, by its 0.770 aggressors a second; 4.43/s seen of GOOG), a
 * size in medians of it (100 shares). A table of FLOW_TABLE + 1 numbers holds
 * quantiles at equal steps of probability; between them a straight line is drawn. Its last entry
 * may be cut (at the 99.5th percentile or so), so that one order out of a thousand does not rule.
 *
 * Of GOOG's 103767 events 49.9% are new orders, 41.4% cancels, 3.1%
 * amends and 5.7% aggressors. */
#ifndef OUTCRY_SIMULATE_FLOW_SHAPES_H
#define OUTCRY_SIMULATE_FLOW_SHAPES_H

enum { FLOW_TABLE = 64, FLOW_KERNELS = 3, FLOW_SPREAD_BINS = 9 };

/* Arrivals: a Hawkes process whose kernel is a sum of three exponentials, by
 * maximum likelihood on the 103767 events of GOOG. It gains 2.89 nats an event
 * over a Poisson process; one exponential gains 2.57, two 2.86. The integrals
 * of its intensity between events, which should be exponential, are so within a
 * Kolmogorov-Smirnov distance of 0.032 (of a Poisson process 0.599).
 * First how many events each part brings forth per event */
static const double flow_branching[FLOW_KERNELS] = {0.4574, 0.2412, 0.1447};

/* then how fast it decays, per mean interval */
static const double flow_decay[FLOW_KERNELS] = {736, 16.59, 0.2238};

/* Bursts: what follows within so many intervals hangs together. GOOG */
static const double flow_burst = 0.4434;

/* How much more often new orders come inside the spread or at the best price if
 * what was before did */
static const double flow_burst_top = 1.43;

/* and if it did not */
static const double flow_burst_behind = 0.6869;

/* Share on the side of what was before */
static const double flow_burst_side = 0.6805;

/* What depends on how wide the spread is: AAPL, in bins up to these edges; the
 * last is wider than all. Of its time it was in them 1 8 20 27 17 15 10 1 0% */
static const double flow_spread_edges[FLOW_SPREAD_BINS - 1] = {0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3};

/* How many orders come inside the spread, for each that comes on average
 * anywhere */
static const double flow_inside[FLOW_SPREAD_BINS] = {0.1978, 0.1819, 0.14,   0.1579, 0.1992,
                                                     0.2788, 0.4428, 0.9795, 2.239};

/* and how many at the best price */
static const double flow_at[FLOW_SPREAD_BINS] = {0.4716, 0.1863, 0.1037, 0.09885, 0.1137,
                                                 0.1451, 0.2086, 0.2889, 0.2269};

/* How much more often than on average aggressors come */
static const double flow_take[FLOW_SPREAD_BINS] = {10.19,  3.265, 1.258,  0.6674, 0.484,
                                                   0.4154, 0.289, 0.4243, 0.3988};

/* Of those inside, who betters the price by one tick, where more was possible */
static const double flow_one_tick[FLOW_SPREAD_BINS] = {0.9113, 0.5864, 0.4999, 0.4618, 0.4179,
                                                       0.3792, 0.3238, 0.3141, 0.2409};

/* By how much the others better it, as a share of the spread:
 * 19932 orders of AAPL */
static const double flow_improvement[FLOW_TABLE + 1] = {
    0.0241, 0.06452, 0.07407, 0.08,   0.08333, 0.09091, 0.09524, 0.09677, 0.1,    0.1053, 0.1071,
    0.1111, 0.1154,  0.1176,  0.12,   0.125,   0.125,   0.1333,  0.1364,  0.1429, 0.1429, 0.15,
    0.1538, 0.1538,  0.16,    0.1667, 0.1667,  0.1765,  0.1818,  0.1875,  0.2,    0.2,    0.2105,
    0.2174, 0.2273,  0.2326,  0.25,   0.25,    0.2632,  0.2727,  0.2857,  0.2941, 0.3077, 0.3279,
    0.3333, 0.3529,  0.3667,  0.381,  0.4,     0.4118,  0.4286,  0.4444,  0.4615, 0.4783, 0.5,
    0.5,    0.5333,  0.5625,  0.6,    0.6364,  0.6818,  0.7333,  0.7857,  0.8571, 0.9677};

/* New orders behind the best price: of GOOG's 33314, while its five
 * levels reached half a median of the spread */
static const double flow_behind_share = 0.6407;

/* How far behind: the same orders */
static const double flow_behind[FLOW_TABLE + 1] = {
    0.03571, 0.03571, 0.03571, 0.03571, 0.03571, 0.07143, 0.07143, 0.07143, 0.07143, 0.1071, 0.1429,
    0.1429,  0.1786,  0.1786,  0.2143,  0.2143,  0.2143,  0.25,    0.25,    0.2857,  0.2857, 0.2857,
    0.3214,  0.3214,  0.3571,  0.3571,  0.3571,  0.3929,  0.3929,  0.3929,  0.4286,  0.4286, 0.4286,
    0.4643,  0.4643,  0.4643,  0.5,     0.5,     0.5,     0.5357,  0.5357,  0.5357,  0.5357, 0.5714,
    0.5714,  0.6071,  0.6071,  0.6429,  0.6429,  0.6429,  0.6786,  0.7143,  0.7143,  0.75,   0.75,
    0.7857,  0.8214,  0.8571,  0.8929,  0.9286,  1,       1,       1.071,   1.321,   2.143};

/* What is near the best price */
static const double flow_near = 0.25;

/* Sizes of new orders: the 54818 of AAPL. Over half are one round
 * lot */
static const double flow_size[FLOW_TABLE + 1] = {
    0.01, 0.01, 0.04, 0.05, 0.06, 0.07, 0.08, 0.08, 0.09, 0.1,  0.14, 0.17, 0.18,
    0.18, 0.18, 0.18, 0.18, 0.18, 0.2,  0.23, 0.3,  0.5,  0.64, 1,    1,    1,
    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,
    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,    1,
    1,    1,    1,    1,    1,    1,    1,    2,    2,    2,    2,    3,    15.16};

/* Lifetimes until cancellation, were they not filled, of
 * 34279 orders placed inside the spread: AAPL;
 * 83% of the distribution was seen, the rest is an exponential */
static const double flow_life_inside[FLOW_TABLE + 1] = {
    6.964e-06, 0.002483, 0.006224, 0.00643, 0.009303, 0.01089, 0.01695, 0.02731, 0.04565, 0.07642,
    0.1363,    0.3153,   0.6952,   1.257,   1.566,    1.739,   1.961,   2.018,   2.076,   2.174,
    2.383,     2.695,    3.07,     3.527,   4.034,    4.596,   4.68,    4.713,   4.751,   4.788,
    4.856,     5.115,    5.89,     6.68,    7.006,    7.67,    8.871,   10.19,   11.92,   13.63,
    15.77,     18.57,    22.07,    26.16,   29.64,    35.67,   42.27,   50.22,   61.2,    69.62,
    82.69,     93.98,    113.9,    131.6,   144.6,    159,     175.1,   193.3,   214.4,   239.2,
    269.7,     309,      364.3,    459,     742.8};

/* Lifetimes until cancellation, were they not filled, of
 * 20538 orders placed at the best price: AAPL;
 * 57% of the distribution was seen, the rest is an exponential */
static const double flow_life_at[FLOW_TABLE + 1] = {
    1.026e-05, 0.006295, 0.01579, 0.03606, 0.07368, 0.1543, 0.3486, 0.6905, 1.322, 1.726, 2.073,
    2.58,      3.218,    3.992,   4.728,   5.372,   6.273,  6.934,  8.42,   10.43, 12.69, 14.94,
    17.75,     22.62,    26.78,   31.26,   37.67,   46.1,   55.39,  64.51,  71.71, 83.23, 94.6,
    107.8,     120.7,    132.7,   141.3,   160.1,   172.3,  185,    198.2,  212,   226.4, 241.4,
    257.2,     273.8,    291.4,   309.9,   329.5,   350.4,  372.7,  396.7,  422.6, 450.8, 481.7,
    515.8,     553.9,    597.2,   647.1,   706.1,   778.4,  871.5,  1003,   1227,  1901};

/* Lifetimes until cancellation, were they not filled, of
 * 13493 orders placed near it: GOOG;
 * 93% of the distribution was seen, the rest is an exponential */
static const double flow_life_near[FLOW_TABLE + 1] = {
    6.74e-06, 0.000787, 0.001731, 0.002566, 0.00413, 0.006148, 0.00948, 0.0137, 0.02616, 0.04045,
    0.06975,  0.1027,   0.1444,   0.1943,   0.2686,  0.4015,   0.5533,  0.7853, 1.078,   1.328,
    1.728,    2.108,    2.372,    2.761,    3.312,   3.88,     4.451,   5.042,  5.793,   6.59,
    7.625,    8.583,    9.264,    10.33,    11.5,    12.96,    14.22,   15.9,   17.67,   19.54,
    21.42,    22.91,    24.79,    27.29,    29.98,   32.93,    36.02,   39.98,  44,      48.07,
    52,       56.85,    62.34,    69.11,    75.98,   84.79,    95.57,   105.8,  118.1,   140.9,
    161.5,    185.6,    219.6,    277.7,    452.1};

/* Lifetimes until cancellation, were they not filled, of
 * 17033 orders placed further behind: GOOG;
 * 91% of the distribution was seen, the rest is an exponential */
static const double flow_life_far[FLOW_TABLE + 1] = {
    7.92e-06, 0.001804, 0.004686, 0.01172, 0.02371, 0.04399, 0.06812, 0.09293, 0.1351, 0.1789,
    0.2494,   0.3568,   0.4988,   0.7102,  0.9431,  1.218,   1.517,   1.863,   2.216,  2.464,
    2.884,    3.373,    3.945,    4.432,   4.884,   5.515,   6.104,   6.817,   7.729,  8.525,
    9.212,    10.25,    11.41,    12.53,   13.77,   15.26,   16.62,   18.14,   19.94,  21.43,
    23.03,    24.56,    26.97,    29.3,    32.09,   34.77,   37.34,   40.17,   43.37,  46.73,
    51.93,    56.58,    62.42,    67.65,   74.49,   82.61,   91.13,   102.8,   121.2,  136.7,
    153.7,    175.8,    206.8,    259.8,   418.9};

/* Lifetimes until cancellation, were they not filled, of
 * 12310 orders at the best price, from when another betters it: GOOG;
 * 92% of the distribution was seen, the rest is an exponential */
static const double flow_life_outbid[FLOW_TABLE + 1] = {
    3.987e-06, 0.0001142, 0.0002121, 0.0004238, 0.0004789, 0.0005039, 0.0005696, 0.0006559,
    0.0007399, 0.00091,   0.0009748, 0.001042,  0.001124,  0.001525,  0.002602,  0.003861,
    0.00628,   0.01395,   0.02145,   0.04276,   0.07279,   0.1445,    0.2512,    0.4969,
    0.8279,    1.217,     1.807,     2.329,     3.105,     3.986,     4.856,     5.759,
    6.766,     7.897,     8.894,     10.09,     11.31,     12.76,     14.49,     16.31,
    18.04,     20.07,     21.65,     22.86,     24.53,     27.46,     30.47,     34.17,
    38.37,     42.61,     47.32,     53.54,     59.73,     68.28,     75.99,     87.44,
    101.8,     120,       146.1,     171.4,     196.8,     228.8,     273.9,     350.9,
    582};

/* Share of amends that only make an order smaller: AAPL; the others are a deletion
 * and a new order in the same nanosecond */
static const double flow_reductions = 0.1442;

/* Aggressors: share of AAPL's 18016 that takes less than what stands
 * at the best price */
static const double flow_take_less = 0.3531;

/* exactly that; the rest more */
static const double flow_take_all = 0.6076;

/* How much of what stands there: those who take less */
static const double flow_less[FLOW_TABLE + 1] = {
    0.0001743, 0.008057, 0.01037, 0.01912, 0.02564, 0.03333, 0.04496, 0.0533, 0.06604, 0.07713,
    0.09091,   0.1,      0.1078,  0.12,    0.1311,  0.143,   0.16,    0.1739, 0.1902,  0.2,
    0.2141,    0.2312,   0.25,    0.2525,  0.2742,  0.2906,  0.3077,  0.33,   0.3333,  0.3448,
    0.365,     0.39,     0.4,     0.425,   0.445,   0.4651,  0.49,    0.5,    0.5,     0.5,
    0.5,       0.5051,   0.5263,  0.5495,  0.57,    0.6,     0.6204,  0.6494, 0.6667,  0.6714,
    0.7,       0.7265,   0.75,    0.7752,  0.8,     0.8,     0.8333,  0.8542, 0.885,   0.9009,
    0.9259,    0.9381,   0.96,    0.98,    0.9994};

/* and how much more, in median sizes */
static const double flow_more[FLOW_TABLE + 1] = {
    0.01,   0.03,   0.05, 0.06, 0.07,   0.07,  0.08,   0.08,   0.09,   0.11,  0.1331,
    0.1534, 0.18,   0.18, 0.2,  0.25,   0.275, 0.3,    0.3156, 0.3559, 0.39,  0.43,
    0.47,   0.5,    0.5,  0.54, 0.5881, 0.66,  0.7188, 0.74,   0.78,   0.8,   0.82,
    0.82,   0.8506, 0.9,  0.92, 0.93,   0.95,  0.96,   0.97,   0.99,   1,     1,
    1,      1,      1,    1,    1,      1.117, 1.2,    1.306,  1.432,  1.597, 1.7,
    1.817,  1.897,  2,    2,    2.238,  2.78,  2.999,  3.717,  5.939,  8.607};

/* Standard deviation of the mid price over one interval, from steps of half an
 * hour: AAPL */
static const double flow_volatility = 0.05231;

/* What steps of a minute have beyond that, as the standard deviation of a price
 * that comes back: AAPL */
static const double flow_wobble = 0.7964;

#endif
