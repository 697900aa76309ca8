"""Hosts that lose each other: a gateway and a matcher, market-data and a matcher, one gateway and
everybody, a matcher that hears nobody, one that nobody hears; and links that are slow and lossy.

Everything between the hosts goes under CURVE. Orders come in all the while, through each gateway
for each shard. While a link is cut, what does not need it goes on unhurt, and what does is answered
as documented. From the moment it heals to the moment everything works again (each gateway is ready
and takes orders of each shard, each reader has the book they led to, hash and all) it is 3 s at
most. In the end, nothing acknowledged is lost and nothing happened twice.
"""
import collections
import threading
import time

from clocks import NOTICED_S
from cluster import equal, expect, main, make_parser, until
from hosts import alone
from load import (LOST, ORDERS, UNKNOWN, Crew, RestTrader, Watcher, WireTrader, Worker, certain,
                  equal_books, settle)
from rest import Rest
from spread import CLIENTS, MARKET_DATA, Spread
from websocket_reader import WebSocketReader

SYMBOLS = {"BTC-USD": {}, "AAPL": {"shard": 1}}
SHARDS = range(2)
RECOVERY_S = 3.0
READERS_S = 6.0  # our readers are Python, beside everything else, and have all to catch up with
DEADLINE_MS = 2000
SETTINGS = {"deadline_ms": DEADLINE_MS, "answer_ms": 1500, "accounts_max": 100,
            "finished_per_account": 60_000}
ASK_S = 2.5  # a client's patience; past the gateway's
SETTLING_S = 0.3  # what was on its way when a link was cut arrives within this
ACKS = 10
MARK = {"side": "buy", "type": "limit", "quantity": 1, "price": 1, "account": "mark"}
DELAY_MS, LOSS = 50, 0.01


def spread(test):
    return Spread(test.bin, SYMBOLS, test.seed, settings=SETTINGS, keys=True)


class HostTrader(RestTrader):
    """Through one gateway, for one shard. Each answer is kept with its time."""

    def __init__(self, cluster, gateway, shard, seed, ask_s=ASK_S):
        super().__init__(cluster, f"{gateway.name}-{shard}", seed, pause_s=0.01,
                         deadline_s=DEADLINE_MS / 1000)
        self.gateways = [gateway]
        self.symbols = [symbol for symbol in SYMBOLS if cluster.shard_of(symbol) == shard]
        self.shard = shard
        self.ask_s = ask_s
        self.answers = []  # (when it was asked, seconds, status or None)
        self.placed = collections.deque(maxlen=100)

    def client(self, gateway):
        return Rest(gateway.port, seconds=self.ask_s, host=gateway.host)

    def _ask(self, method, path, body=None):
        begin = time.monotonic()
        outcome, answer = super()._ask(method, path, body)
        self.answers.append((begin, time.monotonic() - begin, answer.status if answer else None))
        if outcome != UNKNOWN and answer.status == 201:
            self.placed.append(answer)
        return outcome, answer

    def between(self, begin, end):
        return [(seconds, status) for when, seconds, status in self.answers
                if begin <= when and when + seconds <= end]


class Reader(Worker):
    """What traders of other gateways were told, read through this one: it may say that it cannot
    know, but not that there is no such order."""

    def __init__(self, gateway, traders):
        super().__init__(f"reader of {gateway.name}")
        self.traders = [trader for trader in traders if gateway not in trader.gateways]
        self.rest = Rest(gateway.port, seconds=ASK_S, host=gateway.host)
        self.found = 0

    def turn(self):
        for trader in self.traders:
            if not trader.placed:
                continue
            placed = trader.placed.pop()
            try:
                answer = self.rest.get(f"{ORDERS}/{placed.json['order_id']}?account={trader.name}"
                                       f"&min_at={placed.at}")
            except LOST:
                self.rest.abort()
                continue
            expect(answer.status in (200, 503), f"{placed} read by {self.name}: {answer}")
            self.found += answer.status == 200
        time.sleep(0.02)


