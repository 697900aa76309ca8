"""Metrics and probes of every service: each tells what it did, every family is one k8s/METRICS.md
has, figures of the matcher are what was sent, and probes say what is so: before the journal is
read, while nobody can answer, and when it is over."""
import collections
import http.client
import os
import pathlib
import signal
import time

from cluster import ROOT, equal, expect, main, outcry
from metrics import Figures, admin_file, admin_of, ask, documented, fetch, fetch_text
from promtool import promtool

SYMBOLS = {"BTC-USD": {"tick_size": "0.01"}, "ETH-USD": {}, "AAPL": {"shard": 1}}
SETTINGS = {"heartbeat_ms": 50, "snapshot_commands": 200}
SERVICES = ("matcher-0", "matcher-1", "follower-0", "follower-1", "market-data")
WITH_KEYS = ("outcry_curve_", "outcry_tls_")
SILENT_S = 1  # a process that does not answer a probe for so long does not
MAKER = """strategies
    maker-1
        type = maker
        symbol = AAPL
        position_max = 100
        order_max = 10
        messages_per_second = 50
        mode = symmetric
        half_spread = 1
        quantity = 1
        inventory_max = 50
"""


def venue(test):
    return test.cluster(SYMBOLS, shards=2, gateways=1, followers=True, settings=SETTINGS)


class Sent:
    """What was sent to a shard, and what is to be counted of it."""

    def __init__(self):
        self.commands = 0
        self.resting = 0
        self.trades = collections.Counter()
        self.rejects = collections.Counter()

    def send(self, sender, chance, symbol, count):
        """Orders that rest, that trade, and that are refused, in no order."""
        for number in range(count):
            kind = chance.choice((self._rest, self._trade, self._refuse))
            kind(sender, symbol, f"{symbol}-{number}")

    def _order(self, sender, symbol, account, side, qty, **options):
        self.commands += 1
        return sender.new_order(symbol, account, side, qty, **options)

    def _rest(self, sender, symbol, name):
        side, price = ("buy", 1) if self.resting % 2 == 0 else ("sell", 99)
        result = self._order(sender, symbol, "a", side, 1, price=price, client_order_id=name)
        expect(result.ok, lambda: f"an order that is to rest: {result}")
        self.resting += 1

    def _trade(self, sender, symbol, _):
        for account, side in (("a", "sell"), ("b", "buy")):
            result = self._order(sender, symbol, account, side, 3, price=50)
            expect(result.ok, lambda r=result: f"an order that is to trade: {r}")
        self.trades[symbol] += 1

    def _refuse(self, sender, symbol, _):
        """Each of these is refused for one reason."""
        self.rejects["INVALID_QUANTITY"] += 1
        expect(not self._order(sender, symbol, "a", "buy", 0, price=1).ok, "no quantity")
        self.rejects["UNKNOWN_SYMBOL"] += 1
        expect(not self._order(sender, "NOPE", "a", "buy", 1, price=1).ok, "no symbol")
        self.rejects["UNKNOWN_ORDER"] += 1
        self.commands += 1
        expect(not sender.cancel_order(symbol, "a", client_order_id="never").ok, "no order")


def rejects_of(figures, shard):
    return {dict(labels)["code"]: value for (name, labels), value in figures.samples.items()
            if name == "outcry_matcher_rejects_total" and ("shard", shard) in labels and value}


