"""A rolling restart: each process in turn is told to stop and started again while everybody trades.
Nothing acknowledged is lost, nothing happens twice, and clients see nothing but latency: no call of
the Python client fails, readers repair themselves, WebSocket readers connect again."""
import itertools
import random
import time

from cluster import expect, main, make_parser, outcry
from load import THERE, Crew, Placed, Watcher, Worker, equal_books, settle
from test_strategy import Desk
from websocket_reader import WebSocketReader

SYMBOLS = {"BTC-USD": {}, "AAPL": {"shard": 1}}
SHARDS = 2
SETTINGS = {"heartbeat_ms": 100, "snapshot_commands": 1000, "finished_per_account": 60_000,
            "accounts_max": 100}
CALLS = 20  # of every client, until the next is restarted
LATENCY_S = 10  # nobody may wait longer; what is found is printed
PAUSE_S = 0.005
MAKER = {"type": "maker", "symbol": "BTC-USD", "position_max": "10000", "order_max": "10",
         "messages_per_second": "50", "mode": "symmetric", "half_spread": "1", "quantity": "5",
         "inventory_max": "5000"}


class Client(Worker):
    """Places, amends, cancels and reads for an account of its own; every call must be answered.
    Each call's time is kept. What it trades with is its `ask`."""

    def __init__(self, name, seed, symbols):
        super().__init__(name)
        self.random = random.Random(f"{seed} {name}")
        self.symbols = symbols
        self.orders = {}  # client_order_id: Placed
        self.working = []
        self.calls = []  # (when it was made, seconds)
        self.certain_by = 0.0

    def promises(self):
        return self.orders.items()

    def turn(self):
        if len(self.working) > 50 or (self.working and self.random.random() < 0.3):
            name, terms = self.working.pop(self.random.randrange(len(self.working)))
            self._timed(self._change, name, terms)
        else:
            self._timed(self._place, f"{self.name}-{len(self.orders)}")
        time.sleep(PAUSE_S)

    def _timed(self, call, *arguments):
        begin = time.monotonic()
        call(*arguments)
        self.calls.append((begin, time.monotonic() - begin))

    def _terms(self, name):
        """Of a new order: symbol, side, quantity, price."""
        side = self.random.choice(("buy", "sell"))
        quantity = self.random.randint(1, 9)
        order = self.orders[name] = Placed(self.random.choice(self.symbols), side, quantity)
        price = 100 + self.random.randint(-6, 1) * (1 if side == "buy" else -1)
        return order, side, quantity, price

    def _there(self, name, order_id, terms):
        self.orders[name].standing = THERE
        self.orders[name].order_id = str(order_id)
        self.working.append((name, terms))

    def _place(self, name):
        raise NotImplementedError

    def _change(self, name, terms):
        raise NotImplementedError

    def slowest(self, begin):
        """Seconds, of the calls that ended since."""
        return max((seconds for when, seconds in list(self.calls) if when + seconds >= begin),
                   default=0.0)


class ExchangeClient(Client):
    """By outcry.Exchange, which has all gateways."""

    def __init__(self, cluster, name, seed):
        super().__init__(name, seed, list(SYMBOLS))
        urls = [gateway.url for gateway in cluster.gateways]
        self.exchange = outcry.Exchange(self.random.sample(urls, len(urls)), account=name)

    def _place(self, name):
        order, side, quantity, price = self._terms(name)
        placed = self.exchange.place(order.symbol, side, quantity, price, client_order_id=name)
        self._there(name, placed["order_id"], placed)

    def _change(self, name, terms):
        what = self.random.random()
        if what < 0.3:
            found = self.exchange.order(terms)
            expect(found["order_id"] == terms["order_id"], f"{terms} was read as {found}")
        elif what < 0.6:
            self._amend(name, terms, self.random.randint(10, 12))
        else:
            final = self.exchange.cancel(terms)
            expect(final["status"] in ("cancelled", "filled"), f"a cancel: {final}")
            self.orders[name].cancelled = final["status"] == "cancelled"

    def _amend(self, name, terms, quantity):
        """More than was placed: to no more than is filled would cancel it."""
        try:
            self.exchange.amend(terms, quantity=quantity)
            self.orders[name].quantities = {quantity}
        except outcry.Refused as refusal:
            expect(refusal.error == "ORDER_FINISHED", f"an amend: {refusal}")


class OriginClient(Client):
    """By outcry.Origin, one shard's."""

    def __init__(self, cluster, name, seed, shard):
        super().__init__(name, seed, [symbol for symbol in SYMBOLS
                                      if cluster.shard_of(symbol) == shard])
        self.origin = outcry.Origin(cluster.address("commands", shard),
                                    cluster.address("private", shard), name)

    def _place(self, name):
        order, side, quantity, price = self._terms(name)
        result = self.origin.new_order(order.symbol, self.name, side, quantity, price,
                                       client_order_id=name)
        expect(result.ok, f"a place: {result}")
        self._there(name, result.order_id, order)

    def _change(self, name, terms):
        result = self.origin.cancel_order(terms.symbol, self.name,
                                          order_id=int(terms.order_id))
        expect(result.ok or result.reason in ("UNKNOWN_ORDER", "ORDER_FINISHED"),
               f"a cancel: {result}")
        self.orders[name].cancelled = result.ok


