"""Claims about what can happen to a composed cluster under load: containers are killed, cut off and
replaced, keys rotated, everything stopped and started; nothing acknowledged is lost, nothing
happens twice."""
import collections
import time

from cluster import Skipped, equal, expect, outcry, until
from composed import HERE, SIMULATED, check_keys, epochs, say
from load import RestTrader, Watcher, WireTrader, Worker, equal_books, settle
from test_kills import until_all_trade
from test_rolling import Client, ExchangeClient, OriginClient

SHARDS = 2
LATENCY_S = 20  # nobody waits longer while a container is replaced; what is found is printed
CALLS = 20  # of every client, until the next is replaced
CUT_S = 3
HEALED_S = 10


# ---- what can happen to it ----

class KeyedOrigin(OriginClient):
    """By outcry.Origin with a key, on shard 1."""

    def __init__(self, composed, name, seed):
        Client.__init__(self, name, seed, ["AAPL"])  # pylint: disable=non-parent-init-called
        self.origin = outcry.Origin(composed.address("commands", 1), composed.address("private", 1),
                                    f"strategy-{name}", keys=composed.keys)


class MatcherWatcher(Watcher):
    """Of what the matcher of shard 1 publishes, as an operator."""

    def __init__(self, composed, name, topics):
        Worker.__init__(self, name)  # pylint: disable=super-init-not-called
        self.reader = outcry.Subscriber(composed.address("public", 1), topics, server="matcher",
                                        keys=outcry.Keys(composed.keys, "operator"))


class Load:
    """Traders and readers at work while something happens; afterwards the books are balanced."""

    def __init__(self, seed, name, traders):
        c = HERE.composed
        self.traders = traders(c, seed, name)
        HERE.accounts += [trader.name for trader in self.traders]
        self.watchers = [
            Watcher("public", c.address("market_data"),
                    [f"{kind}.{symbol}" for symbol in c.symbols for kind in ("l2", "l3", "trade")],
                    keys=c.volume("subscriber-keys")),
            MatcherWatcher(c, "l3 of 1", ["l3.AAPL"])]
        self.workers = self.watchers + self.traders

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, kind, *_):
        for worker in self.workers:
            worker.stopping.set()
        if kind is not None:
            for worker in self.workers:
                worker.thread.join()
            return
        for trader in self.traders:
            trader.stop()
        self._balance()
        HERE.composed.check()

    def _balance(self):
        c = HERE.composed
        c.compose("stop", "strategy", "flow")  # what they trade is counted, too
        others = set(HERE.accounts) - {trader.name for trader in self.traders}
        counts = settle(c, self.traders, SIMULATED + sorted(others))
        for watcher in self.watchers:
            watcher.finish()
        equal_books(c, self.watchers)
        for watcher in self.watchers:
            watcher.close()
        c.compose("start", "strategy", "flow")
        equal(epochs(), HERE.epochs, "epochs")
        say(f"orders: {counts}")
        outcomes = sum((getattr(trader, "outcomes", collections.Counter())
                        for trader in self.traders), collections.Counter())
        if outcomes:
            say(f"answers: {dict(sorted(outcomes.items()))}")


def uncertain_traders(c, seed, name):
    """They take note of every answer, and of none."""
    return [*(RestTrader(c, f"{name}-rest{number}", seed, pause_s=0.02) for number in range(2)),
            WireTrader(c, f"{name}-wire", 1, seed, pause_s=0.02)]


def traders_of_one_gateway(c, seed, name):
    """Each knows of no other gateway: one that is cut off does not know what the other does."""
    traders = uncertain_traders(c, seed, name)
    for trader, gateway in zip(traders, c.gateways):
        trader.gateways = [gateway]
    return traders


def patient_clients(c, seed, name):
    """The Python client: every call is to be answered."""
    return [*(ExchangeClient(c, f"{name}-rest{number}", seed) for number in range(2)),
            KeyedOrigin(c, f"{name}-wire", seed)]


def what_is_killed_comes_back_and_nothing_is_lost(test):
    c = HERE.composed
    victims = c.lasting()
    test.random.shuffle(victims)
    if test.options.scale < 1:
        victims = ["matcher-1", "gateway-1"]
    with Load(test.seed, "kill", uncertain_traders) as load:
        for service in victims:
            begin = time.monotonic()
            c.kill(service)
            until_all_trade(c, load.workers, range(SHARDS))
            say(f"{service} was killed: all trade again after {time.monotonic() - begin:.1f} s")
        for service in victims:
            c.until_serving(service)


