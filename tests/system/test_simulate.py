"""`outcry simulate`: its files, what reads them, and what it does to a live book."""
import csv
import gzip
import io
import subprocess

from cluster import ROOT, clean_environment, equal, expect, main
from watcher import Watcher, report_of

DEMO = ROOT / "services" / "cli" / "demo.cfg"
SYMBOL = "AAPL"
OPENING = 16  # orders that make the book of a symbol


def run(test, directory, *arguments):
    done = subprocess.run([test.bin / "outcry", *map(str, arguments)], cwd=directory,
                          env=clean_environment(OUTCRY_CONFIG=str(DEMO)), capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False)
    words = done.stderr.decode()
    expect("Sanitizer" not in words and "runtime error" not in words, words)
    return done


def write(test, directory, name, *arguments, count=3000):
    """Write a file of so many commands; its bytes."""
    done = run(test, directory, "simulate", "--symbols", SYMBOL, "--count", count, "--file", name,
               *arguments)
    equal(done.returncode, 0, f"status of {arguments}: {done.stderr.decode()}")
    if name == "-":
        return done.stdout
    return (directory / name).read_bytes()


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def the_same_options_write_the_same_bytes(test):
    commands = ("--form", "commands", "--mix", "50:44:0:0:6")
    with test.directory() as directory:
        for form in [(), commands, ("--form", "match"), ("--arrivals", "poisson")]:
            one = write(test, directory, "one.csv", *form)
            equal(write(test, directory, "two.csv", *form), one, f"the file of {form} again")
            equal(write(test, directory, "-", *form), one, f"{form} on standard output")
            expect(write(test, directory, "three.csv", *form, "--seed", 2) != one,
                   f"another seed wrote the same file of {form}")
            packed = write(test, directory, "one.csv.gz", *form)
            equal(gzip.decompress(packed), one, f"what is in the gzip file of {form}")
            equal(write(test, directory, "two.csv.gz", *form), packed, f"the gzip file of {form}")
            equal(one.count(b"\n"), 3001, f"lines of {form}")