class Load(Crew):
    """Who trades and who watches."""

    def __init__(self, cluster, seed, ask_s=ASK_S):
        self.cluster = cluster
        self.traders = [HostTrader(cluster, gateway, shard, seed, ask_s)
                        for gateway in cluster.gateways for shard in SHARDS]
        self.readers = [Reader(gateway, self.traders) for gateway in cluster.gateways]
        self.wires = [WireTrader(cluster, f"wire{shard}", shard, seed, pause_s=0.01)
                      for shard in SHARDS]
        self.public = Watcher("public", cluster.address("market_data"),
                              [f"{kind}.{symbol}" for symbol in SYMBOLS
                               for kind in ("l2", "l3", "bbo", "trade")], keys=cluster.keys)
        self.sockets = [WebSocketReader([gateway], symbol) for gateway in cluster.gateways
                        for symbol in SYMBOLS]
        super().__init__([*self.traders, *self.readers, *self.wires, self.public, *self.sockets])

    def check(self):
        self.cluster.check()
        super().check()

    def until(self, condition, what, seconds=60):
        until(condition, what, seconds, watch=self.check)

    def until_all_work(self):
        """Every trader has some acks more."""
        traders = [*self.traders, *self.wires]
        before = [sum(trader.acks.values()) for trader in traders]
        self.until(lambda: all(sum(trader.acks.values()) >= acks + ACKS
                               for trader, acks in zip(traders, before)), "all trade on")

    def pass_time(self, seconds):
        """Let them work so long."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, "time passes", seconds + 60)

    def stands(self, silent):
        """Where each topic is: of silent shards, once what was on its way has arrived."""
        def look():
            return {topic: one.at for topic, one in self.public.reader.readers.items()}
        now = look()
        for _ in range(10):
            before = now
            self.pass_time(SETTLING_S)
            now = look()
            if all(now[topic] == at for topic, at in before.items()
                   if self.cluster.shard_of(topic.split(".", 1)[1]) in silent):
                break
        return now

    def until_complete(self, gateway, symbol):
        """It misses nothing of what happened while it was cut off, to nobody."""
        rest = Rest(gateway.port, host=gateway.host)
        placed = rest.post(ORDERS, {**MARK, "symbol": symbol})
        equal(placed.status, 201, f"a mark through {gateway.name}: {placed}")
        self.until(lambda: rest.get(f"{ORDERS}?account=nobody&min_at={placed.at}").status == 200,
                   f"{gateway.name} knows all orders of {symbol}")
        rest.close()

    def settle(self):
        """All stop, and the books are balanced."""
        for worker in self.workers:
            worker.stopping.set()
        for worker in [*self.traders, *self.readers, *self.wires, *self.sockets]:
            worker.stop()
        expect(all(reader.found for reader in self.readers), "orders were read elsewhere")
        for gateway in self.cluster.gateways:
            for symbol in SYMBOLS:
                self.until_complete(gateway, symbol)
        counts = settle(self.cluster, [*self.traders, *self.wires])
        self.public.finish()
        equal_books(self.cluster, [self.public])
        self.public.close()
        return counts


class Recovery:
    """From now on: how long it takes until everything works. An order is placed through each
    gateway in each symbol; every gateway's book, and whoever watches, must come to have it."""

    def __init__(self, load):
        self.load = load
        self.begin = time.monotonic()
        self.took = {}
        self.marks = {}  # symbol: the newest mark's sequence and position
        gateways = load.cluster.gateways
        self.threads = [threading.Thread(target=self._mark, args=(gateway, symbol))
                        for gateway in gateways for symbol in SYMBOLS]
        self.threads += [threading.Thread(target=self._ready, args=(gateway,))
                         for gateway in gateways]
        for thread in self.threads:
            thread.start()

    def _now(self):
        return time.monotonic() - self.begin

    def _mark(self, gateway, symbol):
        rest = Rest(gateway.port, seconds=0.5, host=gateway.host)
        while self._now() < 10 * RECOVERY_S:
            try:
                answer = rest.post(ORDERS, {**MARK, "symbol": symbol})
                if answer.status == 201:
                    self.took[f"orders of {symbol} by {gateway.name}"] = self._now()
                    self.marks[symbol] = max(self.marks.get(symbol, (0, "")),
                                             (answer.json["seq"], answer.at))
                    break
            except LOST:
                rest.abort()
            time.sleep(0.02)
        rest.close()

    def _book(self, gateway, symbol):
        rest = Rest(gateway.port, host=gateway.host)
        path = f"/api/v1/orderbook/{symbol}?min_at={self.marks[symbol][1]}"
        while self._now() < 10 * RECOVERY_S and rest.get(path).status != 200:
            time.sleep(0.02)
        self.took[f"book of {symbol} by {gateway.name}"] = self._now()
        rest.close()

    def _ready(self, gateway):
        while self._now() < 10 * RECOVERY_S and not gateway.ready():
            time.sleep(0.02)
        self.took[f"{gateway.name} is ready"] = self._now()

    def finish(self):
        """What took longest of the services, 3 s at most, and then how long readers took."""
        gateways = self.load.cluster.gateways
        for thread in self.threads:
            thread.join()
        equal(set(self.marks), set(SYMBOLS), "symbols orders are taken of again")
        books = [threading.Thread(target=self._book, args=(gateway, symbol))
                 for gateway in gateways for symbol in SYMBOLS]
        for thread in books:
            thread.start()
        readers = {f"market-data of {topic}": (lambda one=one: one.at or 0, topic)
                   for topic, one in self.load.public.reader.readers.items()
                   if topic.startswith("l")}
        readers |= {one.name: (lambda one=one: one.seq, f".{one.symbol}")
                    for one in self.load.sockets}
        waiting, read = dict(readers), {}

        def all_there():
            for name, (seq, topic) in list(waiting.items()):
                if seq() >= self.marks[topic.split(".", 1)[1]][0]:
                    read[name] = self._now()
                    del waiting[name]
            return not waiting
        self.load.until(all_there, f"readers come to the marks {self.marks}")
        for thread in books:
            thread.join()
        equal(len(self.took), len(gateways) * (2 * len(SYMBOLS) + 1), f"measured: {self.took}")
        for took, bound in ((self.took, RECOVERY_S), (read, READERS_S)):
            what = max(took, key=took.get)
            expect(took[what] <= bound, f"{took[what]:.2f} s after the link healed: {what}; {took}")
        return max(self.took.values()), max(self.took, key=self.took.get), max(read.values())