def begin_watchers(cluster):
    kinds = ("l2", "l3", "bbo", "trade")
    watchers = [Watcher("public", cluster.address("market_data"),
                        [f"{kind}.{symbol}" for symbol in SYMBOLS for kind in kinds])]
    watchers += [Watcher(f"l3 of {shard}", cluster.address("public", shard),
                         [f"l3.{symbol}" for symbol in SYMBOLS
                          if cluster.shard_of(symbol) == shard]) for shard in range(SHARDS)]
    return watchers


class Rolling(Crew):
    """Everybody who is at work while the cluster is restarted."""

    def __init__(self, cluster, seed):
        self.cluster = cluster
        self.exchanges = [ExchangeClient(cluster, f"rest{number}", seed) for number in range(3)]
        self.origins = [OriginClient(cluster, f"wire{shard}", seed, shard)
                        for shard in range(SHARDS)]
        self.clients = [*self.exchanges, *self.origins]
        self.watchers = begin_watchers(cluster)
        self.sockets = [WebSocketReader(gateways, symbol) for gateways, symbol in
                        zip((cluster.gateways, cluster.gateways[::-1]), SYMBOLS)]
        super().__init__([*self.watchers, *self.sockets, *self.clients])
        self.desk = Desk(cluster, {"maker": MAKER})

    def parts(self):
        """The process of each that is restarted, and what starts it."""
        return {**self.cluster.parts(), "strategy": (self.desk.process, self.desk.start)}

    def __enter__(self):
        self.desk.start()
        return super().__enter__()

    def until_all_work(self):
        """Every client has some answers more, and every reader some news."""
        calls = [len(client.calls) for client in self.clients]
        seqs = [self._seq(reader) for reader in (*self.watchers, *self.sockets)]

        def worked():
            self.check()
            return (all(len(client.calls) >= before + CALLS
                        for client, before in zip(self.clients, calls)) and
                    all(self._seq(reader) > before for reader, before in
                        zip((*self.watchers, *self.sockets), seqs)))
        self.cluster.until(worked, "all work on")

    @staticmethod
    def _seq(reader):
        """Of the symbol that lags."""
        if isinstance(reader, WebSocketReader):
            return reader.seq
        return min(one.at or 0 for topic, one in reader.reader.readers.items()
                   if topic.startswith("l"))

    def restart(self, name):
        """Stop it, start it, wait until all work; what a call took at most meanwhile."""
        begin = time.monotonic()
        process, start = self.parts()[name]
        process.stop()
        process.check()
        start()
        self.until_all_work()
        self.until_ready()
        slowest = {kind: max(client.slowest(begin) for client in clients) for kind, clients in
                   (("REST", self.exchanges), ("ZeroMQ", self.origins))}
        expect(max(slowest.values()) <= LATENCY_S, f"{name} was restarted: {slowest}")
        return slowest

    def until_ready(self):
        """As who rolls waits before the next: everything is as it was."""
        for gateway in self.cluster.gateways:
            gateway.until_ready()
        self.desk.until_begun()
        self.cluster.until(lambda: all(watcher.reader.live for watcher in self.watchers),
                           "every reader is live")

    def finish(self):
        """The books are balanced."""
        for worker in (*self.clients, *self.sockets):
            worker.stop()
        self.desk.process.stop()
        self.desk.process.check()
        self.desk.expect_nothing_left()
        counts = settle(self.cluster, self.clients, ["maker"])
        for watcher in self.watchers:
            watcher.finish()
        equal_books(self.cluster, self.watchers)
        for watcher in self.watchers:
            watcher.close()
        for client in self.exchanges:
            client.exchange.close()
        for client in self.origins:
            client.origin.close()
        return counts


def a_rolling_restart_is_latency_and_nothing_else(test):
    with test.cluster(SYMBOLS, shards=SHARDS, gateways=2, followers=True,
                      settings=SETTINGS) as cluster:
        epochs = {shard: cluster.epoch(shard) for shard in range(SHARDS)}
        with Rolling(cluster, test.seed) as rolling:
            names = sorted(rolling.parts())
            worst = {name: {"REST": 0.0, "ZeroMQ": 0.0} for name in names}
            for name in itertools.chain.from_iterable(
                    test.random.sample(names, len(names)) for _ in range(test.options.rounds)):
                for kind, seconds in rolling.restart(name).items():
                    worst[name][kind] = max(worst[name][kind], seconds)
            counts = rolling.finish()
        for shard in range(SHARDS):
            found = cluster.epoch(shard)
            expect(found == epochs[shard], f"shard {shard} began another history: {found}")
        repeats = sum((client.exchange.counts for client in rolling.exchanges),
                      start=type(rolling.exchanges[0].exchange.counts)())
        print(f"    {test.options.rounds} rounds; orders: {counts}; "
              f"asked: {dict(sorted(repeats.items()))}")
        for name, seconds in worst.items():
            print(f"    {name}: a call took {seconds['REST']:.2f} s at most by REST, "
                  f"{seconds['ZeroMQ']:.2f} s by ZeroMQ")


if __name__ == "__main__":
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="how often all are restarted")
    main(__doc__, [a_rolling_restart_is_latency_and_nothing_else], parser)
