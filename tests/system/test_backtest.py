"""`outcry backtest`: a real day comes out as it was recorded, a dozen rows as worked out by hand, a
live run as it was live, and the same words give the same bytes."""
import collections
import csv
import gzip
import itertools
import json
import pathlib
import re
import shlex
import shutil
import zipfile

from backtest import ROWS, part, run, told, write
from cluster import equal, expect, main
from journals import checked_bytes, flip, segments

DAY_FILLS = 21_013
OUT_OF_ORDER = 25  # executions that no price-time order explains
STRATEGIES = {
    "twap": ["side=buy", "quantity=2000", "duration=21600", "slices=60"],
    "vwap": ["side=sell", "quantity=2000", "duration=21600", "slices=60"],
    "pov": ["side=buy", "quantity=2000"],
    "maker": ["position_max=500"],
}


# ---- the real day ----

def day_fills(test):
    path = test.need("lobster", "AAPL_1_trades.csv.gz")
    with gzip.open(path, "rt", encoding="ascii") as file:
        fills = list(csv.DictReader(file))
    equal(len(fills), DAY_FILLS, "fills on file")
    return fills


def day_files(test):
    """The lines of its message and orderbook files."""
    with zipfile.ZipFile(test.need("lobster", "AAPL_1.zip")) as archive:
        return [archive.read(name).decode("ascii").split()
                for word in ("_message_", "_orderbook_")
                for name in archive.namelist() if word in name]


def run_empty(test, form, history, *options):
    """The day without a strategy: its fills, and rows of the book."""
    with test.directory() as directory:
        said, result = told(test, directory, "none", "--history", history, "--symbol", "AAPL",
                            "--trades", "fills.csv", "--book-rows", "rows.csv", *options,
                            *part(test))
        with open(directory / "fills.csv", encoding="ascii") as file:
            fills = list(csv.DictReader(file))
        rows = (directory / "rows.csv").read_text(encoding="ascii").split()
    equal((result["run"]["form"], result["run"]["mode"]), (form, "exact"), "form and mode")
    equal((result["run"]["recorded_refused"], result["run"]["short_qty"]), (0, "0"),
          "refused and short")
    expect(re.search(r"^replayed \d+ recorded, 0 left out, 0 of ours; ", said, re.M), said)
    expect(len(fills) > 50 and len(rows) > 500, f"only {len(fills)} fills, {len(rows)} rows")
    return fills, rows


def check_rows(rows, book, skipped):
    for number, (found, expected) in enumerate(zip(rows, book), 1):
        if number not in skipped:
            equal(found, expected, f"book row {number}")


def the_day_as_commands_is_as_recorded(test):
    """Within an aggressor's fills the recording has rows, and the commands have none."""
    expected = day_fills(test)
    messages, book = day_files(test)
    fills, rows = run_empty(test, "commands", test.need("lobster", "AAPL_1_commands.csv.gz"),
                            "--price-unit", "0.0001")
    if test.options.scale == 1:
        equal((len(fills), len(rows)), (DAY_FILLS, len(messages)), "fills and rows")
    keys = ("taker_id", "maker_id", "price", "qty")
    for number, (found, other) in enumerate(zip(fills, expected)):
        equal([found[key] for key in keys], [other[key] for key in keys], f"fill {number}")
    # Executions of one moment and side are of one aggressor, hidden ones among them.
    lines = [line.split(",") for line in messages]
    within = {row for row, (one, other) in enumerate(itertools.pairwise(lines), 1)
              if one[1] in "45" and other[1] in "45" and (one[0], one[5]) == (other[0], other[5])}
    check_rows(rows, book, within)


def the_day_as_lobster_packs_it_is_as_recorded(test):
    """Each execution is a fill of its price and size, but for the few out of price-time order; and
    aggressor by aggressor they are those on file."""
    messages, book = day_files(test)
    fills, rows = run_empty(test, "lobster", test.need("lobster", "AAPL_1.zip"))
    check_rows(rows, book, set())
    by_row = {int(fill["row"]): (fill["price"], fill["qty"]) for fill in fills}
    equal(len(by_row), len(fills), "rows with fills")
    last = max(by_row)
    executions = {row: (price, size)
                  for row, (_, kind, _, size, price, _) in
                  enumerate((line.split(",") for line in messages[:last]), 1) if kind == "4"}
    expect(len(executions) - OUT_OF_ORDER <= len(by_row), f"{len(by_row)} of {len(executions)}")
    for row, fill in by_row.items():
        equal(fill, executions.get(row), f"the fill of row {row}")
    if test.options.scale == 1:
        equal(len(executions) - len(by_row), OUT_OF_ORDER, "executions without a fill")
        expect(len(rows) >= len(messages) - 10, f"only {len(rows)} rows")
    aggressors = collections.defaultdict(collections.Counter)
    for fill in day_fills(test):
        group = int(fill["row_first"]), int(fill["row_last"])
        aggressors[group][fill["price"]] += int(fill["qty"])
    for (first, end), expected in aggressors.items():
        found = collections.Counter()
        for row in range(first, end + 1):
            if row in by_row:
                found[by_row[row][0]] += int(by_row[row][1])
        expect(end > last or found == expected, f"rows {first} to {end}: {found}, not {expected}")