def partition(test, some, others, hurt, back=True, silent=()):
    """Cut, look, heal, look. hurt: (gateway, shard) pairs that cannot trade meanwhile.
    silent: shards market-data does not hear meanwhile."""
    with spread(test) as cluster:
        with Load(cluster, test.seed) as load:
            took = []  # (seconds to recover, what took longest, readers' seconds, how long cut)
            for turn in range(test.options.turns):
                seconds = test.options.seconds if turn == 0 else test.random.uniform(0.5, 9)
                cluster.hosts.cut(some, others, back)
                cut = time.monotonic() + SETTLING_S
                stood = load.stands(silent)
                load.pass_time(max(0.0, cut - SETTLING_S + seconds - time.monotonic()))
                healed = time.monotonic()
                check_meanwhile(load, cut, healed, hurt)
                check_market_data(load, stood, silent, hurt, healed - cut)
                cluster.hosts.heal()
                took.append((*Recovery(load).finish(), seconds))
                load.until_all_work()
            counts = load.settle()
            print(f"    recovered within {max(took)[0]:.2f} s ({max(took)[1]}); orders: {counts}")
            print("    cut, recovered, all of it read: " +
                  ", ".join(f"{cut:.1f} s {recovery:.2f} s {read:.2f} s"
                            for recovery, _, read, cut in took))
            for trader in load.traders:
                print(f"    {trader.name}: {dict(sorted(trader.outcomes.items()))}")


def check_meanwhile(load, cut, healed, hurt):
    """Who needs the link is not served, and everybody else is as ever."""
    for trader in load.traders:
        answers = trader.between(cut, healed)
        fine = [seconds for seconds, status in answers if status in (200, 201, 409)]
        if (trader.gateways[0].name, trader.shard) in hurt:
            equal(fine, [], f"answers to {trader.name} over a link that is cut")
        else:
            equal(len(fine), len(answers), f"{trader.name} is unhurt: {answers}")
            expect(len(fine) > 2 * (healed - cut), f"{trader.name} goes on: {answers}")


def check_market_data(load, stood, silent, hurt, seconds):
    """What market-data does not hear stands still; where orders are taken, the rest moves on."""
    gateways = {gateway.name for gateway in load.cluster.gateways}
    for topic, at in stood.items():
        shard = load.cluster.shard_of(topic.split(".", 1)[1])
        now = load.public.reader.readers[topic].at
        if shard in silent:
            equal(now, at, f"{topic} while market-data hears no matcher")
        elif seconds > 1 and topic.startswith("l") and not gateways <= {
                name for name, of in hurt if of == shard}:
            expect(now > at, f"{topic} stands still at {at}")


def a_gateway_loses_a_matcher(test):
    partition(test, "gateway-0", "matcher-0", {("gateway-0", 0)})


