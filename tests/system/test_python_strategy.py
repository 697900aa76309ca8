"""Strategies outside the process: the same file, unchanged, in a back-test over sockets
(`outcry backtest --serve`) and live; the same in C; and clients that are told what they did
wrong."""
import csv
import itertools
import subprocess
import time

from cluster import ROOT, Process, clean_environment, equal, expect, main, outcry

EXAMPLES = ROOT / "services" / "strategy" / "examples"
PYTHON = "/usr/bin/python3"
TOUCH = [PYTHON, EXAMPLES / "touch.py"]
PACKAGE = {"PYTHONPATH": str(ROOT / "proto" / "python")}
FORM = ["--form", "csv", "--symbol", "AAPL", "--tick-size", "1", "--lot-size", "1"]

# Two levels a side; the touch is b1 and s1. Behind each row, what touch.py makes of it (qty=5).
BY_HAND = """ts,msg_type,side,price,qty,order_id
1000000000,A,B,99,10,b1
1000000000,A,S,101,10,s1
2000000000,A,S,102,10,s2
3000000000,M,S,,10,m1
4000000000,M,S,,3,m2
5000000000,A,B,98,50,b2
6000000000,M,S,,7,m3
7000000000,A,B,100,50,b3
8000000000,M,B,,10,m4
9000000000,M,B,,10,m5
10000000000,C,S,102,10,s2
"""
#  2 s  it hears of s2, and joins both queues: buys 5 at 99 behind 10, sells 5 at 101 behind 10
#  3 s  b1 is gone, its order is first
#  4 s  it buys 3 at 99, as maker
#  5 s  it hears of b2, and holds 3: what is left of the bid is cancelled, the ask becomes 3 and
#       keeps its place
#  6 s  m3 finds b2 only
#  8 s  s1 is gone
#  9 s  it sells 3 at 101, as maker; m5 takes the rest from s2
# 10 s  it hears that s2 is gone, and joins the bid at 100 behind 50; the end cancels that
BY_HAND_ORDERS = [  # order, side, price, qty, filled_qty, ahead, reason
    ["1", "buy", "99", "5", "3", "10", "USER"],
    ["2", "sell", "101", "3", "3", "10", ""],
    ["3", "buy", "100", "5", "0", "50", "USER"],
]
BY_HAND_FILLS = [  # time_ns, order, side, liquidity, price, qty, position
    ["4000000000", "1", "buy", "maker", "99", "3", "3"],
    ["9000000000", "2", "sell", "maker", "101", "3", "0"],
]


def run(test, directory, *command, status=0):
    """An outcry command to its end, in this directory; the Process."""
    process = Process(f"outcry-run-{time.monotonic_ns()}", [test.bin / "outcry", *command],
                      directory, clean_environment(**PACKAGE))
    process.allowed = {status}
    process.wait(300)
    process.check()
    return process


def served(test, directory, history, *options, program, status=0):
    return run(test, directory, "backtest", "--serve", "--history", history, *options, "--",
               *program, status=status)


def table(path, *columns):
    """Columns of a CSV file behind its comments."""
    lines = [line for line in path.read_text(encoding="ascii").splitlines() if line[0] != "#"]
    return [[row[column] for column in columns] for row in csv.DictReader(lines)]


def results(directory):
    """What came of a run, but for the line that names the strategy and for orders that were not
    sent any more because it was stopping: of those a server cannot know."""
    return {name: [line for line in (directory / name).read_text(encoding="ascii").splitlines()[1:]
                   if not line.endswith(",stopping")]
            for name in ("orders.csv", "fills.csv", "curve.csv")}


def alike(found, expected, what):
    for name, lines in expected.items():
        for number, pair in enumerate(itertools.zip_longest(found[name], lines), 2):
            equal(*pair, f"{what}: line {number} of {name}")


def made(directory, name):
    path = directory / name
    path.mkdir()
    return path


def random_history(test, rows):
    """A market around 1000 that seldom stands still."""
    lines, number, now, live = ["ts,msg_type,side,price,qty,order_id"], 0, 10**9, []
    for _ in range(rows):
        number += 1
        now += test.random.choice([0, 1000, 10**6, 10**8])
        kind = test.random.random()
        side = test.random.choice("BS")
        if kind < 0.3 and live:
            order = live.pop(test.random.randrange(len(live)))
            lines.append(f"{now},C,{order[0]},{order[1]},{order[2]},{order[3]}")
        elif kind < 0.45:
            lines.append(f"{now},M,{side},,{test.random.randint(1, 30)},m{number}")
        else:
            away = test.random.randint(-1, 6)
            price = 1000 - away if side == "B" else 1001 + away
            order = (side, price, test.random.randint(1, 20), f"o{number}")
            live.append(order)
            lines.append(f"{now},A,{side},{price},{order[2]},{order[3]}")
    return "\n".join(lines) + "\n"


