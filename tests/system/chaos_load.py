"""Who trades and reads while chaos.py breaks things, and how they are judged: by every gateway, by
each other, and by the journal.

The traders of an era stop together. What each was told is compared with what each gateway says and
with the journal; then all is cancelled, buyers must have been filled as much as sellers, and the
accounts are retired: whatever happens later, they must stay to the byte as they are.
"""
import collections
import hashlib
import json
import random

import outcry
from cluster import WAIT_S, equal, expect, until
from load import (
    ABSENT, LOST, ORDERS, THERE, UNKNOWN, RestTrader, Watcher, WireTrader, Worker, count_filled,
    listed, settle_one)
from rest import Rest
from websocket_reader import WebSocketReader

REST_TRADERS = 3
CLIENT_S = 15  # longer than anything is paused: what a client gave up on must not be read later
LATE_S = 0.5  # past the time by which an outcome is certain
FAULTS = ("mismatches", "went_back", "garbage", "epochs")


class ChaosTrader(RestTrader):
    """Knows that the gateway's clock, by which its deadlines go, may be ahead. Whatever is left
    unknown it asks for once that must be certain, and takes the answer for a promise."""

    def __init__(self, cluster, name, seed, pause_s, deadline_s):
        super().__init__(cluster, name, seed, pause_s=pause_s, deadline_s=deadline_s)
        self.cluster = cluster
        self.resolved = 0
        self._unresolved = collections.deque()  # (client_order_id, certain by)

    def client(self, gateway):
        return Rest(gateway.port, seconds=CLIENT_S, host=gateway.host)

    def turn(self):
        count = len(self.orders)
        super().turn()
        if len(self.orders) > count:
            name = next(reversed(self.orders))
            if self.orders[name].standing == UNKNOWN:
                self._unresolved.append((name, self.certain_by))
        if self._unresolved and self._unresolved[0][1] + LATE_S < self.cluster.now() \
                and self.cluster.clocks.agree:
            self._resolve(*self._unresolved.popleft())

    def _unknown(self, certain_by, kind):
        if kind == "lost":
            certain_by = self.cluster.clocks.latest() + self.deadline_s
        super()._unknown(certain_by, kind)

    def _resolve(self, name, certain_by):
        """It is there, or it is not, or the gateway says that it cannot know."""
        order = self.orders[name]
        rest = self._client()
        try:
            found = rest.get(f"{ORDERS}/client:{name}?account={self.name}&symbol={order.symbol}")
        except LOST:
            rest.abort()
            found = None
        if found is None or found.status == 503:
            self._unresolved.append((name, certain_by))
            return
        expect(found.status in (200, 404), f"{name}, which must be certain by now: {found}")
        self.resolved += 1
        if found.status == 200:
            order.standing, order.order_id = THERE, found.json["order_id"]
        else:
            order.standing = ABSENT


class Visitor(Worker):
    """Reads that come and go: each joins in the middle, follows for a while, and leaves."""

    def __init__(self, cluster, seed):
        super().__init__("visitor")
        self.random = random.Random(f"{seed} visitor")
        self.address = cluster.address("market_data")
        self.symbols = list(cluster.symbols)
        self.visits = 0
        self.counts = collections.Counter()

    def turn(self):
        symbol = self.random.choice(self.symbols)
        topics = [f"{kind}.{symbol}" for kind in
                  self.random.sample(("l2", "l3", "bbo", "trade"), self.random.randint(1, 3))]
        with outcry.Subscriber(self.address, topics) as reader:
            turns = self.random.randint(5, 100)
            while turns > 0 and not self.stopping.is_set():
                reader.receive(0.05)
                turns -= 1
            self.visits += reader.live
            check_counts(self.name, reader.counts)
            self.counts.update(reader.counts)
        self.stopping.wait(self.random.random())


def without_queues(orders):
    """What stands before an order is by market data, which may be behind the orders for a while."""
    return {name: {key: value for key, value in order.items() if key != "queue_ahead"}
            for name, order in orders.items()}


def check_counts(name, counts):
    for fault in FAULTS:
        equal(counts[fault], 0, f"{fault} of {name}")