def check_matcher(cluster, shard, sent):
    """The series are copied once a second: until they are up to date."""
    address = admin_of(cluster.run_dir, f"matcher-{shard}")
    own = [name for name in SYMBOLS if cluster.shard_of(name) == shard]
    label = str(shard)
    commands = 1 + len(own) + sent.commands  # configure, a symbol each

    def up_to_date():
        figures = fetch(address)
        return figures if figures.value("outcry_matcher_commands_total", shard=label) == commands \
            else None
    figures = cluster.until(up_to_date, f"matcher-{shard} has counted {commands} commands")
    for symbol in own:
        equal(figures.value("outcry_matcher_trades_total", shard=label, symbol=symbol),
              sent.trades[symbol], f"trades of {symbol}")
    equal(rejects_of(figures, label), dict(sent.rejects), f"rejects of shard {shard}")
    equal(figures.value("outcry_matcher_rejects_total", shard=label, code="POST_ONLY"), 0,
          "rejects of a kind that was not")
    equal(figures.value("outcry_matcher_open_orders", shard=label), sent.resting, "open orders")
    equal(figures.value("outcry_matcher_seq", shard=label), commands, "the last command")
    equal(figures.value("outcry_matcher_epoch", shard=label), cluster.epoch(shard), "the epoch")
    equal(figures.value("outcry_matcher_open", shard=label), 1, "open")
    equal(figures.value("outcry_matcher_batch_commands_sum", shard=label), commands,
          "commands of all batches")
    batches = figures.value("outcry_matcher_batches_total", shard=label)
    equal(figures.value("outcry_matcher_batch_commands_count", shard=label), batches, "batches")
    equal(figures.value("outcry_journal_commit_seconds_count", shard=label), batches, "commits")
    equal(figures.value("outcry_node_sent_total", output="follower_requests") > 0, True,
          "it speaks to its follower")
    for name in ("outcry_journal_syncs_total", "outcry_journal_written_bytes_total",
                 "outcry_journal_size_bytes", "outcry_journal_disk_free_bytes",
                 "outcry_journal_size_max_bytes", "outcry_matcher_accounts"):
        expect(figures.value(name, shard=label) > 0, f"{name} of shard {shard} is 0")
    expect(figures.value("outcry_publisher_frames_total", output="private") > 0, "no frames")


def check_follower(cluster, shard):
    address = admin_of(cluster.run_dir, f"follower-{shard}")
    matcher = fetch(admin_of(cluster.run_dir, f"matcher-{shard}"))
    label = str(shard)
    seq = matcher.value("outcry_matcher_seq", shard=label)

    def caught_up():
        figures = fetch(address)
        return figures if figures.value("outcry_follower_seq", shard=label) == seq else None
    figures = cluster.until(caught_up, f"follower-{shard} has read {seq} commands")
    equal(figures.value("outcry_follower_behind_commands", shard=label), 0, "what it is behind")
    equal(figures.value("outcry_follower_restarts_total", shard=label), 0, "restarts")
    equal(figures.value("outcry_follower_epoch", shard=label), cluster.epoch(shard), "its epoch")
    expect(figures.value("outcry_follower_snapshots_total", shard=label) > 0, "no snapshots")


def check_market_data(cluster):
    figures = fetch(admin_of(cluster.run_dir, "market-data"))
    equal(figures.value("outcry_market_data_symbols"), len(SYMBOLS), "symbols")
    equal(figures.value("outcry_market_data_symbols_known"), len(SYMBOLS), "symbols known")
    for shard in ("0", "1"):
        for what in ("gaps", "faults", "unreadable"):
            count = figures.value(f"outcry_stream_{what}_total", stream="public", shard=shard)
            equal(count, 0, f"{what} of shard {shard}")
        expect(figures.value("outcry_stream_frames_total", stream="public", shard=shard) > 0,
               f"no frames of shard {shard}")
        count = figures.value("outcry_market_data_delay_seconds_count", shard=shard)
        late = figures.value("outcry_market_data_delay_seconds_sum", shard=shard)
        expect(count > 0 and 0 < late / count < 5, f"shard {shard}: {late} s late, {count} times")


def check_strategy(cluster, address):
    def trades():
        figures = fetch(address)
        return figures if figures.value("outcry_strategy_orders_total", symbol="AAPL") else None
    figures = cluster.until(trades, "the strategy has sent an order")
    equal(figures.value("outcry_strategy_running", symbol="AAPL"), 1, "strategies that run")
    equal(figures.value("outcry_strategy_stopped", symbol="AAPL"), 0, "strategies that stopped")
    expect(figures.value("outcry_stream_frames_total", stream="private", shard="1") > 0,
           "it hears nothing of its account")


