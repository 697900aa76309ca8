"""Traders and watchers that work beside a test, each on a thread of its own, through whatever is
done to the cluster; and afterwards the books are balanced: what was promised against what is there.

A RestTrader remembers of each order what it was told: that it is there (201, 200), that it is not
(a refusal, with outcome not_executed), or nothing certain (202, 504, a lost connection). Half of
the uncertain ones it sends again as they were until it is certain; the others are left to be
settled by their deadline. A WireTrader is the Python client's Origin over ZeroMQ.

`settle` reads all orders back: each that was promised is there once, with the terms last agreed,
each that was refused is not there, and each uncertain one is there once or not at all. What buyers
and sellers were filled comes to the same.
"""
import collections
import http.client
import random
import threading
import time
from decimal import Decimal

import outcry
from cluster import WAIT_S, equal, expect, until
from rest import Rest

ORDERS = "/api/v1/orders"
THERE, ABSENT, UNKNOWN = "there", "absent", "unknown"
LOST = (OSError, http.client.HTTPException)
PAGE = 1000


class Worker:
    """Something done again and again on a thread, until it is told to stop. It is done well only
    if `faults` is empty in the end."""

    def __init__(self, name):
        self.name = name
        self.faults = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name=name)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.check()

    def check(self):
        expect(not self.faults, lambda: f"{self.name}: {self.faults[:3]}")

    def turn(self):
        """One piece of work."""
        raise NotImplementedError

    def _run(self):
        try:
            while not self.stopping.is_set():
                self.turn()
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(repr(fault))


class Crew:
    """Workers that begin and end together. As a context: it is entered when all of them work."""

    def __init__(self, workers):
        self.workers = workers

    def __enter__(self):
        for worker in self.workers:
            worker.start()
        self.until_all_work()
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            worker.stopping.set()
        for worker in self.workers:
            worker.thread.join()

    def check(self):
        for worker in self.workers:
            worker.check()

    def until_all_work(self):
        """Each has done something more."""
        raise NotImplementedError


class Placed:
    """An order by REST, and what we were told of it."""

    def __init__(self, symbol, side, quantity):
        self.symbol = symbol
        self.side = side
        self.standing = UNKNOWN
        self.order_id = None
        self.quantities = {quantity}  # one of these
        self.uncertain = set()  # what it may be amended to even now
        self.cancelled = False  # for certain


