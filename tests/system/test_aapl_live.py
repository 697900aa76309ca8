"""A real NASDAQ day (LOBSTER's AAPL sample) through a live cluster: the published book is the
recorded one, row by row, the fills are the known ones, and a reader nobody here wrote in C agrees
with the hash of every frame."""
import collections
import csv
import gzip
import re
import zipfile

from cluster import equal, expect, main, make_parser
from watcher import Watcher, report_of

SYMBOL = "AAPL"
SYMBOLS = {SYMBOL: {"tick_size": "0.0001"}}  # LOBSTER's prices are dollars times 10000
FILLS = 21_013
COMMANDS = 176_428
UNEXPLAINED = {"AAPL_1": 25, "GOOG_5": 5}  # most of them executions out of price-time order


def unpack(test, directory, day="AAPL_1"):
    """The paths of the day's message and orderbook files."""
    with zipfile.ZipFile(test.need("lobster", f"{day}.zip")) as archive:
        archive.extractall(directory)
    return next(directory.glob("*_message_*.csv")), next(directory.glob("*_orderbook_*.csv"))


def top_of(row):
    """An orderbook row as best ask and bid, each [(price, qty)] or []."""
    ask_price, ask_qty, bid_price, bid_qty = (int(field) for field in row)
    return [(ask_price, ask_qty)] * (ask_qty > 0), [(bid_price, bid_qty)] * (bid_qty > 0)


def last_row(path):
    with open(path, encoding="ascii") as file:
        *_, row = csv.reader(file)
    return row


def window(test):
    """A build that is slow for its checks is asked for what it answers in half a second."""
    return ["--window", 512] if test.options.scale < 1 else []


def the_day_as_commands_gives_the_recorded_book_and_fills(test):
    commands = test.need("lobster", "AAPL_1_commands.csv.gz")
    with gzip.open(test.need("lobster", "AAPL_1_trades.csv.gz"), "rt", encoding="ascii") as file:
        fills = [(int(row["price"]), int(row["qty"])) for row in csv.DictReader(file)]
    equal(len(fills), FILLS, "fills on file")
    with test.directory() as directory, test.cluster(SYMBOLS) as cluster:
        _, book = unpack(test, directory)
        watcher = Watcher(cluster, SYMBOL)
        replay = cluster.spawn("replay", "outcry", "replay", commands, "--format", "commands",
                               "--symbol", SYMBOL, "--book", book, *window(test),
                               *(["--echo"] if test.options.echo else []))
        cluster.until(lambda: watcher.take() or not replay.running, "the replay ends", 600)
        print(re.sub("^", "    ", replay.said.strip(), flags=re.M))
        equal(replay.wait(), 0, "exit status of the replay")
        report = report_of(replay)
        equal(report["commands"][0], COMMANDS, "commands")
        equal(report["fills"][0], FILLS, "fills")
        equal(report["book"][1], 0, "rows that differ")
        expect(report["book"][0] > 100_000, f"only {report['book'][0]} rows were compared")
        equal(report["feed"][2], 0, "hashes wrong, at the replay's own reader")
        counts = watcher.finish()
        print(f"    watcher     {dict(counts)}")
        expect(watcher.trades == fills, f"the watcher saw {len(watcher.trades)} trades, not the "
               "ones on file")
        asks, bids = top_of(last_row(book))
        equal((watcher.book("l2").asks(1), watcher.book("l2").bids(1)), (asks, bids),
              "the last row of the recorded book")


def the_day_as_lobster_wrote_it_gives_the_recorded_book(test):
    """The raw files: what moves behind the window of N levels has no message; it is made up for."""
    for day, unexplained in UNEXPLAINED.items():
        with test.directory() as directory, test.cluster(SYMBOLS) as cluster:
            messages, book = unpack(test, directory, day)
            with open(messages, encoding="ascii") as file:
                types = collections.Counter(row[1] for row in csv.reader(file))
            replay = cluster.outcry("replay", messages, "--format", "lobster", "--symbol", SYMBOL,
                                    "--book", book, *window(test))
            print(re.sub("^", "    ", f"{day}\n{replay.said.strip()}", flags=re.M))
            report = report_of(replay)
            equal(report["book"][1], 0, "rows that differ")
            expect(report["book"][0] > 100_000, f"only {report['book'][0]} rows were compared")
            equal(report["commands"][2], 0, "rejects")
            equal(report["unexplained"][0], unexplained, "rows that were not explained")
            expect(types["4"] - unexplained <= report["fills"][0] <= types["4"],
                   f"{report['fills'][0]} fills of {types['4']} executions")


if __name__ == "__main__":
    parser = make_parser(__doc__)
    parser.add_argument("--echo", action="store_true", help="measure the floor, too")
    main(__doc__, [the_day_as_commands_gives_the_recorded_book_and_fills,
                   the_day_as_lobster_wrote_it_gives_the_recorded_book], parser)
