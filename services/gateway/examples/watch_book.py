#!/usr/bin/python3
"""Follow a book order by order over a WebSocket, and know that it is right: Python, with Debian's
python3-websockets.

    ./outcry up                                                       # in one terminal
    services/gateway/examples/watch_book.py                           # in another, until Ctrl-C
    services/gateway/examples/watch_book.py ws://127.0.0.1:8000 AAPL 20    # 20 times, then the book

The first message of /ws/events/{symbol} is the whole book. Then every change comes, in order, and
the last message of each frame has the hash of the book it led to: whoever has missed or mistaken
anything sees it at once. The hash is that of proto/PROTOCOL.md.
"""
import asyncio
import decimal
import json
import sys
import urllib.request

import websockets

MASK = 2**64 - 1


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


class Order:
    """What rests: its price in ticks, what is open of it in lots."""

    def __init__(self, order_id, side, price, quantity, priority):
        self.order_id, self.side = int(order_id), side
        self.price, self.quantity, self.priority = price, quantity, priority

    def term(self):
        """What it adds to the hash of its book."""
        z = mix(0x9E3779B97F4A7C15 + (1 if self.side == "buy" else 2) & MASK)
        for number in (self.price, self.priority, self.order_id, self.quantity):
            z = mix(z + number & MASK)
        return z


class Book:
    """Every order of a symbol. Decimals come in; ticks and lots, which are integers, are kept."""

    def __init__(self, tick_size, lot_size):
        self.tick, self.lot = decimal.Decimal(tick_size), decimal.Decimal(lot_size)
        self.orders, self.hash = {}, 0

    def ticks(self, price):
        return int(decimal.Decimal(price) / self.tick)

    def lots(self, quantity):
        return int(decimal.Decimal(quantity) / self.lot)

    def add(self, order_id, side, price, quantity, priority):
        order = Order(order_id, side, self.ticks(price), self.lots(quantity), priority)
        self.orders[order_id] = order
        self.hash = self.hash + order.term() & MASK

    def less(self, order_id, lots):
        """So much less of an order; at nothing it is gone. None: all of it."""
        order = self.orders[order_id]
        self.hash = self.hash - order.term() & MASK
        order.quantity -= order.quantity if lots is None else lots
        if order.quantity == 0:
            del self.orders[order_id]
        else:
            self.hash = self.hash + order.term() & MASK

    def apply(self, message):
        """Take in a message; True if its hash was compared, an exception if it is not ours."""
        kind = message["type"]
        if kind == "snapshot":
            self.orders, self.hash = {}, 0
            for side, rows in (("buy", message["bids"]), ("sell", message["asks"])):
                for price, quantity, order_id, priority in rows:
                    self.add(order_id, side, price, quantity, priority)
        elif kind == "add":
            self.add(*(message[key] for key in ("order_id", "side", "price", "quantity",
                                                "priority")))
        elif kind in ("execute", "reduce"):
            self.less(message["order_id"], self.lots(message["quantity"]))
        elif kind == "delete":
            self.less(message["order_id"], None)
        if "hash" not in message:
            return False
        if f"{self.hash:016x}" != message["hash"]:
            raise ValueError(f"the book is not right at sequence {message['seq']}")
        return True

    def levels(self, side, depth=10):
        """(price, quantity), best first."""
        sums = {}
        for order in self.orders.values():
            if order.side == side:
                sums[order.price] = sums.get(order.price, 0) + order.quantity
        best = sorted(sums, reverse=side == "buy")[:depth]
        return [(str(price * self.tick), str(sums[price] * self.lot)) for price in best]


def show(levels):
    return " @ ".join(reversed(levels[0])) if levels else "nobody"


async def watch(url, symbol, count):
    with urllib.request.urlopen(url.replace("ws", "http", 1) + "/api/v1/symbols") as answer:
        rules = next(one for one in json.load(answer)["data"] if one["symbol"] == symbol)
    book = Book(rules["tick_size"], rules["lot_size"])
    async with websockets.connect(f"{url}/ws/events/{symbol}", max_size=None) as messages:
        async for text in messages:
            message = json.loads(text)
            if book.apply(message):
                print(message["seq"], message["hash"], "right: bid", show(book.levels("buy")),
                      "ask", show(book.levels("sell")), flush=True)
                count -= 1
            if count == 0:
                break
    print(json.dumps({"seq": message["seq"], "bids": book.levels("buy"),
                      "asks": book.levels("sell")}))


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv[1:]))
    try:
        asyncio.run(watch(arguments.get(0, "ws://127.0.0.1:8000"), arguments.get(1, "BTC-USD"),
                          int(arguments.get(2, -1))))
    except KeyboardInterrupt:
        pass