def a_file_says_what_was_asked_for(test):
    with test.directory() as directory:
        write(test, directory, "day.csv", "--base-price", "585.00", "--spread", "0.15", "--size",
              100, "--rate", 50, "--duration", 100, count=100000)
        rows = rows_of((directory / "day.csv").read_bytes())
        equal(list(rows[0]), ["ts", "msg_type", "side", "price", "qty", "order_id"], "columns")
        times = [int(row["ts"]) for row in rows]
        equal(times[0], 34200 * 10**9, "the first ts")
        equal(times, sorted(times), "ts in order")
        expect(34299 * 10**9 < times[-1] <= 34300 * 10**9, f"the last ts is {times[-1]}")
        expect(3500 < len(rows) < 7000, f"{len(rows)} commands in 100 s at 50 a second")
        kinds = {row["msg_type"] for row in rows}
        equal(kinds, {"add", "cancel", "amend", "market", "ioc"}, "what there is")
        adds = [row for row in rows if row["msg_type"] == "add"]
        prices = [float(row["price"]) for row in adds]
        expect(570 < min(prices) and max(prices) < 600, f"prices {min(prices)}..{max(prices)}")
        sizes = sorted(int(row["qty"]) for row in adds)
        equal(sizes[len(sizes) // 2], 100, "the median size")
        write(test, directory, "spread.csv", "--symbols", "POWER-SPREAD")


def what_reads_files_reads_these(test):
    count = test.count(10000)
    with test.directory() as directory:
        write(test, directory, "match.csv", "--form", "match", count=count)
        done = run(test, directory, "match", "match.csv", "--queues", "queues.csv")
        equal(done.returncode, 0, f"status of match: {done.stderr.decode()}")
        events = rows_of(done.stdout)
        expect(len(events) > count, f"only {len(events)} events")
        refused = [event for event in events if event["event"] == "rejected"]
        equal(refused, [], "refusals")
        write(test, directory, "day.csv", count=count)
        write(test, directory, "day.commands.csv", "--form", "commands", "--mix", "50:44:0:0:6",
              count=count)
        for name, form in [("day.csv", "csv"), ("day.commands.csv", "commands")]:
            done = run(test, directory, "backtest", "none", "--history", name, "--form", form,
                       "--symbol", SYMBOL)
            equal(done.returncode, 0, f"status of backtest {form}: {done.stderr.decode()}")
            expect(f"events   {count} " in done.stdout.decode(), done.stdout.decode())
            with test.cluster({SYMBOL: {"tick_size": "0.01"}}) as cluster:
                replay = cluster.spawn("replay", "outcry", "replay", directory / name, "--format",
                                       form, "--symbol", SYMBOL)
                equal(replay.wait(), 0, f"status of replay {form}")
                report = report_of(replay)
                equal((report["commands"][0], report["commands"][2]), (count, 0),
                      f"commands and rejects of {form}")


def book_left(test, directory, count, *arguments):
    """Levels at the end of a file of these options: bids, asks, best first."""
    write(test, directory, "match.csv", "--form", "match", *arguments, count=count)
    done = run(test, directory, "match", "match.csv", "--queues", "queues.csv")
    equal(done.returncode, 0, f"status of match: {done.stderr.decode()}")
    levels = {"buy": {}, "sell": {}}
    for row in rows_of((directory / "queues.csv").read_bytes()):
        level = levels[row["side"]]
        level[int(row["price"])] = level.get(int(row["price"]), 0) + int(row["open_qty"])
    return sorted(levels["buy"].items(), reverse=True), sorted(levels["sell"].items())


def watched(cluster, expected, *arguments):
    """Let it trade until the book is the expected one; the trades, and its words."""
    watcher = Watcher(cluster, SYMBOL)
    flow = cluster.outcry("simulate", "--symbols", SYMBOL, *arguments)

    def arrived():
        watcher.take()
        book = watcher.book("l2")
        return book is not None and (book.bids(), book.asks()) == expected
    cluster.until(arrived, f"the book is {expected}")
    watcher.finish()
    return watcher.trades, flow.words


def a_live_book_is_the_files(test):
    """The same seed, whatever the arrivals are slowed down to; and nothing is refused."""
    count = test.count(5000)
    with test.directory() as directory, test.cluster({SYMBOL: {}, "OTHER": {}}) as cluster:
        trades, words = watched(cluster, book_left(test, directory, count, "--rate", 20000),
                                "--count", count, "--rate", 20000)
        expect(len(trades) > count / 100, f"only {len(trades)} trades of {count} commands")
        expect(f"{count} commands, {count} done, 0 refused" in words, f"it said: {words}")


def another_run_begins_where_the_last_left_nothing(test):
    with test.directory() as directory, test.cluster({SYMBOL: {}}) as cluster:
        cluster.outcry("simulate", "--count", 300, "--rate", 20000)
        _, words = watched(cluster, book_left(test, directory, OPENING), "--count", OPENING)
        expect(f"{OPENING} commands, {OPENING} done, 0 refused" in words, f"it said: {words}")


def it_ends_when_its_time_is_over(test):
    with test.cluster({SYMBOL: {}}) as cluster:
        words = cluster.outcry("simulate", "--rate", 200, "--duration", 1, "--arrivals",
                               "poisson").words
        count = int(words.split(" commands")[0].split()[-1])
        expect(140 < count - OPENING < 260, f"{count} commands in a second at 200 a second")


def mistakes_are_told_in_words(test):
    file = ["--file", "x.csv"]
    one = ["--symbols", SYMBOL]
    wrong = [
        (["--rate", "0.0009"], '--rate: found "0.0009", expected a number from 0.001 to 1000000'),
        (["--rate", "1000000.001"], "--rate: found"), (["--rate", "1.0001"], "--rate: found"),
        (["--seed", "18446744073709551616"], "--seed: found"), (["--seed", "-1"], "--seed: found"),
        (["--informed", "1.001"], "--informed: found"), (["--informed", "x"], "--informed: found"),
        (["--arrivals", "weibull"], "expected poisson or hawkes"),
        (["--mix", "50:41:3:3:4"], "add up to 100"), (["--mix", "50:41:3:3"], "five percentages"),
        (["--mix", "50:41:3:3:2:1"], "five percentages"),
        (["--mix", "0:91:3:3:3"], "the first above 0"),
        (["--symbols", "NO"], "symbols of the configuration"),
        (["--symbols", "AAPL,AAPL"], "each once"), (["--symbols", ""], "--symbols: found"),
        (["--base-price", "100.005"], "whole in its ticks of 0.01"),
        ([*one, "--base-price", "0"], "of AAPL a number from 0.01 to 10000000000.00"),
        ([*one, "--base-price", "10000000000.01"], '"10000000000.01"'),
        (["--base-price", "POWER-SPREAD=-50000000000.05"], "from -50000000000.00 to"),
        ([*one, "--spread", "0"], "from 0.01 to 10000.00"),
        ([*one, "--spread", "10000.01"], '"10000.01"'),
        ([*one, "--size", "0"], "from 1 to 1000000000, whole in its lots of 1"),
        ([*one, "--size", "1000000001"], '"1000000001"'),
        ([*one, "--size", "BTC-USD=1"], "SYMBOL=VALUE of symbols that are simulated"),
        (["--count", "0"], "--count: found"), (["--duration", "0"], "--duration: found"),
        (["--duration", "1000000000.001"], "--duration: found"),
        (["--form", "xml"], "csv, commands or match"), (["--rate"], "--rate: found \"nothing\""),
        (file, "a file has an end"), ([*file, "--count", "1"], "one symbol"),
        ([*file, *one, "--count", "1", "--form", "commands"], "without amends and market orders"),
    ]
    fine = [
        ["--rate", "0.001"], ["--rate", "1000000"], ["--seed", "18446744073709551615"],
        ["--informed", "0"], ["--informed", "1"], ["--base-price", "0.01"],
        ["--base-price", "0.02"], ["--base-price", "AAPL=10000000000.00"],
        ["--base-price", "9999999999.99"], ["--spread", "0.01"], ["--spread", "10000.00"],
        ["--spread", "9999.99"], ["--size", "1"], ["--size", "1000000000"],
        ["--size", "999999999"], ["--mix", "100:0:0:0:0"], ["--mix", "0.001:49.999:20:10:20"],
    ]
    with test.directory() as directory:
        for arguments, words in wrong:
            done = run(test, directory, "simulate", *arguments)
            equal((done.returncode, done.stdout), (2, b""), f"status and stdout of {arguments}")
            expect(words in done.stderr.decode(), f"of {arguments}: {done.stderr.decode()}")
        done = run(test, directory, "simulate", *one, "--count", 1, "--file", "no/such/x.csv")
        equal(done.returncode, 1, "status of a file that cannot be made")
        expect("cannot write no/such/x.csv: No such file" in done.stderr.decode(),
               done.stderr.decode())
        for arguments in fine:
            equal(len(rows_of(write(test, directory, "-", *arguments, count=100))), 100,
                  f"rows of {arguments}")


if __name__ == "__main__":
    main(__doc__, [the_same_options_write_the_same_bytes, a_file_says_what_was_asked_for,
                   what_reads_files_reads_these, a_live_book_is_the_files,
                   another_run_begins_where_the_last_left_nothing, it_ends_when_its_time_is_over,
                   mistakes_are_told_in_words])