class RestTrader(Worker):
    """Places, amends and cancels for an account of its own, through all gateways in turn."""

    def __init__(self, cluster, name, seed, pause_s=0.003, deadline_s=5):
        super().__init__(name)
        self.gateways = cluster.gateways
        self.symbols = list(cluster.symbols)
        self.random = random.Random(f"{seed} {name}")
        self.pause_s = pause_s
        self.deadline_s = deadline_s
        self.orders = {}  # client_order_id: Placed
        self.working = collections.deque()
        self.acks = collections.Counter()  # by shard
        self.outcomes = collections.Counter()
        self.certain_by = 0.0  # when nothing is unknown any more; Unix seconds
        self._clients = {}
        self._turns = 0

    def turn(self):
        what = self.random.random()
        if self.working and what < 0.15:
            self._amend(self.random.choice(self.working))
        elif self.working and (what < 0.4 or len(self.working) > 100):
            self._cancel(self.working.popleft())
        else:
            self._place()
        time.sleep(self.pause_s)

    # ---- asking ----

    def _client(self):
        """The next gateway's. A new one if that has new ports."""
        self._turns += 1
        gateway = self.gateways[self._turns % len(self.gateways)]
        return self._clients.setdefault(gateway.url, self.client(gateway))

    def client(self, gateway):
        """A connection to it."""
        return Rest(gateway.port, host=gateway.host)

    def _ask(self, method, path, body=None):
        """THERE, ABSENT or UNKNOWN: whether it was done; and the answer, if one came."""
        rest = self._client()
        try:
            answer = rest.ask(method, path, body)
        except LOST:
            rest.abort()
            self._unknown(time.time() + self.deadline_s, "lost")
            return UNKNOWN, None
        self.outcomes[f"{method} {answer.status}"] += 1
        if answer.status in (200, 201):
            self.acks[int(answer.at.split(".")[0])] += 1
            return THERE, answer
        if answer.status in (202, 504):
            equal(answer.json["outcome"], "unknown", f"the outcome in {answer}")
            # A cancel has no such time: it is never too late.
            self._unknown(answer.json.get("certain_by_ts", 0) / 1e6, "unknown")
            return UNKNOWN, answer
        equal(answer.json["outcome"], "not_executed", f"the outcome in {answer}")
        return ABSENT, answer

    def _unknown(self, certain_by, kind):
        self.outcomes[kind] += 1
        self.certain_by = max(self.certain_by, certain_by)

    # ---- what it does ----

    def _place(self):
        symbol = self.random.choice(self.symbols)
        side = self.random.choice(("buy", "sell"))
        quantity = self.random.randint(1, 9)
        price = 100 + self.random.randint(-6, 1) * (1 if side == "buy" else -1)
        name = f"{self.name}-{len(self.orders)}"
        order = self.orders[name] = Placed(symbol, side, quantity)
        uncertain = False
        body = {"symbol": symbol, "side": side, "type": "limit", "quantity": quantity,
                "price": price, "client_order_id": name, "account": self.name}
        again = self.random.random() < 0.5
        while True:
            outcome, answer = self._ask("POST", ORDERS, body)
            if outcome == THERE:
                order.standing, order.order_id = THERE, answer.json["order_id"]
                self.working.append(name)
                return
            if outcome == ABSENT:
                expect(answer.status == 503 or answer.error == "TOO_LATE", f"a place: {answer}")
                if not uncertain:
                    order.standing = ABSENT
                    return
            # That a repeat was refused says nothing of the first.
            uncertain = True
            if not again or self.stopping.is_set():
                return
            time.sleep(0.05)

    def _path(self, name):
        """By its id or by its name."""
        order = self.orders[name]
        if self.random.random() < 0.5:
            return f"{ORDERS}/{order.order_id}?account={self.name}"
        return f"{ORDERS}/client:{name}?account={self.name}&symbol={order.symbol}"

    def _amend(self, name):
        order = self.orders[name]
        quantity = self.random.randint(1, 12)
        outcome, answer = self._ask("PATCH", self._path(name), {"quantity": quantity})
        if outcome == THERE:
            # Not more than is filled: then it is cancelled, and keeps the terms it had.
            if answer.json["status"] != "cancelled":
                order.quantities = {quantity}
        elif outcome == UNKNOWN:
            order.uncertain.add(quantity)
        else:
            self._refused(answer)

    def _cancel(self, name):
        outcome, answer = self._ask("DELETE", self._path(name))
        if outcome == THERE:
            self.orders[name].cancelled = True
        elif outcome == ABSENT:
            self._refused(answer)

    @staticmethod
    def _refused(answer):
        """Of an order that is there, no gateway may say that it is not."""
        expect(answer.status == 503 or answer.error in ("ORDER_FINISHED", "TOO_LATE"),
               f"a change: {answer}")

    # ---- what is promised ----

    def promises(self):
        """(client_order_id, Placed) of all."""
        return self.orders.items()


