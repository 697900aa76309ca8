"""`outcry up`: what it says, and that it leaves nothing behind, whatever happens to it."""
import os
import pathlib
import re
import signal
import socket

from cluster import ROOT, Process, clean_environment, equal, expect, free_port, main, until

DEMO = ROOT / "services" / "cli" / "demo.cfg"
CHILDREN = 5  # two matchers, market data, the gateway and the flow


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
    equal(len(children), CHILDREN, "children")
    for words in ("2 shards, 4 symbols: BTC-USD ETH-USD AAPL POWER-SPREAD",
                  "./outcry tape trade.BTC-USD", place.market_data, f"{place.run_dir}/*.log",
                  "20 a second"):
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
            equal(len(children), CHILDREN - 1, "children, without a flow")
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
        for name in ("gateway_address", "admin_address"):
            up = place.up(status=1, **{name: address.removeprefix("tcp://")})
            words = finish(up)
            for wanted in ("gateway", address.removeprefix("tcp://"), "in use by another process"):
                expect(wanted in words, f"it does not say {wanted!r}: {words}")


@with_place
def a_killed_child_is_named_and_everything_stops(test, place):
    del test
    names = {"outcry-matcher --shard 0": "matcher-0", "outcry-market-data": "market-data",
             "outcry simulate": "simulate"}
    for command, name in names.items():
        up = place.up(status=1)
        children = place.until_up(up)
        victim = next(pid for pid in children if command in command_of(pid))
        os.kill(victim, signal.SIGKILL)  # a child of what we started
        words = finish(up)
        for wanted in (f"{name} (process {victim})", "signal 9 (Killed)", "stopping the rest"):
            expect(wanted in words, f"it does not say {wanted!r}: {words}")
        expect(up.said.endswith("Outcry has stopped.\n"), f"it said: {up.said}")
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
def a_run_dir_left_by_a_killed_up_works(test, place):
    del test
    epochs = []
    for _ in range(3):
        up = place.up()
        children = place.until_up(up)
        epochs.append(int((place.run_dir / "0.epoch").read_text(encoding="ascii")))
        up.kill()
        # They end by themselves when up is gone.
        place.expect_nothing_left(children)
    expect(epochs[0] < epochs[1] < epochs[2], f"epochs do not grow: {epochs}")
    up = place.up()
    children = place.until_up(up)
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
    ("shards = 1\naddresses\n    commands = tcp://0.0.0.0:5\n", 3, "addresses/commands",
     "tcp://0.0.0.0:5", "ipc:// or a loopback address"),
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
                   a_killed_child_is_named_and_everything_stops,
                   a_second_up_in_the_same_run_dir_is_refused_with_the_pid,
                   a_run_dir_left_by_a_killed_up_works,
                   a_mistake_in_the_configuration_is_refused_in_words,
                   a_mistake_anywhere_else_is_refused_in_words_too,
                   flags_go_before_variables_before_dotenv_before_the_file])