def every_strategy_ends_with_nothing_left_working(test):
    history = test.need("lobster", "AAPL_1.zip")
    for name, words in STRATEGIES.items():
        with test.directory() as directory:
            said, result = told(test, directory, name, *words, "--history", history, "--symbol",
                                "AAPL", "--latency", "0.5", "--maker-fee", "-0.2", "--taker-fee",
                                "0.3", "--csv", "results", "--html", "page.html", *part(test))
            strategy, = result["strategies"]
            figures = strategy["figures"]
            expect(said.startswith(f"{name} on AAPL"), f"its first line is {said[:80]}")
            expect(strategy["ended"], f"{name} ended for no reason")
            with open(directory / "results" / "orders.csv", encoding="utf-8") as file:
                orders = list(csv.DictReader(line for line in file if line[0] != "#"))
            sent = [order for order in orders
                    if order["reason"] != "stopping" and not order["reason"].startswith("limit: ")]
            equal(len(sent), figures["orders"], f"orders of {name}")
            expect(sent, f"{name} placed no order")
            equal({order["state"] for order in orders}, {"done"}, f"how orders of {name} ended")
            expect(figures["fills"] > 0, f"{name} had no fill")
            equal(len(strategy["fills"]), figures["fills"], f"fills of {name}")
            for key in ("pnl", "pnl_realised", "fees", "drawdown_max", "turnover", "mark",
                        "fill_ratio", "order_to_trade", "market_vwap", "market_twap",
                        "slippage_arrival", "sharpe", "sortino", "share_of_volume"):
                expect(figures[key] is not None, f"{key} of {name} is absent")
            expect("<svg" in (directory / "page.html").read_text(encoding="utf-8"), "no plot")


# ---- a dozen rows, by hand ----

DAY = "2026-11-21"


def a_dozen_rows_come_to_what_was_worked_out_by_hand(test):
    """Two slices of two lots in 40 seconds, at the best bid, without latency.

    0 s   the book: 5 at 10.00, 5 at 10.04 and 50 at 10.10; mid 10.02. We bid 2 at 10.00: 5 ahead
    2 s   b2 bids 3 at 10.00, behind us
    5 s   x1 sells 6 at 10.00: b1 5, we 1
    20 s  the slice is over: our 1 is cancelled, and buys of a1 at 10.04; a pace of 1 s later, of
          the next slice, we bid 2 at 10.00 behind the 3 of b2
    30 s  x2 sells 5: b2 3, we 2. All 4 are bought: the end

    maker 1 + 2 at 10.00, taker 1 at 10.04: 40.04 in all, 10.01 on average
    fees  -1 bp of 30.00 = -0.003, 2 bp of 10.04 = 0.002008: -0.000992
    P&L   the last mid is 10.02: 4 x 10.02 - 40.04 = 0.04, and 0.000992 of fees
    """
    with test.directory() as directory:
        write(directory, "rows.csv", ROWS.strip())
        said, result = told(
            test, directory, "twap", "side=buy", "quantity=4", "duration=40", "slices=2",
            "--history", "rows.csv", "--symbol", "ACME", "--ts-unit", "s", "--day", DAY,
            "--maker-fee", "-1", "--taker-fee", "2", "--to", "36", "--csv", "csv", "--trades",
            "trades.csv", "--book-rows", "book.csv")
        with open(directory / "csv" / "orders.csv", encoding="utf-8") as file:
            orders = list(csv.DictReader(line for line in file if line[0] != "#"))
        trades = (directory / "trades.csv").read_text(encoding="ascii").splitlines()[1:]
        book = (directory / "book.csv").read_text(encoding="ascii").split()
    equal(result["run"]["form"], "csv", "form")
    strategy, = result["strategies"]
    keys = ("type", "qty", "filled_qty", "ahead")
    equal([tuple(order[key] for key in keys) for order in orders],
          [("limit", "2", "1", "5"), ("market", "1", "1", ""), ("limit", "2", "2", "3")], "orders")
    keys = ("liquidity", "price", "qty", "position")
    equal([(fill["time"][:10], fill["time"][17:19], *(fill[key] for key in keys))
           for fill in strategy["fills"]],
          [(DAY, "05", "maker", "10.00", "1", "1"), (DAY, "20", "taker", "10.04", "1", "2"),
           (DAY, "30", "maker", "10.00", "2", "4")], "fills")
    figures = strategy["figures"]
    equal({key: figures[key] for key in (
        "position", "bought", "sold", "orders", "fills", "refused", "fees", "pnl",
        "pnl_realised", "mark")},
          {"position": "4", "bought": "4", "sold": "0", "orders": 3, "fills": 3,
           "refused": 0, "fees": "-0.000992", "pnl": "0.040992", "pnl_realised": "0.00",
           "mark": "10.02"}, "figures")
    # Placed: 2, then 1 to take, then 2: filled 4 of 5. Arrival 10.02. Trades while it ran: 6 and 5
    # at 10.00, 1 at 10.04. The mid was 10.02 all the time.
    for key, expected in (("fill_ratio", 4 / 5), ("average_price", 10.01),
                          ("market_vwap", (11 * 10 + 10.04) / 12), ("market_twap", 10.02),
                          ("slippage_arrival", (10.01 / 10.02 - 1) * 1e4),
                          ("slippage_vwap", (10.01 / ((110 + 10.04) / 12) - 1) * 1e4),
                          ("share_of_volume", 4 / 12)):
        expect(abs(float(figures[key]) - expected) < 1e-6 * abs(expected),
               f"{key}: found {figures[key]}, expected {expected}")
    equal([trade.split(",")[0] + "," + ",".join(trade.split(",")[4:]) for trade in trades],
          ["5,1000,5", "5,1000,1", "9,1000,3", "9,1000,2"], "trades of recorded orders")
    equal(book[4], "1004,5,1000,4", "the book behind row 5: our 1 and b2's 3")
    expect("of ours" in said, said)


