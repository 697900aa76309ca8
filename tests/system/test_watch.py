"""WebSockets of a gateway under a real flow of orders: the snapshot first, then every change; a
client's own book, kept from events, has the top 10 and hash the gateway says; the limit; and one
client that does not read."""
import asyncio
import collections
import json
import socket
import threading
import time

import websockets

from cluster import equal, expect, main, until
from outcry import books
from rest import Rest

SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"}, "AAPL": {"shard": 1}}
SECONDS = 60


def venue(test, **settings):
    return test.cluster(SYMBOLS, shards=2, gateways=1, settings=settings)


def flow(test, rest, count, symbol="BTC-USD"):
    """Orders that rest, trade, are amended and cancelled."""
    open_orders = []
    for _ in range(count):
        choice = test.random.random()
        if choice < 0.7 or not open_orders:
            answer = rest.place(symbol, test.random.choice(["buy", "sell"]),
                                str(test.random.randint(1, 9)), str(test.random.randint(90, 110)),
                                account=test.random.choice("ab"))
            if answer.json["status"] in ("new", "partially_filled"):
                open_orders.append((answer.json["order_id"], answer.json["account"]))
        else:
            order, account = open_orders.pop(test.random.randrange(len(open_orders)))
            path = f"/api/v1/orders/{order}?account={account}"
            answer = (rest.delete(path) if choice < 0.9
                      else rest.patch(path, {"open_quantity": "10"}))
            if choice >= 0.9 and answer.status == 200:
                open_orders.append((order, account))
    return answer


class Watcher:
    """A thread that reads one WebSocket to its end; `messages` as they came."""

    def __init__(self, port, path, **options):
        self.url = f"ws://127.0.0.1:{port}{path}"
        self.options = options
        self.messages = []
        self.stalls = 0
        self.closed = None
        self.opened = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.thread.start()

    async def _run(self):
        try:
            async with websockets.connect(self.url, max_size=None, compression=None,
                                          **self.options) as peer:
                self.peer, self.loop = peer, asyncio.get_running_loop()
                async for text in peer:
                    self.messages.append(json.loads(text))
                    self.opened.set()
        except websockets.ConnectionClosed:
            pass
        except websockets.InvalidStatusCode as refusal:
            self.closed = refusal.status_code
            self.opened.set()
            return
        self.closed = peer.close_code

    def wait_open(self):
        expect(self.opened.wait(SECONDS), f"{self.url} said nothing")
        return self

    def until(self, condition, what):
        return until(lambda: condition(self.messages), what, SECONDS)

    def stop(self):
        if self.closed is None:
            asyncio.run_coroutine_threadsafe(self.peer.close(), self.loop)
        self.thread.join(SECONDS)


def top(levels, best):
    return [[price, quantity] for price, quantity in
            sorted(levels.items(), key=lambda level: float(level[0]), reverse=best)][:10]


def best_of(messages):
    """The prices of the newest bbo."""
    newest = [message for message in messages if message["type"] == "bbo"][-1:]
    return {side: (bbo[side] or {}).get("price") for bbo in newest for side in ("bid", "ask")}


def a_book_kept_from_events_is_the_gateways(test):
    with venue(test) as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        flow(test, rest, test.count(200))
        events = Watcher(port, "/ws/events/BTC-USD").wait_open()
        market = Watcher(port, "/ws/market-data/BTC-USD").wait_open()
        last = flow(test, rest, test.count(800))
        rest.get(f"/api/v1/orderbook/BTC-USD?min_at={last.at}")
        final = rest.get("/api/v1/orderbook/BTC-USD?level=3&depth=0").json
        events.until(lambda m: m[-1].get("seq", 0) >= final["seq"], "the last event")
        best = {side: levels[0][0] if levels else None for side, levels in
                (("bid", final["bids"]), ("ask", final["asks"]))}
        market.until(lambda m: best_of(m) == best, "the best prices at the end")
        tops = check_events(events.messages)
        equal(check_book.hash, int(final["hash"], 16), "the hash at the end")
        first, later = market.messages[0], market.messages[1:]
        equal(first["type"], "snapshot", "what comes first")
        compared = 0
        for message in later:
            if message["type"] == "orderbook" and message["seq"] in tops:
                equal((message["bids"], message["asks"]), tops[message["seq"]],
                      f"the top 10 at {message['seq']}")
                compared += 1
        expect(compared > test.count(800) / 10, f"only {compared} books were compared")
        events.stop(), market.stop()


