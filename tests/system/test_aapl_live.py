"""A real NASDAQ day (LOBSTER's AAPL sample) through a live cluster: the published book is the
recorded one, row by row, the fills are the known ones, and a reader nobody here wrote in C agrees
with the hash of every frame."""
import csv
import gzip
import re
import shutil
import zipfile

from cluster import equal, expect, main, make_parser, updates

SYMBOL = "AAPL"
SYMBOLS = {SYMBOL: {"tick_size": "0.0001"}}  # LOBSTER's prices are dollars times 10000
FILLS = 21_013
COMMANDS = 176_428


def report_of(process):
    """The closing report: the first word of a line, and its numbers."""
    return {line.split()[0]: [float(number) for number in re.findall(r"-?[\d.]+(?= |,|$)", line)]
            for line in process.said.splitlines() if line}


def unpack(test, directory):
    """The paths of the day's message and orderbook files."""
    with zipfile.ZipFile(test.need("lobster", "AAPL_1.zip")) as archive:
        archive.extractall(directory)
    return next(directory.glob("*_message_*.csv")), next(directory.glob("*_orderbook_*.csv"))


class Watcher:
    """An independent reader of l3 and l2; Subscriber raises if a frame's hash is not its book's."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.reader = cluster.follow(f"l3.{SYMBOL}", f"l2.{SYMBOL}")
        self.trades = []

    def take(self):
        """Take in what has come."""
        for update in updates(self.reader):
            if update.kind == "events" and update.topic.startswith("l3."):
                self.trades += [(event.price, event.qty) for event in update.events
                                if event.name == "trade"]

    def book(self, kind):
        return self.reader.readers[f"{kind}.{SYMBOL}"].book

    def finish(self):
        """Come up to what a reader that joins now is told."""
        late = self.cluster.follow(f"l3.{SYMBOL}", f"l2.{SYMBOL}")

        def level():
            self.take()
            return self.reader.live and all(
                self.book(kind).hash == late.readers[f"{kind}.{SYMBOL}"].book.hash
                for kind in ("l3", "l2"))
        self.cluster.until(level, "the watcher comes up to a reader that joined late", 300)
        equal(self.book("l2").bids(), self.book("l3").bids(), "bids of l2 and l3")
        equal(self.book("l2").asks(), self.book("l3").asks(), "asks of l2 and l3")
        counts = self.reader.counts
        equal(counts["mismatches"], 0, "hashes that were wrong")
        expect(counts["frames"] > 0 and counts["hashes"] >= counts["frames"],
               f"not every frame's hash was compared: {dict(counts)}")
        late.close()
        self.reader.close()
        return counts


def top_of(row):
    """An orderbook row as best ask and bid, each [(price, qty)] or []."""
    ask_price, ask_qty, bid_price, bid_qty = (int(field) for field in row)
    return [(ask_price, ask_qty)] * (ask_qty > 0), [(bid_price, bid_qty)] * (bid_qty > 0)


def last_row(path):
    with open(path, encoding="ascii") as file:
        *_, row = csv.reader(file)
    return row


def the_day_as_commands_gives_the_recorded_book_and_fills(test):
    commands = test.need("lobster", "AAPL_1_commands.csv.gz")
    with gzip.open(test.need("lobster", "AAPL_1_trades.csv.gz"), "rt", encoding="ascii") as file:
        fills = [(int(row["price"]), int(row["qty"])) for row in csv.DictReader(file)]
    equal(len(fills), FILLS, "fills on file")
    with test.directory() as directory, test.cluster(SYMBOLS) as cluster:
        _, book = unpack(test, directory)
        watcher = Watcher(cluster)
        replay = cluster.spawn("replay", "outcry", "replay", commands, "--format", "commands",
                               "--symbol", SYMBOL, "--book", book,
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


def the_day_as_lobster_wrote_it_replays(test):
    with test.directory() as directory, test.cluster(SYMBOLS) as cluster:
        messages, book = unpack(test, directory)
        watcher = Watcher(cluster)
        replay = cluster.spawn("replay", "outcry", "replay", messages, "--format", "lobster",
                               "--symbol", SYMBOL, "--book", book)
        replay.allowed = {0, 1}
        cluster.until(lambda: watcher.take() or not replay.running, "the replay ends", 600)
        print(re.sub("^", "    ", replay.said.strip(), flags=re.M))
        watcher.finish()


def a_csv_of_orders_gives_the_book_worked_out_by_hand(test):
    """In dollars and hundredths; one letter or a word; gzip or not; as lob-replay, too."""
    rows = """ts,msg_type,side,price,qty,order_id