LEVELS = """ts,msg_type,side,price,qty,seq
0,level,buy,10.00,10,1
0,level,sell,10.04,10,2
1,level,buy,10.00,14,3
2,level,buy,10.00,6,4
3,trade,sell,10.00,7,5
3,level,buy,10.00,0,6
4,level,buy,9.98,3,7
"""


def levels_are_a_queue_by_a_model_that_is_named(test):
    """We bid 4 at 10.00 behind 10. Then 4 come behind us, and 8 cancel. From the back: those 4, and
    4 of the 10 before us: 6 before us, so the 7 sold give us 1. In proportion: 10 before us of 14
    lose 8 x 10/14, cut to 5, and 4 behind us 2; the one left by cutting is of the end: 5 before
    us, so the 7 sold give us 2."""
    with test.directory() as directory:
        write(directory, "levels.csv", LEVELS.strip())
        for queue, filled in (([], 1), (["--queue", "back"], 1), (["--queue", "proportional"], 2)):
            _, result = told(test, directory, "twap", "side=buy", "quantity=4", "duration=100",
                             "slices=1", "--history", "levels.csv", "--symbol", "ACME",
                             "--ts-unit", "s", *queue)
            equal(result["run"]["form"], "l2", "form")
            equal(result["run"]["mode"], f"queue model: {queue[1] if queue else 'back'}", "mode")
            makers = [fill for fill in result["strategies"][0]["fills"]
                      if fill["time"][17:19] == "03"]
            equal([(fill["price"], fill["qty"], fill["liquidity"]) for fill in makers],
                  [("10.00", str(filled), "maker")], f"fills by {result['run']['mode']}")


# ---- a journal ----