def check_all(addresses):
    """Every family is documented, and of the services' own. What they said."""
    reference = documented(ROOT / "k8s" / "METRICS.md")
    seen, texts = set(), []
    for service, address in addresses.items():
        text = fetch_text(address)
        figures = Figures(text)
        for name, kind in figures.types.items():
            expect(name in reference, f"{service}: {name} is not documented")
            equal(kind, reference[name][0], f"{service}: type of {name}")
        for (name, labels), _ in figures.samples.items():
            family = next(f for f in (name, name.rsplit("_", 1)[0]) if f in figures.types)
            equal({label for label, _ in labels} - {"le"}, reference[family][1],
                  f"{service}: labels of {name}")
        equal(figures.total("outcry_build_info"), 1, f"{service}: what runs")
        expect(abs(figures.value("outcry_start_time_seconds") - time.time()) < 600,
               f"{service}: start")
        expect(figures.value("outcry_node_cycles_total") > 0, f"{service}: no turns")
        expect(figures.total("outcry_node_messages_total") > 0, f"{service}: no messages")
        seen |= set(figures.types)
        texts.append(text)
    # Only a cluster with keys, or with a certificate, has the others.
    equal({name for name in set(reference) - seen if not name.startswith(WITH_KEYS)}, set(),
          "documented, and told by nobody")
    return texts


def every_service_tells_what_it_did(test):
    with venue(test) as cluster:
        sent = {0: Sent(), 1: Sent()}
        for shard in sent:
            with outcry.Origin(cluster.address("commands", shard),
                               cluster.address("private", shard), "test") as sender:
                for symbol in SYMBOLS:
                    if cluster.shard_of(symbol) == shard:
                        sent[shard].send(sender, test.random, symbol, test.count(300))
        for shard, of_shard in sent.items():
            check_matcher(cluster, shard, of_shard)
            check_follower(cluster, shard)
        check_market_data(cluster)
        config = cluster.run_dir / "desk.cfg"
        config.write_text(cluster.config.read_text(encoding="ascii") + MAKER, encoding="ascii")
        cluster.spawn("strategy", "outcry-strategy", "--config", config)
        addresses = {name: admin_of(cluster.run_dir, name)
                     for name in (*SERVICES, "strategy-strategy")}
        check_strategy(cluster, addresses["strategy-strategy"])
        gateway = cluster.gateways[0]
        for path, status in (("/api/v1/symbols", 200), ("/nothing", 404)):
            equal(ask(f"{gateway.host}:{gateway.port}", path)[0], status, f"status of {path}")
        addresses["gateway"] = f"{gateway.host}:{gateway.admin_port}"
        texts = check_all(addresses)
        files = [admin_file(cluster.run_dir, name) for name in addresses if name != "gateway"]
        equal([oct(file.stat().st_mode & 0o777) for file in files], ["0o600"] * len(files), "modes")
        for name in ("matcher-0", "follower-0", "market-data"):
            cluster.parts()[name][0].stop()
            expect(not admin_file(cluster.run_dir, name).exists(), f"{name} has left its file")
        for text in texts:  # last: it may not be there
            promtool(test, "check", "metrics", text=text)


def every_service_is_live_started_and_ready(test):
    with venue(test) as cluster:
        for name in SERVICES:
            address = admin_of(cluster.run_dir, name)
            for probe in ("livez", "startupz", "readyz"):
                cluster.until(lambda a=address, p=probe: ask(a, f"/{p}") == (200, "ok\n"),
                              f"{name} answers {probe}")
            equal(ask(address, "/livez", method="POST")[0], 405, "status of a POST")
            equal(ask(address, "/orders")[0], 404, "status of another path")


def all_stand(pid):
    """Whether every thread of the process is stopped: the signal takes its time to reach each."""
    stats = pathlib.Path(f"/proc/{pid}/task").glob("*/stat")
    return all(stat.read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "T"
               for stat in stats)