class check_book:  # pylint: disable=invalid-name
    """The L3 hash a client computes by itself."""

    hash = 0


def units(text, scale):
    whole, _, part = text.lstrip("-").partition(".")
    number = int(whole + part.ljust(scale, "0"))
    return -number if text.startswith("-") else number


def term(order):
    side = {"buy": 1, "sell": 2}[order["side"]]
    return books.hash_term(side, units(order["price"], 2), order["priority"],
                                  int(order["order_id"]), units(order["quantity"], 4))


def check_events(messages):
    """Follow the events; the top 10 after each frame that told its hash, by its sequence."""
    snapshot = messages[0]
    equal((snapshot["type"], snapshot["level"]), ("snapshot", 3), "what comes first")
    orders, total = {}, 0
    for side, name in (("buy", "bids"), ("sell", "asks")):
        for price, quantity, order, priority in snapshot[name]:
            orders[order] = {"side": side, "price": price, "quantity": quantity,
                             "priority": priority, "order_id": order}
            total += term(orders[order])
    equal(total % 2**64, int(snapshot["hash"], 16), "the snapshot's hash")
    tops, hashes, seq = {}, 0, snapshot["seq"]
    for message in messages[1:]:
        expect(message["seq"] >= seq, f"{message} goes back from {seq}")
        seq = message["seq"]
        order = orders.get(message.get("order_id"))
        if message["type"] == "add":
            order = orders[message["order_id"]] = {key: message[key] for key in
                                                   ("side", "price", "quantity", "priority",
                                                    "order_id")}
            total += term(order)
        elif message["type"] in ("execute", "reduce"):
            total -= term(order)
            left = units(order["quantity"], 4) - units(message["quantity"], 4)
            order["quantity"] = f"{left // 10000}.{left % 10000:04d}"
            if left > 0:
                total += term(order)
            else:
                del orders[order["order_id"]]
        elif message["type"] == "delete":
            total -= term(order)
            del orders[message["order_id"]]
        if "hash" in message:
            equal(total % 2**64, int(message["hash"], 16), f"the hash at {seq}")
            hashes += 1
            tops[seq] = sides(orders)
    expect(hashes > 50, f"only {hashes} hashes were compared")
    check_book.hash = total % 2**64
    return tops


def sides(orders):
    levels = {"buy": collections.Counter(), "sell": collections.Counter()}
    for order in orders.values():
        levels[order["side"]][order["price"]] += units(order["quantity"], 4)
    text = {side: {price: f"{qty // 10000}.{qty % 10000:04d}" for price, qty in one.items()}
            for side, one in levels.items()}
    return top(text["buy"], True), top(text["sell"], False)


def every_trade_and_quote_is_told_once(test):
    with venue(test) as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        flow(test, rest, test.count(100))
        rest.place("BTC-USD", "sell", "1", "89")
        rest.place("BTC-USD", "buy", "1", "111")  # one trade at least: the first thing told
        trades = Watcher(port, "/ws/trades/BTC-USD").wait_open()
        quotes = Watcher(port, "/ws/quotes/BTC-USD").wait_open()
        flow(test, rest, test.count(500))
        rest.place("BTC-USD", "buy", "1", "200")
        rest.place("BTC-USD", "sell", "1", "300")
        taken = rest.place("BTC-USD", "buy", "1", "300")
        all_of_them = rest.get(f"/api/v1/trades/BTC-USD?limit=1000&min_at={taken.at}").json["data"]
        newest = all_of_them[0]["trade_id"]
        trades.until(lambda m: m[-1]["trade_id"] == newest, "the last trade")
        told = [message["trade_id"] for message in trades.messages]
        known = [trade["trade_id"] for trade in reversed(all_of_them)]
        equal(told, known[len(known) - len(told):], "each trade once, in order")
        recent = [bool(message.get("recent")) for message in trades.messages]
        equal(recent, sorted(recent, reverse=True), "recent ones first")
        by_seq = collections.defaultdict(list)
        for message in trades.messages:
            by_seq[message["seq"]].append(message["last"])
        for seq, last in list(by_seq.items())[1:]:
            equal(last, [False] * (len(last) - 1) + [True], f"last of {seq}")
        kinds = {message["type"] for message in quotes.messages}
        equal(kinds, {"bbo"}, "quotes")
        states = [(json.dumps(m["bid"]), json.dumps(m["ask"])) for m in quotes.messages]
        expect(all(a != b for a, b in zip(states, states[1:])), "each quote is a change")
        trades.stop(), quotes.stop()