class Load:
    """All who trade and read. Eras follow each other; readers live through all of them."""

    def __init__(self, cluster, seed, pause_s, deadline_s):
        self.cluster = cluster
        self.seed = seed
        self.pause_s = pause_s
        self.deadline_s = deadline_s
        self.era = 0
        self.traders = []
        self.retired = {}  # account: the digest of its orders, as every gateway must give it
        self.counts = collections.Counter()
        self.outcomes = collections.Counter()
        self.journaled = dict.fromkeys(range(cluster.shards), 0)  # sequences compared
        kinds = ("l2", "l3", "bbo", "trade")
        self.watchers = [Watcher("public", cluster.address("market_data"),
                                 [f"{kind}.{symbol}" for symbol in cluster.symbols
                                  for kind in kinds])]
        for shard in range(cluster.shards):
            symbols = [one for one in cluster.symbols if cluster.shard_of(one) == shard]
            self.watchers.append(Watcher(f"l3 of {shard}", cluster.address("public", shard),
                                         [f"l3.{symbol}" for symbol in symbols]))
        self.visitor = Visitor(cluster, seed)
        turned = [cluster.gateways, cluster.gateways[::-1]]
        self.sockets = [WebSocketReader(turned[number % 2], symbol)
                        for number, symbol in enumerate(cluster.symbols)]
        self.readers = [*self.watchers, self.visitor, *self.sockets]
        for reader in self.readers:
            reader.start()

    def begin(self):
        """The traders of the next era."""
        self.era += 1
        self.traders = [ChaosTrader(self.cluster, f"rest{number}-{self.era}", self.seed,
                                    self.pause_s, self.deadline_s)
                        for number in range(REST_TRADERS)]
        self.traders += [WireTrader(self.cluster, f"wire{shard}-{self.era}", shard, self.seed,
                                    self.pause_s) for shard in range(self.cluster.shards)]
        for trader in self.traders:
            trader.start()

    def check(self):
        self.cluster.check()
        for worker in [*self.readers, *self.traders]:
            worker.check()

    def acks(self):
        """How many each trader has of each shard it trades on."""
        return {(trader.name, shard): trader.acks[shard] for trader in self.traders
                for shard in ([trader.shard] if hasattr(trader, "shard")
                              else range(self.cluster.shards))}

    def stop(self):
        """Whatever happens: no thread goes on."""
        for worker in [*self.traders, *self.readers]:
            worker.stopping.set()
        for worker in [*self.traders, *self.readers]:
            worker.thread.join()

    # ---- the books are balanced ----

    def settle(self):
        """The era ends. Everything is whole, and no clock is on its own."""
        for trader in self.traders:
            trader.stopping.set()
        for trader in self.traders:
            trader.stop()
        certain_by = max(trader.certain_by for trader in self.traders)
        until(lambda: self.cluster.now() > certain_by + LATE_S, "everything is certain",
              WAIT_S + max(0, certain_by - self.cluster.now()))
        found = {trader.name: self._settle_trader(trader) for trader in self.traders}
        self._check_journals(found)
        self._check_books()
        self._retire()
        for trader in self.traders:
            self.outcomes.update(trader.outcomes)
            self.outcomes["resolved"] += getattr(trader, "resolved", 0)
        self.traders = []
        self.cluster.forget_commands()

    def _settle_trader(self, trader):
        """Against each gateway, which must agree with each other; its orders by client's name."""
        by_gateway = []
        for gateway in self.cluster.gateways:
            rest = Rest(gateway.port, host=gateway.host)
            orders = listed(rest, trader.name)
            there = {order["client_order_id"]: order for order in orders}
            counts = collections.Counter(doubled=len(orders) - len(there))
            settle_one(trader, there, rest, counts)
            equal(counts["doubled"], 0, f"orders of {trader.name} listed twice")
            by_gateway.append(there)
            rest.close()
        for other in by_gateway[1:]:
            equal(without_queues(other), without_queues(by_gateway[0]),
                  f"orders of {trader.name}, by two gateways")
        until(lambda: self._agree(trader.name), f"gateways agree on the queues of {trader.name}")
        self.counts.update(counts)
        return by_gateway[0]

    def _agree(self, account):
        """Whether each gateway says the same of its orders, queues included."""
        rests = [Rest(gateway.port, host=gateway.host) for gateway in self.cluster.gateways]
        lists = [listed(rest, account) for rest in rests]
        for rest in rests:
            rest.close()
        return all(one == lists[0] for one in lists)

    def _check_journals(self, found):
        """Every order that is there is in the journal once, by the same number, and no other of
        these accounts is."""
        journaled = collections.defaultdict(dict)
        for shard in range(self.cluster.shards):
            self._read_journal(shard, journaled)
        for trader in self.traders:
            equal(journaled.pop(trader.name, {}),
                  {name: order["order_id"] for name, order in found[trader.name].items()},
                  f"orders of {trader.name}: the journals and the gateways")
        equal(dict(journaled), {}, "orders of nobody")

    def _read_journal(self, shard, journaled):
        after = self.journaled[shard]
        dump = self.cluster.outcry("journal", "dump", self.cluster.journal(shard), "--json",
                                   "--from", after + 1)
        expected = after
        for line in dump.said.splitlines():
            record = json.loads(line)
            if record["type"] in ("epoch", "checkpoint", "close", "open") or record["seq"] <= after:
                continue
            expected += 1
            equal(record["seq"], expected, f"the next sequence in the journal of {shard}")
            result = record.get("result")
            if record["type"] == "new_order" and result["code"] == "OK" and \
                    not result["duplicate"]:
                orders = journaled[record["account"]]
                name = record["client_order_id"]
                expect(name not in orders, f"twice in the journal: {record}")
                orders[name] = result["order_id"]
        expect(expected > after, f"nothing new in the journal of {shard}: {dump.words}")
        self.journaled[shard] = expected
        dump.output.unlink()

    def _check_books(self):
        """What each watcher has is what every gateway says, by its hash."""
        for watcher in self.watchers:
            for topic, reader in watcher.reader.readers.items():
                kind, symbol = topic.split(".", 1)
                if kind in ("l2", "l3"):
                    for gateway in self.cluster.gateways:
                        self._check_book(watcher, reader, kind, symbol, gateway)

    def _check_book(self, watcher, reader, kind, symbol, gateway):
        """Nobody trades, so once both are there they stay there."""
        rest = Rest(gateway.port, host=gateway.host)

        def same():
            watcher.check()
            book = rest.get(f"/api/v1/orderbook/{symbol}?level={kind[1]}&depth=0")
            return book.status == 200 and book.json["hash"] == f"{reader.book.hash:016x}"
        until(same, f"{watcher.name} and {gateway.name} have the same {kind} of {symbol}")
        rest.close()

    def _retire(self):
        filled = collections.Counter()
        for trader in self.traders:
            gateway = random.Random(trader.name).choice(self.cluster.gateways)
            rest = Rest(gateway.port, host=gateway.host)
            until(lambda: self._all_cancelled(rest, trader.name), f"all of {trader.name} cancelled")
            rest.close()
        for trader in self.traders:
            self.retired[trader.name] = self._digest(trader.name, self.cluster.gateways[0], filled)
        for symbol in self.cluster.symbols:
            equal(filled[symbol, "buy"], filled[symbol, "sell"], f"bought and sold of {symbol}")
            expect(filled[symbol, "buy"] > 0, f"nothing of {symbol} was traded")

    @staticmethod
    def _all_cancelled(rest, account):
        """Asked again where it was refused or may not be done: often is as good as once."""
        answer = rest.delete(f"{ORDERS}?account={account}")
        expect(answer.status in (200, 202, 503, 504), f"cancel all: {answer}")
        return answer.status == 200 and answer.json["complete"]

    @staticmethod
    def _digest(account, gateway, filled):
        """Of all orders of an account that has none open."""
        rest = Rest(gateway.port, host=gateway.host)

        def orders_if_over():
            orders = listed(rest, account)
            return orders if all(int(order["open_quantity"]) == 0 for order in orders) else None
        orders = until(orders_if_over, f"{gateway.name} has seen {account} cancelled")
        rest.close()
        for order in orders:
            count_filled(filled, order)
        text = json.dumps(orders, sort_keys=True)
        return f"{len(orders)} {hashlib.sha256(text.encode()).hexdigest()}"

    def check_retired(self):
        """By every gateway."""
        for account, digest in self.retired.items():
            for gateway in self.cluster.gateways:
                equal(self._digest(account, gateway, collections.Counter()), digest,
                      f"all of {account}, as it was and as {gateway.name} has it")

    def finish(self):
        """Readers end live and right. How often they repaired something."""
        for reader in [self.visitor, *self.sockets]:
            reader.stop()
        repairs = collections.Counter(self.visitor.counts)
        for watcher in self.watchers:
            watcher.finish()
            repairs.update(watcher.reader.counts)
            watcher.close()
        return repairs