def a_process_that_stands_still_does_not_answer_until_it_goes_on(test):
    with venue(test) as cluster:
        for name in ("matcher-0", "follower-1"):
            process = cluster.parts()[name][0]
            address = admin_of(cluster.run_dir, name)
            process.send(signal.SIGSTOP)
            cluster.until(lambda p=process: all_stand(p.pid), f"all threads of {name} stand still")
            try:
                begin = time.monotonic()
                try:
                    answer = ask(address, "/livez", seconds=SILENT_S)
                except (OSError, http.client.HTTPException):
                    answer = None
                equal(answer, None, f"what {name} answers while it stands still")
                expect(time.monotonic() - begin >= SILENT_S, f"{name} refused at once")
            finally:
                process.send(signal.SIGCONT)
            cluster.until(lambda a=address: ask(a, "/livez")[0] == 200, f"{name} is live again")
            cluster.until(lambda a=address: ask(a, "/readyz")[0] == 200, f"{name} is ready again")


def a_matcher_that_reads_its_journal_is_live_and_not_started(test):
    """Its file of epochs is a pipe here: it waits for us before it reads anything."""
    with venue(test) as cluster:
        epoch = cluster.epoch()
        cluster.stop_matcher()
        file = cluster.run_dir / "0.epoch"
        file.unlink()
        os.mkfifo(file)
        cluster.start_matcher()
        address = admin_of(cluster.run_dir, "matcher-0")
        equal(ask(address, "/livez"), (200, "ok\n"), "livez")
        equal(ask(address, "/startupz"), (503, "starting\n"), "startupz")
        equal(ask(address, "/readyz"), (503, "starting\n"), "readyz")
        equal(fetch(address).value("outcry_ready"), 0, "ready")
        with open(file, "w", encoding="ascii") as pipe:
            pipe.write(f"{epoch}\n")
        file.unlink()
        cluster.started()
        cluster.until(lambda: ask(address, "/startupz")[0] == 200, "it has started")
        cluster.until(lambda: ask(address, "/readyz")[0] == 200, "it is ready")
        cluster.until(lambda: fetch(address).value("outcry_ready") == 1, "it says so")
        expect(fetch(address).value("outcry_matcher_recovery_seconds", shard="0") > 0,
               "reading took no time")


def a_matcher_that_takes_nothing_is_not_ready_and_says_why(test):
    """Its journal may hold no more than it does at once."""
    small = {"journal_mib_max": 8, "segment_mib": 2, "batch_commands_max": 256}
    with test.cluster({"A": {}}, settings={**SETTINGS, **small}) as cluster:
        address = admin_of(cluster.run_dir, "matcher-0")
        cluster.until(lambda: ask(address, "/readyz")[0] == 200, "it is ready")
        cluster.spawn("simulate", "outcry", "simulate", "--rate", 100000, "--seed", test.seed % 100)
        cluster.until(lambda: ask(address, "/readyz") == (503, "its journal has no space\n"),
                      "the journal is full", 120)
        equal(ask(address, "/livez")[0], 200, "status of livez")
        figures = fetch(address)
        equal(figures.value("outcry_matcher_open", shard="0"), 0, "open")
        equal(figures.value("outcry_ready"), 0, "ready")


def none_is_nowhere(test):
    with test.cluster({"A": {}}, settings={"service_admin_address": "none"}) as cluster:
        equal(list(cluster.run_dir.glob("*.admin")), [], "files that tell where")


def an_address_that_is_taken_is_told(test):
    with test.cluster({"A": {}}) as cluster:
        address = admin_of(cluster.run_dir, "market-data")
        second = cluster.spawn("second", "outcry-market-data", "--run-dir",
                               cluster.run_dir / "other", "--service-admin-address", address)
        second.allowed = {1}
        second.wait()
        expect(f"cannot serve at {address}" in second.words, second.words)


if __name__ == "__main__":
    main(__doc__, [every_service_tells_what_it_did, every_service_is_live_started_and_ready,
                   a_process_that_stands_still_does_not_answer_until_it_goes_on,
                   a_matcher_that_reads_its_journal_is_live_and_not_started,
                   a_matcher_that_takes_nothing_is_not_ready_and_says_why,
                   none_is_nowhere, an_address_that_is_taken_is_told])