def a_journal_is_made_again_to_every_digest(test):
    symbols = {"BTC-USD": {"tick_size": "0.01"}, "ETH-USD": {}}
    with test.cluster(symbols, settings={"batch_commands_max": 64}) as cluster:
        journal = cluster.journal()
        cluster.outcry("simulate", "--count", test.count(20_000), "--rate", 20_000, "--seed", 5)
        running = run(test, cluster.run_dir, "none", "--history", journal, "--symbol", "ETH-USD")
        cluster.kill(["matcher-0"])
        cluster.restart(["matcher-0"])
        cluster.until_ready()
        cluster.outcry("simulate", "--count", test.count(5_000), "--rate", 20_000, "--seed", 6)
        seq = cluster.stop_matcher()["seq"]
        cluster.market_data.stop()
        said, result = told(test, cluster.run_dir, "none", "--history", journal, "--symbol",
                            "BTC-USD", "--tick-size", "0.5")
        for words in (running.said, said):
            compared, differ = re.search(r"^digests +(\d+) compared, (\d+) differ", words,
                                         re.M).groups()
            expect(int(compared) > 10, f"{compared} digests were compared")
            equal(differ, "0", "digests that differ")
        equal(result["run"]["form"], "journal", "form")
        recorded = int(re.search(r"^replayed (\d+)", said, re.M).group(1))
        expect(seq - 10 <= recorded <= seq, f"{recorded} of {seq} commands were replayed")
        # With orders of ours, on the journal's own tick.
        said, result = told(test, cluster.run_dir, "twap", "side=buy", "quantity=3", "duration=2.5",
                            "slices=5", "--history", journal, "--symbol", "BTC-USD")
        equal(result["strategies"][0]["figures"]["position"], "3", "what it bought")
        unknown = run(test, cluster.run_dir, "none", "--history", journal, "--symbol", "XRP-USD",
                      status=2)
        expect("found no symbol XRP-USD, expected one of those it has: BTC-USD ETH-USD"
               in unknown.words, unknown.words)
        damaged = cluster.run_dir / "damaged"
        shutil.copytree(journal, damaged)
        file = segments(damaged)[0]
        flip(file, next(offset for offset in checked_bytes(file) if offset >= 20_000), 0x10)
        refused = run(test, cluster.run_dir, "none", "--history", damaged, "--symbol", "BTC-USD",
                      status=1)
        verdict = run(test, cluster.run_dir, damaged, status=1, word="verify")
        equal(refused.words.split(": ", 1)[1], verdict.words.split(": ", 1)[1], "of damage it says")


# ---- the same ----

def the_same_words_give_the_same_bytes(test):
    history = test.need("lobster", "AAPL_1.zip")
    with test.directory() as directory:
        latencies = write(directory, "latency.txt", "0.2", "0.35", "1.5", "0.000001")
        files = []
        for number in range(2):
            out = directory / str(number)
            out.mkdir()
            run(test, out, "maker", "position_max=300", "--history", history, "--symbol", "AAPL",
                "--latency-file", latencies, "--seed", "7", "--json", "r.json", "--csv", "csv",
                "--html", "r.html", *(part(test) or ["--to", "11:00:00"]))
            files.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*")
                          if path.is_file() and not path.name.startswith("backtest.")})
        equal(sorted(map(str, files[0])), ["csv/curve.csv", "csv/fills.csv", "csv/orders.csv",
                                           "r.html", "r.json"], "files")
        for path, content in files[0].items():
            expect(content == files[1][path], f"{path} differs")
        expect(json.loads(files[0][pathlib.Path("r.json")])["strategies"][0]["fills"], "no fills")


def a_sweep_is_its_points_one_by_one(test):
    history = test.need("lobster", "AAPL_1.zip")
    common = ["twap", "side=buy", "quantity=500", "duration=120", "--history", history, "--symbol",
              "AAPL", "--to", "09:33:00"]
    with test.directory() as directory:
        sweeps = []
        for jobs in ("1", "4"):
            process = run(test, directory, *common, "--sweep", "slices=1:3:1", "--sweep",
                          "jitter=0:0.5:0.5", "--jobs", jobs, "--json", f"sweep{jobs}.json",
                          "--html", f"sweep{jobs}.html")
            sweeps.append((process.said, (directory / f"sweep{jobs}.json").read_bytes(),
                           (directory / f"sweep{jobs}.html").read_bytes()))
        expect(sweeps[0] == sweeps[1], "what it says depends on how many run at once")
        points = json.loads(sweeps[0][1])["points"]
        equal(len(points), 6, "points")
        for point in points:
            words = [f"{name}={value}" for name, value in point["values"].items()]
            _, result = told(test, directory, *common, *words)
            equal(point["figures"], result["strategies"][0]["figures"], f"figures of {words}")


# ---- several; live; examples ----

def write_twap(directory, name):
    """A configuration with one strategy."""
    return write(directory, "venue.cfg", "symbols", "    BTC-USD", "        tick_size = 0.01",
                 "strategies", f"    {name}", "        type = twap", "        symbol = BTC-USD",
                 "        side = buy", "        quantity = 3", "        duration = 1.5",
                 "        slices = 3")