class WireTrader(Worker):
    """Places and cancels for an account of its own, by the Python client, on one shard."""

    IN_FLIGHT = 20

    def __init__(self, cluster, name, shard, seed, pause_s=0.003):
        super().__init__(name)
        self.random = random.Random(f"{seed} {name}")
        self.pause_s = pause_s
        self.symbols = [symbol for symbol in cluster.symbols if cluster.shard_of(symbol) == shard]
        self.shard = shard
        self.orders = {}
        self.acks = collections.Counter()
        self.outcomes = collections.Counter()
        self.certain_by = 0.0
        self._sent = {}  # origin_seq: (what, client_order_id)
        origin = name if cluster.keys is None else f"strategy-{name}"
        self._origin = outcry.Origin(cluster.address("commands", shard),
                                     cluster.address("private", shard), origin, keys=cluster.keys)

    def turn(self):
        self._send()
        while self._origin.unanswered >= self.IN_FLIGHT and not self.stopping.is_set():
            self._take(0.05)
        self._take(0)
        time.sleep(self.pause_s)

    def stop(self):
        """Every result comes, sooner or later."""
        self.stopping.set()
        self.thread.join()
        self.check()
        deadline = time.monotonic() + WAIT_S
        while self._origin.unanswered:
            self._take(0.05)
            expect(time.monotonic() < deadline, f"{self.name}: {self._origin.unanswered} results "
                                                "did not come")
        while self._take(0):
            pass
        equal(self._sent, {}, f"what {self.name} has no result of")
        self._origin.close()

    def _send(self):
        if self.orders and self.random.random() < 0.3:
            name = self.random.choice(list(self.orders)[-100:])
            seq = self._origin.send("cancel_order", symbol=self.orders[name].symbol,
                                    account=self.name, order_id=0, client_order_id=name)
            self._sent[seq] = ("cancel", name)
            return
        name = f"{self.name}-{len(self.orders)}"
        side = self.random.choice(("buy", "sell"))
        order = self.orders[name] = Placed(self.random.choice(self.symbols), side,
                                           self.random.randint(1, 9))
        price = 100 + self.random.randint(-6, 1) * (1 if side == "buy" else -1)
        seq = self._origin.send("new_order", symbol=order.symbol, account=self.name, side=side,
                                type="limit", time_in_force="GTC", post_only=False, stp="none",
                                price=price, qty=next(iter(order.quantities)),
                                client_order_id=name)
        self._sent[seq] = ("place", name)

    def _take(self, seconds):
        result = self._origin.receive(seconds)
        if result is None:
            return False
        what, name = self._sent.pop(result.origin_seq)
        self.acks[self.shard] += 1
        self.outcomes[f"{what} {result.reason or 'done'}"] += 1
        order = self.orders[name]
        if what == "place":
            expect(result.ok and not result.duplicate, f"{name}: {result}")
            order.standing, order.order_id = THERE, str(result.order_id)
        elif result.ok:
            order.cancelled = True
        else:
            expect(result.reason in ("UNKNOWN_ORDER", "ORDER_FINISHED"), f"{name}: {result}")
        return True

    def promises(self):
        return self.orders.items()


class Watcher(Worker):
    """A Subscriber that lives through it all; any word of it that is not an update is a fault."""

    def __init__(self, name, address, topics, keys=None):
        super().__init__(name)
        self.reader = outcry.Subscriber(address, topics, keys=keys)

    def turn(self):
        self.reader.receive(0.05)

    def close(self):
        self.reader.close()

    def finish(self):
        """Off its thread, until it is live and nothing has come for a while."""
        self.stop()
        until(lambda: self.reader.receive(0.3) is None and self.reader.live,
              f"{self.name} ends live")
        for fault in ("mismatches", "went_back", "garbage", "epochs"):
            equal(self.reader.counts[fault], 0, f"{fault} of {self.name}")

    def book(self, topic):
        return self.reader.readers[topic].book


def listed(rest, account):
    """All the account's orders that a gateway knows."""
    orders, cursor = [], ""
    while True:
        page = rest.get(f"{ORDERS}?account={account}&limit={PAGE}"
                        + (f"&cursor={cursor}" if cursor else ""))
        equal(page.status, 200, f"a list of {account}: {page}")
        orders += page.json["data"]
        cursor = page.json["next_cursor"]
        if not page.json["has_more"]:
            return orders