def market_data_loses_a_matcher(test):
    partition(test, MARKET_DATA, "matcher-0", set(), silent=[0])


def a_gateway_loses_everybody(test):
    partition(test, "gateway-0", [CLIENTS, "matcher-0", "matcher-1", MARKET_DATA],
              {("gateway-0", 0), ("gateway-0", 1)})


def a_matcher_hears_nobody(test):
    partition(test, [CLIENTS, MARKET_DATA, "gateway-0", "gateway-1"], "matcher-0",
              {("gateway-0", 0), ("gateway-1", 0)}, back=False)


def nobody_hears_a_matcher(test):
    partition(test, "matcher-0", [CLIENTS, MARKET_DATA, "gateway-0", "gateway-1"],
              {("gateway-0", 0), ("gateway-1", 0)}, back=False)


def no_clock_makes_a_gateway_deny_an_order(test):
    """All clocks are set back, so what is stamped is ahead of them for a while, and a matcher's is
    ahead of all others. A gateway cut off from it says of an order it was not told of that it
    cannot know."""
    with Spread(test.bin, SYMBOLS, test.seed, settings={**SETTINGS, "answer_ms": 300},
                clocks=True) as cluster:
        there, cut_off = (Rest(gateway.port, host=gateway.host) for gateway in cluster.gateways)
        for change in (lambda: cluster.clocks.step(-20),
                       lambda: cluster.clocks.set("matcher-0", 5)):
            change()
            time.sleep(NOTICED_S)
            cluster.hosts.cut("gateway-1", "matcher-0")
            placed = until(lambda: certain(there.post(ORDERS, {**MARK, "symbol": "BTC-USD"})),
                           "an order is placed")
            equal(placed.status, 201, f"{placed}")
            path = f"{ORDERS}/{placed.json['order_id']}?account={MARK['account']}"
            for ask in (cut_off.get, lambda path: cut_off.patch(path, {"quantity": 2})):
                answer = ask(path)
                equal((answer.status, answer.error), (503, "NOT_CAUGHT_UP"), f"{answer}")
            cluster.hosts.heal()
            found = until(lambda: certain(cut_off.get(path)), "it is read")
            equal((found.status, found.json["order_id"]), (200, placed.json["order_id"]),
                  f"{found}")
            path = f"{ORDERS}/client:nobody-s?account=mark&symbol=BTC-USD"
            nobody = until(lambda: certain(cut_off.get(path)), "it is known that there is none")
            equal((nobody.status, nobody.error), (404, "UNKNOWN_ORDER"), f"{nobody}")


def links_are_slow_and_lossy(test):
    """All of them, each way."""
    with spread(test) as cluster:
        cluster.hosts.conditions(DELAY_MS, LOSS)
        with Load(cluster, test.seed, ask_s=10) as load:
            begin = time.monotonic()
            before = sum(sum(wire.acks.values()) for wire in load.wires)
            load.pass_time(test.options.seconds)
            seconds = time.monotonic() - begin
            wires = sum(sum(wire.acks.values()) for wire in load.wires) - before
            times = sorted(took for trader in load.traders
                           for took, _ in trader.between(begin, begin + seconds))
            lost = cluster.hosts.counts()["lost"]
            expect(lost > 0, "frames were lost")
            cluster.hosts.conditions()
            recovery, what, read = Recovery(load).finish()
            load.settle()
            print(f"    good again: recovered within {recovery:.2f} s ({what}), "
                  f"all of it read after {read:.2f} s")
            print(f"    REST, {len(load.traders)} clients: {len(times) / seconds:.0f}/s, median "
                  f"{1000 * times[len(times) // 2]:.0f} ms, p99 "
                  f"{1000 * times[len(times) * 99 // 100]:.0f} ms, most {1000 * times[-1]:.0f} ms; "
                  f"ZeroMQ, {len(load.wires)} senders: {wires / seconds:.0f}/s; "
                  f"{lost} frames lost")


if __name__ == "__main__":
    alone()
    parser = make_parser(__doc__)
    parser.add_argument("--turns", type=int, default=1, help="how often each link is cut")
    parser.add_argument("--seconds", type=float, default=4, help="how long, the first time")
    main(__doc__, [a_gateway_loses_a_matcher, market_data_loses_a_matcher,
                   a_gateway_loses_everybody, a_matcher_hears_nobody, nobody_hears_a_matcher,
                   no_clock_makes_a_gateway_deny_an_order,
                   links_are_slow_and_lossy], parser)
