"""`outcry replay` and `lob-replay`, with small recordings whose outcome is worked out by hand."""
import gzip
import shutil

from cluster import equal, expect, main
from watcher import Watcher, report_of

SYMBOL = "AAPL"


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
                watcher = Watcher(cluster, SYMBOL)
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


# One level a side is recorded. The comment says what happens in the exchange.
MESSAGES = """1.0,1,11,5,100,1
2.0,1,21,4,105,-1
3.0,1,12,3,101,1
4.0,3,12,3,101,1
5.0,4,90,2,105,-1
6.0,4,21,4,105,-1
7.0,5,99,7,103,1
8.0,1,13,2,100,1
9.0,4,13,2,100,1
10.0,2,91,1,100,1
11.0,4,92,1,106,-1
"""
BOOK = """105,2,100,8
105,6,100,8
105,6,101,3
105,6,100,8
105,4,100,8
106,9,100,8
106,9,100,8
106,9,100,10
106,9,100,8
106,9,100,7
106,7,100,7
"""
COMMANDS = [
    "seeds 105x2, 100x3; 11 bids 5",
    "21 offers 4 behind the seed",
    "12 bids 3 at 101: 100 leaves the window, seed and 11 are cancelled (2)",
    "12 is deleted; 100x8 comes back as a seed",
    "90 is nobody's name: the seed of 105, whose turn it is; 2 trade",
    "21 trades 4; 106x9 comes into sight as a seed",
    "hidden: nothing",
    "13 bids 2 behind the seed",
    "13 is executed out of turn: not explained, cancelled",
    "91 stands in the seed: reduced by 1",
    "92 stands in the seed: 1 trades, but the book says 2 are gone: not explained, reduced by 1",
]
SENT = 2 + 1 + 1 + 3 + 2 + 1 + 2 + 0 + 1 + 1 + 1 + 2


def a_small_recording_in_lobsters_form_gives_the_book_worked_out_by_hand(test):
    with test.directory() as directory, test.cluster({SYMBOL: {}}) as cluster:
        messages, book = directory / "messages.csv", directory / "book.csv"
        messages.write_text(MESSAGES, encoding="ascii")
        book.write_text(BOOK, encoding="ascii")
        watcher = Watcher(cluster, SYMBOL)
        replay = cluster.outcry("replay", messages, "--format", "lobster", "--symbol", SYMBOL,
                                "--book", book)
        report = report_of(replay)
        equal(report["commands"][0], SENT, "commands")
        equal(report["commands"][2], 0, "rejects")
        equal(report["unexplained"][0], 2, "rows not explained")
        equal(report["book"][:2], [len(COMMANDS) - 1, 0], "rows compared, mismatches")
        watcher.finish()
        equal(watcher.trades, [(105, 2), (105, 4), (106, 1)], "trades")
        equal((watcher.book("l2").bids(), watcher.book("l2").asks()), ([(100, 7)], [(106, 7)]),
              "the book in the end")
    # Without the book file there are no seeds; what is then unknown is counted and passed over.
    with test.directory() as directory, test.cluster({SYMBOL: {}}) as cluster:
        messages = directory / "messages.csv"
        messages.write_text(MESSAGES, encoding="ascii")
        replay = cluster.outcry("replay", messages, "--format", "lobster", "--symbol", SYMBOL)
        report = report_of(replay)
        equal((report["commands"][0], report["commands"][2]), (7, 0), "commands and rejects")
        equal(report["unexplained"][0], 4, "rows not explained: 5, 9, 10 and 11")


def a_book_that_differs_is_told_by_its_row(test):
    """The check of the book can fail."""
    rows = ["row,ts,op,order_id,side,price,qty", "1,1.0,new,a,buy,100,5", "2,1.1,new,b,sell,103,6",
            "3,1.2,ioc,c,sell,100,2", "4,1.3,cancel,b,sell,103,6"]
    book = ["9999999999,0,100,5", "103,6,100,5", "103,6,100,2", "9999999999,0,100,3"]
    with test.directory() as directory, test.cluster({SYMBOL: {}}) as cluster:
        commands, wrong = directory / "commands.csv", directory / "book.csv"
        commands.write_text("\n".join(rows) + "\n", encoding="ascii")
        wrong.write_text("\n".join(book) + "\n", encoding="ascii")
        replay = cluster.outcry("replay", commands, "--symbol", SYMBOL, "--book", wrong, status=1)
        expect("4 rows compared, 1 mismatches, the first at row 3" in replay.said, replay.said)
        again = cluster.outcry("replay", commands, "--symbol", SYMBOL, "--book", wrong, status=1)
        expect("holds 1 orders already" in again.words, f"of a book in use it said: {again.words}")


def realtime_keeps_the_recordings_pace(test):
    rows = "".join(f"{number * 500},A,B,10.00,1,o{number}\n" for number in range(5))
    with test.directory() as directory, test.cluster({SYMBOL: {"tick_size": "0.01"}}) as cluster:
        path = directory / "orders.csv"
        path.write_text("ts,msg_type,side,price,qty,order_id\n" + rows, encoding="ascii")
        seconds = []
        for speed, least in [("realtime", 2.0), ("4x", 0.5), ("max", 0.0)]:
            replay = cluster.outcry("replay", path, "--format", "csv", "--ts-unit", "ms",
                                    "--symbol", SYMBOL, "--speed", speed)
            seconds.append(float(replay.said.split(" acknowledged in ")[1].split()[0]))
            expect(seconds[-1] >= least, f"{speed} took only {seconds[-1]} s")
        expect(seconds[0] > seconds[1] > seconds[2], f"seconds taken: {seconds}")


if __name__ == "__main__":
    main(__doc__, [a_csv_of_orders_gives_the_book_worked_out_by_hand,
                   a_malformed_file_is_refused_before_anything_is_sent,
                   a_small_recording_in_lobsters_form_gives_the_book_worked_out_by_hand,
                   a_book_that_differs_is_told_by_its_row, realtime_keeps_the_recordings_pace])