def check_order(name, promise, order):
    """An order that is there, against what was agreed."""
    what = f"{name}: {order}"
    equal((order["symbol"], order["side"]), (promise.symbol, promise.side), what)
    if promise.order_id is not None:
        equal(order["order_id"], promise.order_id, f"the order_id of {what}")
    quantity, filled, open_ = (Decimal(order[f"{part}quantity"])
                               for part in ("", "filled_", "open_"))
    agreed = promise.quantities | promise.uncertain
    expect(quantity in agreed, f"not one of {agreed}: {what}")
    expect(filled + open_ == quantity if order["status"] in ("new", "partially_filled", "filled")
           else filled <= quantity and open_ == 0, f"quantities: {what}")
    if promise.cancelled:
        equal(order["status"], "cancelled", f"the status of {what}")


def settle(cluster, traders, others=()):
    """Read everything back, through each gateway. others: accounts that traded with ours. The
    number of orders of each kind."""
    until(lambda: time.time() > max(trader.certain_by for trader in traders) + 0.5,
          "everything is certain")
    counts = collections.Counter()
    for gateway in cluster.gateways:
        rest = Rest(gateway.port, host=gateway.host)
        filled = collections.Counter()
        for account in others:
            for order in listed(rest, account):
                count_filled(filled, order)
        for trader in traders:
            there = {}
            for order in listed(rest, trader.name):
                name = order["client_order_id"]
                expect(name not in there, f"twice: {order} and {there.get(name)}")
                there[name] = order
                count_filled(filled, order)
            settle_one(trader, there, rest, counts)
        for symbol in cluster.symbols:
            equal(filled[symbol, "buy"], filled[symbol, "sell"], f"bought and sold of {symbol}")
            expect(filled[symbol, "buy"] > 0, f"nothing of {symbol} was traded")
        rest.close()
    return {kind: count // len(cluster.gateways) for kind, count in counts.items()}


def count_filled(filled, order):
    filled[order["symbol"], order["side"]] += Decimal(order["filled_quantity"])


def certain(answer):
    """None where the gateway says that it cannot know yet."""
    return None if answer.status == 503 else answer


def settle_one(trader, there, rest, counts):
    """A trader's promises against its orders that are there."""
    unexpected = set(there) - set(dict(trader.promises()))
    equal(unexpected, set(), f"orders {trader.name} never sent")
    for number, (name, promise) in enumerate(trader.promises()):
        order = there.get(name)
        if promise.standing == THERE:
            expect(order is not None, f"lost: {name}, acknowledged as {promise.order_id}")
        elif promise.standing == ABSENT:
            expect(order is None, f"refused, and yet there: {order}")
        if order is not None:
            check_order(name, promise, order)
        counts[promise.standing] += 1
        counts["found"] += promise.standing == THERE and order is not None
        counts["uncertain, and there"] += promise.standing == UNKNOWN and order is not None
        # By name, too.
        if promise.standing == UNKNOWN or number % 10 == 0:
            found = until(lambda name=name, symbol=promise.symbol: certain(rest.get(
                f"{ORDERS}/client:{name}?account={trader.name}&symbol={symbol}")),
                f"{name} by its name")
            equal((found.status, found.json.get("order_id")),
                  (200, order["order_id"]) if order else (404, None), f"{name} by its name")


def equal_books(cluster, watchers):
    """What each watcher holds is what every gateway says, hash and all."""
    for watcher in watchers:
        for topic, reader in watcher.reader.readers.items():
            kind, symbol = topic.split(".", 1)
            if kind in ("l2", "l3"):
                for gateway in cluster.gateways:
                    rest = Rest(gateway.port, host=gateway.host)
                    book = rest.get(f"/api/v1/orderbook/{symbol}?level={kind[1]}&depth=0"
                                    f"&min_seq={reader.at}&epoch={reader.epoch}")
                    equal(book.status, 200, f"the book of {topic}: {book}")
                    equal(book.json["hash"], f"{reader.book.hash:016x}",
                          f"{topic} of {watcher.name} and of {gateway.name}")
                    rest.close()
