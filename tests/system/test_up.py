"""`outcry up`: what it says, that it keeps its children running, and that it leaves nothing behind,
whatever happens to it."""
import json
import os
import pathlib
import re
import signal
import socket

from cluster import ROOT, Process, clean_environment, equal, expect, main, until
from ports import free_port
from rest import Rest

DEMO = ROOT / "services" / "cli" / "demo.cfg"
# By name, what its command line begins with.
CHILDREN = {"matcher-0": "outcry-matcher --shard 0 ", "follower-0": "outcry-matcher --shard 0 --f",
            "matcher-1": "outcry-matcher --shard 1 ", "follower-1": "outcry-matcher --shard 1 --f",
            "market-data": "outcry-market-data ", "gateway": "outcry-gateway ",
            "simulate": "outcry simulate "}
ORDERS = "/api/v1/orders"


def children_of(process):
    """The process ids of a process's children."""
    path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text(encoding="ascii").split()]


def command_of(pid):
    """The command line of a process; empty if there is none."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except FileNotFoundError:
        return ""


def child(up, name):
    """The process id of a child by its name; None: it does not run."""
    def name_of(command):
        fits = [one for one, begins in CHILDREN.items() if command.startswith(begins)]
        return max(fits, key=lambda one: len(CHILDREN[one]), default=None)
    return next((pid for pid in children_of(up) if name_of(command_of(pid)) == name), None)


class Place:
    """A run directory and ports for `outcry up`, and what was started there."""

    def __init__(self, test, directory):
        self.test = test
        self.directory = directory
        self.run_dir = directory / "run"
        self.market_data = f"tcp://127.0.0.1:{free_port()}"
        self.requests = f"tcp://127.0.0.1:{free_port()}"
        self.gateway = f"127.0.0.1:{free_port()}"
        self.admin = f"127.0.0.1:{free_port()}"

    def up(self, *arguments, status=0, config=DEMO, **settings):
        settings = {"run_dir": self.run_dir, "market_data_address": self.market_data,
                    "market_data_requests_address": self.requests,
                    "gateway_address": self.gateway, "admin_address": self.admin, **settings}
        environment = clean_environment(OUTCRY_CONFIG=str(config), **{
            f"OUTCRY_{name.upper()}": str(value) for name, value in settings.items()})
        process = Process("up", [self.test.bin / "outcry", "up", *arguments], self.directory,
                          environment)
        process.allowed = {status}
        return process

    @property
    def rest(self):
        return Rest(int(self.gateway.rsplit(":", 1)[1]))

    def facts(self, name, event):
        """What a child said of this event, in all its lives; one that only begins says nothing."""
        log = self.run_dir / f"{name}.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        facts = [json.loads(line) for line in lines if line.startswith("{")]
        return [fact for fact in facts if fact["event"] == event]

    def place(self, name, symbol="AAPL"):
        """An order nothing trades with, under this name, once: its id. It may have to be asked for
        more than once."""
        def placed():
            try:
                answer = self.rest.place(symbol, "buy", "1", "0.01", client_order_id=name,
                                         account="keeper")
            except OSError:
                return None  # the gateway is not back yet
            return answer.json["order_id"] if answer.status in (200, 201) else None
        return until(placed, f"order {name} is taken")

    def expect_resting(self, placed):
        """These orders, and no others, are in the book of their account."""
        listed = self.rest.get(f"{ORDERS}?account=keeper&limit=1000").json["data"]
        equal({order["client_order_id"]: (order["order_id"], order["status"]) for order in listed},
              {name: (order_id, "new") for name, order_id in placed.items()}, "orders")

        def all_published():
            books = [self.rest.get(f"/api/v1/orderbook/{symbol}?level=3&depth=0").json
                     for symbol in {order["symbol"] for order in listed}]
            return set(placed.values()) <= {row[2] for book in books for row in book["bids"]}
        until(all_published, f"{placed} are in the published books")

    def until_up(self, process):
        """It has said where to look; its children."""
        until(lambda: "Ctrl-C stops it" in process.said or not process.running, "it is up")
        process.check()
        expect(process.running, lambda: f"up ended: {process.words}")
        return children_of(process)

    def expect_nothing_left(self, pids):
        """No process of these ids, and none that names our run directory."""
        until(lambda: not any(command_of(pid) for pid in pids), f"none of {pids} is left", 10)
        for log in self.run_dir.glob("*.log"):
            words = log.read_text(encoding="utf-8", errors="replace")
            expect("Sanitizer" not in words and "CHECK failed" not in words, f"{log}: {words}")


def with_place(claim):
    """Run a claim with a place of its own."""
    def run(test):
        with test.directory() as directory:
            claim(test, Place(test, directory))
    run.__name__ = claim.__name__
    return run


def finish(process):
    """Wait for its end; all it said on stderr, after checking that the end was as expected."""
    process.wait()
    process.check()
    return process.words


@with_place
def it_says_where_to_look_and_stops_everything_on_ctrl_c(test, place):
    up = place.up()
    children = place.until_up(up)
    equal(len(children), len(CHILDREN), "children")
    for words in ("2 shards, 4 symbols: BTC-USD ETH-USD AAPL POWER-SPREAD",
                  "./outcry tape trade.BTC-USD", place.market_data, f"{place.run_dir}/*.log",
                  "20 a second", f"{place.run_dir}/journal   (sync: an order is acknowledged when"):
        expect(words in up.said, f"it does not say {words!r}: {up.said}")
    # Where it says to look, there is something to see.
    tape = Process("tape", [test.bin / "outcry", "tape", "trade.BTC-USD", "l2.BTC-USD", "--count",
                            "3"], place.directory,
                   clean_environment(OUTCRY_CONFIG=str(DEMO), OUTCRY_RUN_DIR=str(place.run_dir),
                                     OUTCRY_MARKET_DATA_ADDRESS=place.market_data,
                                     OUTCRY_MARKET_DATA_REQUESTS_ADDRESS=place.requests))
    finish(tape)
    expect("l2.BTC-USD complete at" in tape.said, f"tape said: {tape.said}")
    up.send(signal.SIGINT)
    equal(finish(up), "", "what it said on stderr")
    expect(up.said.endswith("Outcry has stopped.\n"), f"it said: {up.said}")
    place.expect_nothing_left(children)


@with_place
def it_stops_everything_on_sigterm_and_while_it_starts(test, place):
    del test
    for wait in (True, False):
        up = place.up("--rate", "0", status=0 if wait else 1)
        if wait:
            children = place.until_up(up)
            equal(len(children), len(CHILDREN) - 1, "children, without a flow")
        else:
            up.allowed = {0, 1}
            children = until(lambda: children_of(up), "it has children")
        up.send(signal.SIGTERM)
        finish(up)
        place.expect_nothing_left(children)


@with_place
def a_port_in_use_is_told_in_words(test, place):
    del test
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        for name in ("market_data_address", "market_data_requests_address"):
            up = place.up(status=1, **{name: address})
            words = finish(up)
            for wanted in ("market-data", address, "in use by another process", "status 1",
                           "stopping the rest"):
                expect(wanted in words, f"it does not say {wanted!r}: {words}")
            expect("Outcry is up" not in up.said, f"it said: {up.said}")
            equal(words.count("ended with status 1"), 3, f"times it was tried: {words}")
        for name in ("gateway_address", "admin_address"):
            up = place.up(status=1, **{name: address.removeprefix("tcp://")})
            words = finish(up)
            for wanted in ("gateway", address.removeprefix("tcp://"), "in use by another process"):
                expect(wanted in words, f"it does not say {wanted!r}: {words}")


@with_place
def a_child_that_refuses_what_it_was_told_stops_everything_at_once(test, place):
    del test
    words = finish(place.up(status=1, gateway_name="a b"))
    for wanted in ('gateway_name: found "a b"', "gateway (process", "ended with status 2",
                   "stopping the rest"):
        expect(wanted in words, f"it does not say {wanted!r}: {words}")
    expect("started again" not in words, f"it was tried again: {words}")


@with_place
def a_killed_child_comes_back_and_trading_goes_on_with_the_same_book(test, place):
    up = place.up()
    place.until_up(up)
    placed = {"first": place.place("first")}
    names = list(CHILDREN)
    test.random.shuffle(names)
    for name in names:
        victim = until(lambda: child(up, name), f"{name} runs")
        os.kill(victim, signal.SIGKILL)  # a child of what we started
        until(lambda: f"outcry up: {name} is started again" in up.words.split(
            f"{name} (process {victim}) was ended by signal 9 (Killed)")[-1],
              f"up says that {name} was killed and comes back")
        expect("Outcry has stopped" not in up.said, f"it stopped: {up.said}")
        again = until(lambda: child(up, name), f"{name} runs again")
        expect(again != victim, f"{name} never ended")
        for symbol in ("AAPL", "BTC-USD"):  # of either shard
            placed[f"{name}-{symbol}"] = place.place(f"{name}-{symbol}", symbol)
        until(lambda: place.rest.get("/readyz").status == 200, "all is well again")
        place.expect_resting(placed)
    for shard in (0, 1):
        equal(len({fact["epoch"] for fact in place.facts(f"matcher-{shard}", "started")}), 1,
              "epochs: history goes on")
        equal(len(place.facts(f"matcher-{shard}", "started")), 2, "lives in one log")
        equal(len(place.facts(f"matcher-{shard}", "recovered")), 1, "those that went on")
    children = children_of(up)
    equal(len(children), len(CHILDREN), "children")
    words = up.words
    up.send(signal.SIGINT)
    equal(finish(up), words, "what it says while it stops")
    place.expect_nothing_left(children)


@with_place
def a_child_that_cannot_start_is_tried_again_and_again_and_comes_back(test, place):
    del test
    config = place.directory / "cluster.cfg"
    config.write_text("symbols\n    AAPL\n        tick_size = 0.01\n", encoding="ascii")
    up = place.up("--rate", "0", config=config)
    place.until_up(up)
    placed = {"before": place.place("before")}
    config.rename(place.directory / "aside.cfg")
    config.write_text("shards = many\n", encoding="ascii")
    os.kill(child(up, "matcher-0"), signal.SIGKILL)
    until(lambda: "it is started again in 0.8 s" in up.words, "it is tried again, and later")
    pauses = re.findall(r"matcher-0 \(process \d+\) .*; it is started again in ([\d.]+) s; "
                        r"its last words", up.words)
    equal(pauses[:4], ["0.1", "0.2", "0.4", "0.8"], "pauses")
    expect('shards: found "many", expected' in up.words, f"not its last words: {up.words}")
    expect(up.words.count("ended with status 2") >= 3, f"how it ended: {up.words}")
    answer = place.rest.get(f"{ORDERS}?account=keeper")
    equal([order["order_id"] for order in answer.json["data"]], [placed["before"]], "reads go on")
    (place.directory / "aside.cfg").rename(config)
    placed["after"] = place.place("after")
    place.expect_resting(placed)
    up.send(signal.SIGINT)
    finish(up)


@with_place
def it_stops_in_order_and_each_shard_says_where_it_stands(test, place):
    del test
    up = place.up()
    place.until_up(up)
    place.place("last")
    up.send(signal.SIGINT)
    equal(finish(up), "", "what it said on stderr")
    order = [place.facts(names[0], "stopped")[0]["time"] for names in (["gateway"],
                                                                       ["market-data"])]
    for shard in (0, 1):
        stopped, = place.facts(f"matcher-{shard}", "stopped")
        follower, = place.facts(f"follower-{shard}", "stopped")
        times = [*order, stopped["time"], follower["time"]]
        equal(times, sorted(times), "when they stopped")
        equal(stopped["epoch"], place.facts(f"matcher-{shard}", "started")[0]["epoch"], "epoch")
        expect(stopped["seq"] > 0 and len(stopped["state_hash"]) == 16, f"{stopped}")
    # The next life begins where this one ended.
    up = place.up("--rate", "0")
    place.until_up(up)
    for shard in (0, 1):
        recovered, = place.facts(f"matcher-{shard}", "recovered")
        expect(recovered["seq"] > 0 and recovered["commands"] > 0, f"{recovered}")
    up.send(signal.SIGINT)
    finish(up)


@with_place
def a_second_ctrl_c_kills_what_does_not_stop(test, place):
    del test
    up = place.up(status=1)
    children = place.until_up(up)
    os.kill(child(up, "market-data"), signal.SIGSTOP)
    up.send(signal.SIGINT)
    until(lambda: place.facts("gateway", "stopped"), "it stops")
    expect(up.running, "it did not wait for market-data")
    up.send(signal.SIGINT)
    words = finish(up)
    expect("market-data does not stop; killing it" in words, f"it said: {words}")
    expect("started again" not in words, f"it said: {words}")
    place.expect_nothing_left(children)


@with_place
def without_a_journal_there_is_no_follower_and_it_says_so(test, place):
    del test
    up = place.up("--rate", "0", journal_mode="none")
    children = place.until_up(up)
    equal(len(children), 4, "children")
    expect("none: nothing is kept" in up.said, f"it said: {up.said}")
    expect(not (place.run_dir / "journal").exists(), "there is a journal")
    up.send(signal.SIGINT)
    finish(up)
    place.expect_nothing_left(children)


@with_place
def a_second_up_in_the_same_run_dir_is_refused_with_the_pid(test, place):
    del test
    up = place.up("--rate", "0")
    children = place.until_up(up)
    second = place.up(status=1)
    words = finish(second)
    expect(f"another up already runs in {place.run_dir} (process {up.pid})" in words,
           f"it said: {words}")
    equal(children_of(up), children, "children of the first")
    up.send(signal.SIGINT)
    finish(up)
    place.expect_nothing_left(children)


@with_place
def a_run_dir_left_by_a_killed_up_goes_on(test, place):
    del test
    placed = {}
    for life in range(3):
        up = place.up()
        children = place.until_up(up)
        placed[f"life-{life}"] = place.place(f"life-{life}")
        place.expect_resting(placed)
        up.kill()
        # They end by themselves when up is gone.
        place.expect_nothing_left(children)
    up = place.up()
    children = place.until_up(up)
    place.expect_resting(placed)
    up.send(signal.SIGINT)
    finish(up)
    place.expect_nothing_left(children)


MISTAKES = [
    # what the file says, the line, the path, what was found, what is expected
    ("shards = 0\n", 1, "shards", "0", "a whole number from 1 to 64"),
    ("shards = 1\n\nlimits\n    events_max = many\n", 4, "limits/events_max", "many",
     "a whole number from 1 to 4096"),
    ("#   A comment\nheartbeat = 5\n", 2, "heartbeat", "heartbeat", "a setting"),
    ("shards = 2\nsymbols\n    A\n        shard = 2\n", 4, "symbols/A/shard", "2",
     "a shard from 0 to 1"),
    ("symbols\n    a\n", 2, "symbols/a", "a", "a symbol"),
    ("symbols\n    A\n        tick_size = 0.010x\n", 3, "symbols/A/tick_size", "0.010x",
     "a decimal"),
    ("symbols\n    A\n        tick_size = 0\n", 3, "symbols/A/tick_size", "0", "a decimal"),
    ("symbols\n    A\n        ticksize = 1\n", 3, "symbols/A/ticksize", "ticksize",
     "shard, tick_size, lot_size or any_price"),
    ("symbols\n    A\n        any_price = yes\n", 3, "symbols/A/any_price", "yes", "0 or 1"),
    ("shards = 1\nlog_level = loud\n", 2, "log_level", "loud", "debug, info, warn or error"),
    ("shards = 1\naddresses\n    commands = udp://x\n", 3, "addresses/commands", "udp://x",
     "ipc://PATH or tcp://HOST:PORT"),
]


@with_place
def a_mistake_in_the_configuration_is_refused_in_words(test, place):
    del test
    wrong = []
    for text, line, path, found, expected in MISTAKES:
        config = place.directory / "wrong.cfg"
        config.write_text(text, encoding="ascii")
        up = place.up(config=config, status=2)
        words = finish(up)
        pattern = rf'{re.escape(str(config))}:{line}: {re.escape(path)}: found "{re.escape(found)}"'
        if not re.search(pattern, words) or f"expected {expected}" not in words:
            wrong.append(f"of {text!r} it said: {words.strip()}")
        expect(not place.run_dir.exists(), "it started something")
    expect(not wrong, "\n".join(wrong))


@with_place
def a_mistake_anywhere_else_is_refused_in_words_too(test, place):
    del test
    equal(finish(place.up(config=place.directory / "none.cfg", status=2)).strip(),
          f"up: {place.directory}/none.cfg: cannot read it: No such file or directory",
          "about a file that is not there")
    cases = [
        (place.up("--commands-address", "tcp://0.0.0.0:5{shard}", status=2),
         'commands_address: found "tcp://0.0.0.0:5{shard}", expected ipc:// or a loopback address, '
         'or keys_dir'),
        (place.up("--heartbeat-ms", "9", status=2),
         '--heartbeat-ms: found "9", expected a whole number from 10 to 1000'),
        (place.up("--heartbeat-ms", status=2), '--heartbeat-ms: found "nothing"'),
        (place.up("--no-such-thing", "1", status=2), 'found "--no-such-thing"'),
        (place.up("--rate", "fast", status=2), '--rate: found "fast", expected a whole number'),
        (place.up(status=2, kept_mib="0"),
         'OUTCRY_KEPT_MIB: found "0", expected a whole number from 1 to 4096'),
    ]
    for process, wanted in cases:
        words = finish(process)
        expect(wanted in words, f"it does not say {wanted!r}: {words}")
    dotenv = place.directory / ".env"
    dotenv.write_text("OTHER=1\nOUTCRY_SHARDS=65\n", encoding="ascii")
    words = finish(place.up(status=2))
    expect('.env:2: OUTCRY_SHARDS: found "65", expected a whole number from 1 to 64' in words,
           f"it said: {words}")
    dotenv.write_text("OUTCRY_NO_SUCH=1\n", encoding="ascii")
    words = finish(place.up(status=2))
    expect(".env:1: OUTCRY_NO_SUCH" in words, f"it said: {words}")
    dotenv.unlink()
    config = place.directory / "empty.cfg"
    config.write_text("shards = 1\n", encoding="ascii")
    words = finish(place.up(config=config, status=2))
    expect("no symbols" in words, f"it said: {words}")


@with_place
def flags_go_before_variables_before_dotenv_before_the_file(test, place):
    """Told by the mistake each of them makes."""
    del test
    config = place.directory / "wrong.cfg"
    config.write_text("symbols\n    A\nheartbeat_ms = 1\n", encoding="ascii")
    dotenv = place.directory / ".env"
    words = finish(place.up(config=config, status=2))
    expect(f'{config}:3: heartbeat_ms: found "1"' in words, f"the file: {words}")
    config.write_text("symbols\n    A\nheartbeat_ms = 100\n", encoding="ascii")
    dotenv.write_text("OUTCRY_RUN_DIR=/dev/null/dotenv\n", encoding="ascii")
    settings = {"run_dir": "/dev/null/variable"}
    words = finish(place.up("--run-dir", "/dev/null/flag", config=config, status=1, **settings))
    expect("/dev/null/flag" in words, f"flag before variable: {words}")
    words = finish(place.up(config=config, status=1, **settings))
    expect("/dev/null/variable" in words, f"variable before .env: {words}")
    environment = clean_environment(OUTCRY_CONFIG=str(config))
    process = Process("up", [place.test.bin / "outcry", "up"], place.directory, environment)
    process.allowed = {1}
    words = finish(process)
    expect("/dev/null/dotenv" in words, f".env before the file: {words}")


if __name__ == "__main__":
    main(__doc__, [it_says_where_to_look_and_stops_everything_on_ctrl_c,
                   it_stops_everything_on_sigterm_and_while_it_starts,
                   a_port_in_use_is_told_in_words,
                   a_child_that_refuses_what_it_was_told_stops_everything_at_once,
                   a_killed_child_comes_back_and_trading_goes_on_with_the_same_book,
                   a_child_that_cannot_start_is_tried_again_and_again_and_comes_back,
                   it_stops_in_order_and_each_shard_says_where_it_stands,
                   a_second_ctrl_c_kills_what_does_not_stop,
                   without_a_journal_there_is_no_follower_and_it_says_so,
                   a_second_up_in_the_same_run_dir_is_refused_with_the_pid,
                   a_run_dir_left_by_a_killed_up_goes_on,
                   a_mistake_in_the_configuration_is_refused_in_words,
                   a_mistake_anywhere_else_is_refused_in_words_too,
                   flags_go_before_variables_before_dotenv_before_the_file])