def one_that_does_not_read_is_nobody_elses_concern(test):
    with venue(test, websocket_queue_max=256, websockets_max=64) as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        flow(test, rest, 50)
        watchers = [Watcher(port, "/ws/events/BTC-USD") for _ in range(test.count(49))]
        for watcher in watchers:
            watcher.wait_open()
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", port))
        slow.sendall(b"GET /ws/events/BTC-USD HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                     b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        cluster.until(lambda: rest.metric("outcry_websockets_open") == len(watchers) + 1,
                      "all open")
        memory = cluster.gateways[0].process.memory()
        end = time.monotonic() + 4 * SECONDS
        waited = 0
        while rest.metric("outcry_websockets_slow_total") == 0:
            expect(time.monotonic() < end, "the slow one was never closed")
            last = flow(test, rest, 100)
            waited = max(waited, rest.metric("outcry_websocket_waiting_messages"))
        expect(waited > 0, "messages waited for the slow one, and nobody was told")
        received = b""
        slow.settimeout(SECONDS)
        while more := slow.recv(1 << 20):
            received += more
        expect(b"\x88" in received and (4008).to_bytes(2, "big") in received[-200:],
               f"close 4008 at the end of {received[-60:]!r}")
        slow.close()
        final = rest.get(f"/api/v1/orderbook/BTC-USD?level=3&min_at={last.at}").json["seq"]
        for watcher in watchers:
            watcher.until(lambda m: m[-1]["seq"] >= final, "the others see everything")
            lasts = [message["seq"] for message in watcher.messages]
            equal(lasts, sorted(lasts), "in order")
        counts = {len(watcher.messages) for watcher in watchers}
        expect(max(counts) - min(counts) <= 60, f"the others lost nothing: {counts}")
        for watcher in watchers:
            watcher.stop()
        cluster.until(lambda: rest.metric("outcry_websocket_waiting_messages") == 0,
                      "nothing waits any more")
        growth = cluster.gateways[0].process.memory() - memory
        expect(growth < 64 << 20, f"memory grew by {growth >> 20} MiB")


def at_their_limit_rest_goes_on(test):
    with venue(test, websockets_max=5) as cluster:
        port = cluster.gateways[0].port
        rest, admin = Rest(port), Rest(cluster.gateways[0].admin_port)
        watchers = [Watcher(port, "/ws/quotes/BTC-USD").wait_open() for _ in range(5)]
        refused = Watcher(port, "/ws/quotes/BTC-USD").wait_open()
        equal(refused.closed, 503, "the next upgrade")
        equal(rest.place("BTC-USD", "buy", "1", "1").status, 201, "an order")
        for path in ("/livez", "/readyz", "/metrics"):
            equal((rest.get(path).status, admin.get(path).status), (200, 200), path)
        watchers.pop().stop()
        cluster.until(lambda: rest.metric("outcry_websockets_open") == 4, "one has gone")
        equal(Watcher(port, "/ws/quotes/BTC-USD").wait_open().messages[0]["type"], "bbo", "room")
        for path in ("/ws/quotes/NONE", "/ws/nothing/BTC-USD", "/ws/quotes/"):
            equal(Watcher(port, path).wait_open().closed, 404, path)
        for watcher in watchers:
            watcher.stop()


def a_new_history_begins_with_a_snapshot(test):
    with venue(test, journal_mode="none") as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        rest.place("AAPL", "buy", "1", "50")
        market = Watcher(port, "/ws/market-data/AAPL").wait_open()
        epoch = market.messages[0]["epoch"]
        cluster.matchers[1].kill()
        cluster.start_matcher(1)
        market.until(lambda m: any(one["type"] == "snapshot" and one["epoch"] > epoch for one in m),
                     "a snapshot of the new epoch")
        cluster.until(lambda: rest.place("AAPL", "buy", "1", "51").status == 201,
                      "orders are taken")
        market.until(lambda m: m[-1]["type"] == "orderbook" and m[-1]["bids"][0][0] == "51.00"
                     if "." in str(m[-1].get("bids")) else m[-1].get("bids") == [["51", "1"]],
                     "its changes")
        market.stop()


if __name__ == "__main__":
    main(__doc__, [a_book_kept_from_events_is_the_gateways, every_trade_and_quote_is_told_once,
                   one_that_does_not_read_is_nobody_elses_concern, at_their_limit_rest_goes_on,
                   a_new_history_begins_with_a_snapshot])