1000,add,buy,10.00,5,b1
1001,A,B,10.00,3,b2
1002,add,sell,10.02,4,a1
1003,A,S,10.03,6,a2
1004,ioc,sell,10.00,6,x1
1005,amend,buy,10.01,2,b2
1006,U,,,1,a2
1007,M,buy,,2,x2
1008,F,buy,10.03,9,x3
1009,fok,buy,10.03,3,x4
1010,market,sell,0,1,x5
1011,I,B,10.00,1,x6
1012,C,,,,b2
1013,add,sell,11.5,7,a3
1014,add,buy,9.75,8,b3
"""
    # b1 5, b2 3 at 10.00; a1 4 at 10.02, a2 6 at 10.03.
    # x1 sells 6: b1 5, b2 1 (2 left). b2 to 10.01, 2 open. a2 down to 1.
    # x2 buys 2 of a1 (2 left). x3 wants 9 of 3: refused. x4 buys a1 2, a2 1. x5 sells 1 to b2.
    # x6 finds nothing. b2 cancelled with 1. a3 and b3 rest.
    bids, asks = [(975, 8)], [(1150, 7)]
    trades = [(1000, 5), (1000, 1), (1002, 2), (1002, 2), (1003, 1), (1001, 1)]
    with test.directory() as directory:
        plain = directory / "orders.csv"
        plain.write_text(rows, encoding="ascii")
        packed = directory / "orders.csv.gz"
        with open(plain, "rb") as source, gzip.open(packed, "wb") as target:
            shutil.copyfileobj(source, target)
        for command in (["outcry", "replay", plain, "--format", "csv"], ["lob-replay", packed]):
            with test.cluster({SYMBOL: {"tick_size": "0.01"}}) as cluster:
                watcher = Watcher(cluster)
                replay = cluster.spawn("replay", *command, "--symbol", SYMBOL, "--ts-unit", "ms")
                equal(replay.wait(), 0, "exit status")
                report = report_of(replay)
                equal(report["commands"][0], 15, f"commands of {command}")
                equal(report["commands"][2], 1, f"rejects of {command}")
                equal(report["fills"][0], len(trades), f"fills of {command}")
                watcher.finish()
                equal(watcher.trades, trades, f"trades of {command}")
                equal((watcher.book("l2").bids(), watcher.book("l2").asks()), (bids, asks),
                      f"the book after {command}")


def a_malformed_file_is_refused_before_anything_is_sent(test):
    good = "ts,msg_type,side,price,qty,order_id\n1,add,buy,10.00,5,b1\n"
    cases = [("1,add,buy,10.005,5,b2", "price", "10.005"),
             ("1,ad,buy,10.00,5,b2", "msg_type", "ad"),
             ("1,add,by,10.00,5,b2", "side", "by"), ("x,add,buy,10.00,5,b2", "ts", "x"),
             ("1,add,buy,10.00,5,b 2", "order_id", "b 2"), ("1,add,buy,10.00,0.5,b2", "qty", "0.5")]
    with test.directory() as directory, test.cluster({SYMBOL: {"tick_size": "0.01"}}) as cluster:
        for row, column, found in cases:
            path = directory / "orders.csv"
            path.write_text(good + row + "\n", encoding="ascii")
            replay = cluster.outcry("replay", path, "--format", "csv", "--symbol", SYMBOL, status=2)
            expect(f"{path}:3" in replay.words and column in replay.words
                   and f'"{found}"' in replay.words, f"of {row!r} it said: {replay.words}")
        cluster.matchers[0].stop()
        equal(cluster.matchers[0].facts("stopped")[-1]["seq"], 2, "commands sequenced")


if __name__ == "__main__":
    parser = make_parser(__doc__)
    parser.add_argument("--echo", action="store_true", help="measure the floor, too")
    main(__doc__, [the_day_as_commands_gives_the_recorded_book_and_fills,
                   the_day_as_lobster_wrote_it_replays,
                   a_csv_of_orders_gives_the_book_worked_out_by_hand,
                   a_malformed_file_is_refused_before_anything_is_sent], parser)