def build_touch(directory):
    """The example in C, as its comment says."""
    library = directory / "touch.so"
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", "services", "-I",
                    "common", "-I", ".", EXAMPLES / "touch.c", "-o", library], cwd=ROOT, check=True)
    return library


def a_small_history_comes_out_as_by_hand(test):
    with test.directory() as directory:
        history = directory / "day.csv"
        history.write_text(BY_HAND, encoding="ascii")
        out = made(directory, "out")
        process = served(test, directory, history, *FORM, "--csv", out,
                         program=[*TOUCH, "qty=5"])
        equal(table(out / "orders.csv", "order", "side", "price", "qty", "filled_qty", "ahead",
                    "reason"), BY_HAND_ORDERS, "its orders")
        equal(table(out / "fills.csv", "time_ns", "order", "side", "liquidity", "price", "qty",
                    "position"), BY_HAND_FILLS, "its fills")
        equal(table(out / "curve.csv", "pnl")[-1], ["6"], "3 lots bought at 99, sold at 101")
        expect("3 orders of 1 account" in process.output.read_text(encoding="utf-8"),
               process.tail)


def python_and_c_do_the_same(test):
    with test.directory() as directory:
        history = directory / "day.csv"
        history.write_text(random_history(test, test.count(4000)), encoding="ascii")
        library = build_touch(directory)
        for latency in ([], ["--order-latency", "3"]):
            runs = []
            for name, command in (("c", ["backtest", library, "qty=5"]),
                                  ("one", ["backtest", "--serve"]),
                                  ("two", ["backtest", "--serve"])):
                out = made(directory, name + "".join(latency))
                program = [] if name == "c" else ["--", *TOUCH, "qty=5"]
                run(test, directory, *command, "--history", history, *FORM, *latency, "--csv", out,
                    *program)
                runs.append(results(out))
            alike(runs[1], runs[2], f"two runs, {latency}")
            alike(runs[1], runs[0], f"Python and C, {latency}")
            expect(len(runs[0]["fills.csv"]) > 20, "too few fills to compare")


def it_runs_live_and_leaves_nothing(test):
    symbols = {"AAPL": {"tick_size": "1"}}
    with test.cluster(symbols) as cluster, cluster.follow("l2.AAPL") as reader, \
            outcry.Origin(cluster.address("commands"), cluster.address("private"), "us") as us:
        book = reader.readers["l2.AAPL"]

        def order(side, qty, price=None):
            expect(us.new_order("AAPL", "others", side, qty, price).ok, "an order is refused")

        def stands(bids, asks):
            def so():
                while reader.receive(0) is not None:
                    pass
                return (book.book.bids(), book.book.asks()) == (bids, asks)
            cluster.until(so, f"the book is {bids} {asks}")

        order("buy", 10, 99)
        order("sell", 10, 101)
        strategy = Process("touch", [*TOUCH, "--run-dir", cluster.run_dir, "symbol=AAPL", "qty=5",
                                     "position_max=5"], cluster.run_dir,
                           clean_environment(**PACKAGE))
        cluster.processes.append(strategy)
        # It has no word of the market until something happens, and then joins both queues.
        number = 0

        def joined():
            nonlocal number
            number += 1
            order("buy", 1, 50 + number % 2)
            while reader.receive(0.02) is not None:
                pass
            return book.book.bids(1) == [(99, 15)]
        cluster.until(joined, "it joins the bid")
        far = book.book.bids()[1:]
        order("sell", 12)  # 10 of others', 2 of its own
        order("sell", 1, 200)
        stands(far, [(101, 12), (200, 1)])  # the bid is gone, the ask is for 2
        strategy.stop()
        stands(far, [(101, 10), (200, 1)])
        equal(strategy.popen.returncode, 0, "its exit status")
        expect("it was told to stop" in strategy.words, strategy.tail)
        open_now = [state for state in account(cluster, "touch")
                    if state.open_qty > 0 or state.status in (1, 2)]
        equal(open_now, [], "what it left working")


def account(cluster, name):
    """The orders of an account, by its matcher's word."""
    with outcry.Subscriber(cluster.address("private"), [f"acct.{name}"]) as reader:
        update = reader.receive(20)
        return [event for event in update.events if event.name == "order_state"]