def a_cut_network_heals_and_nothing_is_lost(test):
    if test.options.scale < 1:
        raise Skipped("for a full run")
    c = HERE.composed
    with Load(test.seed, "cut", traders_of_one_gateway) as load:
        for service in ("market-data", "gateway-1", "matcher-0", "follower-1"):
            c.cut(service, "bus")
            try:
                trade_without(service, load)
            finally:
                c.heal(service, "bus")
            begin = time.monotonic()
            until_all_trade(c, load.workers, range(SHARDS))
            c.until_serving(service)
            healed = time.monotonic() - begin
            say(f"{service} was cut off: all well {healed:.1f} s after it was back")
            expect(healed < HEALED_S, f"{service} took {healed:.1f} s to heal")


def trade_without(service, load):
    """Whoever needs it not trades on; and for long enough that everybody has noticed."""
    begin = time.monotonic()
    if service == "matcher-0":  # who trades on both shards repeats what is uncertain till it is not
        able = [worker for worker in load.workers if hasattr(worker, "shard")]
    else:
        able = [worker for worker in load.workers
                if service not in [gateway.name for gateway in getattr(worker, "gateways", [])]]
    until_all_trade(HERE.composed, able, range(SHARDS))
    until(lambda: time.monotonic() > begin + CUT_S, "the cut has lasted")


def each_is_replaced_and_clients_see_only_latency(test):
    c = HERE.composed
    services = c.lasting() if test.options.scale >= 1 else ["matcher-0", "gateway-2"]
    with Load(test.seed, "roll", patient_clients) as load:
        until_all_are_answered(load)
        for service in services:
            begin = time.monotonic()
            c.recreate(service)
            until_all_are_answered(load)
            slowest = max(client.slowest(begin) for client in load.traders)
            say(f"{service} was replaced in {time.monotonic() - begin:.1f} s: "
                f"a call took {slowest:.2f} s at most")
            expect(slowest < LATENCY_S, f"{service} was replaced: a call took {slowest:.1f} s")
    repeats = sum((client.exchange.counts for client in load.traders[:2]), collections.Counter())
    say(f"asked: {dict(sorted(repeats.items()))}")


def until_all_are_answered(load):
    """Every client, some times more, and no call has failed."""
    before = [len(client.calls) for client in load.traders]

    def answered():
        for worker in load.workers:
            worker.check()
        return all(len(client.calls) > count + CALLS
                   for client, count in zip(load.traders, before))
    until(answered, "all trade on")


def keys_are_rotated_while_it_trades(test):
    if test.options.scale < 1:
        raise Skipped("for a full run")
    c = HERE.composed

    def change(action):
        c.compose("run", "--rm", "-T", "keys", action, "market-data")
    with Load(test.seed, "rotate", patient_clients) as load:
        until_all_are_answered(load)
        change("rotate")
        change("promote")
        c.recreate("market-data")
        change("retire")
        until_all_are_answered(load)
        shown = c.compose("run", "--rm", "-T", "keys", "list").stdout
        expect("market-data" in shown, f"keys list: {shown}")
    check_keys()


def volumes_keep_everything_over_down_and_up(test):
    c = HERE.composed
    with outcry.Exchange("http://127.0.0.1:8000", account="keeper") as exchange:
        order = exchange.place("AAPL", "buy", 7, "0.05", client_order_id=f"keep-{test.seed}")
        keys = outcry.Keys(c.keys, "operator").public
        c.down()
        c.up()
        equal(epochs(), HERE.epochs, "epochs after down and up")
        equal(outcry.Keys(c.keys, "operator").public, keys, "keys after down and up")
        found = exchange.order(order)
        equal((found["order_id"], found["status"], found["open_quantity"]),
              (order["order_id"], "new", "7"), "an order after down and up")
        again = exchange.place("AAPL", "buy", 7, "0.05", client_order_id=f"keep-{test.seed}")
        equal((again["order_id"], again["duplicate"]), (order["order_id"], True), "it, sent again")
    HERE.accounts.append("keeper")