def live_run(cluster):
    """A strategy on this cluster, to its end: the file of what it was given."""
    config = write_twap(cluster.run_dir, "live")
    flow = cluster.spawn("flow", "outcry", "simulate", "--rate", 1000, "--seed", 5)
    strategy = cluster.spawn("strategy", "outcry-strategy", "--config", config)
    strategy.asked_to_end = True
    equal(strategy.wait(), 0, "how outcry-strategy ended")
    flow.stop()
    path, = cluster.run_dir.rglob("*.inputs")
    return path


def strategies_of_a_file_run_at_once(test):
    history = test.need("lobster", "AAPL_1.zip")
    with test.directory() as directory:
        write(directory, "venue.cfg", "symbols", "    AAPL", "        tick_size = 0.01", "    IBM",
              "strategies", "    slow", "        type = twap", "        symbol = AAPL",
              "        side = buy", "        quantity = 200", "        duration = 300", "    quick",
              "        type = twap", "        symbol = AAPL", "        side = sell",
              "        quantity = 100", "        duration = 60", "    other",
              "        type = twap", "        symbol = IBM", "        side = buy",
              "        quantity = 1")
        common = ["--strategies", "venue.cfg", "--history", history, "--to", "09:40:00"]
        said, result = told(test, directory, *common, "--symbol", "AAPL", "--csv", "csv")
        equal([(one["name"], one["figures"]["position"]) for one in result["strategies"]],
              [("slow", "200"), ("quick", "-100")], "strategies")
        expect(said.index("[slow]") < said.index("[quick]"), said)
        expect((directory / "csv" / "quick" / "fills.csv").exists(), "no fills of quick")
        _, result = told(test, directory, *common, "--only", "quick")
        equal([one["name"] for one in result["strategies"]], ["quick"], "the only one")
        several = run(test, directory, *common, status=2)
        expect("strategies on AAPL and IBM" in several.words, several.words)


def a_live_run_is_made_again_to_the_byte(test):
    with test.cluster({"BTC-USD": {"tick_size": "0.01"}}) as cluster:
        inputs = live_run(cluster)
        said, result = told(test, cluster.run_dir, "--inputs", inputs, "--csv", "csv", "--html",
                            "page.html")
        equal((result["run"]["form"], result["run"]["mode"]), ("inputs", "as it was live"),
              "form and mode")
        count, commands = re.search(r"^inputs +(\d+), commands (\d+), every one the same to the "
                                    r"byte$", said, re.M).groups()
        expect(int(count) > 100 and int(commands) > 1, f"{count} inputs, {commands} commands")
        equal(result["strategies"][0]["figures"]["position"], "3", "what it bought, live")
        whole = inputs.read_bytes()
        cut, damaged = cluster.run_dir / "cut.inputs", cluster.run_dir / "damaged.inputs"
        cut.write_bytes(whole[:-5])
        expect("; its end was cut" in run(test, cluster.run_dir, "--inputs", cut).said, "not cut")
        damaged.write_bytes(whole)
        flip(damaged, len(whole) // 2, 0x20)
        words = run(test, cluster.run_dir, "--inputs", damaged, status=1).words
        expect("damaged.inputs" in words, words)


def the_examples_of_its_help_run(test):
    history = test.need("lobster", "AAPL_1.zip")
    with test.cluster({"BTC-USD": {"tick_size": "0.01"}}) as cluster:
        directory = cluster.run_dir
        live_run(cluster).rename(directory / "strategy-1.inputs")
        known = run(test, directory, "--strategies", "venue.cfg", "--history", "journal/0",
                    status=2).words
        expect("found the account live, expected nobody else's" in known, known)
        write_twap(directory, "tested")
        (directory / "AAPL_1.zip").symlink_to(history)
        text = run(test, directory, "--help").said.replace("\\\n", " ")
        examples = re.findall(r"^  outcry backtest (.*)$", text, re.M)
        expect(len(examples) >= 5, f"only {len(examples)} examples")
        for example in examples:
            words = shlex.split(example)
            short = part(test) if "AAPL_1.zip" in words else []
            process = run(test, directory, *words, *short)
            expect(process.said.strip(), f"{example} says nothing")


CLAIMS = [
    the_day_as_commands_is_as_recorded,
    the_day_as_lobster_packs_it_is_as_recorded,
    every_strategy_ends_with_nothing_left_working,
    a_dozen_rows_come_to_what_was_worked_out_by_hand,
    levels_are_a_queue_by_a_model_that_is_named,
    a_journal_is_made_again_to_every_digest,
    the_same_words_give_the_same_bytes,
    a_sweep_is_its_points_one_by_one,
    strategies_of_a_file_run_at_once,
    a_live_run_is_made_again_to_the_byte,
    the_examples_of_its_help_run,
]

if __name__ == "__main__":
    main(__doc__, CLAIMS)