def what_an_earlier_life_left_is_cancelled(test):
    symbols = {"AAPL": {"tick_size": "1"}}
    with test.cluster(symbols) as cluster, cluster.follow("l2.AAPL") as reader, \
            outcry.Origin(cluster.address("commands"), cluster.address("private"), "us") as us:
        expect(us.new_order("AAPL", "touch", "buy", 7, 90).ok, "an order is refused")
        strategy = Process("touch", [*TOUCH, "--run-dir", cluster.run_dir, "symbol=AAPL"],
                           cluster.run_dir, clean_environment(**PACKAGE))
        cluster.processes.append(strategy)

        def gone():
            while reader.receive(0) is not None:
                pass
            return not reader.readers["l2.AAPL"].book.bids()
        cluster.until(gone, "the order of an earlier life is cancelled")
        strategy.stop()


TELLS = """
import os, zmq, outcry
from outcry import frames, catalog
context = zmq.Context()
push, sub = context.socket(zmq.PUSH), context.socket(zmq.SUB)
push.connect(os.environ["OUTCRY_COMMANDS_ADDRESS"])
sub.connect(os.environ["OUTCRY_PRIVATE_ADDRESS"])
def request(name, **fields):
    body = catalog.MESSAGES[name].fill({"reply": "0" * 32, "request_id": 1, **fields})
    push.send(frames.encode_request(body))
"""
LEAVES = {
    "push.send(b'hello')": (1, "found what nobody can read at byte 0, expected a command"),
    "push.send(b'\\x92\\x09\\x01')": (1, "found another protocol version, expected 1"),
    "request('resume')": (1, "request of type 34: expected resend, snapshot or advance"),
    "request('advance', wake_ns=1, reply='x')": (1, 'found reply "x", expected 32 hexadecimal'),
    "request('advance', wake_ns=1); request('advance', wake_ns=2)": (1, "before the answer to"),
    "request('advance', wake_ns=1); request('advance', wake_ns=2, reply='1' * 32)":
        (1, "two clients let the clock go on"),
    "raise SystemExit(3)": (1, "the program ended with status 3"),
}


def a_client_that_leaves_the_protocol_is_told(test):
    with test.directory() as directory:
        history = directory / "day.csv"
        history.write_text(BY_HAND, encoding="ascii")
        for words, (status, told) in LEAVES.items():
            wait = "" if "SystemExit" in words else "\nimport time\ntime.sleep(60)"
            process = served(test, directory, history, *FORM, status=status,
                             program=[PYTHON, "-c", TELLS + words + wait])
            expect(told in process.words, lambda: f"{words}\n{process.tail()}")


def a_mistake_in_a_strategy_ends_it_with_its_words(test):
    with test.directory() as directory:
        history = directory / "day.csv"
        history.write_text(BY_HAND, encoding="ascii")
        for words, told in (("qty=many", "qty: found 'many', expected a whole number"),
                            ("size=5", "size: there is no such parameter")):
            process = served(test, directory, history, *FORM, program=[*TOUCH, words], status=1)
            expect(told in process.words, process.tail)
            expect("the program ended with status 2" in process.words, process.tail)
        failing = directory / "failing.py"
        failing.write_text("import outcry\nclass F(outcry.Strategy):\n"
                           "    def on_market_data(self, update):\n        1 / 0\nF.run()\n",
                           encoding="ascii")
        process = served(test, directory, history, *FORM, program=[PYTHON, failing], status=1)
        expect("ZeroDivisionError" in process.words, process.tail)


SECONDS = """
import outcry
class Seconds(outcry.Strategy):
    follow_book = False
    def on_start(self):
        self.wake(self.now_ns + 10**9)
    def on_timer(self):
        self.place("buy" if self.position <= 0 else "sell", 1)
        self.wake(self.now_ns + 10**9)
Seconds.run()
"""


def speed_of_a_day(test):
    day = test.need("lobster", "AAPL_1.zip")
    span = [] if test.options.scale >= 1 else ["--to", "09:40:00"]
    with test.directory() as directory:
        seconds = directory / "seconds.py"
        seconds.write_text(SECONDS, encoding="ascii")
        for what, program in (("a second", [PYTHON, seconds]), ("an update", TOUCH)):
            start = time.monotonic()
            process = served(test, directory, day, "--symbol", "AAPL", *span, program=program)
            took = time.monotonic() - start
            line, = [line for line in process.output.read_text(encoding="utf-8").splitlines()
                     if line.startswith("events")]
            print(f"    awake each {what}: {' '.join(line.split())}; {took:.1f} s in all",
                  flush=True)


if __name__ == "__main__":
    main(__doc__, [a_small_history_comes_out_as_by_hand, python_and_c_do_the_same,
                   it_runs_live_and_leaves_nothing, what_an_earlier_life_left_is_cancelled,
                   a_client_that_leaves_the_protocol_is_told,
                   a_mistake_in_a_strategy_ends_it_with_its_words, speed_of_a_day])
